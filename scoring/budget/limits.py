"""The limit of a window: what the policy says, and what top-ups lay on it.

A top-up lies in one window of a period at a time, the one that holds the present instant: there with all of
it that no other window has spent. A window that has ended keeps what was spent of it, and so does one in
which the top-up has ended or was revoked; the rest is gone. So the shares of one top-up in all windows of
one period never add up to more than it (`topped_up_by`; `audit` proves it), and no new period renews it.
"""

import datetime as dt
import itertools
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q

from profiles import quotas, top_ups
from profiles.models import Period, TopUp
from profiles.quotas import Leg
from scoring.models import BudgetWindow

Shares = dict[str, int]
# What a limit consists of, as it is written into a window.
NAMES = ("limit_tokens", "topped_up_tokens", "topped_up_by", "revise_at")


def apply_limits(legs: Collection[Leg], now: dt.datetime, period: Period | None = None) -> int:
    """Write the limits in force at that instant into the windows; how many rows changed. Safe to repeat.

    Needs the policy lock of the legs' teams, and locks the windows in the order in which everybody does. A
    window whose limit was taken away can hold anything.
    """
    gifts = top_ups.of(legs)
    windows = _concerned(legs, gifts, now, period).order_by("scope", "subject_id", "period", "starts_at")
    changed = 0
    for window, after in _anew(list(windows.select_for_update()), legs, gifts, now):
        if after != {name: getattr(window, name) for name in NAMES}:
            changed += BudgetWindow.objects.filter(pk=window.pk).update(**after)
    return changed


def as_of(windows: Iterable[BudgetWindow], legs: Collection[Leg], now: dt.datetime) -> None:
    """Show in these rows, unsaved, the limits that a hold would find now.

    For a window whose top-up has just ended, and for one that nobody has opened yet (it has no id). One query
    where there is such a row, one more where there are top-ups.
    """
    wanted = [window for window in windows if window.pk is None or is_stale(window, now)]
    if not wanted:
        return
    keys = {_key(window) for window in wanted}
    legs = [leg for leg in legs if (leg.scope.value, leg.subject_id) in {key[:2] for key in keys}]
    gifts = top_ups.of(legs)
    if not any(gifts.values()):
        return
    rows = [row for row in _concerned(legs, gifts, now, None) if _key(row) in keys]
    rows += [window for window in wanted if window.pk is None]
    shown = {(*_key(window), window.starts_at): window for window in wanted}
    for window, after in list(_anew(sorted(rows, key=_key), legs, gifts, now)):
        target = shown.get((*_key(window), window.starts_at))
        for name in NAMES if target is not None else ():
            setattr(target, name, after[name])


def _key(window: BudgetWindow) -> tuple[int, int, str]:
    return window.scope, window.subject_id, window.period


def is_stale(window: BudgetWindow, now: dt.datetime) -> bool:
    return window.revise_at is not None and window.revise_at <= now


def _concerned(
    legs: Collection[Leg], gifts: dict[Leg, list[TopUp]], now: dt.datetime, period: Period | None
) -> Any:
    """The windows that are open or to come, and the ended ones in which a living top-up was spent."""
    wanted = Q(ends_at__gt=now)
    living = [gift.starts_at for some in gifts.values() for gift in some if is_active(gift, now)]
    if living:
        wanted |= Q(topped_up_tokens__gt=0, ends_at__gt=min(living))
    windows = BudgetWindow.objects.filter(
        wanted, scope__in={leg.scope for leg in legs}, subject_id__in={leg.subject_id for leg in legs}
    )
    return windows if period is None else windows.filter(period=period)


def is_active(gift: TopUp, now: dt.datetime) -> bool:
    return gift.revoked_at is None and gift.starts_at <= now < gift.ends_at


def _anew(
    windows: list[BudgetWindow], legs: Collection[Leg], gifts: dict[Leg, list[TopUp]], now: dt.datetime
) -> Iterable[tuple[BudgetWindow, dict[str, Any]]]:
    """Each window with what is to be written into it, from rows in lock order."""
    limits = quotas.limits_of(legs)
    by_key = {(leg.scope.value, leg.subject_id): leg for leg in legs}
    for (scope, subject_id, period), group in itertools.groupby(windows, key=_key):
        leg = by_key.get((scope, subject_id))
        if leg is not None:
            yield from _of_one(list(group), limits[leg].get(Period(period)), gifts[leg], now)


def _of_one(
    windows: list[BudgetWindow], limit: int | None, gifts: list[TopUp], now: dt.datetime
) -> Iterable[tuple[BudgetWindow, dict[str, Any]]]:
    """The windows of one subject and period. What they have spent stays; the rest lies in the present one."""
    base = quotas.MOST_TOKENS if limit is None else limit
    if limit is None:
        gifts = []
    living = [gift for gift in gifts if is_active(gift, now)]
    elsewhere: dict[str, int] = {}
    for window in windows:
        if window.starts_at <= now < window.ends_at:
            continue
        kept = _spent(window, gifts, window.limit_tokens - window.topped_up_tokens, window.held_tokens)
        for key, tokens in kept.items():
            elsewhere[key] = elsewhere.get(key, 0) + tokens
        has_ended = window.ends_at <= now
        own = window.limit_tokens - window.topped_up_tokens if has_ended else base
        yield window, _written(own, kept, None if has_ended or not living else window.starts_at)
    for window in windows:
        if window.starts_at <= now < window.ends_at:
            shares = _present(window, base, gifts, elsewhere, now)
            ends = [gift.ends_at for gift in living if str(gift.pk) in shares]
            yield (
                window,
                _written(base, shares, min((end for end in ends if end < window.ends_at), default=None)),
            )


def _written(base: int, shares: Shares, revise_at: dt.datetime | None) -> dict[str, Any]:
    total = sum(shares.values())
    return {
        "limit_tokens": base + total,
        "topped_up_tokens": total,
        "topped_up_by": shares,
        "revise_at": revise_at,
    }


def _present(
    window: BudgetWindow, base: int, gifts: list[TopUp], elsewhere: dict[str, int], now: dt.datetime
) -> Shares:
    """A living top-up with all that is left of it; of an ended one what is used, and not what is held."""
    over, shares = max(0, window.used_tokens - base), {}
    for gift in gifts:
        key = str(gift.pk)
        if is_active(gift, now):
            tokens = max(0, gift.tokens - elsewhere.get(key, 0))
        else:
            tokens = min(window.topped_up_by.get(key, 0), over)
        over -= min(tokens, over)
        if tokens:
            shares[key] = tokens
    return shares


def _spent(window: BudgetWindow, gifts: list[TopUp], base: int, held: int) -> Shares:
    """What a window that is not the present one has spent of each top-up, the first to end first."""
    over, shares = max(0, window.used_tokens + held - base), {}
    known = [str(gift.pk) for gift in gifts]
    for key in [key for key in window.topped_up_by if key not in known] + known:
        tokens = min(window.topped_up_by.get(key, 0), over)
        over -= tokens
        if tokens:
            shares[key] = tokens
    return shares
