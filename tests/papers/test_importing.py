"""Large imports of JSON Lines: a killed one goes on, a changed file begins again, memory does not grow."""

import datetime as dt
import gzip
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

from papers.arxiv import files
from papers.arxiv.idset import IdSet
from papers.arxiv.listing import Page
from papers.harvest import HarvestReport, import_files
from papers.models import Announcement, Harvest, Paper, PaperVersion
from tests.faults.processes import REPO, surroundings
from tests.papers.fake_arxiv import Killed

pytestmark = pytest.mark.django_db

LINES, A_PAGE = 2_300, 1_000


def line(number: int, title: str = "A title") -> bytes:
    paper = {
        "id": f"2602.{number:05}",
        "version": 1,
        "title": title,
        "abstract": f"About {number}.",
        "authors": ["Ada Lovelace"],
        "categories": ["cs.LG", "cs.AI"],
        "first_listed": "2026-02-03",
    }
    return json.dumps(paper).encode() + b"\n"


def written(folder: Path, name: str = "papers.jsonl", **changes: str) -> Path:
    path = folder / name
    data = b"".join(line(number, **changes) for number in range(1, LINES + 1))
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def die_at(records: int) -> Callable[[HarvestReport, str], None]:
    def die(report: HarvestReport, _place: str) -> None:
        if report.announced >= records:
            raise Killed

    return die


def kill_at(records: int, *paths: Path) -> None:
    with pytest.raises(Killed):
        import_files(paths, on_page=die_at(records))


def stored() -> tuple[int, int, int]:
    return Paper.objects.count(), PaperVersion.objects.count(), Announcement.objects.count()


@pytest.mark.parametrize("name", ["papers.jsonl", "papers.jsonl.gz"])
def test_a_killed_import_goes_on_behind_its_last_page(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name)
    kill_at(2 * A_PAGE, path)
    pages: list[int] = []

    report = import_files([path], on_page=lambda so_far, _place: pages.append(so_far.announced))

    assert pages == [LINES]
    assert report.resumed == {str(path): 2 * A_PAGE}
    assert (report.announced, report.stored, report.skipped) == (LINES, LINES, 0)
    assert stored() == (LINES, LINES, 2 * LINES)
    run = Harvest.objects.get()
    assert (run.state, run.stored) == ("done", LINES)


def test_a_file_that_grew_meanwhile_goes_on_and_one_that_changed_begins_again(tmp_path: Path) -> None:
    path = written(tmp_path)
    kill_at(A_PAGE, path)
    with path.open("ab") as file:
        file.write(line(LINES + 1))
    kill_at(2 * A_PAGE, path)

    written(tmp_path, title="A corrected title")
    report = import_files([path])

    assert (report.resumed, report.changed) == ({}, [str(path)])
    assert Paper.objects.filter(title="A corrected title").count() == LINES
    assert stored() == (LINES, LINES, 2 * LINES)
    assert not Harvest.objects.unbalanced().exists()
    assert Harvest.objects.get().state == "done"


def test_of_several_files_those_that_were_read_are_not_read_again(tmp_path: Path) -> None:
    first, second = written(tmp_path, "a.jsonl"), written(tmp_path, "b.jsonl")
    kill_at(LINES + A_PAGE, first, second)

    report = import_files([first, second])

    assert report.resumed == {str(first): LINES, str(second): A_PAGE}
    assert report.announced == 2 * LINES
    assert Paper.objects.count() == LINES


def test_another_import_is_no_continuation(tmp_path: Path) -> None:
    path = written(tmp_path)
    kill_at(A_PAGE, path)

    report = import_files([path], categories=["cs.LG"], day=dt.date(2026, 2, 3))

    assert (report.resumed, report.announced) == ({}, LINES)
    assert Harvest.objects.filter(state="running").count() == 1


def test_bad_lines_keep_their_number_and_their_count_over_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "papers.jsonl"
    lines = [line(number) for number in range(1, LINES + 1)]
    lines[10] = lines[A_PAGE + 10] = b"{broken\n"
    path.write_bytes(b"\xef\xbb\xbf" + b"".join(lines))
    kill_at(A_PAGE - 1, path)

    report = import_files([path])

    assert [problem.place for problem in report.unreadable] == [f"{path}, record {A_PAGE + 11}"]
    assert report.quarantined == 2
    assert Paper.objects.count() == LINES - 2


def test_the_command_says_where_it_went_on(tmp_path: Path) -> None:
    path = written(tmp_path)
    kill_at(A_PAGE, path)
    out = io.StringIO()

    call_command("harvest", "--from", str(path), stdout=out)
    assert f"{path}: gone on behind record 1000" in out.getvalue()

    kill_at(A_PAGE, path)
    written(tmp_path, title="Another")
    call_command("harvest", "--from", str(path), stdout=out)
    assert f"{path} has changed since an earlier run" in out.getvalue()


@pytest.mark.django_db(transaction=True)
@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize("point", ["page_read", "page_stored", "page_committed"])
def test_a_process_killed_at_a_page_is_gone_on_with_by_the_next(tmp_path: Path, point: str) -> None:
    path = written(tmp_path)

    def harvest(**surrounding: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "manage.py", "harvest", "--from", str(path), "--json"],
            cwd=REPO,
            env=surroundings(tmp_path, **surrounding),
            capture_output=True,
            timeout=120,
            check=False,
        )

    killed = harvest(BROADSHEET_CRASH_AT=f"{point}:2")
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    before = Paper.objects.count()
    said = json.loads(harvest().stdout)

    assert before == (2 * A_PAGE if point == "page_committed" else A_PAGE)
    assert (said["resumed"], said["announced"]) == ({str(path): before}, LINES)
    assert stored() == (LINES, LINES, 2 * LINES)


def test_reading_ahead_loses_no_page_and_no_error(tmp_path: Path) -> None:
    path = tmp_path / "papers.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(line(number) for number in range(1, LINES + 1)))[:-400])
    read: list[Page] = []

    with pytest.raises(files.ArxivMalformed, match="ends early"):
        for page in files.pages(path):
            read.append(page)

    assert [len(page.listings) for page in read] == [A_PAGE, A_PAGE]


def test_ids_are_told_apart_by_all_of_their_characters() -> None:
    seen = IdSet()
    ids = ["2602.00001", "2602.10001", "0704.0001", "hep-th/9901001", "math.AG/9901001", "2603.00001"]

    assert [seen.add(arxiv_id) for arxiv_id in [*ids, *ids]] == [True] * 6 + [False] * 6
    other = IdSet()
    other.add("2602.00002")
    other.update(seen)
    assert (len(seen), len(other)) == (6, 7)
    assert not other.add("2602.00001")
