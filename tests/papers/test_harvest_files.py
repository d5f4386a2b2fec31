"""Files of every format, good and bad, through the verb and the command."""

import datetime as dt
import gzip
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from papers.arxiv import files
from papers.arxiv.listing import ArxivMalformed
from papers.harvest import HarvestReport, import_files
from papers.models import Announcement, ArxivCount, Harvest, Paper, PaperVersion, Quarantine
from tests.papers.pages import WIRE, arxiv_record, feed, feed_item, oai_page

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 2, 3)
GOOD = [path for path in WIRE.iterdir() if path.suffix != ".md" and "error" not in path.name]


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def run(*arguments: object) -> str:
    out = io.StringIO()
    call_command("harvest", *map(str, arguments), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_files_of_every_format_are_told_apart_and_read() -> None:
    report = import_files(GOOD)

    assert report.problems == []
    assert {paper.arxiv_id for paper in Paper.objects.all()} == {
        "2602.00001",
        "2602.00002",
        "2602.00005",
        "2501.00003",
        "hep-th/9901004",
    }
    assert Announcement.objects.announced_to(["cs.LG"], DAY, cross_lists=False).paper_count() == 1
    assert Paper.objects.get(arxiv_id="2501.00003").is_withdrawn
    assert Paper.objects.get(arxiv_id="2602.00001").author_names == "André Müller, Bea Cruz III"


def test_the_counts_add_up() -> None:
    report = import_files([*GOOD, WIRE / "rss_cs.LG.xml"])

    assert report.announced == report.stored + report.without_text + report.skipped
    assert report.papers == report.stored + report.without_text == Paper.objects.count()
    assert not Harvest.objects.unbalanced().exists()


def test_the_order_of_the_files_changes_nothing() -> None:
    results = []
    for paths in (sorted(GOOD), sorted(GOOD, reverse=True)):
        Paper.objects.all().delete()
        import_files(paths)
        results.append(set(Announcement.objects.values_list("paper__arxiv_id", "category", "day", "kind")))

    assert results[0] == results[1]


def test_importing_again_changes_nothing() -> None:
    def everything() -> list[list[dict[str, object]]]:
        return [list(model.objects.order_by("pk").values()) for model in (Paper, PaperVersion, Announcement)]

    import_files(GOOD)
    before = everything()

    import_files(GOOD)

    assert everything() == before


def test_packed_files_are_read(tmp_path: Path) -> None:
    packed = gzip.compress((WIRE / "papers.jsonl").read_bytes())

    report = import_files([written(tmp_path, "papers.jsonl.gz", packed)])

    assert (report.is_success, report.stored) == (True, 2)


def test_utf16_as_some_tools_save_it_is_read(tmp_path: Path) -> None:
    text = (WIRE / "rss_cs.LG.xml").read_text(encoding="utf-8")

    report = import_files([written(tmp_path, "feed.xml", text.encode("utf-16"))])

    assert (report.problems, report.stored) == ([], 4)


BAD = {
    "html": (b"<!DOCTYPE html><html><h3>Log in</h3></html>", "html"),
    "doctype": (b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "b">]><rss>&a;</rss>', "doctype"),
    "text": (b"Rate exceeded.", "not_xml"),
    "empty": (b"", "empty"),
    "nothing": (b"  \n ", "empty"),
    "other xml": (b"<html5/>", "not_expected"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not_expected"),
    "damaged gzip": (gzip.compress(b"{}" * 9999)[:40], "cut_off"),
    "json array": (b"[1, 2]", "not_xml"),
    "refused feed": ((WIRE / "rss_error.xml").read_bytes(), "feedError"),
    "refused api": ((WIRE / "api_error.xml").read_bytes(), "apiError"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named_and_the_good_ones_are_kept(tmp_path: Path, name: str) -> None:
    data, code = BAD[name]
    bad = written(tmp_path, "bad.xml", data)

    report = import_files([bad, WIRE / "rss_cs.LG.xml"])

    assert [(problem.place, problem.code) for problem in report.problems] == [(str(bad), code)]
    assert Paper.objects.count() == 4
    assert Harvest.objects.get().state == "failed"


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    report = import_files([tmp_path / "nowhere.xml", tmp_path])

    assert [problem.code for problem in report.problems] == ["no_file", "no_file"]


def test_an_oversized_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    bomb = written(tmp_path, "feed.xml.gz", gzip.compress(b"<rss>" + b" " * 10**6))

    with pytest.raises(ArxivMalformed) as caught:
        list(files.pages(bomb, largest_bytes=1000))

    assert caught.value.code == "too_large"


def test_a_cut_file_says_after_which_record_and_keeps_the_whole_ones(tmp_path: Path) -> None:
    data = feed(feed_item("2602.00001"), feed_item("2602.00002"), feed_item("2602.00003"))
    cut = written(tmp_path, "feed.xml", data[: data.index(b"About 2602.00003")])

    report = import_files([cut])

    assert [problem.code for problem in report.problems] == ["not_well_formed"]
    assert "after record 3" in report.problems[0].message
    assert Paper.objects.count() == 2
    assert Quarantine.objects.get().reason == "cut_off"
    assert Quarantine.objects.get().place.startswith(f"{cut}, record 3 (2602.00003)")
    assert import_files([written(tmp_path, "feed.xml", data)]).is_success
    assert Paper.objects.count() == 3


def test_a_file_in_the_wrong_encoding_costs_only_the_records_that_have_it(tmp_path: Path) -> None:
    records = [arxiv_record(f"2602.{number:05}") for number in range(1, 120)]
    data = oai_page(*records, arxiv_record("2602.09999", title="Müller"))

    report = import_files([written(tmp_path, "page.xml", data.replace("ü".encode(), b"\xfc"))])

    assert (report.stored, report.quarantined) == (119, 1)
    assert Quarantine.objects.get().reason == "bad_encoding"
    assert bytes(Quarantine.objects.get().raw).count(b"\xfc") == 1


def test_too_many_bad_lines_stop_the_file(tmp_path: Path) -> None:
    lines = (WIRE / "papers.jsonl").read_bytes() + b"{broken\n" * 3

    report = import_files([written(tmp_path, "papers.jsonl", lines)])

    assert [problem.code for problem in report.problems] == ["too_many_bad"]
    assert (report.stored, report.quarantined) == (2, 3)


def test_a_list_page_needs_to_be_told_its_category() -> None:
    import_files([WIRE / "list_cs.LG.html"], categories=["cs.LG"])

    counts = ArxivCount.objects.values_list("category", "kind", "count")
    assert set(counts) == {("cs.LG", "new", 207), ("cs.LG", "cross", 94), ("cs.LG", "replacement", 102)}


def test_progress_is_told_page_by_page() -> None:
    told: list[tuple[int, str]] = []

    def tell(report: HarvestReport, place: str) -> None:
        told.append((report.announced, place))

    import_files([WIRE / "rss_cs.LG.xml", WIRE / "papers.jsonl"], on_page=tell)

    assert told == [(4, "rss_cs.LG.xml"), (6, "papers.jsonl")]


# --- the command -----------------------------------------------------------------------------------


def test_the_command_says_what_it_brought_in() -> None:
    said = run("--from", WIRE / "rss_cs.LG.xml")

    assert "Announced 4 records = stored 4 + without text 0 + skipped 0; quarantined 0." in said
    assert "2026-02-03: 1 new, 1 cross-lists, 2 replacements." in said


def test_the_command_speaks_json() -> None:
    made = json.loads(run("--from", WIRE / "rss_cs.LG.xml", WIRE / "papers.jsonl", "--json"))

    assert (made["announced"], made["stored"], made["skipped"]) == (6, 5, 1)
    assert made["days"]["2026-02-03"] == {"new": 1, "cross": 1, "replacement": 3}
    assert made["problems"] == []


def test_a_record_that_cannot_be_read_is_named_and_is_no_failure(tmp_path: Path) -> None:
    bad = written(tmp_path, "papers.jsonl", (WIRE / "papers.jsonl").read_bytes() + b"{broken\n")
    errors = io.StringIO()

    call_command("harvest", "--from", str(bad), stdout=io.StringIO(), stderr=errors)

    assert f"{bad}, record 3" in errors.getvalue()


def test_a_problem_ends_the_command_with_one(tmp_path: Path) -> None:
    bad = written(tmp_path, "bad.xml", b"Rate exceeded.")
    errors = io.StringIO()

    with pytest.raises(CommandError) as caught:
        call_command("harvest", "--from", str(bad), stdout=io.StringIO(), stderr=errors)

    assert caught.value.returncode == 1
    assert f"{bad}: neither XML nor JSON Lines" in errors.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--category", "cs.ai"], "Did you mean cs.AI?"),
        (["--category", "cmp-lg"], "Did you mean cs.CL?"),
        (["--category", "cs.ZZ"], "category_taxonomy"),
        (["--day", "2026-02-30"], "Write it as YYYY-MM-DD"),
        (["--day", "today"], "Write it as YYYY-MM-DD"),
        ([], "Name one"),
        (["--category", "cs.LG", "--day", "2999-01-01"], "not out yet"),
    ],
)
def test_a_wrong_argument_is_answered_with_what_to_do(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments)

    assert words in str(caught.value)
    assert caught.value.returncode == 2
    assert Harvest.objects.count() == 0


def test_offline_the_command_asks_nobody(settings) -> None:
    settings.OFFLINE = True

    with pytest.raises(CommandError, match="OFFLINE"):
        run("--category", "cs.LG")


def test_offline_files_are_still_read(settings) -> None:
    settings.OFFLINE = True

    assert "stored 4" in run("--from", WIRE / "rss_cs.LG.xml")


def test_the_status_compares_what_is_stored_with_what_arxiv_counted() -> None:
    run("--from", WIRE / "rss_cs.LG.xml")
    Announcement.objects.filter(kind="cross").delete()

    (row,) = json.loads(run("--status", "--json"))["days"]

    assert (row["day"], row["category"], row["state"], row["missing"]) == (
        "2026-02-03",
        "cs.LG",
        "missing",
        1,
    )
    assert row["stored"] == {"new": 1, "replacement": 2}
    assert row["counted"] == {"new": 1, "cross": 1, "replacement": 2}
    assert "missing" in run("--status", "--day", "2026-02-03", "--category", "cs.LG")
    assert json.loads(run("--status", "--json", "--day", "2026-02-04"))["days"] == []


def test_the_status_of_nothing_says_how_to_begin() -> None:
    assert "manage.py harvest" in run("--status")
