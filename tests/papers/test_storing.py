"""Listings into rows: what a weaker response must not erase, and which list has the word."""

import datetime as dt
import itertools
from dataclasses import replace

import pytest

from papers.arxiv import api, jsonl, oai, rss
from papers.arxiv.listing import Announced, Author, Listing, Page
from papers.models import Announcement, ArxivCount, Correction, Paper, PaperVersion
from papers.storing import Scope, store, store_counts
from tests.papers.pages import wire

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 2, 3)
RSS, LISTING = Announcement.Source.RSS, Announcement.Source.LISTING
PAPER = Listing(
    arxiv_id="2602.00001",
    title="A title",
    abstract="An abstract.",
    authors=(Author("Ada Lovelace", ("London",)),),
    categories=("cs.LG", "stat.ML"),
    version=1,
    submitted_at=dt.datetime(2026, 2, 2, 10, tzinfo=dt.UTC),  # by the deadline: the list of 2026-02-03
)
NAMED = replace(PAPER, submitted_at=None, announced=(Announced("cs.LG", "new", DAY),))


def keep(*listings: Listing, source: str = LISTING, scope: Scope | None = None) -> None:
    store(listings, source, scope or Scope())


def announcements() -> set[tuple[str, str, str, str]]:
    rows = Announcement.objects.values_list("category", "day", "kind", "source")
    return {(category, day.isoformat(), kind, source) for category, day, kind, source in rows}


def test_what_a_response_does_not_say_stays() -> None:
    keep(replace(PAPER, comment="12 pages", doi="10.1/x", is_withdrawn=True))

    keep(replace(PAPER, comment=None, doi=None, is_withdrawn=None, submitted_at=None))

    paper = Paper.objects.get()
    assert (paper.comment, paper.doi, paper.is_withdrawn) == ("12 pages", "10.1/x", True)
    assert paper.submitted_at == PAPER.submitted_at


def test_what_a_response_says_is_empty_becomes_empty() -> None:
    keep(replace(PAPER, comment="12 pages", is_withdrawn=True))

    keep(replace(PAPER, comment="", is_withdrawn=False))

    paper = Paper.objects.get()
    assert (paper.comment, paper.is_withdrawn) == ("", False)


def test_names_out_of_one_line_do_not_replace_a_list_that_arxiv_sent() -> None:
    keep(PAPER)

    keep(replace(PAPER, authors=(Author("A. Lovelace"),), has_split_names=True))

    assert Paper.objects.get().authors == [{"name": "Ada Lovelace", "affiliations": ["London"]}]


def test_an_older_version_does_not_speak_for_the_paper() -> None:
    keep(replace(PAPER, version=3, title="The third title", abstract="Third."))

    keep(replace(PAPER, version=1, title="The first title", abstract="First."))

    paper = Paper.objects.get()
    assert (paper.title, paper.latest_version) == ("The third title", 3)
    texts = PaperVersion.objects.order_by("number").values_list("number", "abstract")
    assert list(texts) == [(1, "First."), (3, "Third.")]


def test_a_stored_text_stays_for_quotes_rest_on_it() -> None:
    keep(PAPER)

    keep(replace(PAPER, abstract="Corrected by hand.", title="A corrected title"))

    assert PaperVersion.objects.get().abstract == "An abstract."
    assert Paper.objects.get().title == "A corrected title"


def test_a_text_that_was_missing_is_filled_in() -> None:
    keep(replace(PAPER, abstract=""))

    keep(PAPER)

    assert PaperVersion.objects.get().abstract == "An abstract."


def test_a_sample_text_gives_way_and_never_takes_a_place() -> None:
    sample = replace(PAPER, abstract="Our own words.", title="A sample's title", is_sample=True)

    keep(sample)
    assert PaperVersion.objects.get().is_sample
    keep(PAPER)
    keep(sample)

    text = PaperVersion.objects.get()
    assert (text.abstract, text.is_sample) == ("An abstract.", False)
    assert Paper.objects.get().title == "A title"


def test_the_same_page_twice_writes_nothing_the_second_time(django_assert_num_queries) -> None:
    page = rss.parse(wire("rss_cs.LG.xml"))
    keep(*page.listings, source=RSS)
    before = [list(model.objects.order_by("pk").values()) for model in (Paper, PaperVersion, Announcement)]

    keep(*page.listings, source=RSS)

    after = [list(model.objects.order_by("pk").values()) for model in (Paper, PaperVersion, Announcement)]
    assert after == before


def test_a_replaced_paper_is_not_new() -> None:
    keep(*rss.parse(wire("rss_cs.LG.xml")).listings, source=RSS)

    new = Announcement.objects.announced_to(["cs.LG"], DAY, cross_lists=False)
    assert [row.paper.arxiv_id for row in new] == ["2602.00001"]
    assert Announcement.objects.announced_to(["cs.LG"], DAY, cross_lists=True).paper_count() == 2
    assert Announcement.objects.replacements().count() == 2


def test_a_first_date_stands_in_where_no_list_was_seen() -> None:
    keep(PAPER)

    assert announcements() == {
        ("cs.LG", "2026-02-03", "new", "derived"),
        ("stat.ML", "2026-02-03", "cross", "derived"),
    }


def test_nothing_is_derived_for_a_list_that_was_seen() -> None:
    other = replace(NAMED, arxiv_id="2602.00002")
    keep(other, source=RSS)

    keep(PAPER)

    derived = Announcement.objects.filter(source="derived").values_list("category", flat=True)
    assert list(derived) == ["stat.ML"]


def test_an_empty_feed_that_was_seen_is_a_list_too() -> None:
    store_counts(Page("rss", day=DAY), "cs.LG", RSS)

    keep(PAPER)

    assert announcements() == {("stat.ML", "2026-02-03", "cross", "derived")}


def test_a_list_corrects_the_day_of_what_was_derived() -> None:
    held_up = Announced("cs.LG", "new", dt.date(2026, 2, 6))
    keep(PAPER)

    keep(replace(PAPER, submitted_at=None, announced=(held_up,)), source=RSS)
    keep(PAPER)

    assert announcements() == {
        ("cs.LG", "2026-02-06", "new", "rss"),
        ("stat.ML", "2026-02-06", "cross", "derived"),
    }


def test_a_list_corrects_a_derived_kind_in_place() -> None:
    keep(PAPER)
    key = Announcement.objects.get(category="cs.LG").pk

    keep(replace(PAPER, submitted_at=None, announced=(Announced("cs.LG", "replacement", DAY),)), source=RSS)

    row = Announcement.objects.get(pk=key)
    assert (row.kind, row.source) == ("replacement", "rss")


def test_the_order_of_the_sources_does_not_change_what_is_announced() -> None:
    """A feed, a list and first dates, in each order: the feed's day and kinds stand."""
    pages = [
        (oai.parse(wire("oai_arXivRaw.xml")).listings, LISTING),
        (rss.parse(wire("rss_cs.LG.xml")).listings, RSS),
        (api.parse(wire("api.xml")).listings, LISTING),
    ]
    results = []
    for order in itertools.permutations(pages):
        Paper.objects.all().delete()
        for listings, source in order:
            keep(*listings, source=source)
        results.append(announcements() - {("cs.LG", "2025-01-02", "new", "derived")})

    assert all(result == results[0] for result in results)


def test_a_scope_keeps_other_days_and_categories_out() -> None:
    keep(PAPER, scope=Scope(frozenset({"stat.ML"}), frozenset({DAY})))
    assert announcements() == {("stat.ML", "2026-02-03", "cross", "derived")}

    keep(replace(PAPER, arxiv_id="2602.00007"), scope=Scope(None, frozenset({dt.date(2026, 2, 4)})))
    assert Announcement.objects.count() == 1


def test_a_scope_without_deriving_writes_no_announcement() -> None:
    keep(PAPER, scope=Scope(derives=False))

    assert Announcement.objects.count() == 0
    assert Paper.objects.count() == 1


def test_what_arxiv_counted_is_kept_with_its_zeros() -> None:
    store_counts(rss.parse(wire("rss_cs.LG.xml")), "cs.LG", RSS)
    store_counts(Page("listing", day=DAY, totals={"new": 207}), "cs.LG", LISTING)
    store_counts(Page("rss", day=DAY), "cs.GL", RSS)

    counts = {(row.category, row.source, row.kind): row.count for row in ArxivCount.objects.all()}
    assert counts == {
        ("cs.LG", "rss", "new"): 1,
        ("cs.LG", "rss", "cross"): 1,
        ("cs.LG", "rss", "replacement"): 2,
        ("cs.LG", "listing", "new"): 207,
        ("cs.GL", "rss", "new"): 0,
        ("cs.GL", "rss", "cross"): 0,
        ("cs.GL", "rss", "replacement"): 0,
    }


def test_json_lines_bring_their_samples_and_days() -> None:
    keep(*(each for each in jsonl.parse(wire("papers.jsonl").splitlines()) if isinstance(each, Listing)))

    assert announcements() == {
        ("cs.LG", "2026-02-03", "new", "listing"),
        ("stat.ML", "2026-02-03", "cross", "derived"),
        ("cs.CV", "2026-02-03", "replacement", "listing"),
    }
    assert PaperVersion.objects.get(is_sample=True).number == 2


def test_what_a_list_took_back_is_kept_as_a_correction() -> None:
    keep(PAPER)

    keep(
        replace(
            PAPER,
            submitted_at=None,
            announced=(Announced("cs.LG", "new", dt.date(2026, 2, 6)), Announced("stat.ML", "new", DAY)),
        ),
        source=RSS,
    )

    taken_back = Correction.objects.values_list("category", "day", "kind")
    assert set(taken_back) == {("cs.LG", DAY, "new"), ("stat.ML", DAY, "cross")}
