"""How a provider is asked just now: its breaker, how many calls at once, and how many repeats are left. Reads only."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from scoring.models import Provider

from .health import ANSWERS_TO_GROW, FAILURES_TO_OPEN
from .retries import RetryBudget, budgets_of


class Breaker(StrEnum):
    """`CLOSED`: it is asked. `COUNTING`: the same, after a failure or two. `OPEN`: nobody asks until then.
    `PROBING`: the pause is over and one call goes ahead. `ASKED`: the server itself named a time (429)."""

    CLOSED = "closed"
    COUNTING = "counting"
    OPEN = "open"
    PROBING = "probing"
    ASKED = "asked"


class Why(StrEnum):
    """Why it may have so many calls at once: as set, none in a pause of the breaker, one as a probe after it, halved by
    a 429, or grown again since."""

    SET = "set"
    NONE = "none"
    PROBE = "probe"
    HALVED = "halved"
    GROWN = "grown"
    GIVEN_BACK = "given_back"


@dataclass(frozen=True)
class Flow:
    """`at` is when it was halved, grown or given back whole; `answers_to_grow` how many more let it have one more."""

    breaker: Breaker
    failures: int
    failures_to_open: int
    since: dt.datetime | None
    until: dt.datetime | None
    at_once: int
    at_most: int
    why: Why
    at: dt.datetime | None
    halved_at: dt.datetime | None
    answers_to_grow: int
    retries: RetryBudget

    @property
    def is_spent(self) -> bool:
        """Whether the next repeat would be put off."""
        return not self.retries.left and not self.retries.is_well


def flows_of(providers: Sequence[Provider], now: dt.datetime) -> dict[int, Flow]:
    """How each of them is asked, by its key. One query."""
    budgets = budgets_of([each.pk for each in providers], now)
    return {each.pk: _flow(each, budgets[each.pk], now) for each in providers}


def _flow(provider: Provider, retries: RetryBudget, now: dt.datetime) -> Flow:
    breaker = breaker_of(provider, now)
    at_once, why, at = _at_once(provider, breaker)
    return Flow(
        breaker=breaker,
        failures=provider.failures,
        failures_to_open=FAILURES_TO_OPEN,
        since=provider.opened_at,
        until=provider.open_until if breaker in {Breaker.OPEN, Breaker.ASKED} else None,
        at_once=at_once,
        at_most=provider.concurrency,
        why=why,
        at=at,
        halved_at=provider.shrunk_at,
        answers_to_grow=ANSWERS_TO_GROW - provider.answers_since_growth,
        retries=retries,
    )


def breaker_of(provider: Provider, now: dt.datetime) -> Breaker:
    is_paused = provider.open_until is not None and provider.open_until > now
    if provider.failures >= FAILURES_TO_OPEN:
        return Breaker.OPEN if is_paused else Breaker.PROBING
    if is_paused:
        return Breaker.ASKED
    return Breaker.COUNTING if provider.failures else Breaker.CLOSED


def _at_once(provider: Provider, breaker: Breaker) -> tuple[int, Why, dt.datetime | None]:
    if breaker == Breaker.OPEN:
        return 0, Why.NONE, None
    if breaker == Breaker.PROBING:
        return 1, Why.PROBE, None
    halved, grown = provider.shrunk_at, provider.grown_at
    has_grown = grown is not None and (halved is None or grown > halved)
    if provider.allowed_at_once is None:
        return provider.concurrency, Why.GIVEN_BACK if has_grown else Why.SET, grown if has_grown else None
    return provider.calls_at_once, Why.GROWN if has_grown else Why.HALVED, grown if has_grown else halved
