"""What is stored of each day and category, beside what arXiv itself counted."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from papers.models import Announcement, ArxivCount, Harvest

_NEWEST_DAYS = 5


@dataclass
class DayStatus:
    """One category's list of one day. `counted` is None where arXiv's count was never seen."""

    day: dt.date
    category: str
    stored: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] | None = None
    derived: int = 0
    last_state: str = ""
    last_problem: str = ""
    last_at: dt.datetime | None = None

    @property
    def missing(self) -> int:
        """Papers that arXiv counted and that are not stored."""
        counted = self.counted or {}
        return sum(max(0, count - self.stored.get(kind, 0)) for kind, count in counted.items())

    @property
    def verdict(self) -> str:
        """A word for machines: complete, missing, derived, running, failed or uncounted."""
        if self.last_state in {Harvest.State.RUNNING, Harvest.State.FAILED}:
            return str(self.last_state)
        if self.counted is None:
            return "derived" if self.derived else "uncounted"
        return "missing" if self.missing else "complete"

    def as_dict(self) -> dict[str, Any]:
        return {
            "day": self.day.isoformat(),
            "category": self.category,
            "stored": self.stored,
            "counted": self.counted,
            "missing": self.missing,
            "derived": self.derived,
            "state": self.verdict,
            "problem": self.last_problem,
            "harvested_at": self.last_at.isoformat() if self.last_at else None,
        }


def day_status(day: dt.date | None = None, categories: Collection[str] = ()) -> list[DayStatus]:
    """The newest days, or one; all categories, or these. Newest first, then by category."""
    days = [day] if day else _newest_days()
    rows: dict[tuple[dt.date, str], DayStatus] = {}

    def row(of: dt.date, category: str) -> DayStatus:
        return rows.setdefault((of, category), DayStatus(of, category))

    counts = Announcement.objects.filter(day__in=days).values("day", "category", "kind", "source")
    for found in counts.annotate(count=Count("pk")).order_by():
        here = row(found["day"], found["category"])
        here.stored[found["kind"]] = here.stored.get(found["kind"], 0) + found["count"]
        here.derived += found["count"] if found["source"] == Announcement.Source.DERIVED else 0
    # The list page is looked at last, so where both counted it has the word.
    for seen in ArxivCount.objects.filter(day__in=days).order_by("-source"):
        here = row(seen.day, seen.category)
        here.counted = {**(here.counted or {}), seen.kind: seen.count}
    for run in Harvest.objects.filter(day__in=days).exclude(category="").order_by("started_at"):
        here = row(run.day or days[0], run.category)
        here.last_state, here.last_problem = run.state, run.problem
        here.last_at = run.finished_at or run.started_at
    chosen = [each for each in rows.values() if not categories or each.category in categories]
    return sorted(chosen, key=lambda each: (-each.day.toordinal(), each.category))


def _newest_days() -> list[dt.date]:
    announced = Announcement.objects.exclude(source=Announcement.Source.DERIVED).order_by("-day")
    harvested = Harvest.objects.exclude(category="").order_by("-day")
    days = {
        day
        for rows in (announced, harvested)
        for day in rows.values_list("day", flat=True).distinct()[:_NEWEST_DAYS]
        if day is not None
    }
    return sorted(days, reverse=True)[:_NEWEST_DAYS]
