"""The whole picture for whoever keeps the instance: every day and category, sums, alarms, what is due."""

import datetime as dt
import json

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from papers import overview
from papers.models import Correction, Harvest, Quarantine
from tests import factories

pytestmark = pytest.mark.django_db

FRIDAY = dt.date(2026, 2, 6)
NOW = dt.datetime(2026, 2, 6, 12, tzinfo=dt.UTC)


def ran(category: str = "cs.LG", day: dt.date | None = FRIDAY, **fields: object) -> Harvest:
    values = {"source": "arxiv", "state": "done", "started_at": NOW - dt.timedelta(hours=2)}
    return Harvest.objects.create(
        category=category, day=day, finished_at=NOW - dt.timedelta(hours=1), **{**values, **fields}
    )


def verdict(day: dt.date = FRIDAY) -> str:
    return overview.cells([day], ["cs.LG"])[day, "cs.LG"].verdict


def test_days_without_a_list_are_named_as_facts():
    days = overview.days_between(dt.date(2026, 1, 16), dt.date(2026, 1, 20))

    # The mailing of Monday 19 January fell out: there is no list of the 20th.
    assert [each.fact for each in days] == ["holiday", "", "weekend", "weekend", ""]


def test_a_feed_of_another_day_is_stale_and_not_just_failed():
    ran(state="failed", problem="stale_feed")

    assert verdict() == "stale"


def test_what_nobody_asked_for_says_so():
    assert verdict() == "unasked"


def test_corrections_and_what_cannot_be_read_are_counted_where_they_belong():
    run = ran()
    Correction.objects.create(paper=factories.paper(), category="cs.LG", day=FRIDAY, kind="new")
    Quarantine.objects.create(harvest=run, place="feed", reason="cut_off", raw=b"x")
    Quarantine.objects.create(harvest=run, place="feed", reason="cut_off", raw=b"x", resolved_at=NOW)

    found = overview.cells([FRIDAY], ["cs.LG"])[FRIDAY, "cs.LG"]

    assert (found.corrected, found.quarantined) == (1, 1)


def test_the_number_of_queries_does_not_grow_with_days_and_categories():
    def asked_for(days: int, categories: list[str]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            overview.cells([FRIDAY - dt.timedelta(days=n) for n in range(days)], categories)
            overview.backfills(categories)
        return len(asked)

    few = asked_for(1, ["cs.LG"])
    for number, category in enumerate(["cs.LG", "cs.AI", "math.PR", "hep-th"]):
        ran(category, FRIDAY - dt.timedelta(days=number))
        ran(category, None, source="backfill", state="running", cursor={"newest": "2026-02-06"})
        factories.announced_papers(2, FRIDAY, category)

    # One more where a backfill has begun: its days are counted.
    assert asked_for(10, ["cs.LG", "cs.AI", "math.PR", "hep-th"]) == few + 1 == 10


def test_a_backfill_says_how_far_it_is():
    ran(
        day=None,
        source="backfill",
        state="running",
        requests=7,
        stored=300,
        cursor={"newest": "2026-02-06", "arXivRaw": {"token": "x"}},
    )
    for day in (FRIDAY, dt.date(2026, 2, 5), dt.date(2026, 1, 6)):
        factories.announced_papers(1, day)

    first, second = overview.backfills(["cs.LG", "hep-th"])

    assert (first.state, first.pages, first.records, first.pass_number) == ("running", 7, 300, 1)
    assert (first.days_done, first.days_in_all) == (3, 23)
    assert (second.category, second.state) == ("hep-th", "waiting")


def test_the_status_for_machines_has_it_all(capsys):
    with time_machine.travel(NOW, tick=False):
        Quarantine.objects.create(
            harvest=ran(state="failed", problem="unavailable"), place="feed", reason="cut_off", raw=b"x"
        )
        ran(day=dt.date(2026, 2, 5), state="failed", problem="unavailable")
        factories.announced_papers(2, FRIDAY)
        call_command("harvest", "--status", "--json")

    told = json.loads(capsys.readouterr().out)
    assert set(told) == {
        "as_of", "next_due", "totals", "days", "alarms", "owed", "backfills", "quarantine",
    }  # fmt: skip
    assert told["next_due"] == {"at": "2026-02-06T17:00:00+00:00", "in_seconds": 5 * 3600}
    assert told["totals"]["stored"] == 2
    assert told["totals"]["states"] == {"failed": 2}
    assert [row["age_seconds"] for row in told["days"]] == [3600, 3600]
    assert told["owed"] == [{"day": "2026-02-05", "category": "cs.LG"}]
    assert told["quarantine"] == {"open": 1, "oldest_age_seconds": 0}
    assert [row["state"] for row in told["backfills"]] == ["waiting"]


def test_the_terminal_says_it_in_the_words_of_the_page(capsys):
    with time_machine.travel(NOW, tick=False):
        ran(state="failed", problem="stale_feed")
        call_command("harvest", "--status")

    said = capsys.readouterr().out
    assert "stale feed" in said
    assert "1 h" in said
    assert "The month before of cs.LG: 0 of 0 days, 0 pages (waits for its turn)" in said
