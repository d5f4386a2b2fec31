"""The arithmetic of a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.value import NOTHING, Value, shown, value_of


@pytest.mark.parametrize(
    ("scores", "weights", "expected"),
    [
        ([80, 20], [1.0, 1.0], Value(80, 20, 0)),
        ([60, 80], [1.0, 0.5], Value(60, 40, 0)),
        ([50, 50], [1.0, 1.0], Value(50, 50, 0)),
        ([0, 0], [1.0, 1.0], Value(0, 0, 0)),
        ([25], [0.5], Value(13, 0, 0)),
        ([30, 10], [0.35, 0.35], Value(11, 4, 0)),
        ([90, 10], [0.0, 1.0], Value(10, 0, 1)),
        ([], [1.0], NOTHING),
        ([70, 90], [1.0], Value(70, 0, 0)),
    ],
)
def test_the_best_weighted_interest_makes_the_value(scores, weights, expected):
    assert value_of(scores, weights) == expected


def test_halves_are_rounded_up_as_typed():
    assert value_of([50], [0.29]).value == 15
    assert value_of([70], [0.35]).value == 25
    assert value_of([10], [0.45]).value == 5


@given(st.lists(st.tuples(st.integers(0, 100), st.floats(0, 1)), min_size=1, max_size=9))
def test_a_value_stays_in_range_and_the_second_never_beats_it(pairs):
    result = value_of([score for score, _ in pairs], [weight for _, weight in pairs])

    assert 0 <= result.second <= result.value <= 100
    assert result.interest in range(len(pairs))


def test_values_are_shown_out_of_ten():
    assert [shown(value) for value in (0, 5, 87, 100)] == ["0.0", "0.5", "8.7", "10.0"]
