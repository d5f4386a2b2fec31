"""The disk is full or the database is gone in the middle of a harvest (F19): it stops, says so, and goes on later."""

import datetime as dt
import io
from contextlib import contextmanager

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections

from papers import bulk, crash_points, harvest
from papers.models import Announcement, Harvest, Paper
from tests.papers.fake_arxiv import FakeArxiv
from tests.papers.pages import feed, feed_item
from tests.papers.test_importing import A_PAGE, LINES, stored, written

pytestmark = pytest.mark.django_db(transaction=True)

TRY_AGAIN = 75
NOW = dt.datetime(2026, 2, 3, 5, 30, tzinfo=dt.UTC)


def harvested(*arguments):
    out = io.StringIO()
    call_command("harvest", *map(str, arguments), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def stopped(*arguments):
    """The command's last words."""
    with pytest.raises(CommandError) as caught:
        harvested(*arguments)
    assert caught.value.returncode == TRY_AGAIN
    assert "the same command goes on from there" in str(caught.value)
    return str(caught.value)


@contextmanager
def full_disk():
    """SQLite's own limit of pages; on PostgreSQL its own error, from the second page's papers on."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA page_count")
            room = cursor.fetchone()[0] + 250  # pages of 4 KB: one page of a thousand lines, and not two
            cursor.execute(f"PRAGMA max_page_count = {room}")
            try:
                yield
            finally:
                cursor.execute("PRAGMA max_page_count = 1073741823")
        return
    copied = []
    write = bulk._write

    def no_room(cursor, model, table, columns, rows):
        if table == '"papers_paper"':
            copied.append(table)
            if len(copied) > 1:
                full = psycopg.errors.DiskFull("could not extend file: No space left on device")
                raise OperationalError(str(full)) from full
        write(cursor, model, table, columns, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "_write", no_room)
        yield


def test_a_full_disk_stops_an_import_and_the_next_goes_on(tmp_path):
    path = written(tmp_path)

    with full_disk():
        said = stopped("--from", path)

    assert "full" in said or "No space left" in said
    assert Paper.objects.count() == A_PAGE
    assert Harvest.objects.get().state == "running"
    assert f"gone on behind record {A_PAGE}" in harvested("--from", path)
    assert stored() == (LINES, LINES, 2 * LINES)
    call_command("audit")


def lose_the_connection(_place):
    """What a stopped server or a failover does to who is connected; SQLite's file cannot be had away."""
    crash_points.actions.pop("page_stored")
    if connection.vendor == "sqlite":
        raise OperationalError("disk I/O error")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.fixture
def lost_at_the_second_page():
    pages = []

    def count(place):
        pages.append(place)
        if len(pages) == 2:
            lose_the_connection(place)

    crash_points.actions["page_stored"] = count
    yield
    crash_points.actions.pop("page_stored", None)


def test_a_database_that_goes_away_stops_an_import_and_the_next_goes_on(tmp_path, lost_at_the_second_page):
    path = written(tmp_path)

    stopped("--from", path)
    connections.close_all()

    assert Paper.objects.count() == A_PAGE
    assert f"gone on behind record {A_PAGE}" in harvested("--from", path)
    assert stored() == (LINES, LINES, 2 * LINES)
    call_command("audit")


def test_a_database_that_goes_away_stops_a_days_harvest_and_the_next_goes_on(lost_at_the_second_page):
    arxiv = FakeArxiv(page_size=2)
    ids = [f"2602.0000{number}" for number in range(1, 6)]
    arxiv.papers = {arxiv_id: {} for arxiv_id in ids}
    arxiv.feeds["cs.LG"] = feed(*map(feed_item, ids))

    with arxiv.transport() as transport, pytest.raises(OperationalError):
        harvest.harvest_day("cs.LG", NOW.date(), transport, now=NOW)
    connections.close_all()
    asked = len(arxiv.requests)
    with arxiv.transport() as transport:
        report = harvest.harvest_day("cs.LG", NOW.date(), transport, now=NOW)

    assert report.is_success
    assert len(arxiv.requests) - asked == 3 + 3  # the page in work, and those behind it; the feed not again
    assert set(Announcement.objects.values_list("paper__arxiv_id", flat=True)) == set(ids)
    run = Harvest.objects.get()
    assert (run.state, run.announced) == ("done", run.stored + run.without_text + run.skipped)
    call_command("audit")
