"""VERB. The archive as an operator sees it: a grid of days and categories, and what in it needs a look. Reads only."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from papers import calendar, harvest_words, overview
from papers.owed import alarms, days_owed
from papers.status import DayStatus

from . import harvesting, slots

# How loud a state is. Colour comes after the word.
TONES = {"missing": "bad", "failed": "bad", "stale": "warn", "parked": "warn", "cut": "warn"}
NAMED_TROUBLES = 12


@dataclass(frozen=True)
class Column:
    """A day with a list, or the days between two of them, which have none and say why."""

    first: dt.date
    last: dt.date
    fact: str = ""

    @property
    def day(self) -> dt.date:
        return self.last


@dataclass(frozen=True)
class Cell:
    """One day of one category, in words."""

    status: DayStatus
    now: dt.datetime
    is_owed: bool = False
    is_asked: bool = False

    @property
    def is_stuck(self) -> bool:
        """Whether its run has been running for so long that it must have been killed."""
        at = self.status.last_at
        is_running = self.status.verdict == "running"
        return is_running and at is not None and self.now - at > overview.STANDS_STILL

    @property
    def tone(self) -> str:
        return "warn" if self.is_stuck else TONES.get(self.status.verdict, "")

    @property
    def missing(self) -> int:
        return max(self.status.missing, len(self.status.missing_papers))

    @property
    def word(self) -> str:
        if self.is_stuck:
            return _("interrupted")
        if self.status.verdict == "missing":
            return ngettext("%(count)d missing", "%(count)d missing", self.missing) % {"count": self.missing}
        return harvest_words.state(self.status.verdict)

    @property
    def meaning(self) -> str:
        return str(harvest_words.MEANINGS.get(self.status.verdict, ""))

    @property
    def stored(self) -> int:
        return sum(self.status.stored.values())

    @property
    def counted(self) -> int | None:
        return None if self.status.counted is None else sum(self.status.counted.values())

    @property
    def age(self) -> str:
        at = self.status.last_at
        return _("%(time)s ago") % {"time": timesince(at, self.now, depth=1)} if at else ""

    @property
    def problem(self) -> str:
        return harvest_words.problem(self.status.last_problem) if self.status.last_problem else ""

    @property
    def notes(self) -> list[str]:
        """What else is to be said of the day, each with its number; nothing that is zero."""
        status = self.status
        named = [
            (_("%(count)d missing"), self.missing if status.verdict != "missing" else 0),
            (_("%(count)d unreadable"), status.quarantined),
            (_("%(count)d parked"), status.parked),
            (_("%(count)d late"), status.late),
            (_("%(count)d by dates"), status.derived if status.verdict != "derived" else 0),
            (_("%(count)d corrected"), status.corrected),
            (_("%(count)d withdrawn"), status.withdrawn),
        ]
        said = [text % {"count": count} for text, count in named if count]
        said[:0] = [harvest_words.shortfall(**vars(each)) for each in status.shortfalls]
        if status.kept_back:
            said.insert(0, harvest_words.kept_back(status.kept_back, status.late_until))
        if self.is_asked:
            said.insert(0, _("asked again, waits for a worker"))
        elif self.is_owed:
            said.insert(0, _("asked again at the next due time"))
        return said

    @property
    def can_be_asked(self) -> bool:
        """Whether asking arXiv again may bring anything: not while it runs."""
        return not self.is_asked and (self.status.verdict != "running" or self.is_stuck)


@dataclass(frozen=True)
class Grid:
    """Rows are categories, columns days, newest first; a column of days without a list has no cells."""

    columns: list[Column]
    rows: list[tuple[str, list[Cell | None]]]

    @property
    def cells(self) -> list[Cell]:
        return [cell for _category, cells in self.rows for cell in cells if cell is not None]

    @property
    def troubles(self) -> list[Cell]:
        """What needs a look, the loudest first, then the newest."""
        loud = [cell for cell in self.cells if cell.tone]
        return sorted(loud, key=lambda cell: (cell.tone != "bad", -cell.status.day.toordinal()))

    @property
    def kept_back(self) -> list[tuple[overview.KeptBack, str]]:
        """The days that arXiv kept beyond their morning, newest first, each in words."""
        days = overview.days_kept_back([cell.status for cell in self.cells])
        return [(each, harvest_words.kept_back(each.reason, each.until)) for each in days]

    @property
    def totals(self) -> dict[str, Any]:
        return overview.totals([cell.status for cell in self.cells])

    @property
    def counted(self) -> int:
        return sum(cell.counted or 0 for cell in self.cells)


@dataclass(frozen=True)
class Told:
    """An alarm in words; of a surge, its place, for the buttons."""

    code: str
    heading: str
    text: str
    day: dt.date | None = None
    category: str = ""

    @property
    def is_quiet(self) -> bool:
        """Nothing has to be done today."""
        return self.code in {"records_surge", "holidays_unknown"}


def grid(first: dt.date, last: dt.date, categories: Sequence[str], now: dt.datetime) -> Grid:
    """The number of queries does not grow with days or categories."""
    columns = _columns(overview.days_between(first, last))
    days = [column.day for column in columns if not column.fact]
    known = overview.cells(days, categories)
    owed, asked = set(days_owed(categories, now)), set(harvesting.asked_for())

    def cell(column: Column, category: str) -> Cell | None:
        place = (column.day, category)
        return None if column.fact else Cell(known[place], now, place in owed, place in asked)

    return Grid(columns, [(each, [cell(column, each) for column in columns]) for each in categories])


def cell_of(day: dt.date, category: str, now: dt.datetime) -> Cell:
    place = (day, category)
    status = overview.cells([day], [category])[place]
    return Cell(status, now, place in days_owed([category], now), place in harvesting.asked_for())


def told_alarms(now: dt.datetime) -> list[Told]:
    """The loud ones first."""
    found = []
    for alarm in alarms(harvesting.followed_categories(), now):
        heading, text = harvesting.words_of(alarm)
        told = Told(alarm.code, heading, text)
        if alarm.code == "surge":
            day = dt.date.fromisoformat(alarm.params["day"])
            told = replace(told, day=day, category=alarm.params["category"])
        found.append(told)
    return sorted(found, key=lambda told: told.is_quiet)


def clock_age(now: dt.datetime) -> int | None:
    """Seconds since a worker or clock last looked for what is due; None if none ever did."""
    beat = slots.last_beat()
    return None if beat is None else max(0, int((now - beat).total_seconds()))


def newest_shown(now: dt.datetime) -> dt.date:
    """The newest day of the grid: the one whose feed is out, or today, where that has no list and says so."""
    return max(calendar.newest_feed_day(now), now.astimezone(calendar.ARXIV_ZONE).date())


def _columns(days: Iterable[overview.CalendarDay]) -> list[Column]:
    columns: list[Column] = []
    for each in days:
        fact = str(harvest_words.FACTS[each.fact]) if each.fact else ""
        if fact and columns and columns[-1].fact == fact:
            columns[-1] = Column(each.day, columns[-1].last, fact)
        else:
            columns.append(Column(each.day, each.day, fact))
    return columns
