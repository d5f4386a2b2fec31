"""Finding papers."""

import datetime as dt

import pytest

from papers import names
from papers.harvest import import_files
from papers.models import Paper
from papers.search import LONGEST_QUERY, by_author, find
from tests import factories
from tests.papers.pages import WIRE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stored(db: None) -> None:
    import_files([WIRE / "rss_cs.LG.xml"])


def ids(query: str) -> list[str]:
    return [paper.arxiv_id for paper in find(query)]


@pytest.mark.parametrize(
    "query",
    [
        "2602.00001",
        "2602.00001v1",
        "arXiv:2602.00001",
        "https://arxiv.org/abs/2602.00001v3",
        "https://arxiv.org/pdf/2602.00001.pdf",
        "bayes",
        "cats dogs",
        "müller",
        '"we count cats"',
        "Matérn kernel",
        "5%",
    ],
)
def test_a_paper_is_found_by_id_title_author_and_abstract(query: str) -> None:
    assert ids(query) == ["2602.00001"]


@pytest.mark.parametrize("query", ["", "  ", "zebra", "cats zebra", '"cats count we"', "2602.99999", "\x00"])
def test_what_is_not_there_is_not_found(query: str) -> None:
    assert ids(query) == []


def test_an_old_id_is_found() -> None:
    assert ids("hep-th/9901004v2") == ["hep-th/9901004"]


def test_the_newest_come_first_and_a_long_query_is_cut() -> None:
    assert ids("paper")[0] == "2602.00002"
    assert ids("bayes " * LONGEST_QUERY) == ["2602.00001"]


def test_a_query_is_a_query_for_new_ids_and_one_for_old(django_assert_num_queries) -> None:
    with django_assert_num_queries(2):
        ids("cats bayes müller")


@pytest.fixture
def people() -> dict[str, str]:
    """Papers of one author each, by id."""
    written = {
        "2603.00001": "Hans Müller",
        "2603.00002": "Hans Mueller",
        "2603.00003": "Paul Erdős",
        "2603.00004": "Ada Lovelace",
        "2603.00005": "Mary Ada Lovelace",
        "2603.00006": "王伟",
        "2603.00007": "Xiao-Ming Li",
        "2603.00008": "Wei Li",
        "2603.00009": "Dara O'Brien",
    }
    for arxiv_id, name in written.items():
        factories.paper(arxiv_id, authors=[name], title="A Note", abstract="Words.")
    return written


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("Muller", {1}),
        ("MÜLLER", {1, 2}),
        ("Mueller", {1, 2}),
        ("erdos", {3}),
        ("Erdös", {3}),
        ("Lovelace, Ada", {4, 5}),
        ("Ada Lovelace", {4, 5}),
        ('author:"Ada Lovelace"', {4}),
        ('author:"Lovelace, Ada"', {4}),
        ("author：“Lovelace, Ada”", {4}),
        ("author:lovelace", {4, 5}),
        ('author:"Lovelace"', {4, 5}),
        ('author:"Love"', set()),
        ("王伟", {6}),
        ("Xiaoming Li", {7}),
        ("Xiao Ming Li", {7}),
        ('author:"Wei Li"', {8}),
        ("O’Brien", {9}),
        ("obrien", {9}),
        ("author:note", set()),
        ("author:100% |", set()),
    ],
)
def test_a_name_is_found_as_it_is_typed(people: dict[str, str], query: str, numbers: set[int]) -> None:
    found = {number for number in range(1, 10) if f"2603.0000{number}" in ids(query)}

    assert found == numbers


def test_the_query_of_a_name_finds_the_papers_of_that_name(people: dict[str, str]) -> None:
    found = {arxiv_id: ids(by_author(name)) for arxiv_id, name in people.items()}

    both = {"2603.00001", "2603.00002"}  # who is called Müller may also be written Mueller
    assert [set(papers) for arxiv_id, papers in found.items() if arxiv_id in both] == [
        both,
        {"2603.00001", "2603.00002"},
    ]
    assert all(papers == [arxiv_id] for arxiv_id, papers in found.items() if arxiv_id not in both)


def test_a_title_is_found_without_its_accents() -> None:
    factories.paper("2603.00010", title="Über Erdős–Rényi graphs")

    assert ids("erdos-renyi ueber") == ids("uber RÉNYI") == ["2603.00010"]


def test_old_papers_come_after_all_new_ones_the_newest_first() -> None:
    for arxiv_id, year in (("hep-th/9901001", 1999), ("math/0601001", 2006), ("0704.0001", 2007)):
        factories.paper(
            arxiv_id, title="Zebras", submitted_at=dt.datetime(year, 4, 1, tzinfo=dt.UTC), abstract="Stripes."
        )
    factories.paper("2603.00011", title="Zebras", abstract="Stripes.")

    assert ids("zebras stripes") == ["2603.00011", "0704.0001", "math/0601001", "hep-th/9901001"]


@pytest.mark.parametrize("query", ["math.AG/0501001", "math/0501001v2", "arXiv:MATH.ag/0501001"])
def test_an_old_id_is_found_with_and_without_its_subject(query: str) -> None:
    factories.paper("math/0501001")

    assert ids(query) == ["math/0501001"]


def test_three_thousand_authors_are_searched() -> None:
    factories.paper("2603.00012", authors=[f"Person{n} Müller" for n in range(3000)])

    assert ids('author:"Person2999 Mueller"') == ids("person2999 muller") == ["2603.00012"]


def test_what_an_older_version_stored_is_searched_after_the_next_harvest() -> None:
    Paper.objects.update(folded_text="", folded_names="")

    import_files([WIRE / "rss_cs.LG.xml"])

    assert ids("müller") == ["2602.00001"]
    assert ids("bayes") == ["2602.00001"]


def test_a_new_title_without_an_abstract_keeps_what_the_abstract_says() -> None:
    words = names.text_for_search("Old title", "We count cats.")

    assert (
        names.with_other_title(words, "Neuer Türhüter") == "neuer turhuter neuer tuerhueter\nwe count cats."
    )
