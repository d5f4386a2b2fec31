"""A day of a category from arXiv, and its failures one by one."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from papers import calendar
from papers.arxiv.listing import FEED_IS_CUT_AT, ArxivUnavailable
from papers.harvest import HarvestReport, NotYetAnnounced, UnknownCategory, harvest_day, open_transport
from papers.models import Announcement, ArxivCount, Gap, Harvest, Paper, Quarantine, Surge
from tests.papers.fake_arxiv import FakeArxiv, Killed, NoPace
from tests.papers.pages import feed, feed_item, oai_error, oai_page, raw_record

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 2, 3)
NOW = dt.datetime(2026, 2, 3, 5, 30, tzinfo=dt.UTC)  # half past midnight Eastern
LATER = NOW + dt.timedelta(days=2)
OLD = "Wed, 01 Jan 2025 10:00:00 GMT"


def arxiv(papers: int = 5, **options: int) -> FakeArxiv:
    """A day of that many new papers and one replaced one, in cs.LG, with its feed."""
    server = FakeArxiv(**options)
    ids = [f"2602.0000{number}" for number in range(1, papers + 1)]
    server.papers = {arxiv_id: {} for arxiv_id in ids}
    server.papers["2501.00099"] = {"submitted": OLD, "versions": 2}
    replaced = feed_item("2501.00099", "replace", version=2)
    server.feeds["cs.LG"] = feed(*(feed_item(arxiv_id) for arxiv_id in ids), replaced)
    return server


def visit(server: FakeArxiv, now: dt.datetime = NOW, day: dt.date = DAY) -> HarvestReport:
    with server.transport() as transport:
        return harvest_day("cs.LG", day, transport, now=now)


def new_papers() -> set[str]:
    rows = Announcement.objects.announced_to(["cs.LG"], DAY, cross_lists=True)
    return set(rows.values_list("paper__arxiv_id", flat=True))


def problems(report: HarvestReport) -> list[str]:
    return [problem.code for problem in report.problems]


def test_the_feed_says_what_is_new_and_oai_who_wrote_it() -> None:
    report = visit(arxiv())

    assert report.is_success
    assert new_papers() == {f"2602.0000{number}" for number in range(1, 6)}
    paper = Paper.objects.get(arxiv_id="2602.00001")
    assert paper.authors == [{"name": "Ada Lovelace", "affiliations": ["London"]}]
    assert paper.submitted_at == dt.datetime(2026, 2, 2, 10, tzinfo=dt.UTC)
    assert Paper.objects.get(arxiv_id="2501.00099").latest_version == 2
    assert set(Announcement.objects.values_list("source", flat=True)) == {"rss"}
    run = Harvest.objects.get()
    assert (run.state, run.announced) == ("done", run.stored + run.without_text + run.skipped)
    assert run.requests == len(arxiv().papers) // 2 * 2 + 1
    assert ArxivCount.objects.get(kind="new", source="rss").count == 5


def test_oai_is_asked_for_the_category_with_an_overlap() -> None:
    server = arxiv()

    visit(server)
    asked = next(request for request in server.requests if "set" in request)

    assert (asked["set"], asked["from"]) == ("cs:cs:LG", "2026-02-01")
    assert "until" not in asked


def test_a_second_harvest_of_the_day_changes_nothing() -> None:
    server = arxiv()
    visit(server)
    before = list(Announcement.objects.order_by("pk").values()), list(Paper.objects.order_by("pk").values())

    report = visit(server)

    assert report.is_success
    after = list(Announcement.objects.order_by("pk").values()), list(Paper.objects.order_by("pk").values())
    assert after == before
    assert not Harvest.objects.unbalanced().exists()


def test_a_missed_day_is_derived_from_first_dates_and_replaced_papers_are_not_new() -> None:
    server = arxiv()

    report = visit(server, now=LATER)

    assert report.is_success
    assert server.asked_for("path") == ["/oai"] * len(server.requests)
    assert new_papers() == {f"2602.0000{number}" for number in range(1, 6)}
    assert set(Announcement.objects.values_list("source", flat=True)) == {"derived"}


def test_many_changed_old_records_announce_nothing() -> None:
    server = FakeArxiv(page_size=100)
    server.papers = {f"2501.{number:05}": {"submitted": OLD} for number in range(300)}

    visit(server, now=LATER)

    assert Paper.objects.count() == 300
    assert Announcement.objects.count() == 0


def test_before_the_feed_turns_nothing_is_derived() -> None:
    evening = dt.datetime(2026, 2, 3, 4, 15, tzinfo=dt.UTC)  # 23:15 Eastern: mailed, not yet in RSS

    report = visit(arxiv(), now=evening)

    assert report.is_success
    assert Paper.objects.count() == 6
    assert new_papers() == set()


def test_a_stale_feed_is_said_and_never_taken_for_todays() -> None:
    server = arxiv()
    server.feeds["cs.LG"] = feed(feed_item("2601.00001"), day="Mon, 02 Feb 2026")

    report = visit(server)

    assert problems(report) == ["stale_feed"]
    assert Announcement.objects.get(paper__arxiv_id="2601.00001").day == dt.date(2026, 2, 2)
    assert new_papers() == {f"2602.0000{number}" for number in range(1, 6)}  # derived, until the feed is back
    assert Harvest.objects.get().state == "failed"
    server = arxiv()
    assert visit(server).is_success
    assert set(Announcement.objects.on(DAY).values_list("source", flat=True)) == {"rss"}


def test_a_feed_that_is_down_leaves_oai_to_derive_the_day() -> None:
    server = arxiv()
    server.faults[1] = lambda: b"<!DOCTYPE html><html>503</html>"

    report = visit(server)

    assert problems(report) == ["unavailable"]
    assert len(new_papers()) == 5


def test_a_day_without_papers_is_a_success() -> None:
    server = FakeArxiv()
    server.feeds["cs.LG"] = feed()

    report = visit(server)

    assert report.is_success
    assert report.counts()["announced"] == 0


def test_a_saturday_is_a_success_without_a_request() -> None:
    server = arxiv()

    report = visit(server, day=dt.date(2026, 1, 31))

    assert report.is_success
    assert server.requests == []


def test_a_day_that_is_not_out_and_a_category_that_is_none_are_refused_first() -> None:
    server = arxiv()

    with pytest.raises(NotYetAnnounced):
        visit(server, day=dt.date(2026, 2, 4))
    with pytest.raises(UnknownCategory) as caught, server.transport() as transport:
        harvest_day("cmp-lg", DAY, transport, now=NOW)

    assert caught.value.suggestion == "cs.CL"
    assert server.requests == []
    assert Harvest.objects.count() == 0


@pytest.mark.parametrize("request_number", range(1, 8))
def test_a_kill_at_each_request_loses_and_repeats_nothing(request_number: int) -> None:
    """F38: the process dies; the next run goes on where the last page was committed."""
    server = arxiv()

    def die(report: HarvestReport, place: str) -> None:
        if len(server.requests) == request_number:
            raise Killed

    with pytest.raises(Killed), server.transport() as transport:
        harvest_day("cs.LG", DAY, transport, now=NOW, on_page=die)
    report = visit(server)

    assert report.is_success
    assert new_papers() == {f"2602.0000{number}" for number in range(1, 6)}
    assert Announcement.objects.count() == 6
    assert Harvest.objects.get().state == "done"
    assert len(server.requests) == 7  # as many as without the kill


def test_a_kill_inside_a_page_leaves_neither_its_records_nor_its_cursor() -> None:
    server = arxiv()

    def die_before_the_cursor(execute, sql, *rest):
        if sql.startswith('UPDATE "papers_harvest"'):
            raise Killed
        return execute(sql, *rest)

    with pytest.raises(Killed), connection.execute_wrapper(die_before_the_cursor):
        visit(server)

    assert (Paper.objects.count(), Announcement.objects.count(), ArxivCount.objects.count()) == (0, 0, 0)
    assert Harvest.objects.get().cursor == {}


def test_an_expired_token_begins_again_from_the_date() -> None:
    server = arxiv()
    server.faults[3] = lambda: oai_error("badResumptionToken")

    report = visit(server)

    assert report.is_success
    assert Paper.objects.count() == 6
    assert server.asked_for("from")[1] == server.asked_for("from")[3] == "2026-02-01"


def test_a_token_that_always_expires_ends_the_run() -> None:
    server = arxiv()
    server.faults = {number: lambda: oai_error("badResumptionToken") for number in range(3, 40)}

    report = visit(server)

    assert problems(report) == ["badResumptionToken"]
    assert len(server.requests) < 10


def test_a_token_that_leads_back_stops_the_run_with_what_was_read() -> None:
    server = arxiv()
    loop = oai_page(raw_record("2602.00001"), token="metadataPrefix%3DarXivRaw%26skip%3D2")
    server.faults = {number: lambda: loop for number in range(2, 40)}

    report = visit(server)

    assert problems(report) == ["token_loops"]
    assert len(server.requests) == 3
    assert Paper.objects.filter(arxiv_id="2602.00001").exists()


def test_a_bad_record_is_put_aside_with_its_bytes() -> None:
    server = arxiv(page_size=100)
    server.papers["2602.00009"] = {"submitted": "no date at all"}

    report = visit(server)

    assert report.is_success
    assert (report.quarantined, Paper.objects.count()) == (1, 7)
    aside = Quarantine.objects.get()
    assert (aside.reason, b"2602.00009" in bytes(aside.raw)) == ("unreadable", True)
    assert "record 7 (2602.00009)" in aside.place


def test_one_bad_record_in_a_hundred_stops_the_run() -> None:
    server = FakeArxiv(page_size=100)
    server.feeds["cs.LG"] = feed()
    server.papers = {f"2602.{number:05}": {} for number in range(150)}
    server.papers |= {f"2602.1000{number}": {"submitted": "no date at all"} for number in range(3)}

    report = visit(server)

    assert problems(report) == ["too_many_bad"]
    assert (report.quarantined, Paper.objects.count()) == (3, 150)


def test_a_cut_page_keeps_what_is_whole_and_is_asked_for_again() -> None:
    server = arxiv()
    whole = oai_page(raw_record("2602.00001"), raw_record("2602.00002"))
    server.faults[2] = lambda: whole[: whole.index(b"About 2602.00002")]

    first, second = visit(server), visit(server)

    assert problems(first) == ["not_well_formed"]
    assert second.is_success
    assert Paper.objects.count() == 6


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"<!DOCTYPE html><html></html>", "unavailable"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><OAI-PMH/>', "doctype"),
        (oai_error("badArgument"), "badArgument"),
        (oai_error("cannotDisseminateFormat"), "cannotDisseminateFormat"),
        (b"Rate exceeded.", "not_xml"),
    ],
)
def test_what_oai_answers_wrong_is_reported_and_the_feed_stands(answer: bytes, code: str) -> None:
    server = arxiv()
    server.faults[2] = lambda: answer

    report = visit(server)

    assert problems(report) == [code]
    assert len(new_papers()) == 5
    assert Harvest.objects.get().problem == code


def test_offline_asks_nobody(settings) -> None:
    settings.OFFLINE = True

    with pytest.raises(ArxivUnavailable, match="OFFLINE"):
        open_transport()


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_arxiv_is_asked() -> None:
    seen = []

    class Watching(NoPace):
        @contextmanager
        def turn(self, lease_seconds: float) -> Iterator[None]:
            seen.append(connection.in_atomic_block)
            yield
            seen.append(connection.in_atomic_block)

    with arxiv().transport(Watching()) as transport:
        report = harvest_day("cs.LG", DAY, transport, now=NOW)

    assert report.is_success
    assert seen == [False] * 14


def test_a_feed_that_arxiv_cut_lets_the_rest_of_its_day_be_derived() -> None:
    """New papers are cut first: those that the feed does not name are new by their first version's date."""
    server = arxiv(page_size=100)
    named = ["2602.00001", *(f"2501.{number:05}" for number in range(1, FEED_IS_CUT_AT))]
    server.feeds["cs.LG"] = feed(*(feed_item(named_id, "cross") for named_id in named))

    report = visit(server)

    assert report.is_success
    assert {f"2602.0000{number}" for number in range(1, 6)} <= new_papers()
    assert ArxivCount.objects.get(kind="cross", source="rss").is_cut
    derived = Announcement.objects.on(DAY).filter(source="derived").order_by("paper__arxiv_id")
    ids = list(derived.values_list("paper__arxiv_id", flat=True))
    assert ids == [f"2602.0000{number}" for number in range(2, 6)]


def test_what_a_feed_names_unreadably_is_kept_by_its_id() -> None:
    server = arxiv()
    garbled = feed_item("2602.00005").replace("<arxiv:announce_type>new", "<arxiv:announce_type>old")
    server.feeds["cs.LG"] = feed(*(feed_item(f"2602.0000{number}") for number in range(1, 5)), garbled)

    visit(server)
    visit(server)

    gap = Gap.objects.get()
    assert (gap.arxiv_id, gap.category, gap.day, gap.reason) == ("2602.00005", "cs.LG", DAY, "unreadable")


def test_oais_records_of_the_day_are_counted() -> None:
    server = arxiv()
    server.papers["2602.00004"]["datestamp"] = "2026-02-02"

    visit(server)
    visit(server)

    assert ArxivCount.objects.get(source="oai").count == 5  # five new, one replaced; one of another date


def test_a_surge_is_parked_in_the_transaction_that_stores_it() -> None:
    """A feed of more than three times the usual: whoever opens an edition between two pages finds it marked."""
    seen = set()
    day = DAY
    for _ in range(5):
        day = calendar.previous_announcement_day(day)
        for number in range(40):
            paper = Paper(arxiv_id=f"2512.{day:%d}{number:03}", title="A title", primary_category="cs.LG")
            paper.save()
            paper.announcements.create(category="cs.LG", day=day, kind="new", source="rss")
    server = FakeArxiv(page_size=100)
    server.feeds["cs.LG"] = feed(*(feed_item(f"2602.{number:05}") for number in range(1, 131)))

    def look(report: HarvestReport, place: str) -> None:
        seen.add(Announcement.objects.on(DAY).filter(is_parked=True).count())

    with server.transport() as transport:
        harvest_day("cs.LG", DAY, transport, now=NOW, on_page=look)

    assert seen == {10}
    surge = Surge.objects.get()
    assert (surge.category, surge.usual, surge.found) == ("cs.LG", 40, 130)
