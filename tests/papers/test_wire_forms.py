"""Every form in which arXiv answers, in files of our own: what each holds, said by hand.

Where the development data is there, each of its files is matched with one of ours of the same form, and named.
"""

import re
from pathlib import Path

import pytest

from papers.arxiv import files, listing
from papers.arxiv.listing import ArxivError, Page
from tests.papers.pages import WIRE

FORMS = WIRE.parent / "wire_forms"

# By file: how many papers, the first one's id, and the token where there is one; or the error.
HOLDS: dict[str, tuple[int, str] | type[ArxivError]] = {
    "api.xml": (1, "2602.00001"),
    "api_empty.xml": (0, ""),
    "api_error.xml": listing.ApiRefused,
    "api_of_many.xml": (2, "2602.00011"),
    "api_old_id.xml": (1, "astro-ph/0602001"),
    "atom_cs.LG.xml": (1, "2602.00001"),
    "atom_weekend.xml": (0, ""),
    "list_cs.LG.html": (0, ""),
    "manifest.json": listing.ArxivMalformed,
    "oai_GetRecord_arXiv.xml": (1, "2602.00011"),
    "oai_GetRecord_arXivRaw.xml": (1, "2602.00011"),
    "oai_GetRecord_oai_dc.xml": (1, "2602.00011"),
    "oai_Identify.xml": (0, ""),
    "oai_ListMetadataFormats.xml": (0, ""),
    "oai_ListRecords_last.xml": (2, "2602.00011"),
    "oai_ListRecords_middle.xml": (2, "2602.00011"),
    "oai_ListRecords_oai_dc.xml": (1, "2602.00011"),
    "oai_ListSets.xml": (0, ""),
    "oai_arXiv.xml": (1, "2602.00001"),
    "oai_arXivRaw.xml": (2, "2602.00001"),
    "oai_dc.xml": (1, "2602.00001"),
    "oai_error_badArgument.xml": listing.BadArgument,
    "oai_error_badResumptionToken.xml": listing.BadResumptionToken,
    "oai_error_badVerb.xml": listing.BadVerb,
    "oai_error_cannotDisseminateFormat.xml": listing.CannotDisseminateFormat,
    "oai_error_idDoesNotExist.xml": listing.IdDoesNotExist,
    "oai_error_noMetadataFormats.xml": listing.NoMetadataFormats,
    "oai_error_noRecordsMatch.xml": (0, ""),
    "oai_error_noSetHierarchy.xml": listing.NoSetHierarchy,
    "oai_without_namespaces.xml": (2, "2602.00011"),
    "papers.jsonl": (2, "2602.00001"),
    "rss_cs.LG.xml": (4, "2602.00001"),
    "rss_error.xml": listing.FeedRefused,
    "rss_error_class.xml": listing.FeedRefused,
    "rss_weekend.xml": (0, ""),
}
# By pattern of the development data's names, in this order: ours of the same form.
TWINS = {
    r"\d{4}-\d\d-31_rss_.*": "rss_weekend.xml",
    r"\d{4}-\d\d-31_atom_.*": "atom_weekend.xml",
    r"\d{4}-\d\d-\d\d_rss_.*": "rss_cs.LG.xml",
    r"(\d{4}-\d\d-\d\d|captured)_atom_.*": "atom_cs.LG.xml",
    r"captured_list_.*": "list_cs.LG.html",
    r"error_bad_archive.xml": "rss_error.xml",
    r"error_bad_class.xml": "rss_error_class.xml",
    r"id_(0000.0000|0808.05394)_s0_.*": "api_empty.xml",
    r"id_abc_.*": "api_error.xml",
    r"id_(astro-ph|quant-ph)_.*": "api_old_id.xml",
    r"id_.*": "api.xml",
    r"(q_testing|api_atom_cs)_.*": "api_of_many.xml",
    r"manifest.json": "manifest.json",
    r"hepcrawl_sample_arxiv_record.xml": "oai_without_namespaces.xml",
    r"hepcrawl_ListRecords_.*": "oai_ListRecords_last.xml",
    r"(hepcrawl_|GetRecord_arXiv_|oai_GetRecord_arXiv\.).*": "oai_GetRecord_arXiv.xml",
    r"oai_GetRecord_arXivRaw.*": "oai_GetRecord_arXivRaw.xml",
    r"oai_GetRecord_oai_dc.*": "oai_GetRecord_oai_dc.xml",
    r"oai_ListRecords_arXiv_.*_p[123].xml": "oai_ListRecords_middle.xml",
    r"oai_ListRecords_arXiv_.*": "oai_ListRecords_last.xml",
    r"oai_ListRecords_arXivRaw_.*": "oai_arXivRaw.xml",
    r"oai_ListRecords_oai_dc_.*": "oai_ListRecords_oai_dc.xml",
    r"oai_(Identify|ListSets|ListMetadataFormats).xml": r"oai_\1.xml",
    r"oai_noRecordsMatch_.*": "oai_error_noRecordsMatch.xml",
    r"oai_error_(noVerb|badVerb).xml": "oai_error_badVerb.xml",
    r"oai_error_(badIdentifier|idDoesNotExist).xml": "oai_error_idDoesNotExist.xml",
    r"oai_error_(noRecordsMatch|badArgument_.*).xml": "oai_error_badArgument.xml",
    r"oai_error_(\w+).xml": r"oai_error_\1.xml",
}


def ours() -> dict[str, Path]:
    return {path.name: path for folder in (WIRE, FORMS) for path in folder.iterdir() if path.suffix != ".md"}


def read(path: Path) -> Page | ArxivError:
    try:
        (page,) = files.pages(path)
    except ArxivError as error:
        return error
    return page


def form_of(path: Path) -> tuple[object, ...]:
    """What of an answer depends on its form and not on the day: the reader, the tags it is made of, the outcome."""
    found = read(path)
    text = path.read_text(encoding="utf-8")
    tags = re.search(
        r"<(GetRecord|ListRecords|Identify|ListSets|ListMetadataFormats|error|rss|feed|html)\b", text
    )
    if isinstance(found, ArxivError):
        return type(found), found.code, tags and tags[1]
    return found.source, tags and tags[1], bool(found.listings), bool(found.token), len(found.bad)


def test_every_file_of_ours_is_named_here() -> None:
    assert set(ours()) == set(HOLDS)


@pytest.mark.parametrize("name", HOLDS)
def test_a_file_of_ours_holds_what_is_said_by_hand(name: str) -> None:
    said, found = HOLDS[name], read(ours()[name])

    if isinstance(said, type):
        assert type(found) is said
        return
    assert isinstance(found, Page)
    ids = [paper.arxiv_id for paper in found.listings]
    assert (len(ids), ids[0] if ids else "") == said
    assert (found.bad, found.broken) == ((), None)


def only(name: str) -> listing.Listing:
    page = read(FORMS / name)
    assert isinstance(page, Page)
    return page.listings[0]


def test_one_record_says_what_its_format_can() -> None:
    whole, raw, plain = (only(f"oai_GetRecord_{prefix}.xml") for prefix in ("arXiv", "arXivRaw", "oai_dc"))

    assert (whole.title, whole.abstract) == ("Cats on surfaces", "We count cats on surfaces.")
    assert [author.name for author in whole.authors] == ["Bea Cruz III"]
    assert (whole.msc_class, whole.acm_class, whole.doi) == ("14A10", "I.2.6", "10.1000/cats")
    assert (whole.journal_ref, whole.comment, whole.submitted_at) == ("J. Cats 3 (2026)", "7 pages", None)
    assert (raw.version, raw.is_withdrawn) == (2, True)
    assert [(author.name, author.affiliations) for author in raw.authors] == [
        ("Bea Cruz III", ("Cat University",)),
        ("André Müller", ("Dog College",)),
    ]
    assert (plain.categories, plain.submitted_at) == (("math.AG", "cs.LG"), None)


def test_records_of_old_tools_and_collaborations_are_read() -> None:
    paper = only("oai_without_namespaces.xml")

    assert [author.name for author in paper.authors] == ["Cat Collaboration", "Bea Cruz"]
    assert paper.authors[1].affiliations == ("Cat University",)


def test_an_answer_says_how_much_there_is_and_where_it_goes_on() -> None:
    middle, many, none = (
        read(FORMS / name) for name in ("oai_ListRecords_middle.xml", "api_of_many.xml", "api_empty.xml")
    )

    assert isinstance(middle, Page) and isinstance(many, Page) and isinstance(none, Page)
    assert middle.token == "verb%3DListRecords%26metadataPrefix%3DarXiv%26skip%3D500"
    assert (many.total, none.total) == (214881, 0)


@pytest.mark.shared_data
def test_every_file_of_the_wire_has_a_twin_of_ours(shared_data: Path) -> None:
    twins = {}
    for path in sorted((shared_data / "wire").rglob("*")):
        if path.is_file():
            pattern = next((each for each in TWINS if re.fullmatch(each, path.name)), None)
            assert pattern is not None, f"{path.name} has no twin"
            twins[path] = ours()[re.sub(pattern, TWINS[pattern], path.name)]

    unlike = {
        path.name: (form_of(path), form_of(twin))
        for path, twin in twins.items()
        if form_of(path) != form_of(twin)
    }

    assert unlike == {}
    assert set(TWINS) == {next(each for each in TWINS if re.fullmatch(each, path.name)) for path in twins}
