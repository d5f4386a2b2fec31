"""Every file of the development data's `wire/`, each with what is known of it."""

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from papers.arxiv import files, listing
from papers.arxiv.listing import ArxivError, Page
from papers.calendar import day_of

pytestmark = pytest.mark.shared_data

Check = Callable[[Page], bool]


def feed(category: str, day: str, **kinds: int) -> Check:
    def holds(page: Page) -> bool:
        counted = Counter(paper.kind for paper in page.listings)
        return (page.category, page.day, dict(counted)) == (category, dt.date.fromisoformat(day), kinds)

    return holds


def is_whole(page: Page) -> bool:
    return page.broken is None


def holds_records(count: int, **facts: object) -> Check:
    def holds(page: Page) -> bool:
        return len(page.listings) == count and all(
            getattr(page, name) == fact for name, fact in facts.items()
        )

    return holds


def one(arxiv_id: str, *authors: str, **facts: object) -> Check:
    def holds(page: Page) -> bool:
        (paper,) = page.listings
        names = tuple(author.name for author in paper.authors)
        said = {name: getattr(paper, name) for name in facts}
        return (paper.arxiv_id, names[: len(authors)], said) == (arxiv_id, authors, facts)

    return holds


ERRORS: dict[str, type[ArxivError]] = {
    "error_bad_archive.xml": listing.FeedRefused,
    "error_bad_class.xml": listing.FeedRefused,
    "id_abc_s0_m100_b79c8dcf6bc3.xml": listing.ApiRefused,
    "oai_error_badArgument_date.xml": listing.BadArgument,
    "oai_error_badArgument_range.xml": listing.BadArgument,
    "oai_error_badArgument_set.xml": listing.BadArgument,
    "oai_error_badIdentifier.xml": listing.IdDoesNotExist,
    "oai_error_badResumptionToken.xml": listing.BadResumptionToken,
    "oai_error_badVerb.xml": listing.BadVerb,
    "oai_error_cannotDisseminateFormat.xml": listing.CannotDisseminateFormat,
    "oai_error_idDoesNotExist.xml": listing.IdDoesNotExist,
    # Named for the question; arXiv's answer to a range that ends before it begins is badArgument.
    "oai_error_noRecordsMatch.xml": listing.BadArgument,
    "oai_error_noVerb.xml": listing.BadVerb,
}

FACTS: dict[str, Check] = {
    "2026-01-29_rss_cs.AI.xml": holds_records(208, category="cs.AI", day=dt.date(2026, 1, 29)),
    "2026-01-29_rss_cs.CL.xml": holds_records(139, category="cs.CL", day=dt.date(2026, 1, 29)),
    "2026-01-30_rss_cs.AI.xml": feed("cs.AI", "2026-01-30", new=107, cross=167, replacement=72),
    "2026-01-30_rss_cs.CL.xml": feed("cs.CL", "2026-01-30", new=74, cross=44, replacement=45),
    "2026-01-30_atom_cs.CL.xml": feed("cs.CL", "2026-01-30", new=74, cross=44, replacement=45),
    "2026-01-30_rss_cs.CV.xml": feed("cs.CV", "2026-01-30", new=92, cross=23, replacement=44),
    "2026-01-30_rss_cs.LG.xml": feed("cs.LG", "2026-01-30", new=207, cross=94, replacement=102),
    "2026-01-30_rss_cs.RO.xml": feed("cs.RO", "2026-01-30", new=36, cross=4, replacement=2),
    "2026-01-31_rss_cs.CL.xml": feed("cs.CL", "2026-01-31"),
    "2026-01-31_atom_cs.CL.xml": feed("cs.CL", "2026-01-31"),
    "captured_atom_cs.AI_2025-08-20_trimmed.xml": holds_records(
        7, category="cs.AI", day=dt.date(2025, 8, 20)
    ),
    "captured_list_cs.AI_new_2026-08-12_cut.html": holds_records(
        0, day=dt.date(2026, 8, 12), totals={"new": 2, "cross": 2, "replacement": 2}
    ),
    "GetRecord_arXiv_2312.00752_2025-12-22.xml": one("2312.00752", "Albert Gu", "Tri Dao", submitted_at=None),
    "api_atom_cs_2025-12-17_405.xml": holds_records(405, total=405),
    "hepcrawl_GetRecord_single.xml": one("1401.2122", "A. Sergyeyev", msc_class="37K05 37K10 53D10"),
    "hepcrawl_ListRecords_arXiv_physics-hep-ex.xml": holds_records(3),
    "hepcrawl_ListRecords_arXiv_physics-hep-th.xml": holds_records(3),
    "hepcrawl_sample_arxiv_record.xml": holds_records(12),
    "oai_GetRecord_arXiv.xml": one("1810.06284", "Cédric Colas", categories=("cs.AI",), submitted_at=None),
    "oai_GetRecord_arXivRaw.xml": one(
        "1810.06284",
        "Cédric Colas",
        version=3,
        submitted_at=dt.datetime(2026, 1, 6, 11, 53, tzinfo=dt.UTC),
    ),
    "oai_GetRecord_oai_dc.xml": one("1810.06284", "Cédric Colas", categories=("cs.AI",), submitted_at=None),
    "oai_Identify.xml": holds_records(0),
    "oai_ListMetadataFormats.xml": holds_records(0),
    "oai_ListSets.xml": holds_records(0),
    "oai_ListRecords_arXiv_cs_2026-01-30_p1.xml": holds_records(250),
    "oai_ListRecords_arXiv_cs_2026-01-30_p2.xml": holds_records(250),
    "oai_ListRecords_arXiv_cs_2026-01-30_p3.xml": holds_records(250),
    "oai_ListRecords_arXiv_cs_2026-01-30_p4.xml": holds_records(218, token=None),
    "oai_ListRecords_arXivRaw_cs_2026-01-30_p4.xml": holds_records(218, token=None),
    "oai_ListRecords_oai_dc_cs_2026-01-30_p4.xml": holds_records(218, token=None),
    "oai_noRecordsMatch_Saturday.xml": holds_records(0, token=None),
    "id_0000.0000_s0_m100_8b51d9633a68.xml": holds_records(0, total=0),
    "id_0808.05394_1707.08567_s0_m100_42e5aa0ec3af.xml": one("1707.08567"),
    "id_0808.05394_s0_m100_7b0c7d0a7cdd.xml": holds_records(0, total=0),
    "id_1605.08386_s0_m100_199195aa31ad.xml": one("1605.08386"),
    "id_1707.08567_s0_m100_6a1afebfc6a3.xml": one("1707.08567"),
    "id_2104.12255v1_s0_m100_6ae69987ffe1.xml": one("2104.12255", version=1),
    "id_astro-ph_0601001_s0_m100_3150dca9dc76.xml": one(
        "astro-ph/0601001", "Andrew Gould", "Susan Dorsher", categories=("astro-ph",), version=1
    ),
    "id_quant-ph_0201082v1_s0_m100_86989fe779ef.xml": one("quant-ph/0201082", version=1),
}


# Of every file that is no error: how many papers, and the first one's id where there is one. Counted in the files
# themselves, by their `<record>`, `<item>` and `<entry>`, and not by what reads them here.
HELD = """
    2026-01-29_rss_cs.AI.xml 208 2601.19955
    2026-01-29_rss_cs.CL.xml 139 2601.19913
    2026-01-30_atom_cs.CL.xml 163 2601.20975
    2026-01-30_rss_cs.AI.xml 346 2601.20920
    2026-01-30_rss_cs.CL.xml 163 2601.20975
    2026-01-30_rss_cs.CV.xml 159 2601.20881
    2026-01-30_rss_cs.LG.xml 403 2601.20868
    2026-01-30_rss_cs.RO.xml 42 2601.20968
    2026-01-31_atom_cs.CL.xml 0
    2026-01-31_rss_cs.CL.xml 0
    GetRecord_arXiv_2312.00752_2025-12-22.xml 1 2312.00752
    api_atom_cs_2025-12-17_405.xml 405 2512.16041
    id_0000.0000_s0_m100_8b51d9633a68.xml 0
    id_0808.05394_1707.08567_s0_m100_42e5aa0ec3af.xml 1 1707.08567
    id_0808.05394_s0_m100_7b0c7d0a7cdd.xml 0
    id_1605.08386_s0_m100_199195aa31ad.xml 1 1605.08386
    id_1707.08567_s0_m100_6a1afebfc6a3.xml 1 1707.08567
    id_2104.12255v1_s0_m100_6ae69987ffe1.xml 1 2104.12255
    id_astro-ph_0601001_s0_m100_3150dca9dc76.xml 1 astro-ph/0601001
    id_quant-ph_0201082v1_s0_m100_86989fe779ef.xml 1 quant-ph/0201082
    q_testing_s0_m100_cfe7536492ca.xml 100 2202.12139
    q_testing_s0_m10_bc5a6c384fe9.xml 10 2202.12139
    q_testing_s0_m15_80c242b59d59.xml 15 2202.12139
    q_testing_s10_m10_34e56e15aaac.xml 10 2403.16981
    q_testing_s20_m10_348a237fecab.xml 10 2008.01944
    q_testing_s30_m10_f2e39f0143dc.xml 10 2101.12036
    q_testing_s40_m10_96dd32eb854c.xml 10 1704.08347
    q_testing_s50_m10_7f488ab8598c.xml 10 1709.03221
    q_testing_s5_m10_c0e94a259d4a.xml 10 1202.4527
    q_testing_s5_m15_bbcf6b23085b.xml 15 1202.4527
    q_testing_s9_m15_0b78d4b4d476.xml 15 1812.11470
    captured_atom_cs.AI_2025-08-20_trimmed.xml 7 2508.13426
    captured_list_cs.AI_new_2026-08-12_cut.html 0
    hepcrawl_GetRecord_single.xml 1 1401.2122
    hepcrawl_ListRecords_arXiv_physics-hep-ex.xml 3 1706.05371
    hepcrawl_ListRecords_arXiv_physics-hep-th.xml 3 1412.8323
    hepcrawl_sample_arxiv_record.xml 12 1601.03238
    hepcrawl_sample_arxiv_record0.xml 1 1601.03238
    hepcrawl_sample_arxiv_record1.xml 1 1512.07978
    hepcrawl_sample_arxiv_record10.xml 1 1606.04259
    hepcrawl_sample_arxiv_record2.xml 1 1603.00997
    hepcrawl_sample_arxiv_record3.xml 1 1603.01251
    hepcrawl_sample_arxiv_record4.xml 1 1603.05976
    hepcrawl_sample_arxiv_record5.xml 1 1604.05585
    hepcrawl_sample_arxiv_record6.xml 1 1606.06775
    hepcrawl_sample_arxiv_record7.xml 1 1606.07066
    hepcrawl_sample_arxiv_record8.xml 1 1606.07538
    hepcrawl_sample_arxiv_record9.xml 1 1607.00786
    oai_GetRecord_arXiv.xml 1 1810.06284
    oai_GetRecord_arXivRaw.xml 1 1810.06284
    oai_GetRecord_oai_dc.xml 1 1810.06284
    oai_Identify.xml 0
    oai_ListMetadataFormats.xml 0
    oai_ListRecords_arXivRaw_cs_2026-01-30_p4.xml 218 2312.00326
    oai_ListRecords_arXiv_cs_2026-01-30_p1.xml 250 1810.06284
    oai_ListRecords_arXiv_cs_2026-01-30_p2.xml 250 2210.00310
    oai_ListRecords_arXiv_cs_2026-01-30_p3.xml 250 2210.05607
    oai_ListRecords_arXiv_cs_2026-01-30_p4.xml 218 2312.00326
    oai_ListRecords_oai_dc_cs_2026-01-30_p4.xml 218 2312.00326
    oai_ListSets.xml 0
    oai_noRecordsMatch_Saturday.xml 0
"""
FIRST = {
    name: (int(count), "".join(first)) for name, count, *first in map(str.split, HELD.strip().splitlines())
}
FACTS |= {
    name: holds_records(count, total=214881)
    for name, (count, _first) in FIRST.items()
    if name.startswith("q_testing")
}
NO_PAPERS = {"manifest.json"}


def test_every_file_of_the_wire_is_named_here(shared_data: Path) -> None:
    names = [path.name for path in (shared_data / "wire").rglob("*") if path.is_file()]

    assert len(names) == len(set(names))
    assert set(names) == {*FIRST, *ERRORS, *NO_PAPERS}
    assert set(FACTS) <= set(FIRST)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_an_error_is_an_exception_of_its_own(shared_data: Path, name: str) -> None:
    (path,) = (shared_data / "wire").rglob(name)

    with pytest.raises(ArxivError) as caught:
        list(files.pages(path))

    assert type(caught.value) is ERRORS[name]


@pytest.mark.parametrize("name", FIRST)
def test_a_page_of_the_wire_is_read_without_loss(shared_data: Path, name: str) -> None:
    (path,) = (shared_data / "wire").rglob(name)

    (page,) = files.pages(path)

    ids = [paper.arxiv_id for paper in page.listings]
    assert (len(ids), ids[0] if ids else "") == FIRST[name]
    assert FACTS.get(name, is_whole)(page)
    assert page.bad == ()
    assert page.broken is None
    for paper in page.listings:
        assert_is_clean(paper)


def assert_is_clean(paper: listing.Listing) -> None:
    assert not re.search(r"\\[\"']|\n", paper.title)
    assert not re.search(r"\\[\"']", paper.abstract)
    assert "Announce Type" not in paper.abstract
    assert paper.has_text
    assert paper.categories
    assert paper.authors
    for author in paper.authors:
        assert not re.search(r"[\\{}$\n]|, | and |^[^\w]+$", author.name), author


def test_the_token_of_each_page_leads_to_the_next(shared_data: Path) -> None:
    positions = []
    for number in range(1, 5):
        path = shared_data / "wire" / f"oai_ListRecords_arXiv_cs_2026-01-30_p{number}.xml"
        (page,) = files.pages(path)
        positions.append(page.token and page.token.rpartition("%3D")[2])

    assert positions == ["250", "500", "750", None]


def test_rss_and_atom_say_the_same(shared_data: Path) -> None:
    (rss,) = files.pages(shared_data / "wire" / "2026-01-30_rss_cs.CL.xml")
    (atom,) = files.pages(shared_data / "wire" / "2026-01-30_atom_cs.CL.xml")

    assert {paper.arxiv_id: paper for paper in rss.listings}.keys() == {p.arxiv_id for p in atom.listings}
    titles = {paper.arxiv_id: (paper.title, paper.abstract, paper.authors) for paper in rss.listings}
    assert titles == {paper.arxiv_id: (paper.title, paper.abstract, paper.authors) for paper in atom.listings}


def test_the_deadline_puts_first_versions_into_the_day_that_arxiv_listed(shared_data: Path) -> None:
    """Real submission instants against real lists: how far arXiv's rule carries, measured."""
    papers = [
        paper
        for page in files.pages(shared_data / "papers.jsonl.gz")
        for paper in page.listings
        if paper.submitted_at and paper.kind == "new"
    ]
    right = [paper for paper in papers if day_of(paper.submitted_at) == paper.day]

    assert len(papers) > 700
    assert len(right) / len(papers) > 0.9


def test_the_manifest_is_not_taken_for_papers_and_names_what_was_recorded(shared_data: Path) -> None:
    path = shared_data / "wire" / "api_atom_recorded_2026-04-12" / "manifest.json"
    recorded = {each["file"]: each["bytes"] for each in json.loads(path.read_text())}
    assert recorded == {each.name: each.stat().st_size for each in path.parent.glob("*.xml")}

    with pytest.raises(listing.ArxivMalformed):
        list(files.pages(path))
