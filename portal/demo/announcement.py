"""Which day the demo shows: arXiv's newest, if it answers at once, else the sample that we ship."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from papers import calendar
from papers.arxiv import rss
from papers.arxiv.listing import ArxivError
from papers.arxiv.transport import Limits
from papers.harvest import harvest_day, import_files, open_transport

SAMPLE_DAY = dt.date(2026, 1, 30)
SAMPLE = settings.BASE_DIR / "papers" / "sample" / f"{SAMPLE_DAY}.jsonl"
# One attempt, and nobody waits longer for it.
ATTEMPT_SECONDS = 3.0
ATTEMPT = Limits(deadline_seconds=ATTEMPT_SECONDS, attempts=1, backoff_seconds=0.0)


@dataclass(frozen=True)
class Announced:
    day: dt.date
    sentence: str


def announce(categories: list[str], now: dt.datetime, say: Callable[[str], None]) -> Announced:
    """Bring a day in and say which. Safe to repeat: what is stored already is not stored twice."""
    if settings.OFFLINE:
        return _sample("OFFLINE is set")
    problem = _why_not_today(categories[0], now)
    if problem:
        return _sample(problem)
    day = calendar.newest_feed_day(now)
    with open_transport() as transport:
        for category in categories:
            say(f"Asking arXiv for {category} of {day} ...")
            harvest_day(category, day, transport, now=now)
    return Announced(day, f"Showing arXiv's announcement of {day}.")


def _why_not_today(category: str, now: dt.datetime) -> str:
    """One request of at most three seconds: why today's announcement cannot be had, or nothing."""
    try:
        with open_transport(ATTEMPT) as transport:
            page = rss.parse(transport.fetch(f"{settings.ARXIV_RSS_URL}/{category}").body)
    except ArxivError as error:
        return str(error)
    is_there = page.listings and page.day == calendar.newest_feed_day(now)
    return "" if is_there else "arXiv's feed is empty today"


def _sample(why: str) -> Announced:
    import_files([SAMPLE])
    return Announced(
        SAMPLE_DAY, f"Showing the shipped sample of {SAMPLE_DAY}, with texts of our own ({why})."
    )
