"""OAI-PMH pages in three formats, and the protocol's errors."""

import datetime as dt

import pytest

from papers.arxiv import listing, oai
from papers.arxiv.listing import ArxivMalformed, ArxivProtocolError, Author
from tests.papers.pages import arxiv_record, oai_error, oai_page, raw_record, wire


def test_the_arxiv_format_gives_names_affiliations_and_references() -> None:
    page = oai.parse(wire("oai_arXiv.xml"))

    (paper,) = page.listings
    assert paper.title == r"Naïve Bayes for $\mathcal{O}(n)$ cats & dogs at 5%"
    assert paper.authors == (
        Author("André Müller", ("Cat University", "Dog Institute")),
        Author("Bea Cruz III"),
    )
    assert paper.categories == ("cs.LG", "stat.ML")
    assert paper.primary_category == "cs.LG"
    assert paper.comment == "12 pages; accepted at a conference"
    assert (paper.msc_class, paper.acm_class, paper.doi) == ("62F15", "I.2.6", "10.1000/cats.1")
    assert paper.journal_ref == "J. Cats 1 (2026) 1-12"
    assert paper.abstract == "We count cats. The Matérn kernel costs $5 a cat.\nA second paragraph."


def test_created_of_the_arxiv_format_is_no_first_date() -> None:
    (paper,) = oai.parse(wire("oai_arXiv.xml")).listings

    assert paper.submitted_at is None
    assert paper.updated_at == dt.datetime(2026, 2, 2, tzinfo=dt.UTC)


def test_a_deleted_header_is_counted_and_is_no_fault() -> None:
    page = oai.parse(wire("oai_arXiv.xml"))

    assert (page.deleted, page.bad) == (1, ())


def test_the_token_goes_back_as_it_came() -> None:
    page = oai.parse(wire("oai_arXiv.xml"))

    assert page.token == "verb%3DListRecords%26skip%3D2"
    assert oai.position_of(page.token) == 2


def test_raw_records_know_versions_and_first_dates_in_any_order() -> None:
    new, withdrawn = oai.parse(wire("oai_arXivRaw.xml")).listings

    assert (new.version, new.submitted_at) == (1, dt.datetime(2026, 2, 2, 18, 59, 59, tzinfo=dt.UTC))
    assert (withdrawn.version, withdrawn.submitted_at) == (10, dt.datetime(2025, 1, 1, 10, tzinfo=dt.UTC))
    assert (new.is_withdrawn, withdrawn.is_withdrawn) == (False, True)


def test_one_line_of_authors_becomes_names_with_numbered_affiliations() -> None:
    new, _ = oai.parse(wire("oai_arXivRaw.xml")).listings

    assert new.authors == (
        Author("André Müller", ("Cat University",)),
        Author("Bea Cruz", ("Cat University", "Dog Institute")),
        Author("Li Na"),
    )


def test_dublin_core_turns_names_and_reads_categories_from_sets() -> None:
    (paper,) = oai.parse(wire("oai_dc.xml")).listings

    assert [author.name for author in paper.authors] == [
        "André Müller",
        "Bea Cruz III",
        "The Cat Collaboration",
    ]
    assert paper.categories == ("cs.LG", "hep-th", "physics.optics")
    assert (paper.comment, paper.abstract) == ("12 pages", "We count cats.")


@pytest.mark.parametrize("code", sorted(listing.OAI_ERRORS))
def test_each_error_code_is_its_own_exception(code: str) -> None:
    with pytest.raises(ArxivProtocolError) as caught:
        oai.parse(oai_error(code))

    assert type(caught.value) is listing.OAI_ERRORS[code]
    assert caught.value.code == code


def test_the_exceptions_differ() -> None:
    assert len(set(listing.OAI_ERRORS.values())) == len(listing.OAI_ERRORS)


def test_an_unknown_error_code_is_still_an_error() -> None:
    with pytest.raises(ArxivProtocolError, match="badMood"):
        oai.parse(oai_error("badMood"))


def test_no_records_is_an_empty_success() -> None:
    page = oai.parse(oai_error("noRecordsMatch"))

    assert (page.listings, page.bad, page.token) == ((), (), None)


def test_a_bad_record_is_kept_with_its_bytes_and_the_others_are_read() -> None:
    without_title = arxiv_record("2602.00002").replace("<title>A title</title>", "")

    page = oai.parse(oai_page(arxiv_record("2602.00001"), without_title, arxiv_record("2602.00003")))

    assert [paper.arxiv_id for paper in page.listings] == ["2602.00001", "2602.00003"]
    (bad,) = page.bad
    assert (bad.position, bad.arxiv_id, bad.reason, bad.code) == (2, "2602.00002", "no <title>", "unreadable")
    assert b"2602.00002" in bad.raw


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<id>2602.00002</id>", "<id>nonsense</id>"),
        ("Mon, 02 Feb 2026 10:00:00 GMT", "yesterday"),
        ('version="v1"', 'version="vX"'),
        ("<categories>cs.LG</categories>", ""),
        ('<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/">', '<other xmlns="http://x.org/">'),
    ],
)
def test_each_way_to_be_unreadable_costs_one_record(before: str, after: str) -> None:
    broken = raw_record("2602.00002").replace(before, after)
    broken = broken.replace("</arXivRaw>", "</other>") if "other" in after else broken

    page = oai.parse(oai_page(raw_record("2602.00001"), broken))

    assert (len(page.listings), len(page.bad)) == (1, 1)


def test_bytes_that_are_not_utf8_cost_one_record() -> None:
    records = [arxiv_record(f"2602.0000{number}") for number in range(1, 4)]
    data = oai_page(*records).replace(b"About 2602.00002", b"About \xff\xfe 2602.00002")

    page = oai.parse(data)

    assert [paper.arxiv_id for paper in page.listings] == ["2602.00001", "2602.00003"]
    (bad,) = page.bad
    assert (bad.arxiv_id, bad.code) == ("2602.00002", "bad_encoding")
    assert b"\xff\xfe" in bad.raw
    assert page.broken is not None


def test_a_page_cut_in_the_middle_keeps_what_is_whole() -> None:
    data = oai_page(*(arxiv_record(f"2602.0000{number}") for number in range(1, 4)))

    page = oai.parse(data[: data.index(b"About 2602.00003")])

    assert [paper.arxiv_id for paper in page.listings] == ["2602.00001", "2602.00002"]
    assert [(bad.position, bad.code, bad.arxiv_id) for bad in page.bad] == [(3, "cut_off", "2602.00003")]
    assert page.broken is not None
    assert page.broken.startswith("not well-formed XML, after record 3")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<!DOCTYPE html><html><body>503</body></html>", "html"),
        (b"  <HTML><body>Rate exceeded</body></HTML>", "html"),
        (b'<?xml version="1.0"?><!DOCTYPE OAI-PMH [<!ENTITY a "b">]><OAI-PMH>&a;</OAI-PMH>', "doctype"),
        (b"Rate exceeded.", "not_xml"),
        (b"", "not_xml"),
        (b"<rss><channel/></rss>", "not_expected"),
    ],
)
def test_what_is_no_page_at_all_is_named(data: bytes, code: str) -> None:
    with pytest.raises(ArxivMalformed) as caught:
        oai.parse(data)

    assert caught.value.code == code


def test_a_late_doctype_is_refused_too() -> None:
    padding = b"<!-- " + b"x" * 5000 + b" -->"
    data = padding + b'<!DOCTYPE a [<!ENTITY b "c">]><OAI-PMH>&b;</OAI-PMH>'

    with pytest.raises(ArxivMalformed) as caught:
        oai.parse(data)

    assert caught.value.code == "doctype"


def test_a_record_without_an_end_costs_only_itself() -> None:
    open_ended = arxiv_record("2602.00002").replace("</record>", "")

    page = oai.parse(oai_page(arxiv_record("2602.00001"), open_ended, arxiv_record("2602.00003")))

    assert [paper.arxiv_id for paper in page.listings] == ["2602.00001", "2602.00003"]
    assert [(bad.code, bad.arxiv_id) for bad in page.bad] == [("cut_off", "2602.00002")]


def test_the_source_flag_has_the_word_over_what_authors_write() -> None:
    page = wire("oai_arXivRaw.xml").replace(b"An error in Lemma 2", b"Withdrawn")

    _, flagged = oai.parse(page).listings
    _, restored = oai.parse(page.replace(b">I<", b">D<")).listings

    assert (flagged.is_withdrawn, restored.is_withdrawn) == (True, False)


def test_a_page_of_three_thousand_authors_is_a_page() -> None:
    person = "<author><keyname>Doe</keyname><forenames>J.</forenames></author>"
    record = arxiv_record("2602.00001").replace("</authors>", person * 3000 + "</authors>")

    (paper,) = oai.parse(oai_page(record)).listings

    assert len(paper.authors) == 3001
