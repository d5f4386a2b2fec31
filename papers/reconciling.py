"""VERB. What arXiv named and what is still missing of it: found, written down, and asked for by id.

A gap is closed by whoever brings what it lacks, OAI-PMH or this. What stays open is named in the status with its
reason, its age and how often arXiv was asked. Every step is safe to repeat.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from papers import calendar, storing, surging
from papers.arxiv import api, listpage
from papers.arxiv.listing import FEED_IS_CUT_AT, KINDS, Announced, ApiRefused, ArxivError, Listing, Page
from papers.arxiv.transport import Transport
from papers.harvest import HarvestReport, finish, store_page
from papers.models import (
    Announcement,
    AnnouncementQuerySet,
    ArxivCount,
    Gap,
    GapQuerySet,
    Harvest,
    Paper,
    PaperVersion,
)
from papers.storing import Scope

RECONCILING = "reconciling"
# The API takes more, but answers slowly beyond.
IDS_A_REQUEST = 100
# The API knows a paper some hours after its announcement: asked at every slot of some days, then given up.
ASKED_AT_MOST = 12
ASKED_EVERY = dt.timedelta(hours=1)
LOOKS_BACK = dt.timedelta(days=21)  # as far as a missed day is made up for
# A record that OAI-PMH has not sent by then is missing; until then it may be on its way.
RECORDS_COME_WITHIN = dt.timedelta(hours=3)
# What a feed garbled is named by the dates of OAI-PMH alone where the API has not answered by then.
DATES_SAY_AFTER = dt.timedelta(hours=12)
# A first version older than that was held up by nobody: the paper is not new.
HELD_UP_AT_MOST = dt.timedelta(days=21)
_DEADLINE_BEFORE_MAILING = dt.timedelta(hours=6)
_AS_NAMED = Scope(derives=False)
_FIRST_TIME = (Announcement.Kind.NEW, Announcement.Kind.CROSS)

type Place = tuple[dt.date, str]


def reconcile(places: Collection[Place], transport: Transport, *, now: dt.datetime) -> HarvestReport:
    """Find what is missing of these days and categories, and fetch it, and what is still open of the last three weeks.

    What was brought counts as a run of its own, from which editions take in what is late. Problems are in the
    report. Slow, and waits for the pace: no transaction may be open here.
    """
    report = HarvestReport()
    _read_list_pages(places, transport, report, now)
    for day, category in sorted(places):
        find_gaps(day, category, now)
    if _open_gaps(now).exists():
        _Errand(transport, now, report).run_it()
    return report


def find_gaps(day: dt.date, category: str, now: dt.datetime) -> int:
    """Write down what is missing of a day that was harvested whole, or what has no text at all; how many are new."""
    named = Announcement.objects.on(day).in_categories([category])
    found = [*_gaps(_without_text(named), Gap.Reason.NO_TEXT, now)]
    runs = Harvest.objects.filter(day=day, category=category, state=Harvest.State.DONE)
    if runs.exists() and now >= calendar.feed_turns_at(day) + RECORDS_COME_WITHIN:
        without_record = named.filter(paper__submitted_at=None, source=Announcement.Source.RSS)
        found += _gaps(without_record, Gap.Reason.NO_RECORD, now)
    before = Gap.objects.count()
    Gap.objects.bulk_create(found, ignore_conflicts=True)
    return Gap.objects.count() - before


def _without_text(named: AnnouncementQuerySet) -> AnnouncementQuerySet:
    texts = PaperVersion.objects.filter(paper=OuterRef("paper")).exclude(abstract="")
    return named.filter(~Exists(texts))


def _gaps(named: AnnouncementQuerySet, reason: Gap.Reason, now: dt.datetime) -> Iterable[Gap]:
    for arxiv_id, category, day in named.values_list("paper__arxiv_id", "category", "day"):
        yield Gap(arxiv_id=arxiv_id, category=category, day=day, reason=reason, since=now)


def _open_gaps(now: dt.datetime) -> GapQuerySet:
    return Gap.objects.open().filter(day__gt=now.date() - LOOKS_BACK)


# --- what is brought -------------------------------------------------------------------------------


class _Errand:
    """One run for all open gaps: close what came, ask for the rest, close again."""

    def __init__(self, transport: Transport, now: dt.datetime, report: HarvestReport) -> None:
        self._transport = transport
        self._now = now
        self._report = report
        self._run = Harvest.objects.create(category="", day=None, source=RECONCILING)

    def run_it(self) -> None:
        close_gaps(self._now, self._report)
        ids = self._due()
        for start in range(0, len(ids), IDS_A_REQUEST):
            try:
                self._ask(ids[start : start + IDS_A_REQUEST])
            except ArxivError as error:
                self._report.note(settings.ARXIV_API_URL, error.code, str(error))
                break
        if ids:
            close_gaps(self._now, self._report)
        finish(self._run, self._report)

    def _due(self) -> list[str]:
        """The ids to ask for now, oldest first, each once whatever the number of its gaps."""
        rest = _open_gaps(self._now).filter(asked__lt=ASKED_AT_MOST).order_by("day", "arxiv_id")
        rest = rest.exclude(asked_at__gt=self._now - ASKED_EVERY)
        return list(dict.fromkeys(rest.values_list("arxiv_id", flat=True)))

    def _ask(self, ids: Sequence[str]) -> None:
        """One request; where arXiv refuses it for one id that is none, that one is found by halves."""
        self._report.requests += 1
        arguments = {"id_list": ",".join(ids), "max_results": str(len(ids))}
        try:
            page = api.parse(self._transport.fetch(settings.ARXIV_API_URL, arguments).body)
        except ApiRefused:
            if len(ids) == 1:
                self._note(ids, "refused")
                return
            self._ask(ids[: len(ids) // 2])
            self._ask(ids[len(ids) // 2 :])
            return
        with transaction.atomic():
            page = replace(page, listings=tuple(_as_named(page.listings)))
            store_page(page, self._run, self._report, _AS_NAMED, settings.ARXIV_API_URL)
            for named in {one for listing in page.listings for one in listing.announced}:
                surging.park_surplus(named.category, {named.day})
            for answer, those in _answers(page, ids).items():
                self._note(those, answer)

    def _note(self, ids: Iterable[str], answer: str) -> None:
        asked = Gap.objects.open().filter(arxiv_id__in=list(ids))
        asked.update(asked=F("asked") + 1, asked_at=self._now, answer=answer)


def _as_named(listings: Sequence[Listing]) -> Iterable[Listing]:
    """What the API says of a paper, with what a list page named it as."""
    named: dict[str, list[Announced]] = {}
    for gap in Gap.objects.open().filter(arxiv_id__in=[one.arxiv_id for one in listings], kind__in=KINDS):
        kind = next(kind for kind in KINDS if kind == gap.kind)
        named.setdefault(gap.arxiv_id, []).append(Announced(gap.category, kind, gap.day))
    return (replace(one, announced=tuple(named.get(one.arxiv_id, ()))) for one in listings)


def _answers(page: Page, ids: Iterable[str]) -> dict[str, list[str]]:
    """What the API said of each id: found, no_text, unreadable, or unknown where it said nothing."""
    said = {record.arxiv_id: "unreadable" for record in page.bad}
    said |= {one.arxiv_id: "found" if one.has_text else "no_text" for one in page.listings}
    answers: dict[str, list[str]] = {}
    for arxiv_id in ids:
        answers.setdefault(said.get(arxiv_id, "unknown"), []).append(arxiv_id)
    return answers


def close_gaps(now: dt.datetime, report: HarvestReport) -> int:
    """Close the gaps whose papers are whole now; how many. What was named unreadably gets its announcement first."""
    count = 0
    gaps = list(_open_gaps(now).order_by("pk"))
    for start in range(0, len(gaps), IDS_A_REQUEST):
        part = gaps[start : start + IDS_A_REQUEST]
        whole = _whole_papers({gap.arxiv_id for gap in part})
        closed = [gap for gap in part if gap.arxiv_id in whole and _is_certain(gap, whole[gap.arxiv_id], now)]
        with transaction.atomic():
            for gap in closed:
                if gap.reason == Gap.Reason.UNREADABLE:
                    _name(gap, whole[gap.arxiv_id], report)
            keys = [gap.pk for gap in closed]
            count += Gap.objects.filter(pk__in=keys).open().update(filled_at=now)
    return count


def _is_certain(gap: Gap, paper: Paper, now: dt.datetime) -> bool:
    """Whether its announcement is known, or the paper's dates may say what it was named as.

    A replacement shows in the newest version only, so the API must have been asked for that.
    """
    if gap.reason in {Gap.Reason.NO_TEXT, Gap.Reason.NO_RECORD}:
        return True
    named = Announcement.objects.filter(paper=paper, category=gap.category, day=gap.day)
    if gap.kind:
        return named.exclude(source=Announcement.Source.DERIVED).exists()
    return gap.answer == "found" or now - gap.since > DATES_SAY_AFTER or named.exists()


def _whole_papers(ids: Collection[str]) -> dict[str, Paper]:
    """Those that have a record and a text."""
    texts = PaperVersion.objects.filter(paper=OuterRef("pk")).exclude(abstract="")
    known = Paper.objects.filter(Exists(texts), arxiv_id__in=ids, submitted_at__isnull=False)
    return {paper.arxiv_id: paper for paper in known}


def _name(gap: Gap, paper: Paper, report: HarvestReport) -> None:
    """The announcement that could not be read, as far as the paper's own dates tell its kind; a readable one stays."""
    if storing.name(paper, gap.category, gap.day, _kind(gap, paper)):
        report.announced, report.stored = report.announced + 1, report.stored + 1
        surging.park_surplus(gap.category, {gap.day})


def _kind(gap: Gap, paper: Paper) -> Announcement.Kind:
    """A new version of that day is a replacement, unless the paper itself is new; what has none is named first here.

    What was derived for an earlier day without a list proves nothing: the paper may have been held up until this one.
    """
    assert paper.submitted_at is not None
    earlier = Announcement.objects.filter(paper=paper, day__lt=gap.day, kind__in=_FIRST_TIME)
    is_fresh = gap.day - calendar.day_of(paper.submitted_at) <= HELD_UP_AT_MOST
    has_changed = paper.latest_version > 1
    came_now = has_changed and _came_for(gap.day, paper.updated_at or paper.submitted_at)
    if came_now and (earlier.exists() or not is_fresh):
        return Announcement.Kind.REPLACEMENT
    days_here = set(earlier.filter(category=gap.category).values_list("day", flat=True))
    if any((gap.category, day) in storing.days_with_lists(days_here) for day in days_here):
        return Announcement.Kind.REPLACEMENT
    if gap.category != paper.primary_category:
        return Announcement.Kind.CROSS
    return Announcement.Kind.NEW if is_fresh or not has_changed else Announcement.Kind.REPLACEMENT


def _came_for(day: dt.date, version_at: dt.datetime) -> bool:
    """Whether a version came in after the deadline of the list before and before this one's mailing."""
    before = calendar.mailed_at(calendar.previous_announcement_day(day))
    return before - _DEADLINE_BEFORE_MAILING <= version_at < calendar.mailed_at(day)


# --- the list page ---------------------------------------------------------------------------------


def _read_list_pages(
    places: Collection[Place], transport: Transport, report: HarvestReport, now: dt.datetime
) -> None:
    """What a list page counts of the newest day, once a category and day, where ARXIV_LIST_URL says to look."""
    if not settings.ARXIV_LIST_URL:
        return
    newest = calendar.newest_feed_day(now)
    seen = ArxivCount.objects.filter(day=newest, source=ArxivCount.Source.LISTING)
    known = set(seen.values_list("category", flat=True))
    for day, category in sorted(places):
        if day != newest or category in known:
            continue
        url = f"{settings.ARXIV_LIST_URL}/{category}/new"
        report.requests += 1
        try:
            page = listpage.parse(transport.fetch_page(url, {"show": str(FEED_IS_CUT_AT)}).body)
        except ArxivError as error:
            report.note(url, error.code, str(error))
            continue
        with transaction.atomic():
            storing.store_counts(page, category, ArxivCount.Source.LISTING)
            _note_unnamed(page, category, now)


def _note_unnamed(page: Page, category: str, now: dt.datetime) -> None:
    """What the list page names and no feed did: new papers of a feed that was cut or that never turned."""
    assert page.day is not None
    here = Announcement.objects.on(page.day).in_categories([category])
    known = set(here.exclude(source=Announcement.Source.DERIVED).values_list("paper__arxiv_id", flat=True))
    Gap.objects.bulk_create(
        [
            Gap(
                arxiv_id=arxiv_id,
                category=category,
                day=page.day,
                reason=Gap.Reason.NOT_IN_FEED,
                kind=kind,
                since=now,
            )
            for arxiv_id, kind in page.named.items()
            if arxiv_id not in known
        ],
        update_conflicts=True,
        unique_fields=["arxiv_id", "category", "day"],
        update_fields=["kind"],
    )
