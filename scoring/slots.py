"""VERB. Due times as rows, inserted by whoever comes first: any number of clocks may run."""

import datetime as dt

from django.db.models import Q

from .models import Slot

HEARTBEAT = "heartbeat"
# One row is touched, at most this often; it tells an operator that a clock runs.
HEARTBEAT_SECONDS = 10
_ONE_ROW = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def take(name: str, due_at: dt.datetime, now: dt.datetime) -> bool:
    """True for exactly one caller a name and due time, over all processes."""
    return Slot.objects.get_or_create(name=name, due_at=due_at, defaults={"taken_at": now})[1]


def taken(prefix: str) -> list[str]:
    """The names that begin so and were taken, oldest first: of a name that stands for a wish, those not granted."""
    rows = Slot.objects.filter(name__startswith=prefix)
    return list(rows.order_by("taken_at", "pk").values_list("name", flat=True))


def give_back(name: str, due_at: dt.datetime) -> bool:
    """True for exactly one caller; from then on the same name and due time can be taken again."""
    return bool(Slot.objects.filter(name=name, due_at=due_at).delete()[0])


def beat(now: dt.datetime) -> None:
    """Leave a trace that a clock runs."""
    stale = Q(taken_at__lt=now - dt.timedelta(seconds=HEARTBEAT_SECONDS))
    if not Slot.objects.filter(stale, name=HEARTBEAT, due_at=_ONE_ROW).update(taken_at=now):
        take(HEARTBEAT, _ONE_ROW, now)


def last_beat() -> dt.datetime | None:
    """When a clock last ran, or None if none ever did."""
    return Slot.objects.filter(name=HEARTBEAT).values_list("taken_at", flat=True).first()
