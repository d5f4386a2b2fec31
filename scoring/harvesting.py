"""VERB. When arXiv is asked, for what, and when somebody is told that it does not answer.

The instants of the day stand in `portal.schedule` and arrive as settings. Each due time is a row that one caller
takes, so that any number of clocks may tick at once.
"""

import datetime as dt

import structlog
from django.conf import settings
from django.core.mail import mail_admins
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from papers import calendar, taxonomy
from papers.arxiv.transport import Transport
from papers.harvest import HarvestReport, backfill, harvest_day, open_transport
from papers.models import Harvest
from papers.owed import Alarm, alarms, days_owed, in_force, unfilled
from papers.reconciling import reconcile
from profiles import audit
from profiles.models import Profile, User

from . import doorbell, slots

log = structlog.get_logger(__name__)

# Of an alarm, which is told once, and of a wish, which waits once: they have no due time.
_ONCE = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_ASKED = "asked "
ALARMS = {
    "no_papers": (
        gettext_noop("two announcements without papers"),
        gettext_noop(
            "arXiv was to announce papers on %(days)s, and none of the followed categories has any. The last day with "
            "papers: %(last)s. See: manage.py harvest --status"
        ),
    ),
    "holidays_unknown": (
        gettext_noop("arXiv's holidays are not entered"),
        gettext_noop(
            "The evenings of %(year)s on which arXiv sends no mailing are unknown, so that a holiday will look like a "
            "failure. They are entered in papers/calendar.py; a newer version of Broadsheet has them."
        ),
    ),
    "surge": (
        gettext_noop("far more papers than usual"),
        gettext_noop(
            "arXiv announced %(found)s papers in %(category)s on %(day)s; usual are %(usual)s. %(parked)s of them are "
            "parked: they stand in the accounts, and nothing is spent on them. To let them be read: manage.py parked "
            "--release %(day)s %(category)s. To leave them: manage.py parked --keep %(day)s %(category)s"
        ),
    ),
    "records_surge": (
        gettext_noop("far more changed records than usual"),
        gettext_noop(
            "arXiv changed the records of up to %(found)s papers a category on %(day)s, in %(categories)s. They were "
            "stored. A changed record is no announcement: none of them was read, and nothing has to be done."
        ),
    ),
    "category_lost": (
        gettext_noop("a category that arXiv does not know"),
        gettext_noop(
            "Readers follow %(category)s, and arXiv answers that there is no such category. What is stored stays, and "
            "the other categories go on. It is probably %(successor)s now."
        ),
    ),
}


def followed_categories() -> list[str]:
    """The categories that somebody reads, as arXiv has them today; one that it closed is among them for the alarm."""
    lists = Profile.objects.active().values_list("categories", flat=True)
    named = {category for categories in lists for category in categories}
    return sorted({*in_force(sorted(named)), *named})


def asked_categories() -> list[str]:
    """Those of them that arXiv has: who asks for another is refused."""
    return [category for category in followed_categories() if taxonomy.is_category(category)]


def harvests_due(now: dt.datetime) -> list[tuple[dt.date, str]]:
    """The days and categories to ask arXiv for now, each due time taken by this caller and nobody else.

    At the slots of the day all categories that are followed: the days that are still owed, oldest first, so that
    two days without arXiv are made up for in order; and the list that was the newest when the slot was due: a slot of noon that is taken in the evening is not spent on a list that has no feed yet. At any other
    time the newest feed of those that were never asked for it: a new reader's category does not wait.
    """
    categories = asked_categories()
    recent = [slot for slot in settings.HARVESTS if now - slot.last(now) < settings.HARVEST_SLOT_LASTS]
    due = [slot.last(now) for slot in recent if slots.take(slot.name, slot.last(now), now)]
    if due:
        days = sorted({calendar.newest_day(instant) for instant in due})
        newest = [(day, category) for day in days for category in categories]
        return sorted({*days_owed(categories, now), *newest})
    day = calendar.newest_feed_day(now)
    asked = set(Harvest.objects.filter(day=day).values_list("category", flat=True))
    return [
        (day, category)
        for category in categories
        if category not in asked and slots.take(f"harvest {category}", calendar.mailed_at(day), now)
    ]


def harvest_due(now: dt.datetime, transport: Transport | None = None) -> HarvestReport:
    """Ask arXiv for what is due; nothing when OFFLINE is set. Slow: no transaction may be open here.

    Problems are in the report and logged; the next slot repeats what this one could not do.
    """
    report = HarvestReport()
    if settings.OFFLINE and transport is None:
        return report
    due = sorted({*harvests_due(now), *_wished()})
    if not due:
        return report
    with transport or open_transport() as opened:
        for day, category in due:
            report.add(harvest_day(category, day, opened, now=now))
        report.add(reconcile(due, opened, now=now))
    for problem in report.problems:
        log.warning("harvest_problem", place=problem.place, code=problem.code, message=problem.message)
    return report


# --- what an operator asks for ---------------------------------------------------------------------


def ask_again(day: dt.date, category: str, actor: User, now: dt.datetime) -> bool:
    """Have that day and category asked for by whoever works next; False where that is waiting already."""
    with transaction.atomic():
        is_new = slots.take(f"{_ASKED}{day} {category}", _ONCE, now)
        if is_new:
            audit.record(actor, "harvest.asked", after={"category": category, "day": day.isoformat()})
    if is_new:
        doorbell.ring("scoring.harvest")
    return is_new


def asked_for() -> list[tuple[dt.date, str]]:
    """What an operator asked for and nobody has taken up yet."""
    words = [name.removeprefix(_ASKED).split(" ", 1) for name in slots.taken(_ASKED)]
    return [(dt.date.fromisoformat(day), category) for day, category in words]


def _wished() -> list[tuple[dt.date, str]]:
    """Take up what an operator asked for; each by one caller only."""
    return [
        (day, category)
        for day, category in asked_for()
        if slots.give_back(f"{_ASKED}{day} {category}", _ONCE)
    ]


def backfill_due(now: dt.datetime, transport: Transport | None = None) -> HarvestReport:
    """Bring in the month before, of one category that is new here; nothing when OFFLINE is set or none is new.

    One a call, so that the day's own harvest never waits long. Tried again at the next slot where arXiv failed.
    Slow: no transaction may be open here.
    """
    if settings.OFFLINE and transport is None:
        return HarvestReport()
    slot = max(due.last(now) for due in settings.HARVESTS)
    for category in unfilled(asked_categories()):
        if slots.take(f"backfill {category}", slot, now):
            with transport or open_transport() as opened:
                return backfill(category, opened, now=now)
    return HarvestReport()


def alarm_due(now: dt.datetime) -> int:
    """Tell the operator, by mail and log, once for each trouble that only a person can mend; how many."""
    told = 0
    for alarm in alarms(followed_categories(), now):
        if slots.take(f"alarm {alarm.key}", _ONCE, now):
            log.error("harvest_alarm", code=alarm.code, **alarm.params)
            told += _tell_the_operator(alarm)
    return told


def _tell_the_operator(alarm: Alarm) -> bool:
    subject, text = words_of(alarm)
    page = settings.PORTAL_URL + reverse("operator_harvest")
    text = f"{text}\n\n{_('All days and categories: %(url)s') % {'url': page}}"
    try:
        mail_admins(_("Broadsheet: %(what)s") % {"what": subject}, text)
    except OSError as error:
        log.warning("operator_not_told", problem=type(error).__name__)
        return False
    return True


def words_of(alarm: Alarm) -> tuple[str, str]:
    """What happened, and what to do about it, in the reader's language."""
    subject, text = ALARMS[alarm.code]
    return _(subject), _(text) % _told(alarm)


def _told(alarm: Alarm) -> dict[str, object]:
    lists = {name: ", ".join(value) for name, value in alarm.params.items() if isinstance(value, list)}
    return {**alarm.params, **lists}


def ask_arxiv(now: dt.datetime) -> int:
    """The day's own harvest, then what a new category lacks; how many records were stored. Slow, as its parts."""
    return harvest_due(now).stored + backfill_due(now).stored
