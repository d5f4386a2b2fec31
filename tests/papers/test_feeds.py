"""RSS, Atom, the API's Atom, list pages and JSON Lines."""

import datetime as dt
import json

import pytest

from papers.arxiv import api, jsonl, listpage, rss
from papers.arxiv.fields import authors_from_line, says_withdrawn, split_id
from papers.arxiv.listing import (
    Announced,
    ApiRefused,
    ArxivMalformed,
    Author,
    BadRecord,
    FeedRefused,
    Listing,
    too_many_bad,
)
from papers.arxiv.markup import Unreadable
from tests.papers.pages import feed, feed_item, wire

DAY = dt.date(2026, 2, 3)


def test_a_feed_names_its_day_its_category_and_each_papers_kind() -> None:
    page = rss.parse(wire("rss_cs.LG.xml"))

    assert (page.category, page.day) == ("cs.LG", DAY)
    assert [(paper.arxiv_id, paper.version, paper.kind) for paper in page.listings] == [
        ("2602.00001", 1, "new"),
        ("2602.00002", 1, "cross"),
        ("2501.00003", 3, "replacement"),
        ("hep-th/9901004", 2, "replacement"),
    ]
    assert {paper.announced for paper in page.listings[:2]} == {
        (Announced("cs.LG", "new", DAY),),
        (Announced("cs.LG", "cross", DAY),),
    }


def test_the_abstract_is_cut_from_its_head() -> None:
    paper = rss.parse(wire("rss_cs.LG.xml")).listings[0]

    assert paper.abstract == "We count cats. The Matérn kernel costs $5 a cat < a dog."
    assert paper.title == r"Naïve Bayes for $\mathcal{O}(n)$ cats & dogs at 5%"


def test_the_names_of_a_feed_are_a_list() -> None:
    papers = rss.parse(wire("rss_cs.LG.xml")).listings

    assert papers[0].authors == (Author("André Müller", ("Cat University",)), Author("Bea Cruz"))
    assert [author.name for author in papers[3].authors] == ["Eve Fox", "Gus Hill Jr"]


def test_atom_says_what_rss_says() -> None:
    page = rss.parse(wire("atom_cs.LG.xml"))

    (paper,) = page.listings
    assert (page.category, page.day, paper.kind, paper.version) == ("cs.LG", DAY, "new", 1)
    assert paper.categories == ("cs.LG", "stat.ML")
    assert paper.abstract == "We count cats."


def test_an_empty_weekend_is_a_success() -> None:
    page = rss.parse(wire("rss_weekend.xml"))

    assert (page.listings, page.bad, page.day) == ((), (), dt.date(2026, 2, 7))


def test_a_feed_that_says_only_what_was_wrong_is_refused() -> None:
    with pytest.raises(FeedRefused, match="Bad subject class"):
        rss.parse(wire("rss_error.xml"))


def test_an_unknown_kind_costs_one_record() -> None:
    page = rss.parse(feed(feed_item("2602.00001"), feed_item("2602.00002", "surprise")))

    assert (len(page.listings), [bad.arxiv_id for bad in page.bad]) == (1, ["2602.00002"])


def test_a_cut_feed_keeps_its_day_and_what_is_whole() -> None:
    data = feed(feed_item("2602.00001"), feed_item("2602.00002"), feed_item("2602.00003"))

    page = rss.parse(data[: data.index(b"About 2602.00003")])

    assert (page.category, page.day) == ("cs.LG", DAY)
    assert [(paper.arxiv_id, paper.kind) for paper in page.listings] == [
        ("2602.00001", "new"),
        ("2602.00002", "new"),
    ]
    assert [bad.code for bad in page.bad] == ["cut_off"]


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ("Ada Lovelace, Charles Babbage", [Author("Ada Lovelace"), Author("Charles Babbage")]),
        ("Ada Lovelace and Charles Babbage", [Author("Ada Lovelace"), Author("Charles Babbage")]),
        ("A. B., and C. D.", [Author("A. B."), Author("C. D.")]),
        ("Andy Sandler, Anderson Brandt", [Author("Andy Sandler"), Author("Anderson Brandt")]),
        ("Ada (MIT, Cambridge), Bob", [Author("Ada", ("MIT, Cambridge",)), Author("Bob")]),
        ("Martin King, Jr., Ada", [Author("Martin King Jr."), Author("Ada")]),
        ("A (1), B (2) ((1) X, (2) Y)", [Author("A", ("X",)), Author("B", ("Y",))]),
        ("", []),
    ],
)
def test_a_line_of_authors_is_split_once_here(line: str, authors: list[Author]) -> None:
    assert authors_from_line(line) == tuple(authors)


def test_the_api_knows_versions_instants_and_classes() -> None:
    (paper,) = api.parse(wire("api.xml")).listings

    assert (paper.arxiv_id, paper.version) == ("2602.00001", 2)
    assert paper.categories == ("cs.LG", "stat.ML")
    assert (paper.msc_class, paper.acm_class) == ("62F15; 68T05", "I.2.6")
    assert paper.submitted_at == dt.datetime(2026, 2, 2, 18, 59, 59, tzinfo=dt.UTC)
    assert paper.authors == (Author("André Müller", ("Cat University",)), Author("Bea Cruz"))


def test_an_error_of_the_api_is_an_exception() -> None:
    with pytest.raises(ApiRefused, match="incorrect id format for abc"):
        api.parse(wire("api_error.xml"))


def test_a_list_page_gives_its_sections_totals() -> None:
    page = listpage.parse(wire("list_cs.LG.html"))

    assert page.day == DAY
    assert page.totals == {"new": 207, "cross": 94, "replacement": 102}


def test_a_list_page_names_its_papers_by_section() -> None:
    page = listpage.parse(
        b"<h3>Showing new listings for Wednesday, 12 August 2026</h3>"
        b'<a href="/abs/2608.00001" title="Abstract">of no section</a>'
        b"<h3>New submissions (showing 1 of 1 entries)</h3><dt><a href ='/abs/2608.09949' title='Abstract'>a</a>"
        b"<a href='/pdf/2608.00002' title='Download PDF'>pdf</a></dt>"
        b"<h3>Cross submissions (showing 1 of 1 entries)</h3><dt><a href='/abs/hep-th/9901001' title='Abstract'>b</a>"
        b"<a href='/abs/what' title='Abstract'>c</a></dt>"
        b"<h3>Replacement submissions (showing 1 of 1 entries)</h3><a href='/abs/2112.07752' title='Abstract'>d</a>"
    )

    assert page.named == {"2608.09949": "new", "hep-th/9901001": "cross", "2112.07752": "replacement"}


def test_another_web_page_is_no_list() -> None:
    with pytest.raises(ArxivMalformed):
        listpage.parse(b"<html><body><h3>Log in</h3></body></html>")


def test_json_lines_name_the_day_and_put_the_primary_category_first() -> None:
    first, sample = jsonl.parse(wire("papers.jsonl").splitlines())

    assert isinstance(first, Listing)
    assert isinstance(sample, Listing)
    assert first.categories == ("cs.LG", "stat.ML")
    assert [author.name for author in first.authors] == ["André Müller", "Bea Cruz"]
    assert first.announced == (
        Announced("cs.LG", "new", DAY),
        Announced("stat.ML", "cross", DAY, is_derived=True),
    )
    assert (sample.is_sample, sample.announced) == (True, (Announced("cs.CV", "replacement", DAY),))


GOOD = {"id": "2602.00001", "title": "T", "abstract": "A", "authors": ["B"], "categories": ["cs.LG"]}


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b"null",
        b'{"id": "2602.00001\xff"}',
        *(
            json.dumps({**GOOD, **change}).encode()
            for change in (
                {"id": None},
                {"id": "abc"},
                {"id": 7},
                {"title": ""},
                {"title": ["T"]},
                {"categories": []},
                {"categories": "cs.LG"},
                {"authors": "B"},
                {"authors": [7]},
                {"version": "two"},
                {"version": True},
                {"version": 0},
                {"published": "yesterday"},
                {"first_listed": "2026-13-01"},
                {"announce": {}},
                {"announce": [7]},
                {"announce": [{"category": "cs.LG", "kind": "old", "day": "2026-02-03"}]},
                {"comment": 5},
            )
        ),
    ],
)
def test_a_bad_line_is_kept_and_counted(line: bytes) -> None:
    made = list(jsonl.parse([json.dumps(GOOD).encode(), b"", line]))

    assert isinstance(made[0], Listing)
    assert isinstance(made[1], BadRecord)
    assert (made[1].position, made[1].raw) == (3, line)


@pytest.mark.parametrize(
    ("comment", "abstract", "is_withdrawn"),
    [
        ("This paper has been withdrawn by the author", "Text.", True),
        ("Withdrawn due to an error in Lemma 2", "Text.", True),
        ("Paper withdrawn", "Text.", True),
        (None, "This submission has been withdrawn by arXiv administrators.", True),
        ("Withdrawn from ICLR, accepted at AISTATS", "Text.", False),
        ("12 pages", "Withdrawn offers are studied on two markets.", False),
        (None, "We study when a drug is withdrawn.", False),
    ],
)
def test_only_plain_words_say_that_a_paper_was_withdrawn(
    comment: str | None, abstract: str, is_withdrawn: bool
) -> None:
    assert says_withdrawn(comment, abstract) is is_withdrawn


@pytest.mark.parametrize(
    ("written", "arxiv_id", "version"),
    [
        ("2601.21821", "2601.21821", None),
        ("arXiv:0704.0001v2", "0704.0001", 2),
        ("oai:arXiv.org:hep-th/9901001v3", "hep-th/9901001", 3),
        ("http://arxiv.org/abs/math.GT/0309136v1", "math.GT/0309136", 1),
    ],
)
def test_ids_of_both_styles_lose_their_version(written: str, arxiv_id: str, version: int | None) -> None:
    assert split_id(written) == (arxiv_id, version)


@pytest.mark.parametrize("written", ["", "26.1", "2601.21821v0", "2601.21821/../x", "abc/123"])
def test_what_is_no_id_is_unreadable(written: str) -> None:
    with pytest.raises(Unreadable):
        split_id(written)


def test_one_bad_record_never_stops_a_run_and_one_in_a_hundred_does() -> None:
    assert not too_many_bad(1, 1)
    assert not too_many_bad(2, 200)
    assert too_many_bad(2, 199)
    assert too_many_bad(3, 250)
