"""When arXiv could not be asked for a day in time, and since when it could. Read from the runs that were tried."""

import datetime as dt
from collections.abc import Collection

from django.db.models import Q

from papers import calendar
from papers.harvest import FROM_ARXIV
from papers.models import Harvest

# Later than this after the feed's turn a day is late: its night and its morning were missed.
IN_TIME = dt.timedelta(hours=10)
# How a run ends that did not reach arXiv: no answer, or a web page that says "maintenance".
_NOT_REACHED = Q(state=Harvest.State.FAILED, problem__in=["unavailable", "html"], stored=0)


def unreachable_until(day: dt.date, categories: Collection[str]) -> dt.datetime | None:
    """When the first of these categories brought that day, where arXiv had been out of reach till then; else None.

    None also for a day that simply came late, as one that is harvested for a new reader does. Two queries.
    """
    runs = Harvest.objects.filter(day=day, category__in=list(categories), source=FROM_ARXIV)
    ended = runs.exclude(state=Harvest.State.RUNNING).filter(finished_at__isnull=False)
    first = ended.exclude(_NOT_REACHED).order_by("finished_at").first()
    if first is None or first.finished_at is None:
        return None
    if first.finished_at <= calendar.feed_turns_at(day) + IN_TIME:
        return None
    missed = ended.filter(_NOT_REACHED, finished_at__lt=first.finished_at)
    return first.finished_at if missed.exists() else None
