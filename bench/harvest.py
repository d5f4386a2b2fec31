"""How fast and how lean papers come in, on both databases in one run.

    python -m bench.harvest [RECORDS] [--postgres postgres://…/postgres]

Each line is measured in a fresh process, so that its peak is its own, in a scratch database that lives for the whole
table: SQLite, and with an address of a server that may create databases PostgreSQL too. arXiv is never asked, and
there is no pace. RECORDS (100,000) is the number of JSON Lines, made here; lines of real files need the development
data. A killed import is killed by SIGKILL at two fifths and gone on with by the next process.
"""

import argparse
import datetime as dt
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from bench.budget import fresh_database
from bench.recorded import folder

if TYPE_CHECKING:
    from papers.harvest import HarvestReport

REPO = Path(__file__).resolve().parent.parent
DAY = dt.date(2026, 1, 30)
CATEGORIES = ["cs.AI", "cs.CL", "cs.CV", "cs.LG", "cs.RO"]
PAGE, NEW, CHANGED = 250, 1500, 1500
A_DAY, A_MONTH = 1_000, 20_000  # of the JSON Lines
FILLED = 10_000  # texts that get their vectors
RANDOM = random.Random(1)
SYLLABLES = [consonant + vowel for consonant in "bcdfgklmnprst" for vowel in "aeiou"]
STEMS = ["".join(RANDOM.choices(SYLLABLES, k=count)) for count in (2, 2, 2, 2, 3, 3, 3, 4) for _ in range(400)]  # fmt: skip
WORDS = [f"{stem}{ending}" for stem in STEMS for ending in ("", "s", "ing")]
_OURS = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
NAMES = [
    "Ada Lovelace",
    "J. von Neumann",
    "Emmy Noether",
    "Bea Cruz III",
    "Alan M. Turing",
    "Grace Hopper",
    "Li Ming",
]
ACCENTED = ["Erdős Pál", "李明", "Søren Kierkegård"]


@dataclass(frozen=True)
class Line:
    """One row of the table: what is done, with how much, and whether the process is killed meanwhile."""

    name: str
    work: str
    paths: tuple[Path, ...] = ()
    crash_at: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="?", type=int, default=100_000)
    parser.add_argument("--postgres", default="", help="a server that may create databases")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        _measure(*options.measure)
        return
    print("| database | what | records | seconds | records/s | of CPU | peak MB | problems |")
    print("|---|---|---|---|---|---|---|---|")
    for database, server in [
        ("SQLite", ""),
        *([("PostgreSQL", options.postgres)] if options.postgres else []),
    ]:
        with fresh_database(server) as env:
            for line in _lines(Path(env["VAR_DIR"]), options.records):
                print(f"| {database} | {line.name} | {_row(_in_a_process(env, line))} |", flush=True)


def _lines(scratch: Path, records: int) -> Iterator[Line]:
    for name, paths in _real_files():
        yield Line(name, "files", tuple(paths))
        yield Line(f"{name}, again", "files", tuple(paths))
    yield Line(f"a day's harvest, {NEW:,} new + {CHANGED:,} changed, two formats", "harvest")
    few, many = (
        _written(scratch / "few.jsonl", records // 5, 7),
        _written(scratch / "many.jsonl", records, 20),
    )
    yield Line(f"{records // 5:,} JSON Lines", "files", (few,))
    yield Line(f"{records:,} JSON Lines", "files", (many,))
    yield Line(f"{records:,} JSON Lines, again", "files", (many,))
    page = max(1, records * 2 // 5 // 1000)
    yield Line("the same, killed", "files", (many,), crash_at=f"page_committed:{page}")
    yield Line("the same, gone on", "files", (many,))
    yield Line(f"vectors of {FILLED:,} texts", "fill")


def _real_files() -> Iterator[tuple[str, list[Path]]]:
    try:
        data = folder()
    except FileNotFoundError as error:
        print(f"Not measured: {error}", file=sys.stderr)
        return
    yield "five RSS feeds of a day", [data / "wire" / f"{DAY}_rss_{name}.xml" for name in CATEGORIES]
    yield "OAI-PMH pages, three formats", sorted((data / "wire").glob("oai_ListRecords_*.xml"))
    yield "papers.jsonl.gz", [data / "papers.jsonl.gz"]


# --- one line, in a process of its own ---------------------------------------------------------------


def _in_a_process(env: dict[str, str], line: Line) -> dict[str, Any]:
    more = {"OFFLINE": "1", "DJANGO_SETTINGS_MODULE": "portal.settings", "BROADSHEET_CRASH_AT": line.crash_at}
    started = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "bench.harvest", "--measure", line.work, *map(str, line.paths)],
        cwd=REPO,
        env=env | more,
        capture_output=True,
        text=True,
        check=False,
    )
    if line.crash_at and ended.returncode == -signal.SIGKILL:
        return {"seconds": time.perf_counter() - started}
    if ended.returncode:
        raise SystemExit(ended.stderr)
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def _row(told: dict[str, Any]) -> str:
    if "records" not in told:
        return f"| {told['seconds']:.1f} | | | |"
    per_second, of_cpu = (told["records"] / told[name] for name in ("seconds", "cpu"))
    cells = (f"{told['records']:,}", f"{told['seconds']:.1f}", f"{per_second:,.0f}", f"{of_cpu:,.0f}")
    return " | ".join([*cells, str(told["peak_mb"]), str(told["problems"])])


def _measure(work: str, *paths: str) -> None:
    import django

    django.setup()
    done: dict[str, Callable[[], tuple[int, int]]] = {
        "files": lambda: _imported(paths),
        "harvest": lambda: _counts(_harvest_made_day()),
        "fill": _filled,
    }
    started, cpu = time.perf_counter(), _cpu()
    records, problems = done[work]()
    told = {
        "records": records,
        "problems": problems,
        "seconds": time.perf_counter() - started,
        "cpu": _cpu() - cpu,
        "peak_mb": sum(resource.getrusage(who).ru_maxrss for who in _OURS) // 1024,
    }
    print(json.dumps(told))


def _cpu() -> float:
    """Seconds of this process and of those that it started and waited for (the one that reads lines)."""
    used = [resource.getrusage(who) for who in _OURS]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _counts(report: "HarvestReport", before: int = 0) -> tuple[int, int]:
    return report.announced - before, len(report.problems)


def _imported(paths: tuple[str, ...]) -> tuple[int, int]:
    """Records of this process alone: what a killed one had read is not its work."""
    from papers.harvest import import_files

    report = import_files(paths)
    return _counts(report, sum(report.resumed.values()))


def _filled() -> tuple[int, int]:
    from papers.filling import fill_due

    return fill_due(FILLED), 0


# --- a day from an arXiv of our own -------------------------------------------------------------------


def _harvest_made_day() -> "HarvestReport":
    """A missed day of stat.ML through the whole path: transport, two passes of OAI, derived announcements."""
    from papers.arxiv.transport import Transport
    from papers.harvest import harvest_day

    day = dt.date(2026, 2, 10)
    with Transport(_NoPace(), handler=httpx.MockTransport(_answer)) as transport:
        return harvest_day("stat.ML", day, transport, now=dt.datetime(2026, 2, 12, 12, tzinfo=dt.UTC))


class _NoPace:
    @contextmanager
    def turn(self, lease_seconds: float) -> Iterator[None]:
        yield

    def hold_off(self, seconds: float) -> None:
        raise RuntimeError("the bench's own server never asks to wait")


class _Body(httpx.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body


def _answer(request: httpx.Request) -> httpx.Response:
    asked = dict(request.url.params)
    prefix, _, start = asked.get("resumptionToken", f"{asked.get('metadataPrefix')} 0").partition(" ")
    first = int(start)
    records = "".join(_record(prefix, number) for number in range(first, first + PAGE))
    token = f"{prefix} {first + PAGE}" if first + PAGE < NEW + CHANGED else ""
    page = (
        '<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>'
        f"{records}<resumptionToken>{token}</resumptionToken></ListRecords></OAI-PMH>"
    )
    return httpx.Response(200, stream=_Body(page.encode()))


def _record(prefix: str, number: int) -> str:
    arxiv_id = f"2602.{number:05}" if number < NEW else f"2501.{number:05}"
    sent = "Mon, 09 Feb 2026 12:00:00 GMT" if number < NEW else "Wed, 01 Jan 2025 12:00:00 GMT"
    if prefix == "arXivRaw":
        body = f'<version version="v1"><date>{sent}</date></version><authors>Ada Lovelace, Bea Cruz</authors>'
    else:
        person = "<author><keyname>Lovelace</keyname><forenames>Ada</forenames></author>"
        body = f"<created>2026-02-09</created><authors>{person}</authors>"
    return (
        f"<record><header><identifier>oai:arXiv.org:{arxiv_id}</identifier><datestamp>2026-02-10</datestamp>"
        f'</header><metadata><{prefix} xmlns="http://arxiv.org/OAI/{prefix}/"><id>{arxiv_id}</id>{body}'
        f"<title>Paper {number}</title><categories>stat.ML cs.LG</categories>"
        f"<abstract>{_sentences(number)}</abstract></{prefix}></metadata></record>"
    )


# --- made records -------------------------------------------------------------------------------------


def _written(path: Path, records: int, year: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for number in range(records):
            file.write(json.dumps(_paper(number, year), ensure_ascii=False) + "\n")
    return path


def _paper(number: int, year: int) -> dict[str, object]:
    """As arXiv's are (the development data's 3,261): a title of 80 letters and an abstract of 1,300, five people, TeX in a
    sixth and an accented name in a tenth of them."""
    day = dt.date(2000 + year, 1, 1) + dt.timedelta(days=number // A_DAY)
    people = [f"{NAMES[(number + i) % len(NAMES)]}{chr(97 + number % 26)}" for i in range(3 + number % 5)]
    if number % 10 == 0:
        people[-1] = ACCENTED[number % 3]
    return {
        "id": f"{year:02}{1 + number // A_MONTH % 12:02}.{number % A_MONTH:05}",
        "version": 1,
        "title": f"Paper {number} on {' '.join(WORDS[(number + step) % len(WORDS)] for step in range(8))}",
        "abstract": _sentences(number),
        "authors": people,
        "categories": ["cs.LG", "cs.AI"],
        "primary": "cs.LG",
        "comment": "12 pages, 3 figures, to appear elsewhere" if number % 2 else None,
        "published": f"{day}T10:00:00Z",
        "updated": None,
        "first_listed": str(day),
    }


def _sentences(number: int) -> str:
    dice = random.Random(number)
    sentences = [" ".join(dice.choices(WORDS, k=17)) for _ in range(10)]
    if number % 6 == 0:
        sentences.append(r"By na\"ive bounds, $\mathcal{O}(n \log n)$ of Erd\H{o}s holds for $k \geq 3$")
    return ". ".join(sentences) + "."


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    main()
