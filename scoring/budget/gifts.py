"""A top-up acts at once, on every open window of its subject; and one that is taken back does."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from profiles import top_ups
from profiles.models import Period, QuotaRequest, Scope, TopUp, User
from profiles.quotas import Leg, Subject
from scoring import doorbell
from scoring.models import BudgetWindow, Edition
from scoring.transactions import retried

from .changes import unblock
from .limits import apply_limits, is_active
from .windows import lock_policy


@retried
def give_top_up(
    actor: User | None,
    subject: Subject,
    tokens: int,
    ends_at: dt.datetime,
    *,
    now: dt.datetime | None = None,
    request: QuotaRequest | None = None,
) -> list[Edition]:
    """Give tokens once, until `ends_at`, and unblock whom the subject's limit had stopped: those may go on.

    One transaction, as `change_quota`; raises as `profiles.top_ups.give` does. Each call gives once more.
    """
    now = now or timezone.now()
    with transaction.atomic():
        lock_policy(subject.team.pk if subject.team is not None else 0)
        top_ups.give(actor, subject, tokens, ends_at, now=now, request=request)
        assert subject.leg is not None
        return act_on([subject.leg], now)


@retried
def revoke_top_up(actor: User | None, top_up: TopUp, *, now: dt.datetime | None = None) -> bool:
    """Take back what is left: new holds find the lower limit, running ones settle. False: it had ended."""
    now = now or timezone.now()
    with transaction.atomic():
        lock_policy(top_up.team_id or 0)
        if not top_ups.revoke(actor, top_up, now=now):
            return False
        apply_limits([top_ups.leg_of(top_up)], now)
    return True


def act_on(legs: list[Leg], now: dt.datetime) -> list[Edition]:
    """Write the limits in force, and wake a worker for the editions that may go on. Needs the policy lock."""
    apply_limits(legs, now)
    freed = unblock(legs)
    if freed:
        doorbell.ring("scoring.judge")
    return freed


def revise_due(now: dt.datetime) -> int:
    """Let the windows whose top-up has ended say so, for who looks at them; how many. A hold does not wait for it."""
    due = BudgetWindow.objects.filter(revise_at__lte=now, ends_at__gt=now)
    legs = {
        Leg(Scope(scope), subject_id, team_id)
        for scope, subject_id, team_id in due.values_list("scope", "subject_id", "team_id")
    }
    return sum(_revise(leg, now) for leg in sorted(legs))


@retried
@transaction.atomic
def _revise(leg: Leg, now: dt.datetime) -> int:
    lock_policy(leg.team_id)
    return apply_limits([leg], now)


def left_of(given: list[TopUp], now: dt.datetime) -> dict[int, int]:
    """What is left of each top-up, by its id, in the period that has spent most of it: one query."""
    windows = BudgetWindow.objects.filter(
        scope__in={row.scope for row in given},
        subject_id__in={top_ups.leg_of(row).subject_id for row in given},
        topped_up_tokens__gt=0,
    )
    spent: dict[tuple[str, Period], int] = {}
    order = {
        str(row.pk): place for place, row in enumerate(sorted(given, key=lambda row: (row.ends_at, row.pk)))
    }
    for window in windows if given else ():
        base = window.limit_tokens - window.topped_up_tokens
        over = max(0, window.used_tokens + window.held_tokens - base)
        for key in sorted(window.topped_up_by, key=lambda key: order.get(key, -1)):
            tokens = min(window.topped_up_by[key], over)
            over -= tokens
            spent[key, Period(window.period)] = spent.get((key, Period(window.period)), 0) + tokens
    return {
        row.pk: max(0, row.tokens - max(spent.get((str(row.pk), period), 0) for period in Period))
        if is_active(row, now)
        else 0
        for row in given
    }
