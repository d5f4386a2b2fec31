"""What could not be read: kept with its bytes, tried again, stored where today's code can, forgotten after 90 days."""

import datetime as dt
import json

import pytest
from django.core.management import call_command

from papers import quarantine
from papers.models import Announcement, ArxivCount, Harvest, Paper, Quarantine
from tests.papers.pages import api_entry, feed_item, raw_record

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 2, 3)
NOW = dt.datetime(2026, 2, 3, 12, tzinfo=dt.UTC)


def run(**fields: object) -> Harvest:
    values = {"category": "cs.LG", "day": DAY, "source": "arxiv", "state": "done", "quarantined": 1}
    return Harvest.objects.create(**{**values, **fields})


def aside(raw: str | bytes, reason: str = "unreadable", **fields: object) -> Quarantine:
    of = fields.pop("harvest", None) or run()
    data = raw.encode() if isinstance(raw, str) else raw
    return Quarantine.objects.create(harvest=of, place="feed, record 3", reason=reason, raw=data, **fields)


def retry(*rows: Quarantine) -> tuple[int, int, int]:
    done = quarantine.retry(rows, NOW)
    return done.resolved, done.failed, done.left


def test_a_record_of_oai_that_is_readable_today_is_stored_as_its_run_would_have():
    row = aside(raw_record("2602.00007"))

    assert retry(row) == (1, 0, 0)

    row.refresh_from_db()
    assert (row.resolved_at, row.problem) == (NOW, "")
    named = Announcement.objects.get()
    assert (named.paper.arxiv_id, named.day, named.source) == ("2602.00007", DAY, "derived")


def test_an_item_of_a_feed_is_announced_as_the_feed_said_and_its_count_stays():
    ArxivCount.objects.create(category="cs.LG", day=DAY, kind="new", source="rss", count=5)
    row = aside(feed_item("2602.00007"))

    assert retry(row) == (1, 0, 0)

    named = Announcement.objects.get()
    assert (named.category, named.day, named.kind, named.source) == ("cs.LG", DAY, "new", "rss")
    assert ArxivCount.objects.get().count == 5


def test_an_entry_of_the_api_is_stored_and_announces_nothing():
    at = dt.datetime(2026, 2, 2, 10, tzinfo=dt.UTC)
    entry = api_entry("2602.00007", published=at, updated=at, categories=["cs.LG"])
    row = aside(entry, harvest=run(category="", day=None, source="reconciling"))

    assert retry(row) == (1, 0, 0)
    assert (Paper.objects.get().arxiv_id, Announcement.objects.count()) == ("2602.00007", 0)


def test_a_line_of_json_is_read_too():
    line = {"id": "2602.00007", "title": "A title", "abstract": "Words.", "categories": ["cs.LG"]}
    row = aside(json.dumps(line | {"authors": ["Ada Lovelace"]}), harvest=run(category="", source="files"))

    assert retry(row) == (1, 0, 0)
    assert Paper.objects.get().title == "A title"


@pytest.mark.parametrize(
    "raw",
    [
        b"<record><header>",
        b"<item><title>\xfc</title></item>",
        b"not XML, not JSON",
        b"{}",
        b"",
        b"<record/><!DOCTYPE x>",
        b"<item></item>",
    ],
)
def test_what_cannot_be_read_today_either_keeps_its_place_and_says_why(raw):
    row = aside(raw)

    assert retry(row) == (0, 1, 0)

    row.refresh_from_db()
    assert (row.resolved_at, row.retried_at) == (None, NOW)
    assert row.problem
    assert bytes(row.raw) == raw
    assert not Harvest.objects.filter(source="retry").exists()


def test_a_repeat_stores_nothing_twice():
    row = aside(raw_record("2602.00007"))
    retry(row)

    assert retry(row) == (0, 0, 0)
    assert Announcement.objects.count() == 1


def test_what_was_read_is_a_run_of_its_own_and_the_first_one_keeps_its_count():
    first = run()

    retry(aside(raw_record("2602.00007"), harvest=first))

    again = Harvest.objects.get(source="retry")
    assert (again.state, again.announced, again.stored) == ("done", 1, 1)
    first.refresh_from_db()
    assert first.quarantined == 1


def test_a_retry_takes_so_many_at_once_and_says_how_many_are_left(monkeypatch):
    monkeypatch.setattr(quarantine, "AT_ONCE", 2)

    assert retry(*(aside(b"nothing") for _ in range(3))) == (0, 2, 1)


def test_after_ninety_days_the_bytes_go_and_the_count_stays():
    old = aside(b"old", stored_at=NOW - dt.timedelta(days=90, seconds=1))
    aside(b"young", stored_at=NOW - dt.timedelta(days=89))

    assert quarantine.forget_old(NOW) == 1
    assert bytes(Quarantine.objects.get().raw) == b"young"
    assert Harvest.objects.get(pk=old.harvest_id).quarantined == 1


def test_the_command_lists_them_and_tries_them_again(capsys):
    aside(b"nothing", "not_well_formed")
    aside(raw_record("2602.00007"), "cut_off")

    call_command("harvest", "--quarantine")
    listed = capsys.readouterr().out
    call_command("harvest", "--quarantine", "--retry", "--reason", "cut_off", "--json")
    one = json.loads(capsys.readouterr().out)
    call_command("harvest", "--quarantine", "--retry", "--json")
    rest = json.loads(capsys.readouterr().out)

    assert "[not_well_formed]" in listed
    assert one == {"records": [], "retried": {"resolved": 1, "failed": 0, "left": 0}}
    assert rest["retried"] == {"resolved": 0, "failed": 1, "left": 0}
    assert [record["reason"] for record in rest["records"]] == ["not_well_formed"]
