"""VERB. A whole day in one process, for everybody; what `manage.py daily` and the demo do."""

import datetime as dt
from collections.abc import Callable

from papers.harvest import HarvestReport, harvest_day, open_transport
from papers.reconciling import reconcile
from profiles.models import Profile

from . import editions, harvesting, judging, learning
from .accounts import account
from .editions import NothingAnnounced
from .models import Edition
from .packed import Code

TERMS = tuple(code.word for code in Code)


def sentence(edition: Edition) -> str:
    """The account of a day in one line of ASCII, for a terminal; terms that are zero are left out."""
    counts = account(edition)
    terms = [f"{word} {count}" for word in TERMS if (count := getattr(counts, word))]
    tokens = f", {counts.tokens:,} tokens" if counts.tokens else ", 0 tokens"
    return f"{edition.profile.name}: announced {counts.announced} = {' + '.join(terms) or 0}{tokens}"


def read_day(
    day: dt.date,
    now: dt.datetime,
    *,
    asks_arxiv: bool,
    after_each: Callable[[judging.Drained], None] | None = None,
    after_harvest: Callable[[HarvestReport], None] | None = None,
) -> list[Edition]:
    """Harvest, open, take in what came late, screen, read and close that day for every active profile.

    Returns its editions, none where nothing of the day is stored. Safe to repeat: a second time costs nothing.
    Slow: no transaction may be open here.
    """
    if asks_arxiv:
        report = HarvestReport()
        with open_transport() as transport:
            categories = harvesting.asked_categories()
            for category in categories:
                report.add(harvest_day(category, day, transport, now=now))
            report.add(reconcile([(day, category) for category in categories], transport, now=now))
        if after_harvest is not None:
            after_harvest(report)
    try:
        found = [editions.open_edition(profile, day) for profile in Profile.objects.active()]
    except NothingAnnounced:
        return []
    learning.fit_due(now)
    for edition in found:
        editions.reopen(edition, now)
        editions.screen(edition, now)
    judging.reap(now)
    keys = [edition.pk for edition in found]
    judging.drain(edition_ids=keys, after_each=after_each)
    if sum(editions.deepen(edition) for edition in found):
        judging.drain(edition_ids=keys, after_each=after_each)
    for edition in found:
        editions.close(edition, now)
    return list(Edition.objects.filter(pk__in=keys).select_related("profile"))
