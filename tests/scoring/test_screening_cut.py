"""Where reading stops, and what is read below."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.screening.constancy import constant
from scoring.screening.cut import AUDIT_SHARE, CERTAIN, COMMONEST_DRAW, RAREST_DRAW, cut, draw, seed_of
from scoring.screening.heights import HEIGHTS, heights_of, together

DAY = dt.date(2026, 1, 30)
KEYS = [f"2601.{n:05}" for n in range(400)]


def test_reading_stops_where_the_expected_recall_is_reached():
    line = cut([9000, 900, 300, 200], KEYS[:4], 0.9, "seed")
    worths = constant([9000, 900, 300, 200])

    assert line.rank == 1
    assert line.expected_recall == pytest.approx(worths[0] / sum(worths))
    assert line.expected_recall > 0.9 > 9000 / 10_400


def test_a_target_of_one_reads_everything():
    line = cut([9000, 0, 300], KEYS[:3], 1.0, "seed")

    assert line.rank == 3
    assert line.audit == {}


def test_estimates_that_tell_nothing_apart_read_what_is_aimed_at():
    line = cut([300] * 400, KEYS, 0.9, "seed")

    assert line.rank == 362  # half a point above the target of 0.9


def test_a_day_of_which_nothing_is_expected_is_read():
    assert cut([0] * 10, KEYS[:10], 0.9, "seed").rank == 10
    assert cut([], [], 0.9, "seed").chosen == ()


def test_the_target_is_meant_for_the_days_of_late_together():
    """A poor day is read less far than alone, a rich one farther; a day like those before it as far as alone."""
    usual = [9000] * 20 + [4000] * 20 + [1000] * 60 + [100] * 200
    poor = [1000] * 30 + [100] * 270
    before = together([heights_of(usual)] * 10)

    def ranks(estimates):
        keys = KEYS[: len(estimates)]
        return cut(estimates, keys, 0.9, "s").rank, cut(estimates, keys, 0.9, "s", before=before).rank

    alone, beside = ranks(usual)
    assert abs(alone - beside) <= 1
    alone, beside = ranks(poor)
    assert 0 < beside < alone
    alone, beside = ranks([9000] * 60 + [1000] * 100 + [100] * 140)
    assert beside > alone


def test_flat_days_together_are_read_like_one():
    before = together([heights_of([300] * 400)] * 10)

    assert cut([300] * 400, KEYS, 0.9, "seed", before=before).rank == 362
    assert cut([0] * 10, KEYS[:10], 0.9, "seed", before=before).rank == 10


def test_heights_of_another_division_count_nothing():
    assert together([[1, 2, 3]]) == []
    assert together([heights_of([5000]), [1], heights_of([5000, 0])]) == heights_of([5000, 5000])
    assert len(heights_of([0, 10_000])) == HEIGHTS


def test_of_a_short_list_some_are_audited_of_a_long_one_a_share():
    estimates, keys = [100] * 1000, [f"{n:04}" for n in range(1000)]

    few = [len(draw(range(60), estimates, keys, str(n))) for n in range(30)]
    many = [len(draw(range(1000), estimates, keys, str(n))) for n in range(30)]

    assert 2 <= sum(few) / 30 <= 3
    assert abs(sum(many) / 30 - 15) < 1


def test_some_of_the_rest_are_audited_each_with_its_chance():
    line = cut([9999] * 10 + [100] * 390, KEYS, 0.9, "seed")

    rest = 400 - line.rank
    assert 0.25 * AUDIT_SHARE * rest < len(line.audit) < 2 * AUDIT_SHARE * rest
    assert set(line.audit.values()) == {round(CERTAIN * AUDIT_SHARE)}
    assert line.audit.keys().isdisjoint(line.order[: line.rank])
    assert len(line.chosen) == line.rank + len(line.audit)


def test_what_might_be_wanted_is_audited_more_often():
    estimates = [100] * 200 + [0] * 200

    chances = {
        i: chance for n in range(60) for i, chance in draw(range(400), estimates, KEYS, str(n)).items()
    }

    assert {chance for i, chance in chances.items() if i < 200} != {c for i, c in chances.items() if i >= 200}
    assert min(chances.values()) == CERTAIN * RAREST_DRAW
    assert max(chances.values()) <= CERTAIN * COMMONEST_DRAW


def test_what_audits_found_below_moves_the_line_down():
    estimates = sorted((n * n for n in range(1, 100)), reverse=True)

    ranks = [cut(estimates, KEYS[:99], 0.9, "seed", missed=missed).rank for missed in (0.5, 1.0, 2.0, 5.0)]

    assert ranks == sorted(set(ranks))


def test_the_draw_is_the_same_for_ever_and_another_for_others():
    def drawn(profile, day=DAY, keys=KEYS):
        line = cut([9999] * 10 + [100] * 390, keys, 0.9, seed_of(profile, day))
        return {keys[i] for i in line.audit}

    assert drawn("alice") == drawn("alice")
    assert drawn("alice") != drawn("bob")
    assert drawn("alice") != drawn("alice", DAY + dt.timedelta(days=1))
    assert len(seed_of("alice", DAY)) == 64


def test_every_paper_of_the_rest_is_as_likely_to_be_drawn():
    times = dict.fromkeys(range(10, 400), 0)
    for n in range(300):
        for i in cut([9999] * 10 + [100] * 390, KEYS, 0.9, seed_of(f"profile {n}", DAY)).audit:
            times[i] += 1

    expected = sum(times.values()) / 390
    chi_squared = sum((seen - expected) ** 2 / expected for seen in times.values())
    assert chi_squared < 389 + 4 * (2 * 389) ** 0.5


@given(st.lists(st.integers(0, 10_000), max_size=60), st.floats(0.5, 1.0), st.randoms())
def test_the_order_of_asking_does_not_matter(estimates, target, dice):
    papers = list(zip(estimates, KEYS, strict=False))
    shuffled = dice.sample(papers, len(papers))

    def read(papers):
        line = cut([e for e, _ in papers], [k for _, k in papers], target, "seed")
        return [papers[i][1] for i in line.chosen]

    assert read(papers) == read(shuffled)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60), st.floats(0.5, 1.0))
def test_the_expected_recall_reaches_its_target(estimates, target):
    line = cut(estimates, KEYS[: len(estimates)], target, "seed")

    assert line.expected_recall >= round(target * 10_000) / 10_000 - 1e-12
