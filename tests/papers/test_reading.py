"""The process that reads JSON Lines beside the one that stores them: the same pages, whatever becomes of it."""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from papers import names
from papers.arxiv import files, reading
from papers.arxiv.listing import ArxivMalformed, Listing, Place
from papers.harvest import import_files
from papers.models import Paper

START = Place(0, 0, "")


def line(number: int) -> bytes:
    return json.dumps({
        "id": f"2602.{number:05}",
        "title": f"Paper {number}",
        "abstract": "Of na\\\"ive bounds.",
        "authors": ["Erdo\u030bs  Pál", "Ada Lovelace "],
        "categories": ["cs.LG"],
        "published": "2026-02-02T10:00:00Z",
    }).encode()  # fmt: skip


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """2,100 lines, the 1,500th no JSON, in a file that is worth a process."""
    monkeypatch.setattr(files, "_WORTH_A_PROCESS", 1)
    lines = [line(number) for number in range(2_100)]
    lines[1_499] = b"{"
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


def test_a_process_reads_the_same_pages_as_this_one_would(path: Path) -> None:
    here = list(files.batches(path, START))
    there = list(files.pages(path))

    assert there == here
    assert [len(page.listings) for page in there] == [1000, 999, 100]
    paper = there[0].listings[0]
    assert [author.name for author in paper.authors] == ["Erdős Pál", "Ada Lovelace"]
    assert paper.folded_text == names.text_for_search(paper.title, paper.abstract)
    assert paper.folded_names == names.for_search(author.name for author in paper.authors)


def test_it_goes_on_behind_a_place(path: Path) -> None:
    first, *others = files.batches(path, START)

    assert [page.place for page in files.pages(path, after=first.place)] == [page.place for page in others]


def test_a_reader_that_dies_costs_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = reading.in_a_process

    def dying(path: Path, after: Place) -> Iterator[bytes]:
        yield next(whole(path, after))
        raise reading.ReaderDied

    monkeypatch.setattr(reading, "in_a_process", dying)

    ids = [listing.arxiv_id for page in files.pages(path) for listing in page.listings]

    assert len(ids) == len(set(ids)) == 2_099


def test_a_process_that_cannot_run_is_told_from_one_that_is_done(path: Path, monkeypatch) -> None:
    monkeypatch.setattr(reading.sys, "executable", "/bin/true")

    with pytest.raises(reading.ReaderDied):
        list(reading.in_a_process(path, START))


def test_what_ends_the_reading_is_raised_here(path: Path) -> None:
    path.write_bytes(b"\xff\xfe" + path.read_bytes())

    with pytest.raises(ArxivMalformed) as caught:
        [reading.unpacked(data) for data in reading.in_a_process(path, START)]

    assert caught.value.code == "bad_encoding"


def test_a_listing_travels_whole(path: Path) -> None:
    listing = next(files.batches(path, START)).listings[0]

    assert isinstance(listing, Listing)
    assert pickle.loads(pickle.dumps(listing)) == listing


@pytest.mark.django_db
def test_an_import_by_two_processes_is_whole(path: Path) -> None:
    report = import_files([path])

    assert (report.stored, report.quarantined, report.problems) == (2_099, 1, [])
    assert Paper.objects.count() == 2_099
    assert Paper.objects.get(arxiv_id="2602.00007").folded_names == names.for_search(
        ["Erdős Pál", "Ada Lovelace"]
    )
