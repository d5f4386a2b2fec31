"""A changed limit acts at once; and the counters can be made true again from the ledger."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from profiles import quotas
from profiles.models import Membership, Period, Profile, Scope, User
from profiles.quotas import Leg, Subject
from scoring import doorbell
from scoring.models import BudgetWindow, Edition
from scoring.transactions import retried

from . import invariants, spending
from .limits import apply_limits
from .windows import lock_policy


@retried
def change_quota(
    actor: User | None,
    subject: Subject,
    period: Period,
    tokens: int | None,
    *,
    now: dt.datetime | None = None,
) -> list[Edition]:
    """Set a limit (None takes it away), act on the open windows, and unblock whom it had stopped.

    One transaction: policy, windows and editions change together or not at all. What was used stays; a
    limit below it refuses new holds and lets running ones settle. Returns the editions that may go on; a
    worker is woken for them. Raises as `profiles.quotas.set_quota` does. Safe to repeat.
    """
    now = now or timezone.now()
    with transaction.atomic():
        lock_policy(subject.team.pk if subject.team is not None else 0)
        quotas.set_quota(actor, subject, period, tokens)
        legs = _touched_by(subject)
        apply_limits(legs, now, period)
        freed = unblock(legs)
        if freed:
            doorbell.ring("scoring.judge")
    return freed


def _touched_by(subject: Subject) -> list[Leg]:
    """The legs whose limit may have changed: for a default, all members and team profiles."""
    if subject.leg is not None:
        return [subject.leg]
    team = subject.team
    assert team is not None
    members = Membership.objects.filter(team=team).values_list("pk", flat=True)
    shares = Profile.objects.filter(team=team, owner=None).values_list("pk", flat=True)
    return [Leg(Scope.MEMBER, pk, team.pk) for pk in members] + [
        Leg(Scope.SHARE, pk, team.pk) for pk in shares
    ]


def unblock(legs: Iterable[Leg]) -> list[Edition]:
    """Let the editions go on that one of these legs had stopped; the next hold decides anew."""
    stopped = {(leg.scope.value, leg.subject_id) for leg in legs}
    # After the windows, so that an edition blocked meanwhile (`holds.block`) is seen.
    blocked = Edition.objects.filter(blocked_until__isnull=False).select_for_update()
    freed = [
        edition
        for edition in blocked.order_by("pk")
        if (edition.blocked_by.get("scope"), edition.blocked_by.get("subject_id")) in stopped
    ]
    Edition.objects.filter(pk__in=[edition.pk for edition in freed]).update(blocked_until=None, blocked_by={})
    return freed


@dataclass(frozen=True)
class Repair:
    """A window whose stored figures were replaced by what the ledger and the limits in force say."""

    window: BudgetWindow
    before: dict[str, int]
    after: dict[str, int]


def reconcile(now: dt.datetime) -> list[Repair]:
    """Make every window agree with the ledger, and every open one with the limits in force.

    For after a restore, a changed setting, or an audit that found a window wrong. The ledger is the truth
    and is not touched. Safe to repeat: the second run repairs nothing.
    """
    wrong = {window.pk for window, _ in invariants.windows_against_ledger()}
    wrong |= {each["window_id"] for each in spending.differences()}
    current = BudgetWindow.objects.filter(ends_at__gt=now).values_list("pk", flat=True)
    repairs = [_repair(pk, now) for pk in sorted(wrong | set(current))]
    return [repair for repair in repairs if repair is not None]


@retried
@transaction.atomic
def _repair(window_id: int, now: dt.datetime) -> Repair | None:
    window = BudgetWindow.objects.get(pk=window_id)
    team_id = _team_of(window)
    lock_policy(team_id or 0)
    spending.lock(window_id)
    window = BudgetWindow.objects.select_for_update().get(pk=window_id)
    counted = invariants.figures_by_ledger(window)
    before = {name: getattr(window, name) for name in [*counted, "limit_tokens"]}
    if any(before[name] != tokens for name, tokens in counted.items()):
        BudgetWindow.objects.filter(pk=window_id).update(**counted)
    if window.ends_at > now and team_id is not None:
        apply_limits([Leg(Scope(window.scope), window.subject_id, team_id)], now, Period(window.period))
    limit = BudgetWindow.objects.values_list("limit_tokens", flat=True).get(pk=window_id)
    after: dict[str, int] = counted | {"limit_tokens": limit}
    if wrong_sums := spending.repair(window):
        before, after = before | {"wrong_sums": wrong_sums}, after | {"wrong_sums": 0}
    return None if before == after else Repair(window, before, after)


def _team_of(window: BudgetWindow) -> int | None:
    """The team whose policy rules the window: 0 for the instance, None where the subject is gone."""
    if window.scope == Scope.INSTANCE:
        return 0
    if window.scope == Scope.TEAM:
        return window.subject_id
    if window.scope == Scope.MEMBER:
        subject: Any = Membership.objects.filter(pk=window.subject_id)
    else:
        subject = Profile.objects.filter(pk=window.subject_id)
    return subject.values_list("team_id", flat=True).first()
