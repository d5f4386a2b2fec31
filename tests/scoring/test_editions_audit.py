"""The audit catches each way in which a paper can be lost, doubled or mis-stated."""

import datetime as dt

import pytest

from papers.models import Announcement
from scoring import editions, packed
from scoring.models import Candidate, Edition, Score
from scoring.packed import Code, Entry
from tests import factories
from tests.factories import DAY
from tests.scoring.test_edits import read

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)
State = Candidate.State


@pytest.fixture
def edition():
    """A day of which a model read one paper, the local judge another, and two wait."""
    profile = factories.profile(factories.user("alice@example.org"))
    factories.announced_papers(4)
    made = editions.open_edition(profile, DAY)
    editions.screen(made, NOW)
    first, second = made.candidates.order_by("rank")[:2]
    read(first, [80, 10])
    read(second, [30, 10], State.ESTIMATED)
    made.refresh_from_db()
    assert editions.audit() == []
    return made


def found() -> set[str]:
    return {violation.invariant for violation in editions.audit()}


def rewrite(edition: Edition, entries: list[Entry]) -> None:
    Edition.objects.filter(pk=edition.pk).update(packed=packed.pack(entries))


def test_a_deleted_candidate_is_caught(edition):
    edition.candidates.filter(state=State.JUDGED).delete()

    assert found() == {"what was read or waits has a candidate"}


def test_a_duplicated_candidate_is_caught(edition):
    candidate = edition.candidates.filter(state=State.JUDGED).get()
    candidate.pk, candidate.day = None, DAY + dt.timedelta(days=1)
    candidate.save()

    assert found() == {"a paper has one candidate", "a candidate is of its edition's day and profile"}


@pytest.mark.parametrize(
    "state", [State.JUDGED, State.ESTIMATED, State.FAILED, State.EXPIRED, State.WITHDRAWN]
)
def test_a_mis_stated_candidate_is_caught(edition, state):
    waiting = edition.candidates.waiting().first()
    Candidate.objects.filter(pk=waiting.pk).update(state=state)

    assert "candidate and list agree" in found()


def test_a_mis_stated_candidate_and_list_are_caught_by_the_score(edition):
    waiting = edition.candidates.waiting().first()
    Candidate.objects.filter(pk=waiting.pk).update(state=State.JUDGED)
    editions.move(edition, {waiting.paper_id: Code.JUDGED})

    assert found() == {"what was read has its score"}


def test_an_estimate_that_passes_for_a_reading_is_caught(edition):
    estimated = edition.candidates.filter(state=State.ESTIMATED).get()
    Candidate.objects.filter(pk=estimated.pk).update(state=State.JUDGED)
    editions.move(edition, {estimated.paper_id: Code.JUDGED})

    assert found() == {"an estimate is no reading"}


def test_anothers_score_is_caught(edition):
    judged = edition.candidates.get(state=State.JUDGED)
    Score.objects.filter(pk=judged.score_id).update(paper=edition.candidates.waiting().first().paper)

    assert found() == {"a score is its own paper's"}


def test_a_candidate_of_a_stranger_is_caught(edition):
    Candidate.objects.create(
        day=DAY,
        edition=edition,
        profile=edition.profile,
        paper=factories.paper(),
        version=1,
        rank=9,
        estimate=1,
    )

    assert found() == {"a candidate is in its edition's list"}


def test_a_paper_dropped_from_the_list_is_caught_and_shown(edition):
    entries = packed.unpack(edition.packed)
    dropped = next(entry for entry in entries if entry.code == Code.WAITING)
    edition.candidates.filter(paper=dropped.paper_id).delete()
    rewrite(edition, [entry for entry in entries if entry != dropped])

    edition.refresh_from_db()
    assert found() == {"no announced paper is lost"}
    assert editions.account(edition).lost == 1
    assert not editions.account(edition).is_true


def test_a_paper_listed_twice_is_caught_and_shown(edition):
    entries = packed.unpack(edition.packed)
    rewrite(edition, [*entries, entries[0]])

    edition.refresh_from_db()
    assert found() == {"each paper is listed once"}
    assert editions.account(edition).lost == -1


def test_a_paper_that_nobody_announced_is_caught(edition):
    Announcement.objects.filter(paper=packed.unpack(edition.packed)[0].paper_id).delete()

    assert found() == {"nothing is listed that was not announced"}


def test_a_damaged_list_is_caught(edition):
    Edition.objects.filter(pk=edition.pk).update(packed=b"\x01short")

    assert found() == {"the packed list can be read"}


def test_a_closed_day_with_something_unread_is_caught(edition):
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.CLOSED)

    assert found() == {"a closed edition has nothing unread"}


def test_a_violation_says_which_row(edition):
    edition.candidates.filter(state=State.JUDGED).delete()

    assert f"edition {edition.pk} of {DAY}" in str(editions.audit()[0])
    assert editions.audit(DAY) == editions.audit()
    assert editions.audit(DAY + dt.timedelta(days=1)) == []
