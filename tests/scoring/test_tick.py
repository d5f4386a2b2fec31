"""What is due is done once, whoever ticks."""

import datetime as dt
import threading

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from papers.arxiv.transport import Limits, Transport
from papers.models import Harvest
from papers.pace import SharedPace
from scoring import harvesting, judging, tick
from scoring.accounts import account
from scoring.models import Candidate, Edition
from tests import factories

# Friday the 30th, a minute after the second slot (00:30 Eastern).
NOW = dt.datetime(2026, 1, 30, 5, 31, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def reader(db):
    return factories.profile(factories.user(), categories=["cs.LG", "cs.RO"])


def read_all() -> None:
    """What `drain` does, in the test's own thread and transaction."""
    while judging.run_once(NOW):
        pass


def due_at(now: dt.datetime, day: dt.date = factories.DAY) -> list[str]:
    """The categories that are due then, all of that day."""
    due = harvesting.harvests_due(now)
    assert {of for of, _category in due} == {day}
    return [category for _day, category in due]


def test_a_slot_harvests_all_that_is_followed_once(reader):
    factories.profile(factories.user(), categories=["cs.RO", "stat.ML"])

    assert due_at(NOW) == ["cs.LG", "cs.RO", "stat.ML"]
    for category in harvesting.followed_categories():
        Harvest.objects.create(category=category, day=factories.DAY, source="arxiv")
    assert harvesting.harvests_due(NOW + SECOND) == []
    assert due_at(NOW + dt.timedelta(hours=4)) == ["cs.LG", "cs.RO", "stat.ML"]


def test_a_new_readers_category_does_not_wait_for_the_next_slot(reader):
    harvesting.harvests_due(NOW)
    for category in ("cs.LG", "cs.RO"):
        Harvest.objects.create(category=category, day=factories.DAY, source="arxiv")
    factories.profile(factories.user(), categories=["cs.LG", "math.CO"])

    assert due_at(NOW + SECOND) == ["math.CO"]
    assert harvesting.harvests_due(NOW + 2 * SECOND) == []


def test_before_midnight_what_has_a_feed_is_asked_for(reader):
    # Thursday evening, Eastern: Friday's list is mailed, RSS still shows Thursday's.
    thursday = dt.date(2026, 1, 29)
    evening = dt.datetime(2026, 1, 30, 1, 30, tzinfo=dt.UTC)

    assert due_at(evening, thursday) == ["cs.LG", "cs.RO"]
    for category in harvesting.followed_categories():
        Harvest.objects.create(category=category, day=thursday, source="arxiv")
    factories.profile(factories.user(), categories=["math.CO"])
    assert due_at(evening + SECOND, thursday) == ["math.CO"]
    assert due_at(dt.datetime(2026, 1, 30, 4, 15, tzinfo=dt.UTC)) == ["cs.LG", "cs.RO", "math.CO"]


def test_a_paused_profile_has_nothing_harvested(reader):
    reader.is_paused = True
    reader.save(update_fields=["is_paused"])

    assert harvesting.harvests_due(NOW) == []


def test_offline_never_asks_arxiv(reader, settings):
    settings.OFFLINE = True

    assert harvesting.harvest_due(NOW).requests == 0


def test_arxiv_that_is_down_is_a_problem_and_not_a_crash(reader):
    transport = Transport(
        SharedPace(0),
        limits=Limits(attempts=1, backoff_seconds=0),
        handler=httpx.MockTransport(lambda request: httpx.Response(503)),
    )

    report = harvesting.harvest_due(NOW, transport)

    assert {problem.place.rpartition("/")[0] for problem in report.problems} >= {"https://rss.arxiv.org/rss"}
    assert harvesting.harvests_due(NOW + SECOND) == []


# --- editions --------------------------------------------------------------------------------------


def test_a_day_is_opened_screened_read_and_closed(reader):
    factories.announced_papers(5)

    tick.housekeep(NOW)
    read_all()
    tick.housekeep(NOW + SECOND)

    edition = Edition.objects.get()
    assert edition.state == Edition.State.CLOSED
    assert account(edition).estimated == 5
    assert account(edition).is_true


def test_ticking_again_changes_nothing(reader):
    factories.announced_papers(5)
    tick.housekeep(NOW)
    read_all()
    tick.housekeep(NOW + SECOND)
    before = Edition.objects.values().get(), list(Candidate.objects.values())

    tick.housekeep(NOW + 2 * SECOND)
    read_all()

    assert (Edition.objects.values().get(), list(Candidate.objects.values())) == before


def test_a_new_reader_gets_the_newest_day_only(reader):
    factories.announced_papers(2, day=dt.date(2026, 1, 28))
    factories.announced_papers(3)

    assert tick.open_due(NOW) == 1
    assert [edition.day for edition in Edition.objects.all()] == [factories.DAY]


def test_after_days_off_each_day_is_opened(reader):
    for day in (27, 28, 29, 30):
        factories.announced_papers(1, day=dt.date(2026, 1, day))
        if day == 27:
            tick.open_due(dt.datetime(2026, 1, 27, 12, tzinfo=dt.UTC))

    assert tick.open_due(NOW) == 3
    assert Edition.objects.count() == 4


def test_a_day_whose_other_category_is_just_being_asked_for_waits_for_it(reader):
    reader.categories = ["cs.LG", "cs.CV"]
    reader.save(update_fields=["categories"])
    factories.announced_papers(1, day=dt.date(2026, 1, 29))
    tick.open_due(NOW - dt.timedelta(days=1))
    factories.announced_papers(1)
    first = Harvest.objects.create(
        category="cs.LG", day=factories.DAY, source="arxiv", state="done", started_at=NOW
    )

    while_cs_cv_is_due = tick.open_due(NOW + SECOND)
    Harvest.objects.create(category="cs.CV", day=factories.DAY, source="arxiv", started_at=NOW + SECOND)
    while_cs_cv_is_asked_for = tick.open_due(NOW + 2 * SECOND)
    Harvest.objects.exclude(pk=first.pk).update(state="failed")

    assert (while_cs_cv_is_due, while_cs_cv_is_asked_for) == (0, 0)
    assert tick.open_due(NOW + 3 * SECOND) == 1


def test_a_category_that_never_comes_holds_a_day_up_for_minutes_only(reader):
    reader.categories = ["cs.LG", "cs.CV"]
    reader.save(update_fields=["categories"])
    factories.announced_papers(1, day=dt.date(2026, 1, 29))
    tick.open_due(NOW - dt.timedelta(days=1))
    factories.announced_papers(1)
    Harvest.objects.create(category="cs.LG", day=factories.DAY, source="arxiv", state="done", started_at=NOW)

    assert tick.open_due(NOW + SECOND) == 0
    assert tick.open_due(NOW + tick.HARVEST_LASTS + SECOND) == 1


def test_a_day_that_is_not_out_is_not_opened(reader):
    factories.announced_papers(1, day=dt.date(2026, 2, 2))

    assert tick.open_due(NOW) == 0


def test_what_a_later_harvest_brings_is_taken_in_once(reader):
    factories.announced_papers(3)
    tick.housekeep(NOW)
    read_all()
    tick.housekeep(NOW)
    factories.announced_papers(2)
    Harvest.objects.create(
        category="cs.LG", day=factories.DAY, source="arxiv", stored=2, finished_at=timezone.now()
    )

    assert tick.take_late_in(timezone.now()) == 2
    assert tick.take_late_in(timezone.now()) == 0
    assert account(Edition.objects.get()).waiting_late == 2


def test_a_paused_profile_is_not_opened(reader):
    factories.announced_papers(1)
    reader.is_paused = True
    reader.save(update_fields=["is_paused"])

    tick.housekeep(NOW)

    assert not Edition.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_open_each_day_once():
    for _ in range(3):
        factories.profile(factories.user(), categories=["cs.LG"])
    factories.announced_papers(4)
    start = threading.Barrier(2)

    def keep() -> None:
        start.wait()
        tick.housekeep(NOW)
        connection.close()

    clocks = [threading.Thread(target=keep) for _ in range(2)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()

    assert Edition.objects.count() == 3
    assert Candidate.objects.count() == 12
