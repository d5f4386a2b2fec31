"""Finding papers."""

import pytest

from papers.harvest import import_files
from papers.search import LONGEST_QUERY, find
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


def test_a_query_is_one_query(django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        ids("cats bayes müller")
