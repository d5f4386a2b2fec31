"""The single statements that move tokens. Each decides and takes in one UPDATE; the row count is the answer."""

import datetime as dt
from typing import Any

from django.db.models import F

from scoring.models import BudgetWindow, Hold


def take(window_id: int, tokens: int) -> bool:
    """Hold tokens in a window if they fit beside what is used and held; False if they do not.

    None at all always fit, also into a window that is overrun.
    """
    window = BudgetWindow.objects.filter(pk=window_id)
    if tokens:
        window = window.filter(limit_tokens__gte=F("used_tokens") + F("held_tokens") + tokens)
    return window.update(held_tokens=F("held_tokens") + tokens) == 1


def give_back(window_id: int, tokens: int) -> None:
    BudgetWindow.objects.filter(pk=window_id).update(held_tokens=F("held_tokens") - tokens)


def book(window_id: int, held: int, used: int, cost_microusd: int) -> None:
    """Replace what was held by what was used: a bill is a fact, also above the limit."""
    BudgetWindow.objects.filter(pk=window_id).update(
        held_tokens=F("held_tokens") - held,
        used_tokens=F("used_tokens") + used,
        overrun_tokens=F("overrun_tokens") + max(0, used - held),
        cost_microusd=F("cost_microusd") + cost_microusd,
    )


def correct(window_id: int, used: int, overrun: int, cost_microusd: int) -> None:
    """Add (signed) differences to what an assumed hold booked."""
    BudgetWindow.objects.filter(pk=window_id).update(
        used_tokens=F("used_tokens") + used,
        overrun_tokens=F("overrun_tokens") + overrun,
        cost_microusd=F("cost_microusd") + cost_microusd,
    )


def send(hold_id: int, now: dt.datetime, lease_until: dt.datetime) -> bool:
    """Mark an open hold, within its lease and never before, as sent."""
    row = Hold.objects.open().filter(pk=hold_id, sent_at=None, lease_until__gt=now)
    return row.update(sent_at=now, lease_until=lease_until) == 1


def end(hold_id: int, state: Hold.State, used: int, now: dt.datetime, *, flagged: bool, **where: Any) -> bool:
    """Compare and swap: end an open hold for which `where` still holds. One of all callers gets True."""
    row = Hold.objects.open().filter(pk=hold_id, **where)
    return row.update(state=state, used_tokens=used, is_flagged=flagged, ended_at=now) == 1


def true_up(hold_id: int, used: int) -> bool:
    """Compare and swap: give an assumed hold its true usage, once."""
    row = Hold.objects.filter(pk=hold_id, state=Hold.State.ASSUMED, is_trued_up=False)
    return row.update(is_trued_up=True, used_tokens=used) == 1
