"""Many processes on one limit: our way beside the naive ones, in one run.

    python -m bench.budget [--processes 64] [--operations 20] [--postgres postgres://…/postgres]

Each process is a member of one team: its holds touch its own window, the team's and the instance's. Prints,
for SQLite and (with an address of a server that may create databases) for PostgreSQL, how much each way
admitted under the team's limit, what went over it, what failed, how often it deadlocked, and how many holds
with their settles it does a second. Each run makes a database of its own and removes it.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

REPO = Path(__file__).resolve().parent.parent
LIMIT = 3_000
AMPLE = 10**9
# The ways that do not hold are shown by less, and the one that deadlocks stops in time.
CONTROL_OPERATIONS, CONTROL_SECONDS = 10, 15
WAYS = {
    "read_check_save": "read, check, save",
    "check_then_add": "check, then F() increment",
    "random_order": "conditional UPDATEs in random order",
    "ours": "ours: conditional UPDATEs in one order",
}
SQLITE_WAYS = {
    "read_check_save": WAYS["read_check_save"],
    "check_then_add": WAYS["check_then_add"],
    "default_transactions": "the same, in SQLite's default transactions",
    "ours": WAYS["ours"],
}


@dataclass(frozen=True)
class Outcome:
    """What one way did: tokens admitted under the limit, operations that failed, were refused or left undone.

    The latencies are those of an admitted operation: a hold with its settling.
    """

    way: str
    limit: int
    admitted: int
    failed: int
    refused: int
    succeeded: int
    left: int
    seconds: float
    violations: int
    booked: int
    retries: int
    deadlocks: int
    p50_ms: float
    p95_ms: float
    p99_ms: float

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
    """Processes that spend, all from the same instant on; a foreman in a process of his own leads them."""

    def __init__(self, env: dict[str, str], processes: int) -> None:
        self._foreman = subprocess.Popen(
            [sys.executable, "-m", "bench.budget", "obey", str(processes)],
            cwd=REPO,
            env=env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def hammer(
        self,
        way: str,
        operations: int,
        *,
        limit: int = LIMIT,
        tokens: int = 0,
        threads: int = 1,
        seats: int = 0,
        at_most_seconds: float = 300,
    ) -> Outcome:
        """Let the crew (or as many of it as `seats`), of so many threads each, loose on one team's limit.

        An operation of `tokens` (0: 1 to 19, at random by a fixed seed) is a hold and, if it was admitted,
        its settling. None is begun after `at_most_seconds`.
        """
        order = {
            "way": way,
            "operations": operations,
            "limit": limit,
            "tokens": tokens,
            "threads": threads,
            "seats": seats,
            "at_most_seconds": at_most_seconds,
        }
        assert self._foreman.stdin is not None and self._foreman.stdout is not None
        self._foreman.stdin.write(json.dumps(order) + "\n")
        self._foreman.stdin.flush()
        return Outcome(way=way, limit=limit, **json.loads(self._foreman.stdout.readline()))

    def dismiss(self) -> None:
        """Close the orders: the foreman ends by himself, and his crew with him."""
        self._foreman.communicate()


@contextmanager
def crew_on_fresh_database(processes: int, postgres: str = "") -> Iterator[Crew]:
    with fresh_database(postgres) as env:
        crew = Crew(env, processes)
        try:
            yield crew
        finally:
            crew.dismiss()


COLUMNS = (
    ("admitted", 10),
    ("over", 8),
    ("failed", 8),
    ("deadlocks", 11),
    ("retried", 9),
    ("audit", 7),
    ("a second", 10),
    ("p50 ms", 9),
    ("p95 ms", 9),
    ("p99 ms", 9),
)


def table(crew: Crew, ways: dict[str, str], operations: int) -> None:
    """A line a way under the limit, and one of ours with nothing full: that is the rate."""
    print(f"{'way':<44}" + "".join(f"{name:>{width}}" for name, width in COLUMNS), flush=True)
    for way, name in ways.items():
        if way.startswith("ours"):
            done = crew.hammer(way, operations)
        else:
            done = crew.hammer(way, min(operations, CONTROL_OPERATIONS), at_most_seconds=CONTROL_SECONDS)
        print(_line(name, done), flush=True)
    print(_line("ours, nothing full", crew.hammer("ours", operations, limit=AMPLE)), flush=True)
    print()


def _line(name: str, done: Outcome) -> str:
    audited = "-"
    if done.way.startswith("ours"):
        audited = "clean" if not done.violations else str(done.violations)
    cells = (
        f"{done.admitted:,}",
        f"{done.over:,}",
        f"{done.failed:,}",
        f"{done.deadlocks:,}",
        f"{done.retries:,}",
        audited,
        f"{done.per_second:.0f}",
        f"{done.p50_ms:,.0f}",
        f"{done.p95_ms:,.0f}",
        f"{done.p99_ms:,.0f}",
    )
    return f"{name:<44}" + "".join(
        f"{cell:>{width}}" for cell, (_, width) in zip(cells, COLUMNS, strict=True)
    )


def facts_of(server: str) -> str:
    """What a rate of commits depends on: whether each of them waits for the disk."""
    with psycopg.connect(_database(server, "postgres"), autocommit=True) as connection:
        names = ("server_version", "fsync", "synchronous_commit", "max_connections")
        values = [connection.execute(f"SHOW {name}".encode()).fetchone() for name in names]
    return ", ".join(f"{name} {value[0]}" for name, value in zip(names, values, strict=True) if value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=64)
    parser.add_argument("--operations", type=int, default=20)
    parser.add_argument(
        "--postgres", default="", help="a server's address, as postgres://user@host:5432/postgres"
    )
    options = parser.parse_args()
    title = f"{options.processes} processes x {options.operations} operations, one team's limit of {LIMIT:,}"
    with crew_on_fresh_database(options.processes) as crew:
        print(f"SQLite: {title}")
        table(crew, SQLITE_WAYS, options.operations)
    if options.postgres:
        with crew_on_fresh_database(options.processes, options.postgres) as crew:
            print(f"PostgreSQL ({facts_of(options.postgres)}): {title}")
            table(crew, WAYS, options.operations)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in {"migrate", "obey"}:
        from bench import budget_worker

        budget_worker.run(*sys.argv[1:])
    else:
        main()
