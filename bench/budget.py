"""Many processes on one limit: our way beside the naive ones, in one run.

    python -m bench.budget [--processes 8] [--operations 200] [--postgres postgres://…/postgres]

Prints, for SQLite and (with an address of a server that may create databases) for PostgreSQL, how much each
way admitted under a limit, what went over it, what failed, and how many holds with their settles it does a
second. Each run makes a database of its own and removes it.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

REPO = Path(__file__).resolve().parent.parent
LIMIT = 3_000
AMPLE = 10**9
WAYS = {
    "read_check_save": "read, check, save",
    "check_then_add": "check, then F() increment",
    "random_order": "conditional UPDATEs in random order",
    "ours": "ours: conditional UPDATEs in one order",
}
SQLITE_WAYS = {
    "read_check_save": WAYS["read_check_save"],
    "check_then_add": WAYS["check_then_add"],
    "ours_deferred": "ours, with SQLite's default transactions",
    "ours": WAYS["ours"],
}


@dataclass(frozen=True)
class Outcome:
    """What one way did: tokens admitted under the limit, operations that failed, operations a second."""

    way: str
    limit: int
    admitted: int
    failed: int
    refused: int
    succeeded: int
    seconds: float
    violations: int
    booked: int
    retries: int

    @property
    def over(self) -> int:
        return max(0, self.admitted - self.limit)

    @property
    def per_second(self) -> float:
        return self.succeeded / self.seconds if self.seconds else 0.0


# --- a database of one's own -----------------------------------------------------------------------


@contextmanager
def fresh_database(postgres: str = "") -> Iterator[dict[str, str]]:
    """The environment of a migrated, empty database: a file, or one made on that PostgreSQL server."""
    with tempfile.TemporaryDirectory(prefix="bench-budget-") as folder:
        env = {**os.environ, "VAR_DIR": folder, "SECRET_KEY": secrets.token_hex(32), "REDIS_URL": ""}
        env["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
        if not postgres:
            _run(env, "migrate")
            yield env
            return
        name = f"bench_budget_{secrets.token_hex(4)}"
        env["DATABASE_URL"] = _database(postgres, name)
        _sql(postgres, f"CREATE DATABASE {name}")
        try:
            _run(env, "migrate")
            yield env
        finally:
            _sql(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def _database(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def _run(env: dict[str, str], *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "bench.budget", *words], cwd=REPO, env=env, check=True, capture_output=True
    )


def _sql(server: str, statement: str) -> None:
    """Run a statement on the database that every PostgreSQL server has."""
    with psycopg.connect(_database(server, "postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())


# --- the crew --------------------------------------------------------------------------------------


class Crew:
    """Processes that wait for orders, one JSON line each, so that they all begin at the same instant."""

    def __init__(self, env: dict[str, str], processes: int) -> None:
        words = [sys.executable, "-m", "bench.budget", "obey"]
        self._crew = [
            subprocess.Popen(
                words, cwd=REPO, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            for _ in range(processes)
        ]

    def hammer(
        self,
        way: str,
        operations: int,
        *,
        limit: int = LIMIT,
        tokens: int = 0,
        threads: int = 1,
        seats: int = 0,
    ) -> Outcome:
        """Let the crew (or as many of it as `seats`), of so many threads each, loose on one team's limit.

        An operation of `tokens` (0: 1 to 19, at random by a fixed seed) is a hold and, if it was admitted,
        its settling.
        """
        at_work = self._crew[: seats or len(self._crew)]
        self._ask(self._crew[:1], [{"do": "prepare", "seats": len(at_work), "limit": limit}])
        order = {
            "do": "get_ready",
            "way": way,
            "threads": threads,
            "operations": operations,
            "tokens": tokens,
        }
        self._ask(at_work, [{**order, "seat": seat} for seat in range(len(at_work))])
        started = time.monotonic()
        results = self._ask(at_work, [{"do": "work"}] * len(at_work))
        seconds = time.monotonic() - started
        total = {name: sum(result[name] for result in results) for name in results[0]}
        (books,) = self._ask(self._crew[:1], [{"do": "count"}])
        return Outcome(way=way, limit=limit, seconds=seconds, **total, **books)

    @staticmethod
    def _ask(crew: list[subprocess.Popen[str]], orders: list[dict[str, object]]) -> list[dict[str, int]]:
        for worker, order in zip(crew, orders, strict=True):
            assert worker.stdin is not None
            worker.stdin.write(json.dumps(order) + "\n")
            worker.stdin.flush()
        answers = [worker.stdout.readline() for worker in crew if worker.stdout is not None]
        return [json.loads(answer) for answer in answers]

    def dismiss(self) -> None:
        """Close their orders: each ends by itself."""
        for worker in self._crew:
            worker.communicate()


@contextmanager
def crew_on_fresh_database(processes: int, postgres: str = "") -> Iterator[Crew]:
    with fresh_database(postgres) as env:
        crew = Crew(env, processes)
        try:
            yield crew
        finally:
            crew.dismiss()


def table(crew: Crew, ways: dict[str, str], operations: int) -> None:
    print(f"{'way':<44}{'admitted':>10}{'over':>8}{'failed':>8}{'retried':>9}{'audit':>7}")
    for way, name in ways.items():
        done = crew.hammer(way, operations)
        audited = "clean" if not done.violations else str(done.violations)
        if not way.startswith("ours"):
            audited = "-"
        print(f"{name:<44}{done.admitted:>10,}{done.over:>8,}{done.failed:>8,}{done.retries:>9,}{audited:>7}")
    free = crew.hammer("ours", operations, limit=AMPLE)
    print(f"ours, nothing full: {free.per_second:.0f} holds with their settles a second\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--operations", type=int, default=200)
    parser.add_argument(
        "--postgres", default="", help="a server's address, as postgres://user@host:5432/postgres"
    )
    options = parser.parse_args()
    title = f"{options.processes} processes x {options.operations} operations, one shared limit of {LIMIT:,}"
    with crew_on_fresh_database(options.processes) as crew:
        print(f"SQLite: {title}")
        table(crew, SQLITE_WAYS, options.operations)
    if options.postgres:
        with crew_on_fresh_database(options.processes, options.postgres) as crew:
            print(f"PostgreSQL: {title}")
            table(crew, WAYS, options.operations)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in {"migrate", "obey"}:
        from bench import budget_worker

        budget_worker.run(sys.argv[1])
    else:
        main()
