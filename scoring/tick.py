"""VERB. Whatever is due. Each step claims its rows first, so that any number of clocks may tick at once."""

import contextlib
import datetime as dt

from django.db.models import Exists, F, Max, OuterRef
from django.db.models.fields.json import KT

from papers import calendar, filling, quarantine
from papers.models import Announcement, ArxivCount, Correction, Harvest, Surge
from papers.owed import in_force
from profiles import letters
from profiles.models import Profile

from . import alerts, budget, digest, editions, edits, failing, harvesting, judging, learning, slots, watch
from .models import Candidate, Edition, Slot

# How far back a profile that has editions is brought up to date, and how long a harvest may be taken in late.
BACKFILL = dt.timedelta(days=14)
LATE_LASTS = dt.timedelta(hours=12)
# For how long a day whose first category came may wait for the others.
HARVEST_LASTS = dt.timedelta(minutes=15)
# How many earlier days one tick ranks again after a change of weights.
WEIGHED_A_TICK = 100
_LATE = "late "


def open_due(now: dt.datetime) -> int:
    """Open and screen every day that an active profile has not seen yet; how many were opened.

    A profile without a recent edition gets the newest day only; any other each day since its last, once its
    categories are in: a cut is drawn over the whole day, not over the category that came first.
    """
    newest = calendar.newest_day(now)
    last_days = dict(Profile.objects.active().values_list("pk").annotate(last_day=Max("editions__day")))
    last_days = {pk: day for pk, day in last_days.items() if day is not None and day >= newest - BACKFILL}
    announced = Announcement.objects.filter(day__gt=min(last_days.values(), default=newest), day__lte=newest)
    days = set(announced.values_list("category", "day").distinct())
    opened = 0
    for profile in Profile.objects.active():
        # A profile may be deleted with its reader while others are opened.
        with contextlib.suppress(Profile.DoesNotExist):
            if last := last_days.get(profile.pk):
                categories = in_force(profile.categories)
                due = {day for category, day in days if category in categories and day > last}
                whole = [day for day in sorted(due) if not _is_still_coming(profile, day, now)]
                opened += len([editions.open_edition(profile, day) for day in whole])
            else:
                opened += _open_newest(profile, now)
    return opened


def _is_still_coming(profile: Profile, day: dt.date, now: dt.datetime) -> bool:
    """Whether somebody is just asking arXiv for that day: the profile's other categories follow within minutes."""
    categories = in_force(profile.categories)
    runs = Harvest.objects.filter(day=day, category__in=categories, started_at__gt=now - HARVEST_LASTS)
    states = dict(runs.order_by("started_at").values_list("category", "state"))
    return bool(states) and (Harvest.State.RUNNING in states.values() or not states.keys() >= set(categories))


def _open_newest(profile: Profile, now: dt.datetime) -> bool:
    before = set(profile.editions.values_list("pk", flat=True))
    edition = editions.open_newest(profile, now)
    return edition is not None and edition.pk not in before


def screen_due(now: dt.datetime) -> int:
    """Screen what was opened; how many editions."""
    return sum(
        editions.screen(edition, now) for edition in Edition.objects.unscreened().select_related("profile")
    )


def take_late_in(now: dt.datetime) -> int:
    """Give each edition what a harvest brought after it was opened, once a harvest; how many papers were late."""
    late = 0
    recent = Harvest.objects.filter(finished_at__gt=now - LATE_LASTS, finished_at__lte=now, stored__gt=0)
    known = set(
        Slot.objects.filter(name__startswith=_LATE, due_at__gt=now - LATE_LASTS).values_list(
            "name", flat=True
        )
    )
    for harvest in recent:
        name = f"{_LATE}{harvest.pk}"
        if harvest.finished_at and name not in known and slots.take(name, harvest.finished_at, now):
            late += sum(editions.reopen(edition, now) for edition in _touched_by(harvest))
    return late


def recount_due(now: dt.datetime) -> int:
    """Keep in each account what arXiv counted anew of its day, once a count; how many accounts say something else."""
    recent = ArxivCount.objects.filter(counted_at__gt=now - LATE_LASTS).exclude(source=ArxivCount.Source.OAI)
    told = 0
    for day, counted_at in recent.order_by().values_list("day").annotate(newest=Max("counted_at")):
        if slots.take(f"counted {day}", counted_at, now):
            told += sum(editions.recount(edition) for edition in Edition.objects.on(day))
    return told


def take_released_in(now: dt.datetime) -> int:
    """Give each edition what an operator released after a surge, once a decision; how many papers."""
    taken = 0
    decided = Surge.objects.filter(state=Surge.State.RELEASED, decided_at__gt=now - LATE_LASTS)
    for surge in decided:
        if surge.decided_at and slots.take(f"released {surge.pk}", surge.decided_at, now):
            of_day = Edition.objects.on(surge.day)
            here = [edition for edition in of_day if surge.category in edition.categories]
            taken += sum(editions.reopen(edition, now) for edition in here)
    return taken


def _touched_by(harvest: Harvest) -> list[Edition]:
    """The editions, opened before that harvest ended, to whose day and categories it brought or corrected papers.

    Mostly its own day; but a feed that was late is of another, and corrects what was derived for a third.
    """
    assert harvest.finished_at is not None
    opened = Edition.objects.filter(opened_at__lt=harvest.finished_at)
    brought = Announcement.objects.filter(stored_at__gte=harvest.started_at)
    if harvest.day is not None:
        brought = brought.filter(day__gte=harvest.day - BACKFILL)
    days = set(brought.values_list("day", flat=True).distinct())
    if harvest.day is not None:
        days.add(harvest.day)
    corrections = Correction.objects.filter(corrected_at__gte=harvest.started_at)
    corrected = set(corrections.values_list("day", "category").distinct())
    return [
        edition
        for edition in opened.filter(day__in=days | {day for day, _category in corrected})
        if (edition.day in days and harvest.category in ("", *edition.categories))
        or any((edition.day, category) in corrected for category in edition.categories)
    ]


def close_due(now: dt.datetime) -> int:
    """Close every edition of which nothing waits or is in work; how many. One whose cut moves down is read on first."""
    unfinished = Candidate.objects.filter(
        edition=OuterRef("pk"), state__in=[Candidate.State.WAITING, Candidate.State.CLAIMED]
    )
    ready = Edition.objects.filter(~Exists(unfinished), state=Edition.State.SCREENED)
    return sum(editions.close(edition, now) for edition in ready if not editions.deepen(edition))


def rescreen_due(now: dt.datetime) -> int:
    """Estimate anew where an edit brought other words; how many editions."""
    words = KT("screening__revision")
    edited = (
        Edition.objects.exclude(state=Edition.State.OPEN).filter(revision__isnull=False).annotate(words=words)
    )
    return sum(
        editions.rescreen(edition, now) for edition in edited.exclude(words=F("revision__content_hash"))
    )


def weigh_due(now: dt.datetime) -> int:
    """Write anew the values of days that an edit of the weights left for later; how many days."""
    marked = Edition.objects.unweighed().select_related("profile").defer("packed").order_by("-day")
    return len([edits.weigh(edition) for edition in marked[:WEIGHED_A_TICK]])


def expire_due(now: dt.datetime) -> int:
    """Once a day give up what waited too long, and forget what is kept for a week or 90 days only."""
    if not slots.take("expire", now.replace(hour=0, minute=0, second=0, microsecond=0), now):
        return 0
    judging.forget_failed_answers(now)
    quarantine.forget_old(now)
    return editions.expire_waiting(now)


def housekeep(now: dt.datetime) -> None:
    """All that is due but asking arXiv, asking models and sending mail: quick, and no network."""
    slots.beat(now)
    judging.reap(now)
    budget.revise_due(now)
    filling.fill_due()
    learning.fit_due(now)
    learning.judges_due(now)
    learning.teach_due()
    open_due(now)
    screen_due(now)
    take_late_in(now)
    take_released_in(now)
    recount_due(now)
    rescreen_due(now)
    weigh_due(now)
    close_due(now)
    watch.watch_due(now)
    expire_due(now)
    harvesting.alarm_due(now)
    alerts.alert_due(now)
    failing.tell_due(now)


def mail_due(now: dt.datetime) -> int:
    """Send the letters that are due, then the digests; how many were certainly sent. Slow: the mail server."""
    return letters.send_due(now) + digest.send_due(now)


def tick(now: dt.datetime) -> None:
    """Whatever is due, to its end: ask arXiv, keep house, read what can be read, close, mail. Safe to repeat."""
    harvesting.ask_arxiv(now)
    housekeep(now)
    judging.drain()
    close_due(now)
    mail_due(now)
