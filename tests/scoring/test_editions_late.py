"""What comes to a day after it was opened: late papers, withdrawals, corrected announcements."""

import dataclasses
import datetime as dt

import pytest
from django.utils import timezone

from papers.arxiv.listing import Announced, Author, Listing
from papers.models import Announcement, Harvest, Paper
from papers.storing import Scope, store
from scoring import editions, tick
from scoring.models import Candidate, Edition
from scoring.packed import Code
from tests import factories
from tests.factories import DAY
from tests.scoring.test_editions import NEXT_DAY, NOW, codes, finish, mixed_day, read_by_a_model
from tests.scoring.test_edits import read

pytestmark = pytest.mark.django_db

State = Candidate.State


@pytest.fixture
def alice():
    return factories.user("alice@example.org")


# --- late papers -----------------------------------------------------------------------------------


def test_a_late_paper_reopens_a_closed_day_as_a_batch(alice):
    profile = factories.profile(alice)
    factories.announced_papers(3)
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)
    finish(edition)
    editions.close(edition, NOW)
    late = factories.announced_papers(1)[0]
    assert editions.account(edition).lost == 1

    assert editions.reopen(edition, NOW) == 1
    assert editions.reopen(edition, NOW) == 0

    assert (edition.state, edition.batch) == (Edition.State.SCREENED, 2)
    candidate = edition.candidates.get(paper=late)
    assert (candidate.batch, candidate.waits_for) == (2, Candidate.Waits.LATE)
    account = editions.account(edition)
    assert (account.waiting_late, account.failed, account.lost) == (1, 3, 0)
    assert editions.audit() == []


def test_a_late_paper_below_the_cut_is_screened_out(alice):
    profile = factories.profile(alice, interests=["graph neural networks"])
    read_by_a_model(profile)
    mixed_day()
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)
    Edition.objects.filter(pk=edition.pk).update(screening={**edition.screening, "threshold": 5_000})
    late = [factories.paper(title=f"Cheese {n}", abstract="Milk and salt.") for n in range(30)]
    for paper in late:
        factories.announce(paper)

    assert editions.reopen(edition, NOW) == 30

    drawn = edition.candidates.filter(batch=2)
    assert all(candidate.is_audit and candidate.audit_chance for candidate in drawn)
    assert drawn.count() in {1, 2}
    assert sum(codes(edition)[paper.pk] == Code.SCREENED for paper in late) == 30 - drawn.count()
    assert editions.audit() == []


def test_a_paper_that_comes_before_screening_simply_joins(alice):
    profile = factories.profile(alice)
    factories.announced_papers(2)
    edition = editions.open_edition(profile, DAY)
    factories.announced_papers(1)

    assert editions.reopen(edition, NOW) == 1
    editions.screen(edition, NOW)

    assert edition.batch == 1
    assert edition.candidates.count() == 3


def test_a_paper_withdrawn_while_it_waits_is_not_read(alice):
    profile = factories.profile(alice)
    papers = factories.announced_papers(2)
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)
    Paper.objects.filter(pk=papers[0].pk).update(is_withdrawn=True)

    assert editions.reopen(edition, NOW) == 0

    assert codes(edition)[papers[0].pk] == Code.WITHDRAWN
    assert edition.candidates.get(paper=papers[0]).state == State.WITHDRAWN
    assert editions.audit() == []


def test_a_corrected_announcement_takes_an_unread_paper_off_the_list(alice):
    profile = factories.profile(alice)
    papers = factories.announced_papers(2)
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)
    Announcement.objects.filter(paper=papers[0]).update(day=NEXT_DAY)

    editions.reopen(edition, NOW)

    assert list(codes(edition)) == [papers[1].pk]
    assert codes(editions.open_edition(profile, NEXT_DAY)) == {papers[0].pk: Code.WAITING}
    assert editions.audit() == []


def test_what_no_model_read_follows_its_corrected_day(alice):
    profile = factories.profile(alice)
    paper = factories.announced_papers(1)[0]
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)
    finish(edition)
    Announcement.objects.filter(paper=paper).update(day=NEXT_DAY)

    editions.reopen(edition, NOW)

    assert codes(edition) == {}
    assert codes(editions.open_edition(profile, NEXT_DAY)) == {paper.pk: Code.WAITING}
    assert editions.audit() == []


# --- what a list corrects after it was derived -----------------------------------------------------

HELD_UP = Listing(
    arxiv_id="2601.00001",
    version=1,
    title="Graph neural networks",
    abstract="Held up by a moderator.",
    authors=(Author("Ada Lovelace"),),
    categories=("cs.LG",),
    submitted_at=dt.datetime(2026, 1, 29, 12, 0, tzinfo=dt.UTC),
)


def derived_and_then_listed_on_the_next_day(profile, meanwhile) -> Edition:
    """A paper that its first date puts on DAY, and arXiv's feed on NEXT_DAY; the tick takes the feed in."""
    store([HELD_UP], Announcement.Source.LISTING, Scope())
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)
    meanwhile(edition.candidates.get())
    run = Harvest.objects.create(category="cs.LG", day=NEXT_DAY, source="arxiv", stored=1)
    listed = dataclasses.replace(HELD_UP, submitted_at=None, announced=(Announced("cs.LG", "new", NEXT_DAY),))
    store([listed], Announcement.Source.RSS, Scope())
    assert editions.audit() == []
    run.finished_at = timezone.now()
    run.save(update_fields=["finished_at"])
    tick.take_late_in(run.finished_at)
    edition.refresh_from_db()
    return edition


def test_a_paper_that_was_read_stays_where_it_was_read_when_its_day_is_corrected(alice):
    profile = factories.profile(alice)
    edition = derived_and_then_listed_on_the_next_day(profile, lambda one: read(one, [80, 10]))

    later = editions.open_edition(profile, NEXT_DAY)

    assert list(codes(edition).values()) == [Code.JUDGED]
    assert (editions.account(edition).announced, editions.account(edition).lost) == (1, 0)
    assert list(codes(later).values()) == [Code.SEEN]
    assert editions.audit() == []


def test_a_paper_that_nobody_read_goes_to_the_day_that_a_feed_of_another_day_names(alice):
    profile = factories.profile(alice)
    edition = derived_and_then_listed_on_the_next_day(profile, lambda one: None)

    later = editions.open_edition(profile, NEXT_DAY)

    assert codes(edition) == {}
    assert (edition.account["announced"], edition.candidates.count()) == (0, 0)
    assert list(codes(later).values()) == [Code.WAITING]
    assert editions.audit() == []
