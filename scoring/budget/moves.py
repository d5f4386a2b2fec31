"""The single statements that move tokens. Each decides and takes in one UPDATE; the row count is the answer.

An UPDATE of several rows locks them in no order: whoever moves tokens locks the windows first.
"""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db.models import F

from scoring.models import BudgetWindow, Hold


def lock(window_ids: Collection[int]) -> list[BudgetWindow]:
    """The windows, theirs until the transaction's end, in the order in which everybody locks them.

    Their figures are exact: until then nobody else moves them. On SQLite the transaction's own lock does it.
    """
    windows = BudgetWindow.objects.filter(pk__in=window_ids).order_by("scope", "subject_id", "period")
    return list(windows.select_for_update())


def take(window_ids: Collection[int], tokens: int) -> int:
    """Hold tokens in each window where they fit beside what is used and held; in how many they did.

    None at all always fit, also into a window that is overrun.
    """
    windows = BudgetWindow.objects.filter(pk__in=window_ids)
    if tokens:
        windows = windows.filter(limit_tokens__gte=F("used_tokens") + F("held_tokens") + tokens)
    return windows.update(held_tokens=F("held_tokens") + tokens)


def give_back(window_ids: Collection[int], tokens: int) -> None:
    BudgetWindow.objects.filter(pk__in=window_ids).update(held_tokens=F("held_tokens") - tokens)


def book(window_ids: Collection[int], held: int, used: int, cost_microusd: int) -> None:
    """Replace what was held by what was used: a bill is a fact, also above the limit."""
    BudgetWindow.objects.filter(pk__in=window_ids).update(
        held_tokens=F("held_tokens") - held,
        used_tokens=F("used_tokens") + used,
        overrun_tokens=F("overrun_tokens") + max(0, used - held),
        cost_microusd=F("cost_microusd") + cost_microusd,
    )


def correct(window_ids: Collection[int], used: int, overrun: int, cost_microusd: int) -> None:
    """Add (signed) differences to what an assumed hold booked."""
    BudgetWindow.objects.filter(pk__in=window_ids).update(
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
