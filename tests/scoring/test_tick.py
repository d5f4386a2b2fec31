"""What is due is done once, whoever ticks."""

import datetime as dt

import httpx
import pytest

from papers.arxiv.transport import Limits, Transport
from papers.models import Harvest
from papers.pace import SharedPace
from scoring import tick
from tests import factories

# Friday the 30th, a minute after the second slot (00:30 Eastern).
NOW = dt.datetime(2026, 1, 30, 5, 31, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def reader(db):
    return factories.profile(factories.user(), categories=["cs.LG", "cs.RO"])


def test_a_slot_harvests_all_that_is_followed_once(reader):
    factories.profile(factories.user(), categories=["cs.RO", "stat.ML"])

    assert tick.harvests_due(NOW) == ["cs.LG", "cs.RO", "stat.ML"]
    for category in tick.followed_categories():
        Harvest.objects.create(category=category, day=factories.DAY, source="arxiv")
    assert tick.harvests_due(NOW + SECOND) == []
    assert tick.harvests_due(NOW + dt.timedelta(hours=4)) == ["cs.LG", "cs.RO", "stat.ML"]


def test_a_new_readers_category_does_not_wait_for_the_next_slot(reader):
    tick.harvests_due(NOW)
    for category in ("cs.LG", "cs.RO"):
        Harvest.objects.create(category=category, day=factories.DAY, source="arxiv")
    factories.profile(factories.user(), categories=["cs.LG", "math.CO"])

    assert tick.harvests_due(NOW + SECOND) == ["math.CO"]
    assert tick.harvests_due(NOW + 2 * SECOND) == []


def test_a_paused_profile_has_nothing_harvested(reader):
    reader.is_paused = True
    reader.save(update_fields=["is_paused"])

    assert tick.harvests_due(NOW) == []


def test_offline_never_asks_arxiv(reader, settings):
    settings.OFFLINE = True

    assert tick.harvest_due(NOW).requests == 0


def test_arxiv_that_is_down_is_a_problem_and_not_a_crash(reader):
    transport = Transport(
        SharedPace(0),
        limits=Limits(attempts=1, backoff_seconds=0),
        handler=httpx.MockTransport(lambda request: httpx.Response(503)),
    )

    report = tick.harvest_due(NOW, transport)

    assert {problem.place.rpartition("/")[0] for problem in report.problems} >= {"https://rss.arxiv.org/rss"}
    assert tick.harvests_due(NOW + SECOND) == []
