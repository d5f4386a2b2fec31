"""How long a reader's pages take on the server: `python -m bench.pages [--papers 442] [--rounds 40]`.

Builds a day in a database of its own that is thrown away, then asks for each page through the whole stack of
middleware, in this process. Prints milliseconds (median and 95th percentile on the clock, median of our own CPU),
queries and bytes. On a busy machine the CPU column is the one to compare.
"""

import argparse
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable

import django
import structlog

TARGET_MS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--papers", type=int, default=442)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VAR_DIR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
        django.setup()
        run(options.papers, options.rounds)


def run(papers: int, rounds: int) -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    reader, arxiv_id = a_day(papers)
    # Not the test environment: its instrumented templates copy their context at every render.
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(reader)
    pages = {
        "the day, by field": "/feed/2026-01-30/",
        "the day, one ranking": "/feed/2026-01-30/?view=ranking",
        "progress": "/feed/2026-01-30/progress/",
        "announced (100 rows)": "/feed/2026-01-30/?show=announced",
        "a paper": f"/papers/{arxiv_id}/",
        "report.md": "/feed/2026-01-30/report.md",
    }
    print(f"| page of {papers} papers | p50 ms | p95 ms | CPU ms | queries | kB |\n|---|---|---|---|---|---|")
    for name, address in pages.items():
        print(row(name, lambda address=address: client.get(address), rounds))
    print(f"target: the day under {TARGET_MS} ms and at most 6 queries")


def row(name: str, ask: Callable, rounds: int) -> str:
    from django.db import connection

    ask()
    queries = []
    with connection.execute_wrapper(lambda execute, *args: (queries.append(args[0]), execute(*args))[1]):
        answer = ask()
    assert answer.status_code == 200, (name, answer.status_code)
    times, own = [], []
    for _ in range(rounds):
        start, start_cpu = time.perf_counter(), time.process_time()
        ask()
        times.append((time.perf_counter() - start) * 1000)
        own.append((time.process_time() - start_cpu) * 1000)
    p95 = statistics.quantiles(times, n=20)[-1]
    size = len(answer.content) / 1000
    return f"| {name} | {statistics.median(times):.1f} | {p95:.1f} | {statistics.median(own):.1f} | {len(queries)} | {size:.0f} |"


def a_day(papers: int) -> tuple:
    """A reader whose day has that many papers, a fifth of them recommended, with abstracts of a usual length."""
    from tests import factories

    reader = factories.user("reader@example.org")
    names = [f"field {number}" for number in range(7)]
    edition = factories.edition(factories.profile(reader, interests=names))
    judge = factories.provider("http://127.0.0.1:1/v1")
    for number in range(papers):
        paper = factories.paper(
            f"2601.{10000 + number}",
            title=f"On the $\\ell_{number % 9}$ Geometry of Learning, Part {number}",
            abstract="We study how models learn, and show that they do so in $O(n)$ steps. " * 18,
            authors=[f"First{n} Last{n}" for n in range(7)],
        )
        scores = [0] * 7
        scores[number % 7] = 60 + number % 40 if number % 5 == 0 else 30
        scores[(number + 3) % 7] = 25
        factories.judged(edition, paper, scores, by=judge)
    return reader, "2601.10000"


if __name__ == "__main__":
    main()
