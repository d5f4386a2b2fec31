"""More than three times the usual: what is too much is parked, and nothing is spent on it until somebody decides.

A day is measured against the category's own last days. arXiv's days differ by less than twice, the day after
holidays included; a category with few days of history has no usual, and small days are never a surge.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from statistics import median

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from papers import calendar
from papers.models import Announcement, AnnouncementQuerySet, ArxivCount, Surge

TIMES = 3
# Below so many papers a day costs little, and a small category has five times the usual by chance.
SMALL_DAY = 100
SMALL_DAY_OF_RECORDS = 500
# The usual is the median of so many days with papers, and unknown with fewer than that.
USUAL_OF = 10
KNOWN_FROM = 5
LOOKS_BACK = dt.timedelta(days=31)
_BATCH = 500


class NoSurge(ValueError):
    """Nothing is parked in that category on that day."""


@dataclass(frozen=True)
class Usual:
    """What a day of a category has, and the most that is no surge."""

    count: int
    most: int


def park_surplus(category: str, days: Collection[dt.date]) -> int:
    """Park what is above three times the usual, in the transaction that stored it; how many were parked.

    First to go on is what arXiv's own list names, then new before cross-lists. What goes on stays so, however
    many follow. Safe to repeat; of a day that was released nothing is parked again.
    """
    free = _entering(category).filter(day__in=days, is_parked=False)
    counts = free.order_by().values_list("day").annotate(count=Count("pk"))
    return sum(_park(category, day) for day, count in sorted(counts) if count > SMALL_DAY)


def _park(category: str, day: dt.date) -> int:
    usual = usual_papers(category, day)
    named = list(
        _entering(category).on(day).values_list("is_parked", "source", "kind", "paper__arxiv_id", "pk")
    )
    if usual is None or len(named) <= usual.most:
        return 0
    surge, is_new = Surge.objects.get_or_create(
        category=category,
        day=day,
        about=Surge.About.PAPERS,
        defaults={"state": Surge.State.PARKED, "usual": usual.count, "found": len(named)},
    )
    if not is_new and surge.found != len(named):
        surge.found = len(named)
        surge.save(update_fields=["found"])
    if surge.state == Surge.State.RELEASED:
        return 0
    free = sorted(
        (source == Announcement.Source.DERIVED, kind != Announcement.Kind.NEW, arxiv_id, pk)
        for is_parked, source, kind, arxiv_id, pk in named
        if not is_parked
    )
    surplus = [row[-1] for row in free[usual.most :]]
    for start in range(0, len(surplus), _BATCH):
        Announcement.objects.filter(pk__in=surplus[start : start + _BATCH]).update(is_parked=True)
    return len(surplus)


def usual_papers(category: str, day: dt.date) -> Usual | None:
    """The category's usual number of new papers and cross-lists before that day; None where too little is known."""
    before = _entering(category).filter(day__lt=day, day__gte=day - LOOKS_BACK).order_by()
    return _usual(dict(before.values_list("day").annotate(count=Count("pk"))), day, SMALL_DAY)


def _usual(counts: dict[dt.date, int], day: dt.date, small_day: int) -> Usual | None:
    """Days that arXiv left out come with the next: each lets one more day's worth go on."""
    recent = sorted(counts)[-USUAL_OF:]
    if len(recent) < KNOWN_FROM:
        return None
    count = round(median(counts[each] for each in recent))
    one = dt.timedelta(days=1)
    left_out = len(calendar.announcement_days(recent[-1] + one, day - one))
    return Usual(count, max(small_day, TIMES * count * (1 + left_out)))


def _entering(category: str) -> AnnouncementQuerySet:
    return Announcement.objects.entering([category], cross_lists=True)


# --- changed records -------------------------------------------------------------------------------


def count_records(category: str, day: dt.date, count: int) -> None:
    """Keep how many records OAI-PMH has of the day; far more than usual are changed in bulk, which is told.

    Their papers are not announced, so nothing is parked and nothing read. Of two counts the greater holds: a
    record that changes again leaves its date.
    """
    place = {"category": category, "day": day}
    with transaction.atomic():
        row, is_new = ArxivCount.objects.get_or_create(
            **place, kind=ArxivCount.Kind.RECORD, source=ArxivCount.Source.OAI, defaults={"count": count}
        )
        if not is_new and count > row.count:
            row.count, row.counted_at = count, timezone.now()
            row.save(update_fields=["count", "counted_at"])
        usual = _usual_records(category, day)
        if usual is not None and row.count > usual.most:
            Surge.objects.update_or_create(
                **place,
                about=Surge.About.RECORDS,
                defaults={"found": row.count, "usual": usual.count},
                create_defaults={"found": row.count, "usual": usual.count, "state": Surge.State.TOLD},
            )


def _usual_records(category: str, day: dt.date) -> Usual | None:
    rows = ArxivCount.objects.filter(category=category, source=ArxivCount.Source.OAI)
    before = rows.filter(day__lt=day, day__gte=day - LOOKS_BACK)
    return _usual(dict(before.values_list("day", "count")), day, SMALL_DAY_OF_RECORDS)


# --- what an operator decides ----------------------------------------------------------------------


def release(category: str, day: dt.date) -> int:
    """Let the surplus of that day go on; how many papers. Editions take them in as a late batch.

    Raises NoSurge where nothing was parked. Safe to repeat: then 0.
    """
    with transaction.atomic():
        _decide(category, day, Surge.State.RELEASED)
        parked = Announcement.objects.in_categories([category]).on(day).filter(is_parked=True)
        return parked.update(is_parked=False)


def leave_parked(category: str, day: dt.date) -> int:
    """Say that the surplus of that day is not wanted; how many papers. It stays listed, as parked.

    Raises NoSurge where nothing was parked.
    """
    with transaction.atomic():
        _decide(category, day, Surge.State.KEPT)
        return Announcement.objects.in_categories([category]).on(day).filter(is_parked=True).count()


def undecided_marks() -> list[tuple[dt.date, str, int]]:
    """Days and categories where papers are parked and nobody can decide: no surge is known, or it was released.

    With the number of papers; an empty list is as it should be. Reads only.
    """
    parked = Announcement.objects.filter(is_parked=True).order_by().values_list("day", "category")
    surges = Surge.objects.filter(about=Surge.About.PAPERS).exclude(state=Surge.State.RELEASED)
    known = set(surges.values_list("day", "category"))
    counts = parked.annotate(count=Count("pk"))
    return sorted((day, category, count) for day, category, count in counts if (day, category) not in known)


def _decide(category: str, day: dt.date, state: Surge.State) -> None:
    undecided = Surge.objects.filter(category=category, day=day, about=Surge.About.PAPERS)
    if not undecided.exclude(state=Surge.State.RELEASED).update(state=state, decided_at=timezone.now()):
        if state == Surge.State.RELEASED and undecided.exists():
            return
        raise NoSurge(f"{category} {day}")
