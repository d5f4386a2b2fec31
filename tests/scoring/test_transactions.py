"""A transaction that the database gave up for no fault of its own is repeated."""

import sqlite3

import psycopg
import pytest
from django.db import OperationalError, transaction

from scoring import transactions
from scoring.transactions import ATTEMPTS, retried


def given_up(cause: Exception) -> OperationalError:
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


def busy() -> sqlite3.OperationalError:
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorname = "SQLITE_BUSY"
    return cause


class Verb:
    def __init__(self, *errors):
        self.errors, self.runs = list(errors), 0

    def __call__(self):
        self.runs += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def wrapped(verb):
    def run():
        return verb()

    return retried(run)


@pytest.mark.parametrize(
    "cause", [psycopg.errors.DeadlockDetected(), psycopg.errors.SerializationFailure(), busy()]
)
def test_a_victim_is_repeated_and_counted(cause):
    verb, before = Verb(given_up(cause), given_up(cause)), transactions.retries.total()

    assert wrapped(verb)() == "done"
    assert verb.runs == 3
    assert transactions.retries.total() == before + 2


def test_it_gives_up_in_the_end():
    verb = Verb(*[given_up(psycopg.errors.DeadlockDetected())] * (ATTEMPTS + 1))

    with pytest.raises(OperationalError):
        wrapped(verb)()

    assert verb.runs == ATTEMPTS


def test_any_other_fault_is_not_repeated():
    verb = Verb(given_up(psycopg.errors.DiskFull()))

    with pytest.raises(OperationalError):
        wrapped(verb)()

    assert verb.runs == 1


@pytest.mark.django_db
def test_inside_a_transaction_only_its_owner_repeats():
    verb = Verb(given_up(psycopg.errors.DeadlockDetected()))

    with pytest.raises(OperationalError), transaction.atomic():
        wrapped(verb)()

    assert verb.runs == 1
