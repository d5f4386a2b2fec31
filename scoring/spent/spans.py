"""The days that a page looks at, from its address: `?days=30`, `?days=90`, or `?month=2026-01`."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from scoring.budget.forecast import day_of
from scoring.budget.windows import midnight

USUAL, CHOICES = 30, (30, 90)
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Span:
    """Days [first, last] in a zone; `month` is its address where it is a month."""

    first: dt.date
    last: dt.date
    zone: dt.tzinfo
    month: str = ""

    @property
    def days(self) -> list[dt.date]:
        return [self.first + dt.timedelta(days=n) for n in range(self.length)]

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def query(self) -> str:
        return f"month={self.month}" if self.month else f"days={self.length}"

    @property
    def starts_at(self) -> dt.datetime:
        """From where windows count: those that lie for the most part on the first day or later."""
        return midnight(self.first, self.zone) - dt.timedelta(hours=11)

    @property
    def ends_at(self) -> dt.datetime:
        return midnight(self.last + dt.timedelta(days=1), self.zone) - dt.timedelta(hours=11)

    @property
    def before(self) -> "Span":
        """As many days just before; of a month, the same days of the month before it."""
        if not self.month:
            last = self.first - dt.timedelta(days=1)
            return Span(last - dt.timedelta(days=self.length - 1), last, self.zone)
        end = self.first - dt.timedelta(days=1)
        first = end.replace(day=1)
        return Span(first, min(end, first + dt.timedelta(days=self.length - 1)), self.zone, f"{first:%Y-%m}")

    def day_of(self, starts_at: dt.datetime) -> dt.date:
        return day_of(starts_at, self.zone)


def span_of(query: Mapping[str, str], now: dt.datetime, zone: dt.tzinfo) -> Span:
    """What the address asks for; the usual thirty days where it asks for nothing that is known."""
    today = now.astimezone(zone).date()
    match = _MONTH.fullmatch(query.get("month", ""))
    if match is not None:
        first = dt.date(int(match[1]), int(match[2]), 1)
        last = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
        if first <= today:
            return Span(first, min(last, today), zone, f"{first:%Y-%m}")
    asked = query.get("days", "")
    length = int(asked) if asked in {str(choice) for choice in CHOICES} else USUAL
    return Span(today - dt.timedelta(days=length - 1), today, zone)


def months(now: dt.datetime, zone: dt.tzinfo, count: int = 12) -> list[str]:
    """This month and those before it, newest first, as an address names them."""
    first = now.astimezone(zone).date().replace(day=1)
    found = []
    for _ in range(count):
        found.append(f"{first:%Y-%m}")
        first = (first - dt.timedelta(days=1)).replace(day=1)
    return found
