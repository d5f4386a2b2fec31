"""How fast and how lean papers come in: `python -m bench.harvest [RECORDS]` prints the table.

On SQLite in a scratch folder, without the pace. The rows made here need nothing; those of real files need the
development data. RECORDS (20,000) is the number of JSON Lines.
"""

import datetime as dt
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench.house import scratch_house
from bench.recorded import folder

if TYPE_CHECKING:
    from papers.harvest import HarvestReport

DAY = dt.date(2026, 1, 30)
CATEGORIES = ["cs.AI", "cs.CL", "cs.CV", "cs.LG", "cs.RO"]
PAGE, NEW, CHANGED = 250, 1500, 1500
WORDS = "a model of learning that reads every paper and loses none of them in the evening " * 15


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with scratch_house() as scratch:
        from papers.harvest import import_files
        from papers.models import Announcement

        print("| what | records | seconds | seconds of CPU | records/s of CPU | peak MB | problems |")
        print("|---|---|---|---|---|---|---|")
        for name, paths in _real_files():
            _timed(name, lambda paths=paths: import_files(paths))
            _timed(f"{name}, again", lambda paths=paths: import_files(paths))
        if Announcement.objects.exists():
            _print_day()
        _timed(f"OAI-PMH, {NEW} new + {CHANGED} changed, two formats", _harvest_made_day)
        made = scratch / "papers.jsonl"
        made.write_text("".join(f"{json.dumps(_row(number))}\n" for number in range(lines)))
        _timed(f"{lines:,} JSON Lines", lambda: import_files([made]))
        _timed(f"{lines:,} JSON Lines, again", lambda: import_files([made]))


def _real_files() -> Iterator[tuple[str, list[Path]]]:
    try:
        data = folder()
    except FileNotFoundError as error:
        print(f"Not measured: {error}", file=sys.stderr)
        return
    yield "five RSS feeds of a day", [data / "wire" / f"{DAY}_rss_{name}.xml" for name in CATEGORIES]
    yield "OAI-PMH pages, three formats", sorted((data / "wire").glob("oai_ListRecords_*.xml"))
    yield "papers.jsonl.gz", [data / "papers.jsonl.gz"]


def _print_day() -> None:
    from papers.models import Announcement

    def count(*categories: str) -> int:
        return Announcement.objects.announced_to(categories, DAY, cross_lists=False).paper_count()

    four = [name for name in CATEGORIES if name != "cs.CL"]
    print(
        f"| new on {DAY}: five categories {count(*CATEGORIES)}, the reference's four {count(*four)}, "
        f"cs.AI {count('cs.AI')} | | | | | | |"
    )


def _timed(name: str, work: Callable[[], "HarvestReport"]) -> None:
    started, cpu = time.perf_counter(), time.process_time()
    report = work()
    seconds, busy = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"| {name} | {report.announced:,} | {seconds:.2f} | {busy:.2f} | {report.announced / busy:,.0f} | {peak} "
        f"| {len(report.problems)} |"
    )


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
        f"<title>Paper {number}</title><categories>stat.ML cs.LG</categories><abstract>{WORDS}</abstract>"
        f"</{prefix}></metadata></record>"
    )


def _row(number: int) -> dict[str, object]:
    return {
        "id": f"2512.{number % 100_000:05}" if number < 100_000 else f"2511.{number % 100_000:05}",
        "version": 1,
        "title": f"Paper {number}",
        "abstract": WORDS,
        "authors": ["Ada Lovelace", "Bea Cruz"],
        "categories": ["cs.LG", "cs.AI"],
        "primary": "cs.LG",
        "comment": None,
        "published": None,
        "updated": None,
        "first_listed": "2025-12-10",
    }


if __name__ == "__main__":
    main()
