"""The operator's archive: every state of a day in words, what to do about it, and what could not be read."""

import datetime as dt

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from papers.models import Announcement, ArxivCount, Gap, Harvest, Quarantine, Surge
from profiles.models import AuditEvent
from scoring import archive, harvesting, slots
from tests import factories
from tests.papers.fake_arxiv import FakeArxiv
from tests.papers.pages import feed_item

pytestmark = pytest.mark.django_db

FRIDAY = dt.date(2026, 2, 6)
THURSDAY = dt.date(2026, 2, 5)
NOW = dt.datetime(2026, 2, 6, 18, tzinfo=dt.UTC)
GRID = reverse("operator_harvest")


@pytest.fixture
def operator(client):
    user = factories.user("operator@example.org", is_staff=True)
    client.force_login(user)
    with time_machine.travel(NOW, tick=False):
        yield user


@pytest.fixture
def reader():
    return factories.profile(factories.user(), categories=["cs.LG", "hep-th"])


def ran(day: dt.date = FRIDAY, category: str = "cs.LG", **fields: object) -> Harvest:
    at = {"started_at": NOW - dt.timedelta(hours=3), "finished_at": NOW - dt.timedelta(hours=2)}
    return Harvest.objects.create(
        category=category, day=day, **{"source": "arxiv", "state": "done", **at, **fields}
    )


def counted(count: int, day: dt.date = FRIDAY) -> None:
    ArxivCount.objects.create(category="cs.LG", day=day, kind="new", source="rss", count=count)


def cell(day: dt.date = FRIDAY, category: str = "cs.LG") -> archive.Cell:
    return archive.cell_of(day, category, NOW)


def of_day(name: str, day: dt.date = FRIDAY, category: str = "cs.LG") -> str:
    return reverse(name, args=[day, category])


# --- the grid --------------------------------------------------------------------------------------


def test_an_instance_without_readers_says_how_to_begin(client, operator):
    page = client.get(GRID).text

    assert "Nobody reads yet" in page
    assert reverse("profile_new") in page


def test_a_good_week_is_calm(client, operator, reader):
    for day in (FRIDAY, THURSDAY):
        factories.announced_papers(2, day)
        counted(2, day)
        ran(day)

    page = client.get(f"{GRID}?category=cs.LG&days=7").text

    assert "Nothing is missing in these days." in page
    assert "need a look" not in page
    assert "is-bad" not in page
    assert "weekend: no list" in page
    assert "2 of 2" in page


def test_each_state_has_its_word():
    def state(**fields: object) -> str:
        Harvest.objects.all().delete()
        ran(**fields)
        return cell().word

    assert cell().word == "not asked for yet"
    assert state() == "not counted by arXiv"
    assert state(state="failed", problem="unavailable") == "failed"
    assert state(state="failed", problem="stale_feed") == "stale feed"
    assert state(state="running", finished_at=None) == "running"
    assert state(state="running", finished_at=None, started_at=NOW - dt.timedelta(hours=7)) == "interrupted"
    counted(1)
    assert state() == "1 missing"
    factories.announced_papers(1, FRIDAY)
    assert state() == "complete"
    Announcement.objects.update(source="derived")
    ArxivCount.objects.all().delete()
    assert state() == "by dates only"
    Surge.objects.create(category="cs.LG", day=FRIDAY, about="papers", state="parked", usual=1, found=9)
    assert state() == "surplus parked"


def test_a_bad_week_says_first_what_is_wrong(client, operator, reader):
    ran(state="failed", problem="unavailable")
    ran(THURSDAY, state="failed", problem="stale_feed")
    factories.announced_papers(1, THURSDAY)

    page = client.get(GRID).text

    assert "2 of" in page
    assert "need a look" in page
    assert "arXiv did not answer, or asked to wait" in page
    assert page.index("need a look") < page.index("Days and categories")
    assert "asked again at the next due time" in page


def test_alarms_stand_on_top_with_what_to_do(client, operator, reader):
    ran(dt.date(2026, 1, 30))

    page = client.get(GRID).text

    assert "Alarm: two announcements without papers" in page
    assert page.index("Alarm:") < page.index("Days and categories")


def test_the_loud_alarms_come_first_and_no_date_is_broken(client, operator, reader):
    ran(dt.date(2026, 1, 30))
    with time_machine.travel(dt.datetime(2026, 11, 24, 18, tzinfo=dt.UTC), tick=False):
        page = client.get(GRID).text

    loud, quiet = page.index("two announcements without papers"), page.index("holidays are not entered")
    assert loud < quiet
    assert '<span class="whole">2026-11-24</span>' in page


def test_the_alarms_letter_leads_to_the_page(operator, reader, settings):
    settings.ADMINS = ["operator@example.org"]
    ran(dt.date(2026, 1, 30))

    assert harvesting.alarm_due(NOW) == 1
    assert f"{settings.PORTAL_URL}{GRID}" in mail.outbox[0].body


def test_days_and_category_stand_in_the_address(client, operator, reader):
    shown = client.get(f"{GRID}?category=hep-th&days=14&last=2026-01-20").context

    assert [category for category, _cells in shown["grid"].rows] == ["hep-th"]
    assert (shown["first"], shown["last"]) == (dt.date(2026, 1, 7), dt.date(2026, 1, 20))
    assert shown["grid"].columns[0].fact == "arXiv's holiday: no list"


@pytest.mark.parametrize(
    "query", ["category=no.SUCH", "days=9999", "days=x", "last=never", "last=0001-01-01"]
)
def test_nonsense_in_the_address_shows_what_there_is(client, operator, reader, query):
    assert client.get(f"{GRID}?{query}").status_code == 200


def test_the_number_of_queries_does_not_grow(client, operator):
    factories.profile(factories.user(), categories=["cs.LG"])
    ran(FRIDAY - dt.timedelta(days=10))

    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        return len(asked)

    few = queries(GRID)
    factories.profile(factories.user(), categories=["hep-th", "math.PR", "cs.AI", "cs.CL"])
    for number in range(10):
        for category in ("cs.LG", "hep-th", "math.PR"):
            ran(FRIDAY - dt.timedelta(days=number), category, state="failed", problem="stale_feed")

    assert queries(f"{GRID}?days=31") == few


# --- one day ---------------------------------------------------------------------------------------


def test_a_day_names_its_runs_and_what_is_missing(client, operator):
    params = {"message": "the feed is of 2026-02-05", "codes": ["stale_feed"]}
    ran(state="failed", problem="stale_feed", problem_params=params, requests=7)
    factories.announced_papers(1, FRIDAY)
    counted(2)
    Gap.objects.create(
        arxiv_id="2602.00009", category="cs.LG", day=FRIDAY, reason="no_text", asked=3, answer="unknown"
    )

    page = client.get(of_day("operator_harvest_day")).text

    assert "the feed was of another day" in page
    assert "the feed is of 2026-02-05" in page
    assert "1 paper still missing" in page
    assert "2602.00009" in page
    assert "arXiv does not know it" in page
    assert "3,600 s" in page
    assert ">None<" not in page


def test_a_weekend_is_a_fact_and_cannot_be_asked_for(client, operator):
    page = client.get(of_day("operator_harvest_day", dt.date(2026, 2, 7))).text

    assert "weekend: no list" in page
    assert "Ask arXiv again now" not in page


@pytest.mark.parametrize("category", ["no.SUCH", "x" * 40, "cs.LG'--"])
def test_a_category_that_is_none_is_missing(client, operator, category):
    assert client.get(of_day("operator_harvest_day", category=category)).status_code == 404
    assert client.post(of_day("operator_harvest_ask", category=category)).status_code == 404


def test_asking_again_waits_for_a_worker_and_a_second_click_does_nothing(client, operator):
    first = client.post(of_day("operator_harvest_ask"), follow=True).text
    second = client.post(of_day("operator_harvest_ask"), follow=True).text

    assert "arXiv will be asked again" in first
    assert "already waiting" in second
    assert harvesting.asked_for() == [(FRIDAY, "cs.LG")]
    assert AuditEvent.objects.filter(code="harvest.asked").count() == 1
    assert "asked again, waits for a worker" in cell().notes


def test_a_worker_takes_the_wish_up_once(operator):
    harvesting.ask_again(FRIDAY, "cs.LG", operator, NOW)
    for due in ("harvest-first", "harvest-rss", "harvest-morning", "harvest-noon"):
        slots.take(due, NOW, NOW)

    harvesting.harvest_due(NOW, FakeArxiv().transport())
    again = harvesting.harvest_due(NOW, FakeArxiv().transport())

    assert Harvest.objects.filter(day=FRIDAY, category="cs.LG").exists()
    assert harvesting.asked_for() == []
    assert again.requests == 0


@pytest.mark.parametrize("day", [dt.date(2026, 2, 7), dt.date(2026, 2, 10)])
def test_a_day_without_a_list_is_not_asked_for(client, operator, day):
    page = client.post(of_day("operator_harvest_ask", day), follow=True).text

    assert "arXiv has no list of that day" in page
    assert harvesting.asked_for() == []


def test_a_surge_is_decided_on_the_page(client, operator, reader):
    factories.announced_papers(3, FRIDAY)
    Announcement.objects.update(is_parked=True)
    Surge.objects.create(category="cs.LG", day=FRIDAY, about="papers", state="parked", usual=1, found=3)

    assert "Let them be read" in client.get(GRID).text
    kept = client.post(of_day("operator_harvest_surge"), {"deed": "keep"}, follow=True).text
    released = client.post(of_day("operator_harvest_surge"), {"deed": "release"}, follow=True).text
    again = client.post(of_day("operator_harvest_surge"), {"deed": "keep"}, follow=True).text

    assert "3 papers stay parked." in kept
    assert "3 papers are released." in released
    assert "Nothing is parked" in again
    assert not Announcement.objects.filter(is_parked=True).exists()


# --- the quarantine --------------------------------------------------------------------------------

HOSTILE = b"<item><script>alert(1)</script>\xff\xe2\x80\xae" + b"x" * 20_000


def aside(raw: bytes = HOSTILE, reason: str = "cut_off") -> Quarantine:
    return Quarantine.objects.create(harvest=ran(), place="feed, record 3", reason=reason, raw=raw)


def test_a_record_is_shown_without_harm(client, operator):
    row = aside()

    listed = client.get(reverse("operator_quarantine")).text
    page = client.get(reverse("operator_quarantined", args=[row.public_id])).text

    assert "the record ends in the middle" in listed
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert r"\xff\u202e" in page
    assert f"The first 16,384 of {len(HOSTILE):,} bytes" in page


def test_its_bytes_are_a_file_that_no_browser_opens(client, operator):
    row = aside()

    answer = client.get(reverse("operator_quarantined_raw", args=[row.public_id]))

    assert answer.content == HOSTILE
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_one_record_or_all_of_a_reason_are_read_again(client, operator):
    good, bad = aside(feed_item("2602.00007").encode()), aside(b"<item>")
    other = aside(feed_item("2602.00008").encode(), "unreadable")
    again = reverse("operator_quarantine_retry")

    one = client.post(again, {"row": str(good.public_id)}, follow=True).text
    rest = client.post(again, {"reason": "cut_off"}, follow=True).text

    assert "1 read and stored, 0 still unreadable" in one
    assert "0 read and stored, 1 still unreadable" in rest
    assert set(Quarantine.objects.open()) == {bad, other}
    assert AuditEvent.objects.filter(code="quarantine.retried").count() == 1


@pytest.mark.parametrize("row", ["x", "00000000-0000-0000-0000-000000000000"])
def test_a_record_that_is_none_is_missing(client, operator, row):
    assert client.post(reverse("operator_quarantine_retry"), {"row": row}).status_code == 404


def test_what_was_read_since_can_still_be_seen(client, operator):
    row = aside()
    Quarantine.objects.update(resolved_at=NOW)

    assert "Nothing is in quarantine." in client.get(reverse("operator_quarantine")).text
    assert str(row.public_id) in client.get(reverse("operator_quarantine") + "?state=read").text


@pytest.mark.parametrize("name", ["operator_harvest", "operator_quarantine"])
def test_a_reader_knows_nothing_of_the_pages(client, reader, name):
    client.force_login(reader.owner)

    assert client.get(reverse(name)).status_code == 404
    assert reverse(name) not in client.get("/settings/").text


def test_the_operators_menu_and_start_page_lead_there(client, operator):
    assert GRID in client.get("/settings/").text
    assert reverse("operator_quarantine") in client.get(reverse("admin:index")).text
