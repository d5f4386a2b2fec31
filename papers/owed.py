"""What arXiv should have told us by now, and has not: days to be asked for again, and reasons to call somebody."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from papers import calendar, taxonomy
from papers.harvest import BACKFILL, FROM_ARXIV
from papers.models import Announcement, Harvest, Surge

# How far back a missed day is still asked for: OAI-PMH has it for ever, but nobody reads last month's paper.
LOOKS_BACK = dt.timedelta(days=21)
# A feed that turned at midnight is surely there in the morning; until then silence is no alarm.
SILENCE = dt.timedelta(hours=10)
EXPECTED_IN_SILENCE = 2
# arXiv's word that there is no such category. Twice running, so that one bad evening is none.
REFUSALS = ("badArgument", "noSetHierarchy")
REFUSED_AFTER = 2
# For so long a day of bulk changes is worth a word.
_RECENT = dt.timedelta(days=3)
# From here on next year's holidays should have been entered: arXiv publishes them in autumn.
HOLIDAYS_BY = (11, 15)


@dataclass(frozen=True)
class Alarm:
    """Something that only a person can mend. `key` is the same for as long as it is the same trouble."""

    code: str
    key: str
    params: dict[str, Any] = field(default_factory=dict)


def days_owed(categories: Collection[str], now: dt.datetime) -> list[tuple[dt.date, str]]:
    """The announcement days before the newest that were never brought in whole, oldest first, by category.

    From the category's first harvest on; a day whose feed was missed is put together from OAI-PMH, which is
    there for ever. Two queries.
    """
    newest = calendar.newest_feed_day(now)
    runs = Harvest.objects.filter(category__in=categories, source=FROM_ARXIV, day__isnull=False)
    first: dict[str, dt.date] = {}
    done: set[tuple[dt.date | None, str]] = set()
    for day, category, state in runs.order_by("day").values_list("day", "category", "state"):
        if day is not None:
            first.setdefault(category, day)
        if state == Harvest.State.DONE:
            done.add((day, category))
    days = calendar.announcement_days(newest - LOOKS_BACK, newest - dt.timedelta(days=1))
    return [
        (day, category)
        for day in days
        for category in sorted(first)
        if day >= first[category] and (day, category) not in done
    ]


def unfilled(categories: Collection[str]) -> list[str]:
    """The categories whose month before the first harvest was not brought in yet."""
    filled = Harvest.objects.filter(source=BACKFILL, state=Harvest.State.DONE).values_list(
        "category", flat=True
    )
    return sorted(set(categories) - set(filled))


def alarms(categories: Collection[str], now: dt.datetime) -> list[Alarm]:
    """What is to be told to the operator. Reads only."""
    return [
        *_silence(categories, now),
        *_unknown_holidays(now),
        *_surges(now),
        *_lost_categories(categories),
    ]


def in_force(categories: Collection[str]) -> list[str]:
    """These categories as arXiv has them today: a closed one as what took it over, each once, in their order.

    Of two codes for one subject the other one comes along where arXiv refuses the first.
    """
    codes = [
        taxonomy.successor(code) or code if not taxonomy.is_category(code) else code for code in categories
    ]
    doubled = [code for code in codes if code in taxonomy.ALIASES]
    gone = _refused(doubled) if doubled else {}
    return list(
        dict.fromkeys(
            one for code in codes for one in ([code, taxonomy.ALIASES[code]] if code in gone else [code])
        )
    )


def _surges(now: dt.datetime) -> list[Alarm]:
    """Papers that wait for a decision, a word each; changed records, a word a day."""
    found = [
        Alarm("surge", f"surge {surge.category} {surge.day}", _about(surge))
        for surge in Surge.objects.filter(state=Surge.State.PARKED).order_by("day", "category")
    ]
    days: dict[dt.date, list[Surge]] = {}
    told = Surge.objects.filter(about=Surge.About.RECORDS, day__gt=now.date() - _RECENT)
    for surge in told.order_by("day", "category"):
        days.setdefault(surge.day, []).append(surge)
    for day, surges in days.items():
        params = {
            "day": day.isoformat(),
            "categories": [surge.category for surge in surges],
            "found": max(surge.found for surge in surges),
        }
        found.append(Alarm("records_surge", f"records_surge {day}", params))
    return found


def _about(surge: Surge) -> dict[str, Any]:
    parked = Announcement.objects.on(surge.day).in_categories([surge.category]).filter(is_parked=True)
    return {
        "category": surge.category,
        "day": surge.day.isoformat(),
        "found": surge.found,
        "usual": surge.usual,
        "parked": parked.count(),
    }


def _lost_categories(categories: Collection[str]) -> list[Alarm]:
    """Categories that arXiv refuses, or that it has not had for long; each with what probably took it over."""
    unknown = {code: "" for code in categories if not taxonomy.is_category(code)}
    return [
        Alarm(
            "category_lost",
            f"category_lost {code} {last}".rstrip(),
            {"category": code, "successor": taxonomy.successor(code) or "?"},
        )
        for code, last in sorted({**unknown, **_refused(categories)}.items())
    ]


def _refused(categories: Collection[str]) -> dict[str, str]:
    """The categories that arXiv says it does not have, each with the last day that was brought in whole."""
    runs = Harvest.objects.filter(category__in=categories, source=FROM_ARXIV)
    suspects = set(runs.filter(problem__in=REFUSALS).values_list("category", flat=True).distinct())
    gone: dict[str, str] = {}
    for category in suspects:
        of_it = runs.filter(category=category)
        last = of_it.order_by("-pk").values_list("problem", flat=True)[:REFUSED_AFTER]
        if len(last) == REFUSED_AFTER and all(problem in REFUSALS for problem in last):
            whole = of_it.filter(state=Harvest.State.DONE).order_by("-day").first()
            gone[category] = whole.day.isoformat() if whole and whole.day else ""
    return gone


def _silence(categories: Collection[str], now: dt.datetime) -> list[Alarm]:
    """Two expected announcements in a row without a single paper, in all that is followed."""
    first = Harvest.objects.filter(category__in=categories, day__isnull=False).order_by("day").first()
    if first is None or first.day is None:
        return []
    expected = [calendar.newest_feed_day(now - SILENCE)]
    while len(expected) < EXPECTED_IN_SILENCE:
        expected.append(calendar.previous_announcement_day(expected[-1]))
    if first.day > expected[-1]:
        return []
    if Announcement.objects.in_categories(categories).filter(day__in=expected).exists():
        return []
    heard = Announcement.objects.in_categories(categories).order_by("-day").values_list("day", flat=True)
    last = heard.first()
    params = {"days": [day.isoformat() for day in reversed(expected)], "last": last and last.isoformat()}
    return [Alarm("no_papers", f"no_papers {last or 'ever'}", params)]


def _unknown_holidays(now: dt.datetime) -> list[Alarm]:
    today = now.astimezone(calendar.ARXIV_ZONE).date()
    is_late = (today.month, today.day) >= HOLIDAYS_BY
    years = [today.year, *([today.year + 1] if is_late else [])]
    return [
        Alarm("holidays_unknown", f"holidays_unknown {year}", {"year": year})
        for year in years
        if not calendar.knows_holidays_of(year)
    ]
