"""A model that stops telling papers apart, or changes what it means by a number, is noticed and told once."""

import datetime as dt
import random

import pytest
from django.urls import reverse

from profiles.models import Notice
from scoring import drift, editions, watch
from scoring.drift import Finding, Reading
from scoring.models import Candidate, Edition, Score
from tests import factories
from tests.scoring.reading import papers, read_all

EVENING = dt.datetime(2026, 2, 1, 20, tzinfo=dt.UTC)


def day_of(count=60, by=0.0, seed=1):
    """An honest day of two interests, whose scores stand `by` points higher."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        estimate = dice.uniform(0, 100)
        score = max(0, min(100, round(estimate + dice.gauss(by, 15))))
        made.append(Reading((score, 0), estimate, number // 20))
    return made


# --- pure ------------------------------------------------------------------------------------------


def test_an_honest_day_is_no_finding():
    for seed in range(20):
        assert drift.collapsed(day_of(seed=seed)) is None
        assert drift.drifted(day_of(seed=seed), day_of(300, seed=seed + 100)) is None


def test_all_alike_over_several_blocks_is_a_collapse():
    day = [Reading((72, 71), 50.0, number // 20) for number in range(60)]

    assert drift.collapsed(day) == Finding.ALIKE
    assert drift.collapsed(day[:20]) is None  # one block may be alike


def test_one_interest_that_is_always_the_same_is_one_too_unless_it_is_narrow():
    honest = day_of()
    stuck = [Reading((each.scores[0], 50), each.estimate, each.block) for each in honest]

    assert drift.collapsed(stuck) == Finding.ONE_ALIKE
    assert drift.collapsed(honest) is None  # its second interest is 0 throughout


@pytest.mark.parametrize(("by", "finding"), [(25, Finding.HIGHER), (-25, Finding.LOWER)])
def test_a_day_that_stands_off_its_estimates_is_a_drift(by, finding):
    found = drift.drifted(day_of(by=by), day_of(300, seed=7))

    assert found is not None
    assert found[0] == finding
    assert abs(found[1]) > 12


def test_few_papers_tell_of_no_drift():
    assert drift.drifted(day_of(20, by=40), day_of(300, seed=7)) is None


def blocks_of(count=24, size=20, *, seed=1, usual=0.0, measure=None):
    """A day in blocks of neighbouring estimates, whose scores bend with the estimate and differ by 22 points; each block by
    its own measure, `usual` points apart, and those in `measure` by so much more."""
    dice = random.Random(seed)
    made = []
    for block in range(count):
        shift = dice.gauss(0, usual) + (measure or {}).get(block, 0.0)
        for _ in range(size):
            estimate = 100 * (1 - (block + dice.random()) / count) ** 2
            true = 75 * (estimate / 100) ** 0.6 + dice.gauss(0, 22) + shift
            made.append(Reading((max(0, min(100, round(true))), 0), estimate, block))
    return made


def test_blocks_that_differ_as_they_do_for_any_model_are_no_finding():
    found = [drift.torn(blocks_of(seed=seed, usual=4.0)) for seed in range(40)]

    assert sum(each is not None for each in found) <= 1


@pytest.mark.parametrize("by", [45, -45])
def test_a_planted_offset_of_one_block_is_found(by):
    found = [drift.torn(blocks_of(seed=seed, usual=4.0, measure={7: by})) for seed in range(20)]

    assert sum(each is not None for each in found) >= 16


def test_a_model_that_reads_each_block_by_another_measure_is_found():
    found = [drift.torn(blocks_of(seed=seed, usual=20.0)) for seed in range(10)]

    assert all(found)


def test_few_blocks_tell_of_nothing():
    assert drift.torn(blocks_of(5, measure={2: 40})) is None
    assert drift.torn(blocks_of(20, 7, measure={2: 40})) is None
    assert drift.torn([]) is None


def test_blocks_without_any_spread_tell_of_nothing():
    assert drift.torn([Reading((50,), 50.0, number // 20) for number in range(200)]) is None


def test_a_slow_drift_shows_in_a_text_that_does_not_move():
    dice = random.Random(5)

    def read(worth):
        return [round(dice.gauss(worth, 10)) for _ in range(60)]

    assert drift.crept(read(45), read(45)) is None
    assert drift.crept(read(58), read(45)) == (Finding.CREPT_HIGHER, pytest.approx(13, abs=5))
    assert drift.crept(read(33), read(45))[0] == Finding.CREPT_LOWER
    assert drift.crept(read(70)[:19], read(45)) is None


# --- with models -----------------------------------------------------------------------------------


def read_day(reader, day, count=60):
    edition = factories.edition_to_read(reader, papers(count), day=day)
    Candidate.objects.filter(edition=edition).update(estimate=7000)
    read_all()
    editions.close(edition, EVENING)
    edition.refresh_from_db()
    return edition


@pytest.mark.django_db
def test_a_constant_model_is_told_once_and_stands_on_the_day(alice, judge, fake_model, client):
    fake_model.settings.personality = "constant"
    edition = read_day(alice, factories.DAY)

    assert watch.watch_due(EVENING) == 1
    assert watch.watch_due(EVENING) == 0

    edition.refresh_from_db()
    assert edition.screening["judge"]["finding"] == "alike"
    assert Notice.objects.filter(user=alice.owner, code=watch.CODE).count() == 1
    client.force_login(alice.owner)
    page = client.get(reverse("day", args=[factories.DAY]), {"profile": str(alice.public_id)}).text
    assert "nearly the same score." in page


@pytest.mark.django_db
def test_an_honest_model_is_not_told(alice, judge, fake_model):
    read_day(alice, factories.DAY)

    assert watch.watch_due(EVENING) == 0
    assert Edition.objects.get().screening["judge"] == {}
    assert not Notice.objects.exists()


@pytest.mark.django_db
def test_a_model_that_moves_from_one_day_to_the_next_is_told(alice, judge, fake_model):
    before = read_day(alice, factories.DAY)
    after = read_day(alice, factories.DAY + dt.timedelta(days=1))
    for score in Score.objects.filter(day=after.day):
        Score.objects.filter(pk=score.pk).update(
            interest_scores=[max(0, number - 30) for number in score.interest_scores]
        )
    raw = list(Score.objects.order_by("pk").values_list("interest_scores", flat=True))

    assert watch.watch_due(EVENING) == 1

    before.refresh_from_db()
    after.refresh_from_db()
    assert before.screening["judge"] == {}
    assert after.screening["judge"]["finding"] == "lower"
    assert after.screening["judge"]["points"] <= -12
    assert list(Score.objects.order_by("pk").values_list("interest_scores", flat=True)) == raw


@pytest.mark.django_db
def test_a_block_by_another_measure_is_told_on_its_day(alice, judge, fake_model):
    edition = read_day(alice, factories.DAY, count=160)
    dice = random.Random(2)
    blocks = sorted(Score.objects.values_list("call", flat=True).distinct())
    for score in Score.objects.all():
        shift = 40 if score.call_id == blocks[3] else 0
        told = max(0, min(100, round(dice.gauss(45, 12)) + shift))
        Score.objects.filter(pk=score.pk).update(interest_scores=[told, 0])

    assert watch.watch_due(EVENING) == 1

    edition.refresh_from_db()
    found = edition.screening["judge"]
    assert (found["finding"], found["points"] >= 8) == ("torn", True)
    notice = Notice.objects.get(user=alice.owner, code=watch.CODE)
    assert "by different measures" in str(watch.words_of_drifts([notice.params])[0])


@pytest.mark.django_db
def test_a_model_that_creeps_is_told_by_the_canary_that_rides_along(alice, judge, fake_model):
    day = dt.date(2026, 3, 31)
    edition = read_day(alice, day)
    for back, worth in [(40, 40), (39, 41), (3, 58), (2, 59)]:
        for _ in range(12):
            factories.call(
                alice, judge, day=day - dt.timedelta(days=back), revision=edition.revision, outcome="judged",
                canaries={"high": worth, "bells": 0},
            )  # fmt: skip

    assert watch.findings_of(Edition.objects.get(pk=edition.pk))["finding"] == "crept_higher"
