"""What the windows say, for pages, meters and a block that wants to know what would fit."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from profiles.models import Period
from profiles.quotas import Leg, Limits, limits_of
from scoring.models import BudgetWindow

from . import words
from .limits import as_of
from .windows import end_of, first_start, stored_at, zone_of


@dataclass(frozen=True)
class Figure:
    """One limit and how much of it is gone. Nothing is stored by looking: an unopened window reads as empty."""

    leg: Leg
    period: Period
    limit: int
    used: int
    held: int
    overrun: int
    cost_microusd: int
    starts_at: dt.datetime
    resets_at: dt.datetime
    topped_up: int = 0

    @property
    def gone(self) -> int:
        return self.used + self.held

    @property
    def free(self) -> int:
        return max(0, self.limit - self.gone)

    @property
    def is_full(self) -> bool:
        return self.gone >= self.limit

    @property
    def share_gone(self) -> float:
        """From 0 to 1, and above where a bill overran the limit; 1 for a limit of nothing."""
        return self.gone / self.limit if self.limit else 1.0

    @property
    def cost(self) -> str:
        return words.dollars(self.cost_microusd)


def figures_of(
    legs: Collection[Leg], now: dt.datetime, limits: dict[Leg, Limits] | None = None
) -> dict[Leg, list[Figure]]:
    """The figures of these legs, a period with a limit each, days first: two queries, or one with `limits`.

    A zone is asked for only where no window is open yet.
    """
    limits = limits_of(legs) if limits is None else limits
    stored = stored_at(legs, now)
    zones: dict[int, dt.tzinfo] = {}
    windows: dict[Leg, list[BudgetWindow]] = {}
    for leg in legs:
        windows[leg] = []
        for period in Period:
            if period not in limits[leg]:
                continue
            window = stored.get((leg, period))
            if window is None:
                if leg.team_id not in zones:
                    zones[leg.team_id] = zone_of(leg)
                window = _unopened(leg, period, limits[leg][period], now, zones[leg.team_id])
            windows[leg].append(window)
    as_of([window for some in windows.values() for window in some], list(legs), now)
    return {leg: [of_window(leg, window) for window in some] for leg, some in windows.items()}


def unopened(leg: Leg, period: Period, limit: int, now: dt.datetime, zone: dt.tzinfo) -> Figure:
    """The figure of a window that nobody has held in yet: where it would lie, and nothing gone."""
    return of_window(leg, _unopened(leg, period, limit, now, zone))


def _unopened(leg: Leg, period: Period, limit: int, now: dt.datetime, zone: dt.tzinfo) -> BudgetWindow:
    starts_at = first_start(period, now, zone)
    return BudgetWindow(
        scope=leg.scope,
        subject_id=leg.subject_id,
        team_id=leg.team_id,
        period=period,
        starts_at=starts_at,
        ends_at=end_of(period, starts_at, zone),
        limit_tokens=limit,
    )


def of_window(leg: Leg, window: BudgetWindow) -> Figure:
    return Figure(
        leg=leg,
        period=Period(window.period),
        limit=window.limit_tokens,
        used=window.used_tokens,
        held=window.held_tokens,
        overrun=window.overrun_tokens,
        cost_microusd=window.cost_microusd,
        starts_at=window.starts_at,
        resets_at=window.ends_at,
        topped_up=window.topped_up_tokens,
    )


def room(legs: Collection[Leg], now: dt.datetime) -> int | None:
    """How many tokens would fit into every window now; None where nothing limits. Only a hint: hold decides."""
    free = [figure.free for figures in figures_of(legs, now).values() for figure in figures]
    return min(free, default=None)
