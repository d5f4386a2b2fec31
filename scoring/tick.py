"""VERB. Whatever is due. Each step claims its rows first, so that any number of clocks may tick at once.

The instants of the day stand in `portal.schedule` and arrive as settings.
"""

import datetime as dt

import structlog
from django.conf import settings

from papers import calendar
from papers.arxiv.transport import Transport
from papers.harvest import HarvestReport, harvest_day, open_transport
from papers.models import Harvest
from profiles.models import Profile

from . import slots

log = structlog.get_logger(__name__)


def followed_categories() -> list[str]:
    """The categories that somebody reads, and that are therefore harvested."""
    lists = Profile.objects.active().values_list("categories", flat=True)
    return sorted({category for categories in lists for category in categories})


def harvests_due(now: dt.datetime) -> list[str]:
    """The categories to ask arXiv for now, each due time taken by this caller and nobody else.

    At the slots of the day all that are followed; at any other time those of which the newest day was never
    asked for: a new reader's category does not wait for the next slot.
    """
    categories = followed_categories()
    due = [slot for slot in settings.HARVESTS if now - slot.last(now) < settings.HARVEST_SLOT_LASTS]
    taken = [slots.take(slot.name, slot.last(now), now) for slot in due]
    if any(taken):
        return categories
    day = calendar.newest_day(now)
    asked = set(Harvest.objects.filter(day=day).values_list("category", flat=True))
    return [
        category
        for category in categories
        if category not in asked and slots.take(f"harvest {category}", calendar.mailed_at(day), now)
    ]


def harvest_due(now: dt.datetime, transport: Transport | None = None) -> HarvestReport:
    """Ask arXiv for what is due; nothing when OFFLINE is set. Slow: no transaction may be open here.

    Problems are in the report and logged; the next slot repeats what this one could not do.
    """
    report = HarvestReport()
    categories = [] if settings.OFFLINE and transport is None else harvests_due(now)
    if not categories:
        return report
    day = calendar.newest_day(now)
    with transport or open_transport() as opened:
        for category in categories:
            report.add(harvest_day(category, day, opened, now=now))
    for problem in report.problems:
        log.warning("harvest_problem", place=problem.place, code=problem.code, message=problem.message)
    return report
