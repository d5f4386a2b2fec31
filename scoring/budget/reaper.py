"""End the holds whose lease has run out: their worker is dead, or will find that it has lost."""

import datetime as dt
from dataclasses import dataclass, field

from scoring.models import Call, Hold

from .holds import assume, release

AT_ONCE = 1_000


@dataclass
class Reaped:
    """The holds that were ended: given back (never sent), and booked as assumed (sent, unanswered)."""

    released: list[Hold] = field(default_factory=list)
    assumed: list[Hold] = field(default_factory=list)


def reap(now: dt.datetime) -> Reaped:
    """Release what was never sent, assume what was; safe to repeat and to run twice at once.

    Each hold ends in its own transaction, and only if it is still overdue, and still unsent or sent as it
    was found: a worker that sends or settles meanwhile wins. The call says what became of it.
    """
    reaped = Reaped()
    for hold in Hold.objects.overdue(now).select_related("call__provider").order_by("pk")[:AT_ONCE]:
        if hold.sent_at is None:
            ended, outcome, into = release, "released", reaped.released
        else:
            ended, outcome, into = assume, "assumed", reaped.assumed
        if ended(hold, now=now, sent_at=hold.sent_at, lease_until__lt=now):
            Call.objects.filter(pk=hold.call_id, outcome="").update(outcome=outcome, ended_at=now)
            into.append(hold)
    return reaped
