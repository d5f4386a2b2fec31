"""EDGE. The database as one file, out and in: SQLite by its own backup, PostgreSQL by its own tools."""

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psycopg
from django.db import connection, connections
from psycopg.conninfo import make_conninfo

SECONDS_TO_LEAVE = 5.0
# How long a restore waits for the tables of those whom `--force` ignores.
LOCK_SECONDS = 30


class StoreError(Exception):
    """Nothing was changed. The message says what is wrong and what to do."""


class Store(Protocol):
    vendor: str

    def dump(self, target: Path) -> None:
        """Write the whole database, as it is at one instant, into a new file."""

    def company(self) -> str:
        """Who else works with the database, in words; empty for nobody."""

    def load(self, source: Path, *, alone: bool) -> None:
        """Replace the database by what `dump` wrote, whole or not at all; `alone` is False under --force."""


def store() -> Store:
    """The one that the settings name."""
    return SQLiteStore() if connection.vendor == "sqlite" else PostgresStore()


class SQLiteStore:
    vendor = "sqlite"

    def __init__(self) -> None:
        self._path = Path(connection.settings_dict["NAME"])

    def dump(self, target: Path) -> None:
        """One read of a snapshot: who writes meanwhile is neither stopped nor seen."""
        if not self._path.exists():
            raise StoreError(f"There is no database at {self._path}.")
        with closing(sqlite3.connect(self._path)) as live, closing(sqlite3.connect(target)) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            _require_whole(copy)

    def company(self) -> str:
        connections.close_all()
        if not self._path.exists():
            return ""
        with closing(sqlite3.connect(self._path, timeout=1)) as live:
            try:
                # Leaving the write-ahead log needs every other connection gone; the next start enters it again.
                live.execute("PRAGMA journal_mode=DELETE")
            except sqlite3.OperationalError:
                return "another process has it open"
            except sqlite3.DatabaseError as error:
                raise StoreError(f"{self._path} is damaged ({error}); move it away first.") from error
        return ""

    def load(self, source: Path, *, alone: bool) -> None:
        connections.close_all()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(source)) as kept:
                _require_whole(kept)
                with closing(sqlite3.connect(self._path, timeout=20)) as live:
                    kept.backup(live)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"The database could not be replaced: {error}.") from error


def _require_whole(database: sqlite3.Connection) -> None:
    try:
        found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise StoreError(f"The copy is no whole SQLite database: {found}.")


class PostgresStore:
    vendor = "postgresql"
    _VARIABLES = {
        "dbname": "PGDATABASE",
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "service": "PGSERVICE",
        "sslmode": "PGSSLMODE",
        "sslrootcert": "PGSSLROOTCERT",
        "sslcert": "PGSSLCERT",
        "sslkey": "PGSSLKEY",
    }

    def __init__(self) -> None:
        given: dict[str, Any] = connection.get_connection_params()
        self._address = {name: str(given[name]) for name in self._VARIABLES if given.get(name)}

    def dump(self, target: Path) -> None:
        """In the custom format: one transaction's view, compressed."""
        self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")

    def company(self) -> str:
        """Waits a moment for connections that are just being closed, our own among them."""
        self._leave()
        with self._connect() as alone:
            until = time.monotonic() + SECONDS_TO_LEAVE
            while (count := _count(alone)) and time.monotonic() < until:
                time.sleep(0.2)
        return f"{count} other connections are open" if count else ""

    def load(self, source: Path, *, alone: bool) -> None:
        """In one transaction, of the whole schema: what the backup does not know would be in its way."""
        self._leave()
        script, before = source.with_suffix(".sql"), source.with_suffix(".before.sql")
        self._run("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(source))
        before.write_text(
            f"SET client_min_messages = warning; SET lock_timeout = '{LOCK_SECONDS}s';\n"
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"
        )
        if not alone:
            with self._connect() as us:
                us.execute(f"SELECT pg_terminate_backend(pid) {_OTHERS}")
        options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
        self._run("psql", *options, f"--file={before}", f"--file={script}")

    def _connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        return psycopg.connect(make_conninfo(**self._address), autocommit=autocommit)

    def _leave(self) -> None:
        connections.close_all()
        close_pool: Callable[[], None] = getattr(connection, "close_pool")  # noqa: B009 (PostgreSQL's only)
        close_pool()

    def _run(self, tool: str, *options: str) -> None:
        if shutil.which(tool) is None:
            raise StoreError(
                f"{tool} is not installed here. Install PostgreSQL's client programs of the server's version"
                " (Debian: apt-get install postgresql-client), or run this where they are."
            )
        environment = os.environ | {self._VARIABLES[name]: text for name, text in self._address.items()}
        run = subprocess.run(
            [tool, *options], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        if run.returncode:
            raise StoreError(f"{tool} failed: {run.stderr.strip() or run.returncode}")


_OTHERS = (
    "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)


def _count(database: psycopg.Connection[Any]) -> int:
    row = database.execute(f"SELECT count(*) {_OTHERS}").fetchone()
    return row[0] if row else 0
