"""The sample day that ships with the project: facts of arXiv, texts of our own."""

import datetime as dt
import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from papers import harvest
from papers.models import Announcement, Paper, PaperVersion

REPO = Path(__file__).resolve().parent.parent.parent
SAMPLE = REPO / "papers" / "sample" / "2026-01-30.jsonl"
DAY = "2026-01-30"
CATEGORIES = {"cs.CV", "cs.LG", "cs.AI", "cs.RO"}
MADE_UP = "2601.99999"
RUN = 6


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def runs_of(text: str) -> set[tuple[str, ...]]:
    spoken = words(text)
    return {tuple(spoken[at : at + RUN]) for at in range(len(spoken) - RUN + 1)}


def kinds_of(row: dict) -> set[str]:
    return {event["kind"] for event in row["announce"]}


def test_the_sample_has_two_hundred_different_papers(rows):
    assert len(rows) == 200
    assert len({row["id"] for row in rows}) == 200
    assert len({row["title"] for row in rows}) == 200
    assert all(row["sample"] is True for row in rows)


def test_every_announcement_is_in_one_of_the_four_categories(rows):
    events = [event for row in rows for event in row["announce"]]

    assert {event["category"] for event in events} == CATEGORIES
    assert all(event["category"] in row["categories"] for row in rows for event in row["announce"])


def test_the_day_has_new_papers_cross_lists_replacements_and_a_withdrawal(rows):
    new = [row for row in rows if "new" in kinds_of(row)]
    only_cross = [row for row in rows if kinds_of(row) == {"cross"}]
    replaced = [row for row in rows if kinds_of(row) == {"replacement"}]

    assert (len(new), len(only_cross), len(replaced)) == (178, 10, 12)
    assert all(row["version"] > 1 for row in replaced)
    assert [row["id"] for row in rows if row.get("withdrawn")] == [MADE_UP]


def test_a_paper_is_new_on_the_day_arxiv_announced_it(rows):
    """Five papers that the reference read with this day were announced the day before, in cs.AI."""
    days = Counter(event["day"] for row in rows for event in row["announce"] if event["kind"] == "new")

    assert days == {DAY: 173, "2026-01-29": 5}
    assert all(
        row["first_listed"] == event["day"]
        for row in rows
        for event in row["announce"]
        if event["kind"] == "new"
    )


def test_the_only_made_up_paper_says_so(rows):
    made_up = next(row for row in rows if row["id"] == MADE_UP)

    assert "made up" in made_up["comment"]
    assert "made up" in made_up["abstract"]


def test_titles_and_names_are_unicode_without_tex(rows):
    raw = SAMPLE.read_text(encoding="utf-8")
    names = [name for row in rows for name in row["authors"]]

    assert '\\"' not in raw
    assert "\\u" not in raw
    assert not [name for name in names if re.search(r"[\\{}$()]", name)]
    assert "Dominik J. Mühlematter" in names
    assert "MMFineReason: Closing the Multimodal Reasoning Gap via Open Data-Centric Methods" in {
        row["title"] for row in rows
    }


def test_each_text_is_one_or_two_sentences(rows):
    counts = {row["id"]: len(re.findall(r"[.?!](?=\s|$)", row["abstract"])) for row in rows}

    assert {paper: count for paper, count in counts.items() if count not in (1, 2)} == {}
    assert all(60 <= len(row["abstract"]) <= 400 for row in rows)


@pytest.mark.shared_data
def test_the_texts_are_our_own_words(rows, shared_data):
    with gzip.open(shared_data / "papers.jsonl.gz", "rt", encoding="utf-8") as lines:
        real = {paper["id"]: paper for paper in map(json.loads, lines)}

    copied = {
        row["id"]: runs_of(row["abstract"]) & runs_of(real[row["id"]]["abstract"])
        for row in rows
        if row["id"] != MADE_UP
    }

    assert {paper: runs for paper, runs in copied.items() if runs} == {}


@pytest.mark.shared_data
def test_the_facts_are_arxivs(rows, shared_data):
    with gzip.open(shared_data / "papers.jsonl.gz", "rt", encoding="utf-8") as lines:
        real = {paper["id"]: paper for paper in map(json.loads, lines)}

    for row in rows:
        if row["id"] != MADE_UP:
            known = real[row["id"]]
            assert row["title"] == " ".join(known["title"].split())
            assert row["authors"] == known["authors"]
            assert row["categories"] == known["categories"]


@pytest.mark.shared_data
def test_all_that_the_reference_recommended_is_there(rows, shared_data):
    report = (shared_data / "reference" / "report_2026-01-31.md").read_text(encoding="utf-8")
    recommended = set(re.findall(r"\[https://arxiv\.org/abs/([\d.]+)\]", report))

    assert len(recommended) == 93
    assert recommended <= {row["id"] for row in rows}


@pytest.mark.django_db
def test_the_sample_comes_in_whole_by_the_way_of_every_file():
    report = harvest.import_files([SAMPLE])

    assert report.is_success
    assert (report.announced, report.stored, report.without_text, report.skipped) == (200, 200, 0, 0)
    assert report.kinds() == {
        dt.date(2026, 1, 29): {"new": 5},
        dt.date(2026, 1, 30): {"new": 173, "cross": 66, "replacement": 12},
    }
    assert PaperVersion.objects.filter(is_sample=True).count() == 200
    assert list(Paper.objects.filter(is_withdrawn=True).values_list("arxiv_id", flat=True)) == [MADE_UP]


@pytest.mark.django_db
def test_a_reader_of_the_four_categories_is_owed_the_new_papers_only():
    harvest.import_files([SAMPLE])
    owed = Announcement.objects.announced_to(CATEGORIES, dt.date(2026, 1, 30), cross_lists=False)
    with_cross_lists = Announcement.objects.announced_to(CATEGORIES, dt.date(2026, 1, 30), cross_lists=True)

    assert owed.paper_count() == 173
    assert with_cross_lists.paper_count() == 183
