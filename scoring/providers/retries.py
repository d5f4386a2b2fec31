"""How many calls may be repeats: a share of the first calls, counted from the calls themselves over ten minutes.

A repeat is a call that is made because an earlier one brought nothing: the next reading of papers whose call broke
down, ran out of time or could not be read, and a repair. Not what a busy server asked to come back for (429), nor
what is read apart for safety, nor a request that is narrowed down because the server does not take it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from scoring.models import Call, Provider
from scoring.outcomes import ANSWERED

WINDOW_SECONDS = 600
# So many repeats a window are allowed however few first calls there are, so that one profile alone can go on.
LEAST = 20
# After so many calls in a row that were answered, within those ten minutes, a provider is well, and what was put off is read without a bound.
WELL_AFTER = 20
# What is put off is looked at again after so long: the window moves, first calls come, or it is well again.
LOOK_AGAIN_SECONDS = 60


@dataclass(frozen=True)
class RetryBudget:
    """The calls of the last ten minutes. `frees_at` is when the oldest repeat leaves them; None without one."""

    first: int
    repeats: int
    is_well: bool
    frees_at: dt.datetime | None

    @property
    def allowed(self) -> int:
        return LEAST + self.first * settings.RETRY_PERCENT // 100

    @property
    def left(self) -> int:
        return max(0, self.allowed - self.repeats)


def budget_of(provider: Provider, now: dt.datetime) -> RetryBudget:
    """One query."""
    return budgets_of([provider.pk], now)[provider.pk]


def budgets_of(provider_ids: Sequence[int], now: dt.datetime) -> dict[int, RetryBudget]:
    """Those of all these providers, by one query: ten minutes of calls are some hundreds."""
    begins = now - dt.timedelta(seconds=WINDOW_SECONDS)
    calls = Call.objects.filter(provider__in=provider_ids, created_at__gt=begins).order_by(
        "-created_at", "-pk"
    )
    made: dict[int, list[Call]] = {pk: [] for pk in provider_ids}
    for call in calls.only("provider", "is_repeat", "created_at", "outcome", "ended_at"):
        made[call.provider_id or 0].append(call)
    return {pk: _budget(found) for pk, found in made.items()}


def _budget(newest_first: list[Call]) -> RetryBudget:
    repeats = [call.created_at for call in newest_first if call.is_repeat]
    last = [call.outcome for call in newest_first if call.ended_at is not None][:WELL_AFTER]
    return RetryBudget(
        first=len(newest_first) - len(repeats),
        repeats=len(repeats),
        is_well=len(last) == WELL_AFTER and ANSWERED.issuperset(last),
        frees_at=repeats[-1] + dt.timedelta(seconds=WINDOW_SECONDS) if repeats else None,
    )


def may_repeat(provider: Provider, now: dt.datetime) -> bool:
    """Whether one repeat more may be made now; call it in the transaction that saves the call.

    The provider's row is locked until that ends, so that over all processes no two take the last one. A repeat that
    is a breaker's probe is not asked here: the breaker bounds those. False is remembered, for the page and the alarm.
    """
    Provider.objects.select_for_update().filter(pk=provider.pk).first()
    found = budget_of(provider, now)
    return found.is_well or _has_left(found, provider, now)


def may_repair(provider: Provider, now: dt.datetime) -> bool:
    """As `may_repeat`, but however well the provider is: a model that needs a repair each time would double its bill."""
    Provider.objects.select_for_update().filter(pk=provider.pk).first()
    return _has_left(budget_of(provider, now), provider, now)


def _has_left(found: RetryBudget, provider: Provider, now: dt.datetime) -> bool:
    if found.left:
        return True
    Provider.objects.filter(pk=provider.pk).update(retries_spent_at=now)
    return False
