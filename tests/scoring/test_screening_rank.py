"""The local estimate, from words alone."""

import numpy as np
import pytest

from papers.features.vectors import BadFeatures, features
from scoring.screening.brief import Brief, Wish
from scoring.screening.cut import AIM_HIGHER, cut
from scoring.screening.index import Index
from scoring.screening.rank import estimate

GRAPHS = features("Graph attention", "Message passing in graph neural networks for node classification.")
ROBOTS = features("Grasping", "A robot learns dexterous manipulation from teleoperation demonstrations.")
TUMOURS = features(
    "Brain tumor MRI", "Graph neural networks for patient diagnosis in medical imaging of lesions."
)
PROSE = [
    features(f"Note {n}", f"Some remarks about topic{n} and thing{n * 7} in general terms.")
    for n in range(60)
]


def brief(*texts: str, exclusions: tuple[str, ...] = ()) -> Brief:
    return Brief(tuple(Wish(text) for text in texts), exclusions)


def test_a_paper_about_an_interest_is_expected_more():
    got = estimate(Index([GRAPHS, ROBOTS, *PROSE]), brief("图神经网络", "robot learning"))

    assert got.best_interest(0) == 0
    assert got.best_interest(1) == 1
    assert min(got.combined[:2]) > max(got.combined[2:])


def test_an_exclusion_lowers_what_falls_under_it():
    index = Index([GRAPHS, TUMOURS, *PROSE])

    free = estimate(index, brief("graph neural networks"))
    excluded = estimate(index, brief("graph neural networks", exclusions=("医疗健康，除非与主方向有关",)))

    assert excluded.combined[1] < free.combined[1] / 2
    assert excluded.combined[0] == pytest.approx(free.combined[0], rel=0.1)


def test_equal_input_gives_equal_estimates():
    first, second = (estimate(Index([GRAPHS, ROBOTS], PROSE), brief("graphs", "robots")) for _ in range(2))

    assert first == second


def test_a_small_day_is_measured_against_earlier_papers():
    alone = estimate(Index([GRAPHS, ROBOTS]), brief("graph neural networks"))
    with_background = estimate(Index([GRAPHS, ROBOTS], PROSE), brief("graph neural networks"))

    assert with_background.combined[0] > 2 * alone.combined[0]
    assert len(with_background.combined) == 2


def test_words_that_carry_nothing_make_a_weak_profile_that_reads_more():
    papers = [GRAPHS, ROBOTS, TUMOURS, *PROSE]
    keys = [f"2601.{n:05}" for n in range(len(papers))]

    strong = estimate(Index(papers), brief("graph neural networks"))
    weak = estimate(Index(papers), brief("有意思的东西"))

    assert not strong.is_weak
    assert weak.is_weak
    assert weak.unknown == (0,)
    assert cut(weak.combined, keys, 0.9, "s").rank > cut(strong.combined, keys, 0.9, "s").rank
    assert cut(weak.combined, keys, 0.9, "s").rank == int(np.ceil((0.9 + 0.1 * AIM_HIGHER) * len(papers)))


def test_an_interest_of_weight_nought_wants_nothing():
    wishes = (Wish("graph neural networks", weight=0.0), Wish("robot learning", weight=1.0))

    got = estimate(Index([GRAPHS, ROBOTS, *PROSE]), Brief(wishes))

    assert got.best_interest(0) == 1
    assert got.combined[1] > got.combined[0]


def test_an_empty_day_and_an_empty_profile_are_no_error():
    assert estimate(Index([]), brief("graphs")).combined == ()
    assert estimate(Index([GRAPHS]), brief()).combined == (0,)
    assert estimate(Index([features("", "")]), brief("graphs")).combined[0] > 0


def test_estimates_are_chances_of_ten_thousand():
    got = estimate(Index([GRAPHS, ROBOTS, *PROSE]), brief("graph neural networks", "robots", "diffusion"))

    assert all(0 <= one <= 10_000 for row in (got.combined, *got.by_interest) for one in row)


def test_damaged_features_are_refused():
    with pytest.raises(BadFeatures):
        Index([b"", GRAPHS])
