"""Hold, mark as sent, settle, release, assume, true up: one hold a call, its windows fixed at the hold.

All but `mark_sent` may run inside the caller's transaction; there they must come last, after the caller's
own rows, so that windows are always the last locks taken and nothing can wait in a circle.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import astuple, dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from profiles.models import Period, Scope
from profiles.quotas import Leg
from scoring import usage as bills
from scoring.models import BudgetWindow, Call, Edition, Hold, LedgerEntry
from scoring.transactions import retried

from . import moves, spending
from .windows import windows_at

# Longer than a call's total deadline (150 s), so that a live worker is never reaped.
LEASE_SECONDS = 240
Kind = LedgerEntry.Kind


@dataclass(frozen=True)
class Refusal:
    """The first window, in lock order, into which the tokens did not fit; nothing was taken anywhere.

    To stop an edition by it, `block(edition, refusal)`: the block sees a limit that is raised meanwhile.
    """

    scope: Scope
    subject_id: int
    period: Period
    limit: int
    used: int
    held: int
    resets_at: dt.datetime
    window_id: int

    @property
    def free(self) -> int:
        """What would have fitted into this window."""
        return max(0, self.limit - self.used - self.held)

    @property
    def as_blocked_by(self) -> dict[str, Any]:
        """The form in which an edition keeps it, beside `blocked_until = resets_at`."""
        return {
            "scope": int(self.scope),
            "subject_id": self.subject_id,
            "period": str(self.period),
            "limit": self.limit,
            "used": self.used,
            "held": self.held,
        }


class HoldEnded(Exception):
    """The hold was ended by somebody else: what it would have paid for must not be written."""


class _Full(Exception):
    def __init__(self, window: BudgetWindow) -> None:
        super().__init__(str(window))
        self.window = window


@retried
def hold(
    call: Call,
    tokens: int,
    legs: Collection[Leg],
    *,
    now: dt.datetime | None = None,
    lease_seconds: int = LEASE_SECONDS,
) -> Hold | Refusal:
    """Set tokens aside for a call on all its legs, or say which window is full and take nothing.

    Zero tokens always pass. Safe to repeat: a call that has a hold gets that one back. In a caller's
    transaction a refusal undoes only what the hold itself did.
    """
    if tokens < 0:
        raise ValueError(f"a hold of {tokens} tokens")
    now = now or timezone.now()
    lease_until = now + dt.timedelta(seconds=lease_seconds)
    with transaction.atomic(savepoint=False):
        windows = windows_at(legs, now)
        try:
            return _admit(call, tokens, windows, now, lease_until)
        except _Full as full:
            return _refusal(full.window)
        except IntegrityError:
            existing = Hold.objects.filter(call=call).first()
            if existing is None:
                raise
            return existing


@transaction.atomic
def _admit(
    call: Call, tokens: int, windows: list[BudgetWindow], now: dt.datetime, lease_until: dt.datetime
) -> Hold:
    row = Hold.objects.create(call=call, held_tokens=tokens, lease_until=lease_until, created_at=now)
    locked = moves.lock([window.pk for window in windows])
    if moves.take([window.pk for window in locked], tokens) < len(locked):
        raise _Full(next((window for window in locked if window.free_tokens < tokens), locked[0]))
    _write(row, Kind.HOLD, locked, tokens, now)
    return row


def _refusal(window: BudgetWindow) -> Refusal:
    return Refusal(
        scope=Scope(window.scope),
        subject_id=window.subject_id,
        period=Period(window.period),
        limit=window.limit_tokens,
        used=window.used_tokens,
        held=window.held_tokens,
        resets_at=window.ends_at,
        window_id=window.pk,
    )


@retried
@transaction.atomic
def block(edition: Edition, refusal: Refusal) -> bool:
    """Stop an edition until the full window ends or its limit changes; False if it has changed already.

    The window is locked while the edition is written, so that a change of the limit comes either before,
    and is seen here, or after, and unblocks the edition.
    """
    window = BudgetWindow.objects.select_for_update().filter(pk=refusal.window_id).first()
    # No window: it was opened by the refused hold, and undone with the caller's transaction.
    if window is not None and window.limit_tokens != refusal.limit:
        return False
    Edition.objects.filter(pk=edition.pk).update(
        blocked_by=refusal.as_blocked_by, blocked_until=refusal.resets_at
    )
    return True


@retried
def mark_sent(hold: Hold, *, now: dt.datetime | None = None, lease_seconds: int = LEASE_SECONDS) -> bool:
    """Say that the request is about to leave, and renew the lease. If False, do not make the call.

    Commit it before the request: call it outside any transaction.
    """
    now = now or timezone.now()
    return moves.send(hold.pk, now, now + dt.timedelta(seconds=lease_seconds))


@retried
def settle(hold: Hold, usage: bills.Usage | None, *, papers: int = 0, now: dt.datetime | None = None) -> Hold:
    """End the hold with the real usage, on every leg, also above the limit; the call keeps usage and cost.

    `papers` is how many scores the call paid for, written in the same transaction.

    Usage that is missing or cannot be a bill books the hold in full and flags it. Raises HoldEnded if the
    hold was ended before: call it in the transaction that writes the scores, which is then undone.
    """
    now = now or timezone.now()
    bill = _bill(hold, usage)
    with transaction.atomic():
        if not moves.end(hold.pk, Hold.State.SETTLED, bill.tokens, now, flagged=bill.is_flagged):
            raise HoldEnded(str(hold.key))
        _book(hold, Kind.SETTLE, bill, now, papers)
    hold.state, hold.used_tokens, hold.ended_at = Hold.State.SETTLED, bill.tokens, now
    hold.is_flagged = bill.is_flagged
    return hold


@retried
def release(hold: Hold, *, now: dt.datetime | None = None, **where: Any) -> bool:
    """Give the tokens back for a call that was not made, or is known not to be billed. False: it had ended."""
    now = now or timezone.now()
    with transaction.atomic():
        if not moves.end(hold.pk, Hold.State.RELEASED, 0, now, flagged=False, **where):
            return False
        windows = moves.lock(_legs(hold))
        moves.give_back([window.pk for window in windows], hold.held_tokens)
        _write(hold, Kind.RELEASE, windows, hold.held_tokens, now)
    return True


@retried
def assume(hold: Hold, *, now: dt.datetime | None = None, **where: Any) -> bool:
    """Book the hold in full for a call that may have been billed and never answered. False: it had ended."""
    now = now or timezone.now()
    bill = _assumed(hold, is_flagged=False)
    with transaction.atomic():
        if not moves.end(hold.pk, Hold.State.ASSUMED, bill.tokens, now, flagged=False, **where):
            return False
        _book(hold, Kind.ASSUME, bill, now)
    return True


@retried
def true_up(hold: Hold, usage: bills.Usage | None, *, now: dt.datetime | None = None) -> bool:
    """Give an assumed hold its real usage, once, in its original windows. False: nothing was changed."""
    if usage is None or not usage.is_usable(hold.held_tokens):
        return False
    now = now or timezone.now()
    assumed, bill = _assumed(hold, is_flagged=False), _bill(hold, usage)
    with transaction.atomic():
        if not moves.true_up(hold.pk, bill.tokens):
            return False
        _write_call(hold, bill)
        more, dearer = bill.tokens - assumed.tokens, bill.cost_microusd - assumed.cost_microusd
        spending.correct(hold, bill.usage, more, dearer, assumed.tokens)
        windows = moves.lock(_legs(hold))
        moves.correct([window.pk for window in windows], more, max(0, more), dearer)
        difference = _Bill(more, dearer, bill.usage, is_flagged=False)
        _write(hold, Kind.TRUE_UP, windows, more, now, difference)
    return True


# --- the bill --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bill:
    tokens: int
    cost_microusd: int
    usage: bills.Usage
    is_flagged: bool


_UNKNOWN = bills.Usage(0, 0)


def prices_of(call: Call) -> bills.Prices:
    """The prices of the call's provider; none where it was deleted."""
    return bills.Prices() if call.provider is None else call.provider.prices


def _bill(hold: Hold, usage: bills.Usage | None) -> _Bill:
    if usage is None and not hold.held_tokens:
        return _Bill(0, 0, _UNKNOWN, is_flagged=False)
    if usage is None or not usage.is_usable(hold.held_tokens):
        return _assumed(hold, is_flagged=True)
    return _Bill(usage.total_tokens, prices_of(hold.call).of(usage), usage, is_flagged=False)


def _assumed(hold: Hold, *, is_flagged: bool) -> _Bill:
    """The whole hold, at the dearest price: what a call may have cost that did not say."""
    cost = prices_of(hold.call).at_most(hold.held_tokens)
    return _Bill(hold.held_tokens, cost, _UNKNOWN, is_flagged)


# --- the books -------------------------------------------------------------------------------------


def _legs(hold: Hold) -> list[int]:
    """The windows in which the hold set its tokens aside, whatever windows are open today."""
    return list(LedgerEntry.objects.filter(hold=hold, kind=Kind.HOLD).values_list("window_id", flat=True))


def _book(hold: Hold, kind: Kind, bill: _Bill, now: dt.datetime, papers: int = 0) -> None:
    _write_call(hold, bill)
    legs = _legs(hold)
    if legs:
        assumed = bill.tokens if bill.is_flagged or kind == Kind.ASSUME else 0
        spending.add(hold, bill.usage, bill.tokens, assumed, bill.cost_microusd, papers)
    windows = moves.lock(legs)
    moves.book([window.pk for window in windows], hold.held_tokens, bill.tokens, bill.cost_microusd)
    _write(hold, kind, windows, bill.tokens, now, bill)


def _write(
    hold: Hold,
    kind: Kind,
    locked: Iterable[BudgetWindow],
    tokens: int,
    now: dt.datetime,
    bill: _Bill | None = None,
) -> None:
    """A ledger line a leg, from the windows as they were locked, before their tokens moved."""
    usage = bill.usage if bill is not None else _UNKNOWN
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            window=window,
            hold=hold,
            kind=kind,
            tokens=tokens,
            limit_tokens=window.limit_tokens,
            sum_before=window.used_tokens + window.held_tokens,
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            cost_microusd=bill.cost_microusd if bill is not None else 0,
            at=now,
        )
        for window in locked
    )


def _write_call(hold: Hold, bill: _Bill) -> None:
    """The call's own copy of its bill, so that what it cost reads without the ledger."""
    names = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
    Call.objects.filter(pk=hold.call_id).update(
        **dict(zip(names, astuple(bill.usage), strict=True)),
        cost_microusd=bill.cost_microusd,
        is_usage_flagged=bill.is_flagged,
    )
