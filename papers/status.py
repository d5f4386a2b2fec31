"""What is stored of each day and category, beside what arXiv itself counted, and what is still missing by name."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery

from papers import outages
from papers.models import Announcement, ArxivCount, Correction, Gap, Harvest, Quarantine, Surge

_NEWEST_DAYS = 5


@dataclass(frozen=True)
class MissingPaper:
    """A paper that arXiv named and of which something never came. `reason` and `answer` are those of `Gap`."""

    arxiv_id: str
    reason: str
    since: dt.datetime
    asked: int
    asked_at: dt.datetime | None
    answer: str

    def as_dict(self, now: dt.datetime) -> dict[str, Any]:
        asked_at = self.asked_at.isoformat() if self.asked_at else None
        age = {"since": self.since.isoformat(), "age_seconds": int((now - self.since).total_seconds())}
        return {**vars(self), **age, "asked_at": asked_at}


@dataclass(frozen=True)
class Shortfall:
    """Of one kind arXiv counts more than is stored, by its feed (rss) or list page (listing): a gap without a name.

    A list page may count more papers than it shows, and then no id can be asked for.
    """

    kind: str
    source: str
    counted: int
    stored: int


@dataclass
class DayStatus:
    """One category's list of one day.

    `counts` are arXiv's by source (rss, listing, oai) and kind; `counted` is the stronger of feed and list page, None
    where neither was seen, and a lower bound where the feed `is_cut`. `late` came after the first harvest that
    was whole, `corrected` are derived rows that arXiv's own list took back, `quarantined` records that still cannot
    be read. `usual` is that of a surge; `surge` its state, "" where there is none. `kept_back` says why arXiv kept the
    day beyond its morning though it was asked (unreachable or stale; "" where it did not), `late_until` until when:
    None while it still does.
    """

    day: dt.date
    category: str
    stored: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] | None = None
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    is_cut: bool = False
    derived: int = 0
    late: int = 0
    withdrawn: int = 0
    parked: int = 0
    corrected: int = 0
    quarantined: int = 0
    surge: str = ""
    usual: int | None = None
    missing_papers: list[MissingPaper] = field(default_factory=list)
    kept_back: str = ""
    late_until: dt.datetime | None = None
    last_state: str = ""
    last_problem: str = ""
    last_at: dt.datetime | None = None

    @property
    def missing(self) -> int:
        """Papers that arXiv counted and that are not stored."""
        counted = self.counted or {}
        return sum(max(0, count - self.stored.get(kind, 0)) for kind, count in counted.items())

    @property
    def shortfalls(self) -> list[Shortfall]:
        """The kinds of which arXiv counts more than is stored."""
        found = []
        for kind, count in (self.counted or {}).items():
            source = "listing" if kind in self.counts.get("listing", {}) else "rss"
            if count > self.stored.get(kind, 0):
                found.append(Shortfall(kind, source, count, self.stored.get(kind, 0)))
        return found

    @property
    def verdict(self) -> str:
        """A word for machines: complete, missing, parked, cut, derived, stale, running, failed, uncounted or unasked."""
        if self.last_state == Harvest.State.FAILED and self.last_problem == "stale_feed":
            return "stale"
        if self.last_state in {Harvest.State.RUNNING, Harvest.State.FAILED}:
            return str(self.last_state)
        if self.surge == Surge.State.PARKED:
            return "parked"
        if self.missing or self.missing_papers:
            return "missing"
        if not (self.stored or self.counts or self.last_state):
            return "unasked"
        if self.counted is None:
            return "derived" if self.derived else "uncounted"
        return "cut" if self.is_cut else "complete"

    def as_dict(self, now: dt.datetime) -> dict[str, Any]:
        return {
            "day": self.day.isoformat(),
            "category": self.category,
            "stored": self.stored,
            "counted": self.counted,
            "counts": self.counts,
            "is_cut": self.is_cut,
            "missing": self.missing,
            "shortfalls": [vars(each) for each in self.shortfalls],
            "missing_papers": [paper.as_dict(now) for paper in self.missing_papers],
            "derived": self.derived,
            "late": self.late,
            "withdrawn": self.withdrawn,
            "parked": self.parked,
            "corrected": self.corrected,
            "quarantined": self.quarantined,
            "surge": self.surge,
            "usual": self.usual,
            "kept_back": self.kept_back,
            "late_until": self.late_until.isoformat() if self.late_until else None,
            "state": self.verdict,
            "problem": self.last_problem,
            "harvested_at": self.last_at.isoformat() if self.last_at else None,
            "age_seconds": int((now - self.last_at).total_seconds()) if self.last_at else None,
        }


type _Row = Callable[[dt.date, str], DayStatus]


def day_status(day: dt.date | None = None, categories: Collection[str] = ()) -> list[DayStatus]:
    """The newest days, or one; all categories, or these. Newest first, then by category."""
    return status_of([day] if day else _newest_days(), categories)


def status_of(days: Collection[dt.date], categories: Collection[str] = ()) -> list[DayStatus]:
    """These days, in all categories or these, where anything is known. Newest first, then by category. Seven queries."""
    days = list(days)
    rows: dict[tuple[dt.date, str], DayStatus] = {}

    def row(of: dt.date, category: str) -> DayStatus:
        return rows.setdefault((of, category), DayStatus(of, category))

    for fill in _FILLERS:
        fill(days, row)
    chosen = [each for each in rows.values() if not categories or each.category in categories]
    return sorted(chosen, key=lambda each: (-each.day.toordinal(), each.category))


def _fill_stored(days: list[dt.date], row: _Row) -> None:
    whole = Harvest.objects.filter(
        day=OuterRef("day"), category=OuterRef("category"), state=Harvest.State.DONE
    ).order_by("finished_at")
    counts = Announcement.objects.filter(day__in=days).values("day", "category", "kind", "source").order_by()
    each = counts.annotate(
        count=Count("pk"),
        late=Count("pk", filter=Q(stored_at__gt=Subquery(whole.values("finished_at")[:1]))),
        withdrawn=Count("pk", filter=Q(paper__is_withdrawn=True)),
        parked=Count("pk", filter=Q(is_parked=True)),
    )
    for found in each:
        here = row(found["day"], found["category"])
        here.stored[found["kind"]] = here.stored.get(found["kind"], 0) + found["count"]
        here.derived += found["count"] if found["source"] == Announcement.Source.DERIVED else 0
        here.late += found["late"]
        here.withdrawn += found["withdrawn"]
        here.parked += found["parked"]


def _fill_counts(days: list[dt.date], row: _Row) -> None:
    for seen in ArxivCount.objects.filter(day__in=days):
        here = row(seen.day, seen.category)
        here.counts.setdefault(seen.source, {})[seen.kind] = seen.count
        here.is_cut = here.is_cut or seen.is_cut
        # Where both counted, the list page has the word: it is looked at last, and never cut.
        here.counted = {**here.counts.get("rss", {}), **here.counts.get("listing", {})} or None


def _fill_gaps(days: list[dt.date], row: _Row) -> None:
    for gap in Gap.objects.open().filter(day__in=days).order_by("arxiv_id"):
        missing = MissingPaper(gap.arxiv_id, gap.reason, gap.since, gap.asked, gap.asked_at, gap.answer)
        row(gap.day, gap.category).missing_papers.append(missing)


def _fill_surges(days: list[dt.date], row: _Row) -> None:
    for surge in Surge.objects.filter(day__in=days, about=Surge.About.PAPERS):
        here = row(surge.day, surge.category)
        here.surge, here.usual = surge.state, surge.usual


def _fill_runs(days: list[dt.date], row: _Row) -> None:
    runs: dict[tuple[dt.date, str], list[Harvest]] = {}
    for run in Harvest.objects.filter(day__in=days).exclude(category="").order_by("started_at"):
        runs.setdefault((run.day or days[0], run.category), []).append(run)
    for (day, category), tried in runs.items():
        here, last = row(day, category), tried[-1]
        here.last_state, here.last_problem = last.state, last.problem
        here.last_at = last.finished_at or last.started_at
        if found := outages.kept_back(day, tried):
            here.kept_back, here.late_until = found.reason, found.until


def _fill_corrections(days: list[dt.date], row: _Row) -> None:
    corrected = Correction.objects.filter(day__in=days).order_by().values("day", "category")
    for found in corrected.annotate(count=Count("pk")):
        row(found["day"], found["category"]).corrected = found["count"]


def _fill_quarantine(days: list[dt.date], row: _Row) -> None:
    aside = Quarantine.objects.open().filter(harvest__day__in=days).exclude(harvest__category="").order_by()
    named = aside.values_list("harvest__day", "harvest__category").annotate(count=Count("pk"))
    for day, category, count in named:
        row(day or days[0], category).quarantined = count


_FILLERS = (
    _fill_stored,
    _fill_counts,
    _fill_gaps,
    _fill_surges,
    _fill_corrections,
    _fill_quarantine,
    _fill_runs,
)


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
