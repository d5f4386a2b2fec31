"""The one door past the guards of the tables that only grow, for tests that flush them or tamper with them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from profiles import growing

TABLES = ("profiles_auditevent", "scoring_ledgerentry")


@contextmanager
def tables() -> Iterator[None]:
    """Inside, the guards are gone; afterwards they stand again, or never were (a test of migrations)."""
    settle_references()
    stood = [table for table in TABLES if not growing.unguarded(connection, table)]
    for table in stood:
        growing.unguard(connection, table)
    try:
        yield
    finally:
        settle_references()
        for table in stood:
            growing.guard(connection, table)


def settle_references() -> None:
    """PostgreSQL changes no table that still has references to check at the end of the transaction."""
    if connection.vendor == "postgresql" and connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
