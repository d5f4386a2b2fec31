"""VERB. What an operator decides about the surplus of a surge. No numpy here: a page may call it.

Editions take in what was released at the next tick, as a late batch (`tick.take_released_in`).
"""

import datetime as dt

from django.db import transaction

from papers import surging
from papers.surging import NoSurge
from profiles import audit
from profiles.models import User

__all__ = ["NoSurge", "leave_parked", "release"]


def release(day: dt.date, category: str, actor: User | None) -> int:
    """Let the parked papers of that day and category be read; how many. A repeat releases none, and is no deed.

    Raises NoSurge where nothing was parked.
    """
    with transaction.atomic():
        count = surging.release(category, day)
        if count:
            _record(actor, "surge.released", day, category, count)
    return count


def leave_parked(day: dt.date, category: str, actor: User | None) -> int:
    """Say that they are not wanted; how many stay parked. They may be released later.

    Raises NoSurge where nothing was parked, or all was released.
    """
    with transaction.atomic():
        count = surging.leave_parked(category, day)
        _record(actor, "surge.kept", day, category, count)
    return count


def _record(actor: User | None, code: str, day: dt.date, category: str, count: int) -> None:
    audit.record(actor, code, after={"category": category, "day": day.isoformat(), "count": count})
