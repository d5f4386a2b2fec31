"""Whether what is left of a limit lasts until it resets: by the reader's own days, or not at all. Pure.

A usual day is the mean of the last two weeks' days of the same kind, weekday or weekend, for arXiv announces
on weekdays; it needs three of them. Nothing is said where too little is known.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .figures import Figure

LOOKS_BACK = dt.timedelta(days=14)
DAYS_TO_KNOW = 3
# Before so much of a window has passed, its pace says nothing.
PACE_NEEDS = dt.timedelta(hours=1)
# A block of papers that does not fit leaves a little over: a limit of which less is left counts as full.
LEAST_SHARE_LEFT = 0.1


@dataclass(frozen=True)
class Forecast:
    """`runs_out` is when, if it does before the reset and that can be told; `usual` is a usual day's tokens."""

    lasts: bool
    usual: int
    is_day: bool
    runs_out: dt.datetime | None = None

    def told(self, zone: dt.tzinfo, now: dt.datetime) -> str:
        """In a few words, for somebody in that zone."""
        if self.lasts:
            return _("enough for a usual day") if self.is_day else _("enough until then")
        if self.runs_out is None:
            return _("less than a usual day needs")
        at = self.runs_out.astimezone(zone)
        if at.date() == now.astimezone(zone).date():
            return _("runs out around %(hour)s") % {"hour": f"{at:%H}:00"}
        return _("runs out around %(day)s") % {"day": f"{at:%Y-%m-%d}"}


def usual_day(past: Mapping[dt.date, int], today: dt.date) -> int | None:
    """The mean of the last two weeks' days of today's kind; days on which nothing was used count too."""
    alike = [
        used
        for day, used in past.items()
        if today - LOOKS_BACK <= day < today and _is_weekend(day) == _is_weekend(today)
    ]
    return round(sum(alike) / len(alike)) if len(alike) >= DAYS_TO_KNOW else None


def day_of(starts_at: dt.datetime, zone: dt.tzinfo) -> dt.date:
    """The day that a day's window stands for, also where a change of zone moved its bounds."""
    return (starts_at.astimezone(zone) + dt.timedelta(hours=11)).date()


def forecast_of(
    figure: Figure, past: Mapping[dt.date, int], now: dt.datetime, zone: dt.tzinfo
) -> Forecast | None:
    """As `forecast`, of a figure."""
    return forecast(
        limit=figure.limit,
        gone=figure.gone,
        starts_at=figure.starts_at,
        resets_at=figure.resets_at,
        past=past,
        now=now,
        zone=zone,
    )


def forecast(
    *,
    limit: int,
    gone: int,
    starts_at: dt.datetime,
    resets_at: dt.datetime,
    past: Mapping[dt.date, int],
    now: dt.datetime,
    zone: dt.tzinfo,
) -> Forecast | None:
    """What is to be said of one limit; None where nothing is: it is full, or too few days are known.

    `past` holds the tokens used by day, today's too. A day's limit runs out by its own pace; a week's or a
    month's on the day on which usual days have used it up.
    """
    today = now.astimezone(zone).date()
    usual = usual_day(past, today)
    left = limit - gone
    if usual is None or left < max(1, limit * LEAST_SHARE_LEFT):
        return None
    if resets_at - starts_at <= dt.timedelta(hours=44):
        if gone >= usual or usual - gone <= left:
            return Forecast(True, usual, is_day=True)
        return Forecast(False, usual, True, _at_this_pace(left, gone, starts_at, resets_at, now))
    return _over_days(left, usual, past, today, resets_at, zone)


def _at_this_pace(
    left: int, gone: int, starts_at: dt.datetime, resets_at: dt.datetime, now: dt.datetime
) -> dt.datetime | None:
    passed = now - starts_at
    if not gone or passed < PACE_NEEDS:
        return None
    at = now + passed * (left / gone)
    return at if at < resets_at else None


def _over_days(
    left: int,
    usual: int,
    past: Mapping[dt.date, int],
    today: dt.date,
    resets_at: dt.datetime,
    zone: dt.tzinfo,
) -> Forecast | None:
    left -= max(0, usual - past.get(today, 0))
    day, last = today, (resets_at - dt.timedelta(seconds=1)).astimezone(zone).date()
    while left > 0 and day < last:
        day += dt.timedelta(days=1)
        alike = usual if _is_weekend(day) == _is_weekend(today) else _mean(past, day, today)
        left -= alike
    if left > 0:
        return Forecast(True, usual, is_day=False)
    return Forecast(False, usual, False, dt.datetime.combine(day, dt.time(12), tzinfo=zone))


def _mean(past: Mapping[dt.date, int], like: dt.date, today: dt.date) -> int:
    alike = [
        used
        for day, used in past.items()
        if today - LOOKS_BACK <= day < today and _is_weekend(day) == _is_weekend(like)
    ]
    return round(sum(alike) / len(alike)) if alike else 0


def _is_weekend(day: dt.date) -> bool:
    return day.weekday() >= 5
