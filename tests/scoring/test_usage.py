"""Usage as reported, and as it may be booked."""

import pytest

from scoring.usage import Usage, from_response


def used(reported):
    """What would be booked beside a hold of 1,500 tokens."""
    usage = from_response(reported)
    return usage if usage is not None and usage.is_usable(1500) else None


def test_cached_and_reasoning_are_parts():
    reported = {
        "prompt_tokens": 900,
        "completion_tokens": 100,
        "total_tokens": 1000,
        "prompt_tokens_details": {"cached_tokens": 640},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }

    assert used(reported) == Usage(900, 100, 640, 30)
    assert used(reported).total_tokens == 1000


@pytest.mark.parametrize(
    "reported",
    [
        None,
        "372",
        [],
        {},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": -5, "completion_tokens": 10},
        {"prompt_tokens": "900", "completion_tokens": "100"},
        {"prompt_tokens": True, "completion_tokens": 10},
        {"prompt_tokens": 900.5, "completion_tokens": 10},
        {"prompt_tokens": 10**12, "completion_tokens": 10},
        {"prompt_tokens": 900, "completion_tokens": 10**9},
    ],
)
def test_figures_that_cannot_be_are_flagged(reported):
    assert used(reported) is None


def test_reasoning_that_is_counted_beside_the_completion_is_not_lost():
    reported = {
        "prompt_tokens": 900,
        "completion_tokens": 100,
        "total_tokens": 1300,
        "completion_tokens_details": {"reasoning_tokens": 300},
    }

    assert used(reported).total_tokens == 1300


def test_more_than_was_held_is_still_a_bill():
    assert used({"prompt_tokens": 5000, "completion_tokens": 900}).total_tokens == 5900


def test_other_spellings_of_cached_are_known():
    assert (
        used({"prompt_tokens": 900, "completion_tokens": 9, "prompt_cache_hit_tokens": 512}).cached_tokens
        == 512
    )
    assert (
        used({"prompt_tokens": 9, "completion_tokens": 9, "prompt_cache_hit_tokens": 512}).cached_tokens == 9
    )
