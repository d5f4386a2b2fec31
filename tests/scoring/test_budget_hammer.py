"""Many processes and threads on one limit, on a real database, with the naive ways as controls."""

import contextlib
import functools

import pytest
from django.conf import settings

from bench.budget import Crew, crew_on_fresh_database

PROCESSES, OPERATIONS, LIMIT = 24, 6, 300

ON_BOTH = [
    pytest.param("sqlite", id="sqlite", marks=pytest.mark.apart),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgres),
]


@pytest.fixture(scope="module")
def crews():
    """Processes on a database of our own, made on first need and removed at the end."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def crew(vendor: str) -> Crew:
            server = "" if vendor == "sqlite" else settings.DATABASE_URL
            return stack.enter_context(crew_on_fresh_database(PROCESSES, server))

        yield crew


@pytest.mark.parametrize("vendor", ON_BOTH)
def test_many_processes_cannot_overspend(crews, vendor):
    done = crews(vendor).hammer("ours", OPERATIONS, limit=LIMIT)

    # More than twice the limit is asked for: what is left at the end is less than one operation.
    assert LIMIT - 19 < done.admitted <= LIMIT
    assert (done.failed, done.deadlocks, done.violations) == (0, 0, 0)
    assert done.booked == done.admitted
    assert done.succeeded + done.refused == PROCESSES * OPERATIONS


@pytest.mark.postgres
def test_windows_locked_in_no_order_deadlock(crews):
    done = crews("postgresql").hammer("random_order", OPERATIONS, at_most_seconds=5)

    assert done.deadlocks > 0
    assert done.failed > 0


@pytest.mark.apart
def test_without_immediate_transactions_sqlite_refuses_many(crews):
    done = crews("sqlite").hammer("default_transactions", OPERATIONS, at_most_seconds=5)

    assert done.failed > 0


@pytest.mark.parametrize("vendor", ON_BOTH)
def test_reading_checking_and_saving_overspends(crews, vendor):
    assert crews(vendor).hammer("read_check_save", OPERATIONS, limit=LIMIT).over > 0


@pytest.mark.parametrize("vendor", ON_BOTH)
def test_of_200_parallel_holds_at_the_last_unit_exactly_one_is_admitted(crews, vendor):
    done = crews(vendor).hammer("ours", 1, seats=1, threads=200, limit=1, tokens=1)

    assert (done.admitted, done.refused, done.failed, done.violations) == (1, 199, 0, 0)


@pytest.mark.parametrize("vendor", ON_BOTH)
def test_of_thirty_that_check_and_then_add_all_are_admitted(crews, vendor):
    done = crews(vendor).hammer("check_then_add", 1, seats=1, threads=30, limit=1, tokens=1)

    assert done.admitted == 30
