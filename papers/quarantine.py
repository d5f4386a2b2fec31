"""VERB. Records that could not be read: tried again with today's code, and forgotten after 90 days.

A row keeps its bytes until then, also after it was read. How many a run set aside stays on its `Harvest`.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import format_datetime

from django.db import transaction

from papers import calendar, storing, surging
from papers.arxiv import api, jsonl, oai, rss
from papers.arxiv.listing import ArxivError, BadRecord, Listing, Page
from papers.harvest import BACKFILL, FROM_ARXIV, FROM_FILES, MONTH, OVERLAP, HarvestReport, finish
from papers.models import Announcement, Harvest, Quarantine
from papers.storing import Scope

KEPT = dt.timedelta(days=90)
RETRY = "retry"
# Of one retry: it holds up a page, and on SQLite whoever writes.
AT_ONCE = 200
_RECORD = re.compile(rb"\s*<(?:[\w.-]+:)?(item|entry|record)\b")
_IS_OF_FEED = re.compile(rb"announce_type|Announce Type:", re.IGNORECASE)
# A record that was cut out of its page has lost what the page's root declared.
_SPACES = (
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" '
    b'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    b'xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)


class StillUnreadable(ValueError):
    """Today's code cannot read it either; the message says why."""


@dataclass(frozen=True)
class Retried:
    """How many were read and stored, how many could not be, and how many of those asked for are left for another time."""

    resolved: int
    failed: int
    left: int


def retry(rows: Iterable[Quarantine], now: dt.datetime) -> Retried:
    """Read these again, AT_ONCE at most; each is stored and marked, or keeps its place and says why.

    What was stored counts as a run of its own, from which editions take in what is late. Safe to repeat, and by
    two at once: a row that is resolved is left alone.
    """
    waiting = list(rows)
    resolved = failed = 0
    run: Harvest | None = None
    report = HarvestReport()
    for row in waiting[:AT_ONCE]:
        try:
            listing, source, scope = _read(row)
        except StillUnreadable as error:
            failed += _keep(row, str(error), now)
            continue
        run = run or Harvest.objects.create(category="", day=None, source=RETRY, started_at=now)
        resolved += _resolve(row, listing, source, scope, report, now)
    if run is not None:
        finish(run, report)
    return Retried(resolved, failed, len(waiting[AT_ONCE:]))


def forget_old(now: dt.datetime) -> int:
    """Delete what has been kept for 90 days, read or not; how many."""
    return Quarantine.objects.filter(stored_at__lt=now - KEPT).delete()[0]


def _keep(row: Quarantine, problem: str, now: dt.datetime) -> int:
    unresolved = Quarantine.objects.open().filter(pk=row.pk)
    return unresolved.update(retried_at=now, problem=problem[:500])


def _resolve(
    row: Quarantine, listing: Listing, source: str, scope: Scope, report: HarvestReport, now: dt.datetime
) -> int:
    with transaction.atomic():
        won = Quarantine.objects.open().filter(pk=row.pk).update(retried_at=now, resolved_at=now, problem="")
        if won:
            storing.store([listing], source, scope)
            report.count(Page("jsonl", (listing,)))
            run = row.harvest
            if run.source == FROM_ARXIV:
                days = {each.day for each in listing.announced} or set(scope.days or ())
                surging.park_surplus(run.category, days)
    return won


# --- reading ---------------------------------------------------------------------------------------


def _read(row: Quarantine) -> tuple[Listing, str, Scope]:
    """The record, and how its run would have stored it."""
    raw, run = bytes(row.raw), row.harvest
    try:
        page = _page(raw, run)
    except ArxivError as error:
        raise StillUnreadable(str(error)) from error
    if page.bad or not page.listings:
        raise StillUnreadable(page.bad[0].reason if page.bad else page.broken or "no record is in it")
    is_feed = page.source == "rss"
    source = Announcement.Source.RSS if is_feed else Announcement.Source.LISTING
    return page.listings[0], source, Scope() if is_feed and run.source != FROM_FILES else _scope(run, raw)


def _page(raw: bytes, run: Harvest) -> Page:
    found = _RECORD.match(raw)
    if found is None:
        record = next(jsonl.parse([raw]), BadRecord(1, "neither XML nor JSON", raw))
        return Page("jsonl", (record,)) if isinstance(record, Listing) else Page("jsonl", (), (record,))
    if found[1] == b"record":
        head = b"<OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/' " + _SPACES + b"><ListRecords>"
        return oai.parse(head + raw + b"</ListRecords></OAI-PMH>")
    if found[1] == b"item":
        head = b"<rss version='2.0' " + _SPACES + b"><channel>" + _head(run, "pubDate")
        return rss.parse(head + raw + b"</channel></rss>")
    if _IS_OF_FEED.search(raw):
        head = b"<feed xmlns='http://www.w3.org/2005/Atom' " + _SPACES + b">" + _head(run, "updated")
        return rss.parse(head + raw + b"</feed>")
    return api.parse(b"<feed xmlns='http://www.w3.org/2005/Atom' " + _SPACES + b">" + raw + b"</feed>")


def _head(run: Harvest, tag: str) -> bytes:
    """What the feed said of itself, as far as the run knows: a stale one was of a day that it does not know."""
    title = f"<title>{run.category} updates on arXiv.org</title>" if run.category else ""
    if run.day is None or "stale_feed" in run.problem_params.get("codes", []):
        return title.encode()
    midnight = dt.datetime.combine(run.day, dt.time(), calendar.ARXIV_ZONE)
    written = format_datetime(midnight) if tag == "pubDate" else midnight.isoformat()
    return f"{title}<{tag}>{written}</{tag}>".encode()


def _scope(run: Harvest, raw: bytes) -> Scope:
    """Which announcements that run might write."""
    if run.source == FROM_FILES:
        categories = run.cursor.get("categories")
        return Scope(
            frozenset(categories) if categories is not None else None,
            frozenset({run.day}) if run.day else None,
        )
    if run.source == BACKFILL and (newest := run.cursor.get("newest")):
        last, overlap = dt.date.fromisoformat(newest), MONTH
    elif run.day is not None:
        last, overlap = run.day, OVERLAP
    else:
        return Scope(frozenset(), frozenset(), derives=False)
    days = calendar.announcement_days(last - overlap, last)
    return Scope(frozenset({run.category}), frozenset(days), derives=b"arXivRaw" in raw)
