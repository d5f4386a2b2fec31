"""VERB. Feature vectors of stored texts: computed after storing, by the clock, and by whoever needs one sooner.

Storing leaves them out, for a vector costs more than all the rest of a record (decision 0037).
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

from papers.features import vectors
from papers.models import PaperVersion

# What one tick computes: less than a second of work.
A_TICK = 2_000
_stores: ContextVar[bool] = ContextVar("stores", default=True)
_BATCH = 250  # in one transaction: on SQLite nobody else writes meanwhile


def fill_due(limit: int = A_TICK) -> int:
    """Give texts without a vector theirs, the newest first, up to `limit`; how many.

    Any number of processes may fill at once: on PostgreSQL each takes rows that nobody else has.
    """
    filled = 0
    while filled < limit:
        with transaction.atomic():
            waiting = PaperVersion.objects.without_features().select_for_update(skip_locked=True)
            keys = list(waiting.order_by("-pk").values_list("pk", flat=True)[: min(_BATCH, limit - filled)])
            filled += len(_computed(keys))
        if not keys:
            break
    return filled


def vectors_of(keys: Collection[int]) -> dict[int, bytes]:
    """The vectors of these texts as they are now, by primary key, and stored for the next who asks."""
    if not _stores.get():
        texts = PaperVersion.objects.filter(pk__in=keys).values_list("pk", "title", "abstract")
        return {key: vectors.features(title, abstract) for key, title, abstract in texts}
    with transaction.atomic():
        return _computed(keys)


@contextmanager
def without_storing() -> Iterator[None]:
    """Within it a missing vector is computed and forgotten: for whoever may read and must not write."""
    token = _stores.set(False)
    try:
        yield
    finally:
        _stores.reset(token)


def _computed(keys: Collection[int]) -> dict[int, bytes]:
    if not keys:
        return {}
    # Locked, so that a sample text that gives way meanwhile is not left with the vector of the old words.
    texts = PaperVersion.objects.filter(pk__in=keys).select_for_update(of=("self",))
    found = {
        key: vectors.features(title, abstract)
        for key, title, abstract in texts.order_by("pk").values_list("pk", "title", "abstract")
    }
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE papers_paperversion SET features = %s WHERE id = %s",
            [(packed, key) for key, packed in found.items()],
        )
    return found
