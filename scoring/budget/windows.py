"""Windows of a period: [starts_at, ends_at) in UTC, side by side without gap or overlap, opened when needed.

Bounds are midnights of the team's zone (the instance's: INSTANCE_TIME_ZONE), so that a day of a clock
change has 23 or 25 hours. A stored window never moves: the next one starts where it ends, which is also how
a change of zone takes effect at the end of the current one. A clock that jumps back finds the stored
windows again.
"""

import datetime as dt
import functools
import itertools
import operator
import zoneinfo
from collections.abc import Collection, Iterator

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from profiles import top_ups
from profiles.models import Period, Team
from profiles.quotas import Leg, limits_of
from scoring.models import BudgetWindow

from . import limits as in_force

# The least length of a window: after a change of zone the next bound may be minutes away, and a window of
# minutes with a day's limit would be a present. Five sixths of the shortest usual length.
LEAST = {
    Period.DAY: dt.timedelta(hours=20),
    Period.WEEK: dt.timedelta(hours=140),
    Period.MONTH: dt.timedelta(days=25),
}
# The first half of an advisory lock's key; any constant of ours.
POLICY_LOCK = 0x42534254


def first_day(period: Period, day: dt.date) -> dt.date:
    """The first day of the period that holds this one: weeks start on Monday, months on the 1st."""
    if period == Period.WEEK:
        return day - dt.timedelta(days=day.weekday())
    return day.replace(day=1) if period == Period.MONTH else day


def following(period: Period, first: dt.date) -> dt.date:
    """The first day of the next period."""
    if period == Period.MONTH:
        return (first + dt.timedelta(days=31)).replace(day=1)
    return first + dt.timedelta(days=7 if period == Period.WEEK else 1)


def midnight(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """The instant at which that day begins there; where midnight is skipped, the instant of the jump."""
    return dt.datetime.combine(day, dt.time.min, tzinfo=zone).astimezone(dt.UTC)


def first_start(period: Period, now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    return midnight(first_day(period, now.astimezone(zone).date()), zone)


def end_of(period: Period, starts_at: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """Where a window that starts there ends: the first bound in this zone that is not too near."""
    first = first_day(period, starts_at.astimezone(zone).date())
    while True:
        first = following(period, first)
        ends_at = midnight(first, zone)
        if ends_at - starts_at >= LEAST[period]:
            return ends_at


def spans(
    period: Period, starts_at: dt.datetime, zone: dt.tzinfo
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Windows side by side, from there on, without end."""
    while True:
        ends_at = end_of(period, starts_at, zone)
        yield starts_at, ends_at
        starts_at = ends_at


# --- rows ------------------------------------------------------------------------------------------


def in_lock_order(windows: Collection[BudgetWindow]) -> list[BudgetWindow]:
    """Scope, subject, period: the one order in which any transaction of ours locks windows."""
    return sorted(windows, key=lambda window: (window.scope, window.subject_id, window.period))


def stored_at(legs: Collection[Leg], now: dt.datetime) -> dict[tuple[Leg, Period], BudgetWindow]:
    """The stored windows of these legs at that instant, in one query."""
    if not legs:
        return {}
    by_key = {(leg.scope.value, leg.subject_id): leg for leg in legs}
    wanted = [
        Q(scope=scope, subject_id__in=[leg.subject_id for leg in group])
        for scope, group in itertools.groupby(sorted(legs), key=lambda leg: leg.scope.value)
    ]
    rows = BudgetWindow.objects.filter(
        functools.reduce(operator.or_, wanted), starts_at__lte=now, ends_at__gt=now
    )
    return {(by_key[row.scope, row.subject_id], Period(row.period)): row for row in rows}


def windows_at(legs: Collection[Leg], now: dt.datetime) -> list[BudgetWindow]:
    """The windows that count at that instant, a leg and a period with a limit each, in lock order.

    Opens what is missing, and computes a limit anew whose top-up has ended. Call it in a transaction, before
    any window is locked.
    """
    found = _counting(legs, now)
    if any(_is_due(window, now) for window in found.values()):
        for team_id in sorted({leg.team_id for (leg, _), window in found.items() if _is_due(window, now)}):
            lock_policy(team_id)
        found = _made_true(_counting(legs, now), now)
    return in_lock_order([window for window in found.values() if window is not None])


def _is_due(window: BudgetWindow | None, now: dt.datetime) -> bool:
    return window is None or in_force.is_stale(window, now)


def _made_true(
    found: dict[tuple[Leg, Period], BudgetWindow | None], now: dt.datetime
) -> dict[tuple[Leg, Period], BudgetWindow | None]:
    """Open the missing windows and lay their top-ups on them. Needs the policy lock."""
    due = {leg for (leg, _), window in found.items() if _is_due(window, now)}
    if not due:
        return found
    limits = limits_of(due)
    opened = {
        key: _open(key[0], key[1], limits[key[0]][key[1]], now)
        for key, window in found.items()
        if window is None
    }
    is_stale = any(window is not None and in_force.is_stale(window, now) for window in found.values())
    if not is_stale and not any(top_ups.of(due).values()):
        return found | opened
    in_force.apply_limits(due, now)
    return _counting(sorted({leg for leg, _ in found}), now)


def _counting(legs: Collection[Leg], now: dt.datetime) -> dict[tuple[Leg, Period], BudgetWindow | None]:
    """Each leg and period with a limit in force, with its window if that is open."""
    limits, stored = limits_of(legs), stored_at(legs, now)
    return {(leg, period): stored.get((leg, period)) for leg in sorted(legs) for period in limits[leg]}


def lock_policy(team_id: int) -> None:
    """Until the transaction's end, nobody else opens a window or changes a limit of that team.

    Without it a window could open with a limit that was changed between its reading and its writing. On
    SQLite the write lock of the transaction does the same.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("lock_policy needs a transaction")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [POLICY_LOCK, team_id % 2**31])


def _open(leg: Leg, period: Period, limit: int, now: dt.datetime) -> BudgetWindow:
    """Make the window of that instant, with all that lie between it and the stored ones."""
    stored = BudgetWindow.objects.filter(scope=leg.scope, subject_id=leg.subject_id, period=period)
    zone = zone_of(leg)
    behind = stored.filter(ends_at__lte=now).order_by("-ends_at").first()
    ahead = stored.filter(starts_at__gt=now).order_by("starts_at").first()
    starts_at = behind.ends_at if behind is not None else first_start(period, now, zone)
    made = [
        BudgetWindow(
            scope=leg.scope,
            subject_id=leg.subject_id,
            team_id=leg.team_id,
            period=period,
            starts_at=start,
            ends_at=end,
            limit_tokens=limit,
        )
        for start, end in _missing(period, starts_at, zone, now, ahead.starts_at if ahead else None)
    ]
    BudgetWindow.objects.bulk_create(made)
    return next(window for window in made if window.starts_at <= now < window.ends_at)


def _missing(
    period: Period, starts_at: dt.datetime, zone: dt.tzinfo, now: dt.datetime, stop: dt.datetime | None
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """The spans from there over that instant, and on to `stop` where a clock was set back before it."""
    for start, end in spans(period, starts_at, zone):
        yield start, min(end, stop) if stop is not None else end
        if end > now and (stop is None or end >= stop):
            return


def zone_of(leg: Leg) -> zoneinfo.ZoneInfo:
    if not leg.team_id:
        return zoneinfo.ZoneInfo(settings.INSTANCE_TIME_ZONE)
    return Team.objects.only("time_zone").get(pk=leg.team_id).zone
