"""Retry a transaction that the database gave up for no fault of its own.

PostgreSQL names a victim of a deadlock or of serialization. SQLite's waiting is not fair: under many writers
one may wait for the whole timeout at its BEGIN IMMEDIATE, and has then done nothing yet.
"""

import functools
from collections import Counter
from collections.abc import Callable

import structlog
from django.db import OperationalError, connection

ATTEMPTS = 5
# serialization_failure and deadlock_detected, by SQLSTATE; SQLite's by its own name.
PASSING = {"40001", "40P01", "SQLITE_BUSY"}

log = structlog.get_logger(__name__)
# How often each verb was repeated in this process.
retries: Counter[str] = Counter()


def is_passing(error: OperationalError) -> bool:
    cause = error.__cause__
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return code in PASSING


def retried[**P, R](verb: Callable[P, R]) -> Callable[P, R]:
    """Repeat the verb, up to five times in all, when its transaction was chosen as a victim.

    Inside a caller's transaction nothing is repeated, for the whole of it is lost: the caller's own verb
    must be `retried`.
    """

    @functools.wraps(verb)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return verb(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or attempt == ATTEMPTS or not is_passing(error):
                    raise
                retries[verb.__qualname__] += 1
                log.warning("transaction_retried", verb=verb.__qualname__, attempt=attempt)
        raise AssertionError("the loop returns or raises")

    return wrapper
