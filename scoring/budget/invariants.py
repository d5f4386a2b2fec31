"""What must always be true of holds, windows, ledger, calls and scores, each as one query for what breaks it.

The queries return only the rows that are wrong, so that a clean audit reads no row into Python.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    RowRange,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Greatest, Lag
from django.utils import timezone

from profiles import growing
from profiles.models import Scope, TopUp
from scoring.models import BudgetWindow, Call, Hold, LedgerEntry, Score

from . import spending

Kind = LedgerEntry.Kind
# The sweep that reaps runs every minute; a hold may outlive its lease by two of them.
GRACE = dt.timedelta(minutes=2)
BOOKED = [Kind.SETTLE, Kind.ASSUME, Kind.TRUE_UP]
ENDS = [Kind.SETTLE, Kind.ASSUME, Kind.RELEASE]
END_OF_STATE = {
    Hold.State.SETTLED: Kind.SETTLE,
    Hold.State.ASSUMED: Kind.ASSUME,
    Hold.State.RELEASED: Kind.RELEASE,
}


@dataclass(frozen=True)
class Violation:
    """A row that breaks an invariant: which, where, and the figures that disagree."""

    invariant: str
    row: str
    detail: dict[str, Any]

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in self.detail.items())
        return f"{self.invariant}: {self.row} ({figures})"


def audit(now: dt.datetime | None = None) -> list[Violation]:
    """Every invariant of the budget; an empty list is a clean house. Reads only."""
    now = now or timezone.now()
    checks: list[Callable[[], Iterator[Violation]]] = [
        _windows_side_by_side,
        _windows_as_the_ledger_says,
        _spending_as_the_ledger_says,
        _top_ups_given_once,
        _admissions_within_their_limit,
        _sums_before_replay,
        _lines_as_their_hold,
        _holds_not_overdue(now),
        _scores_of_settled_calls,
        _settled_calls_with_scores_or_a_failure,
        _calls_with_a_hold,
    ]
    return [violation for check in checks for violation in check()]


def unguarded() -> list[str]:
    """The guards of the ledger that are missing in the database, by name: somebody took them away."""
    return growing.unguarded(connection, LedgerEntry._meta.db_table)


def _windows_side_by_side() -> Iterator[Violation]:
    """Windows of one scope, subject and period neither overlap nor leave a gap."""
    of_one = [F("scope"), F("subject_id"), F("period")]
    ends = Window(Lag("ends_at"), partition_by=of_one, order_by="starts_at")
    wrong = BudgetWindow.objects.annotate(end_before=ends).filter(
        ~Q(end_before=F("starts_at")), end_before__isnull=False
    )
    for window in wrong:
        invariant = "windows overlap" if window.end_before > window.starts_at else "windows leave a gap"
        yield Violation(
            invariant,
            _named(window),
            {"starts_at": window.starts_at.isoformat(), "end_before": window.end_before.isoformat()},
        )


# --- windows and their ledger ----------------------------------------------------------------------


def _sum_of(lines: QuerySet[LedgerEntry], expression: Any) -> Coalesce:
    """The sum over one window's lines, as a subquery; 0 for none."""
    per_window = lines.filter(window=OuterRef("pk")).order_by().values("window")
    summed = per_window.annotate(_sum=Sum(expression)).values("_sum")
    return Coalesce(Subquery(summed, output_field=BigIntegerField()), Value(0))


def _with_ledger(windows: QuerySet[BudgetWindow]) -> QuerySet[BudgetWindow]:
    lines = LedgerEntry.objects.all()
    ended = lines.filter(kind=Kind.HOLD, hold__state__in=[Hold.State.SETTLED, Hold.State.ASSUMED])
    return windows.annotate(
        held_by_ledger=_sum_of(lines.filter(kind=Kind.HOLD, hold__state=Hold.State.OPEN), F("tokens")),
        used_by_ledger=_sum_of(lines.filter(kind__in=BOOKED), F("tokens")),
        overrun_by_ledger=_sum_of(ended, Greatest(Value(0), F("hold__used_tokens") - F("tokens"))),
        cost_by_ledger=_sum_of(lines.filter(kind__in=BOOKED), F("cost_microusd")),
    )


def figures_by_ledger(window: BudgetWindow) -> dict[str, int]:
    """What a window must say, by its ledger."""
    row: Any = _with_ledger(BudgetWindow.objects.filter(pk=window.pk)).get()
    return {
        "held_tokens": row.held_by_ledger,
        "used_tokens": row.used_by_ledger,
        "overrun_tokens": row.overrun_by_ledger,
        "cost_microusd": row.cost_by_ledger,
    }


def windows_against_ledger() -> Iterator[tuple[BudgetWindow, str]]:
    """The windows with a figure that the ledger does not explain, each with the figure's name."""
    wrong = _with_ledger(BudgetWindow.objects.all()).filter(
        ~Q(held_by_ledger=F("held_tokens"))
        | ~Q(used_by_ledger=F("used_tokens"))
        | ~Q(overrun_by_ledger=F("overrun_tokens"))
        | ~Q(cost_by_ledger=F("cost_microusd"))
    )
    for window in wrong:
        for name in ("held", "used", "overrun", "cost"):
            stored = window.cost_microusd if name == "cost" else getattr(window, f"{name}_tokens")
            if stored != getattr(window, f"{name}_by_ledger"):
                yield window, name


def _windows_as_the_ledger_says() -> Iterator[Violation]:
    """held = open holds; used and cost = the ledger; overrun = what ended holds used beyond what they held."""
    for window, name in windows_against_ledger():
        stored = window.cost_microusd if name == "cost" else getattr(window, f"{name}_tokens")
        detail = {"window": stored, "ledger": getattr(window, f"{name}_by_ledger")}
        yield Violation(f"{name} is not what the ledger says", _named(window), detail)


def _spending_as_the_ledger_says() -> Iterator[Violation]:
    """Each sum by payer's day, profile, judge and kind is what its ledger lines, and its scores, come to.

    With the windows being what the ledger says, the sums of a day are those of its window.
    """
    for each in spending.differences():
        about = f"profile {each['profile_id']}, {each['provider_model']}, {each['kind']}"
        yield Violation(
            "spending is not what the ledger says",
            f"window {each['window_id']} ({about})",
            {name: each[name] for name in spending.FIGURES if each[name]},
        )


def _top_ups_given_once() -> Iterator[Violation]:
    """The windows of one period never hold more of a top-up than it has, and their limits say what they hold."""
    shares: dict[tuple[int, int, str, str], int] = {}
    for window in BudgetWindow.objects.filter(~Q(topped_up_tokens=0) | ~Q(topped_up_by={})):
        total = sum(window.topped_up_by.values())
        if total != window.topped_up_tokens or total > window.limit_tokens:
            detail = {"topped_up": window.topped_up_tokens, "shares": total, "limit": window.limit_tokens}
            yield Violation("a limit is not what its top-ups say", _named(window), detail)
        for key, tokens in window.topped_up_by.items():
            place = (window.scope, window.subject_id, window.period, key)
            shares[place] = shares.get(place, 0) + tokens
    given = {str(pk): tokens for pk, tokens in TopUp.objects.values_list("pk", "tokens")} if shares else {}
    for (scope, subject_id, period, key), tokens in shares.items():
        if tokens > given.get(key, tokens):
            yield Violation(
                "a top-up was given more than once",
                f"top-up {key} ({Scope(scope).label} {subject_id}, {period})",
                {"given": given[key], "in windows": tokens},
            )


# --- the ledger itself -----------------------------------------------------------------------------


def _admissions_within_their_limit() -> Iterator[Violation]:
    """What a hold found, plus the hold, was within the limit in force at that instant."""
    over = LedgerEntry.objects.filter(
        kind=Kind.HOLD, tokens__gt=0, limit_tokens__lt=F("sum_before") + F("tokens")
    )
    for line in over.select_related("window"):
        yield Violation(
            "a hold was admitted over the limit",
            _named(line.window),
            {"hold": line.hold_id, "sum": line.sum_before, "held": line.tokens, "limit": line.limit_tokens},
        )


def _sums_before_replay() -> Iterator[Violation]:
    """The sum that each line says it found is the sum of all changes before it in its window."""
    change = Case(
        When(kind=Kind.RELEASE, then=-F("tokens")),
        When(kind__in=[Kind.SETTLE, Kind.ASSUME], then=F("tokens") - F("hold__held_tokens")),
        default=F("tokens"),
        output_field=BigIntegerField(),
    )
    before = Window(Sum(change), partition_by=F("window"), order_by="id", frame=RowRange(end=-1))
    lines = LedgerEntry.objects.annotate(change=change).annotate(replayed=Coalesce(before, Value(0)))
    for line in lines.filter(~Q(replayed=F("sum_before"))).select_related("window"):
        yield Violation(
            "a ledger line found another sum than the lines before it give",
            _named(line.window),
            {"line": line.pk, "found": line.sum_before, "replayed": line.replayed},
        )


def _lines_as_their_hold() -> Iterator[Violation]:
    """Every leg of a hold has one line for what was held, and one for its one end, with the hold's figures."""
    legs = Count("ledger", filter=Q(ledger__kind=Kind.HOLD))
    ends = Count("ledger", filter=Q(ledger__kind__in=ENDS))
    right = Case(
        *[
            When(state=state, then=Count("ledger", filter=Q(ledger__kind=kind)))
            for state, kind in END_OF_STATE.items()
        ],
        default=Value(0),
    )
    booked = Coalesce(Sum("ledger__tokens", filter=Q(ledger__kind__in=BOOKED)), Value(0))
    held = Coalesce(Sum("ledger__tokens", filter=Q(ledger__kind=Kind.HOLD)), Value(0))
    released = Coalesce(Sum("ledger__tokens", filter=Q(ledger__kind=Kind.RELEASE)), Value(0))
    holds = Hold.objects.annotate(legs=legs, ends=ends, right_ends=right, booked=booked, held=held)
    holds = holds.annotate(released=released)
    wrong = holds.filter(
        ~Q(held=F("held_tokens") * F("legs"))
        | Q(state=Hold.State.OPEN, ends__gt=0)
        | (~Q(state=Hold.State.OPEN) & (~Q(ends=F("legs")) | ~Q(right_ends=F("legs"))))
        | (~Q(state=Hold.State.RELEASED) & ~Q(booked=F("used_tokens") * F("legs")))
        | (Q(state=Hold.State.RELEASED) & ~Q(released=F("held_tokens") * F("legs")))
    )
    for hold in wrong:
        yield Violation(
            "a hold and its ledger lines disagree",
            f"hold {hold.pk}",
            {
                "state": hold.state,
                "legs": hold.legs,
                "ends": hold.ends,
                "held": hold.held,
                "booked": hold.booked,
            },
        )


# --- holds, calls, scores --------------------------------------------------------------------------


def _holds_not_overdue(now: dt.datetime) -> Callable[[], Iterator[Violation]]:
    """No hold is older than its lease and two sweeps."""

    def check() -> Iterator[Violation]:
        for hold in Hold.objects.overdue(now - GRACE):
            yield Violation(
                "a hold is older than its lease and two sweeps",
                f"hold {hold.pk}",
                {"call": hold.call_id, "lease_until": hold.lease_until.isoformat()},
            )

    return check


def _scores_of_settled_calls() -> Iterator[Violation]:
    """A score exists only if its call is settled."""
    for score in Score.objects.exclude(call__hold__state=Hold.State.SETTLED).select_related("call__hold"):
        hold = getattr(score.call, "hold", None)
        yield Violation(
            "a score's call is not settled",
            f"score {score.pk}",
            {"call": score.call_id, "state": hold.state if hold is not None else "no hold"},
        )


def _settled_calls_with_scores_or_a_failure() -> Iterator[Violation]:
    """A settled call that judges has scores or names its failure; any other kind says how it ended.

    A call without a profile is one whose reader was forgotten, and the scores with them: only the deletion of
    a profile takes its name off a call.
    """
    judging = Q(kind__in=[Call.Kind.JUDGE, Call.Kind.SECOND_LOOK])
    without_a_word = Q(outcome="") | (judging & Q(outcome__in=["judged", "partial"]))
    settled = Call.objects.filter(without_a_word, hold__state=Hold.State.SETTLED, profile__isnull=False)
    for call in settled.filter(~Exists(Score.objects.filter(call=OuterRef("pk")))):
        yield Violation(
            "a settled call has neither scores nor a failure",
            f"call {call.pk}",
            {"kind": call.kind, "outcome": call.outcome},
        )


def _calls_with_a_hold() -> Iterator[Violation]:
    """Every kind of call has a hold, and the call's own copy of its bill is the hold's."""
    for call in Call.objects.filter(hold=None):
        yield Violation("a call has no hold", f"call {call.pk}", {"kind": call.kind})
    billed = Q(hold__state=Hold.State.SETTLED) | Q(hold__is_trued_up=True)
    stated = Call.objects.filter(billed, is_usage_flagged=False).annotate(
        stated=F("input_tokens") + F("output_tokens"), booked=F("hold__used_tokens")
    )
    for call in stated.exclude(stated=F("booked")):
        yield Violation(
            "a call's usage is not its hold's",
            f"call {call.pk}",
            {"call": call.stated, "hold": call.booked},
        )


def _named(window: BudgetWindow) -> str:
    scope = window.get_scope_display()
    return (
        f"window {window.pk} ({scope} {window.subject_id}, {window.period} from {window.starts_at:%Y-%m-%d})"
    )
