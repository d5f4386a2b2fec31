"""Retry a transaction that the database gave up for no fault of its own: a deadlock, a serialization failure."""

import functools
from collections import Counter
from collections.abc import Callable

import structlog
from django.db import OperationalError, connection

ATTEMPTS = 5
# PostgreSQL: serialization_failure and deadlock_detected. SQLite waits in BEGIN IMMEDIATE instead.
PASSING = {"40001", "40P01"}

log = structlog.get_logger(__name__)
# How often each verb was repeated in this process.
retries: Counter[str] = Counter()


def is_passing(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in PASSING


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
