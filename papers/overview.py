"""What is known of many days and categories at once: for whoever keeps this instance, on a page and in the terminal.

Reads only; the number of queries does not grow with days or categories.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Min

from papers import calendar
from papers.harvest import BACKFILL, MONTH
from papers.models import Announcement, Harvest, Quarantine
from papers.owed import Alarm, alarms, days_owed, unfilled
from papers.status import DayStatus, status_of

# A run that has been "running" for so long was killed; the next due time goes on with it.
STANDS_STILL = dt.timedelta(hours=6)
CALM = frozenset({"complete", "derived", "uncounted", "unasked", "cut"})
_SUMS = ("stored", "missing", "late", "withdrawn", "derived", "corrected", "parked", "quarantined")


@dataclass(frozen=True)
class CalendarDay:
    """A day, and the fact that makes it one without a list: "", weekend or holiday."""

    day: dt.date
    fact: str


@dataclass(frozen=True)
class Backfill:
    """How far the month before a category's first harvest has come in. `pages` are answers of arXiv."""

    category: str
    state: str  # waiting, or that of the run
    pages: int = 0
    records: int = 0
    days_done: int = 0
    days_in_all: int = 0
    pass_number: int = 0  # of two: versions and dates, then names and affiliations
    problem: str = ""
    started_at: dt.datetime | None = None

    def as_dict(self, now: dt.datetime) -> dict[str, Any]:
        return {**vars(self), "started_at": _iso(self.started_at), "age_seconds": _age(self.started_at, now)}


@dataclass(frozen=True)
class Aside:
    """What lies in quarantine and could not be read yet."""

    open: int
    oldest_at: dt.datetime | None


def days_between(first: dt.date, last: dt.date) -> list[CalendarDay]:
    """Newest first."""
    span = (last - dt.timedelta(days=number) for number in range((last - first).days + 1))
    return [CalendarDay(day, fact_of(day)) for day in span]


def fact_of(day: dt.date) -> str:
    if calendar.is_announcement_day(day):
        return ""
    return "weekend" if day.weekday() >= 5 else "holiday"


def cells(days: Collection[dt.date], categories: Collection[str]) -> dict[tuple[dt.date, str], DayStatus]:
    """The status of each of these days in each of these categories, also where nothing is known."""
    known = {(each.day, each.category): each for each in status_of(days, categories)}
    places = [(day, category) for day in days for category in categories]
    return {place: known.get(place) or DayStatus(*place) for place in places}


@dataclass(frozen=True)
class KeptBack:
    """A day that arXiv kept beyond its morning in these categories, and until when: None while it still does."""

    day: dt.date
    reason: str
    until: dt.datetime | None
    categories: tuple[str, ...]


def days_kept_back(statuses: Collection[DayStatus]) -> list[KeptBack]:
    """Newest first; one a day and reason. Of several categories the last that came says until when."""
    places: dict[tuple[dt.date, str], list[DayStatus]] = {}
    for each in statuses:
        if each.kept_back:
            places.setdefault((each.day, each.kept_back), []).append(each)
    found = []
    for (day, reason), those in sorted(places.items(), reverse=True):
        came = [each.late_until for each in those if each.late_until]
        until = max(came) if len(came) == len(those) else None
        found.append(KeptBack(day, reason, until, tuple(sorted(each.category for each in those))))
    return found


def totals(statuses: Collection[DayStatus]) -> dict[str, Any]:
    """Sums over days and categories, and how many places are in which state."""
    sums: Counter[str] = Counter(dict.fromkeys(_SUMS, 0))
    for each in statuses:
        sums.update({name: getattr(each, name) for name in _SUMS if name not in {"stored", "missing"}})
        sums["stored"] += sum(each.stored.values())
        sums["missing"] += max(each.missing, len(each.missing_papers))
    sums["kept_back"] = sum(1 for each in statuses if each.kept_back)
    states = Counter(each.verdict for each in statuses)
    return {**sums, "states": dict(sorted(states.items()))}


def backfills(categories: Collection[str]) -> list[Backfill]:
    """Those that are due, on their way or failed; nothing of a category whose month is in. Three queries."""
    wanting = unfilled(categories)
    runs = {
        run.category: run
        for run in Harvest.objects.filter(source=BACKFILL, category__in=wanting).order_by("started_at")
    }
    newest = {
        category: dt.date.fromisoformat(run.cursor["newest"])
        for category, run in runs.items()
        if "newest" in run.cursor
    }
    first = min(newest.values(), default=calendar.FIRST_DAY) - MONTH
    rows = Announcement.objects.filter(category__in=list(newest), day__gte=first).order_by()
    seen: dict[str, set[dt.date]] = {}
    if newest:
        for category, day in rows.values_list("category", "day").distinct():
            seen.setdefault(category, set()).add(day)
    return [_backfill(each, runs.get(each), newest.get(each), seen.get(each, set())) for each in wanting]


def _backfill(category: str, run: Harvest | None, newest: dt.date | None, seen: set[dt.date]) -> Backfill:
    if run is None or newest is None:
        return Backfill(category, "waiting")
    days = calendar.announcement_days(newest - MONTH, newest)
    is_second = bool(run.cursor.get("arXivRaw", {}).get("is_done"))
    return Backfill(
        category,
        run.state,
        pages=run.requests,
        records=run.stored,
        days_done=len(seen.intersection(days)),
        days_in_all=len(days),
        pass_number=2 if is_second else 1,
        problem=run.problem,
        started_at=run.started_at,
    )


def aside() -> Aside:
    found = Quarantine.objects.open().aggregate(count=Count("pk"), oldest_at=Min("stored_at"))
    return Aside(found["count"], found["oldest_at"])


def next_due(now: dt.datetime) -> dt.datetime:
    """The next instant at which arXiv is asked of its own accord."""
    return min(slot.next(now) for slot in settings.HARVESTS)


def as_dict(statuses: Sequence[DayStatus], categories: Collection[str], now: dt.datetime) -> dict[str, Any]:
    """All of it for machines; the shape is described in docs/en/operator.md and only grows."""
    lying, due = aside(), next_due(now)
    return {
        "as_of": now.isoformat(),
        "next_due": {"at": due.isoformat(), "in_seconds": int((due - now).total_seconds())},
        "totals": totals(statuses),
        "days": [each.as_dict(now) for each in statuses],
        "alarms": [_alarm(each) for each in alarms(categories, now)],
        "owed": [
            {"day": day.isoformat(), "category": category} for day, category in days_owed(categories, now)
        ],
        "backfills": [each.as_dict(now) for each in backfills(categories)],
        "quarantine": {"open": lying.open, "oldest_age_seconds": _age(lying.oldest_at, now)},
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {"code": alarm.code, "key": alarm.key, "params": alarm.params}


def _iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


def _age(at: dt.datetime | None, now: dt.datetime) -> int | None:
    return int((now - at).total_seconds()) if at else None
