"""From arXiv, or from files, into rows: each page's records, counts and cursor in one transaction.

RSS says what a day announced and as what; OAI-PMH says the truth about the papers (`arXivRaw` for versions and
first dates, `arXiv` for names and affiliations). Every run is safe to repeat, and a killed one resumes.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from papers import bulk, calendar, crash_points, storing, surging, taxonomy
from papers.arxiv import files, oai, rss
from papers.arxiv.idset import IdSet
from papers.arxiv.listing import (
    ArxivError,
    ArxivMalformed,
    ArxivUnavailable,
    BadRecord,
    BadResumptionToken,
    Page,
    Place,
    too_many_bad,
)
from papers.arxiv.transport import Limits, Transport
from papers.models import Announcement, Gap, Harvest, Quarantine
from papers.pace import SharedPace
from papers.storing import Scope

# OAI pages by offset without a snapshot: neighbours of a changed record vanish.
OVERLAP = dt.timedelta(days=2)
_RESTARTS = 3
COLLECTED_AFTER = 10  # pages of an import
# Of several problems of a run the one that no repeat mends is kept: there is no such set.
_GRAVEST = ("badArgument", "noSetHierarchy")
FROM_FILES, FROM_ARXIV, BACKFILL = "files", "arxiv", "backfill"
MONTH = dt.timedelta(days=31)
COUNTS = ("announced", "stored", "without_text", "skipped", "quarantined", "requests")

type Progress = Callable[["HarvestReport", str], None]


class UnknownCategory(ValueError):
    """No such category, or a closed archive; `suggestion` is what was probably meant, or None."""

    def __init__(self, category: str) -> None:
        super().__init__(category)
        self.category = category
        self.suggestion = taxonomy.suggestion(category)


class NotYetAnnounced(ValueError):
    """The day's list is not out."""


@dataclass(frozen=True)
class Problem:
    """What went wrong, where: `place` is a file or an address, `code` a word for machines."""

    place: str
    code: str
    message: str


@dataclass
class HarvestReport:
    """What a run did, in records: announced = stored + without_text + skipped; quarantined ones are beside it.

    Skipped are records of papers that this run had already brought in, and those that arXiv calls deleted.
    `unreadable` names the quarantined ones: alone they are no failure, too many of them are a problem.
    `kinds` counts distinct papers by day and kind, as named since this run began or was resumed; `resumed` says
    behind how many records a killed import went on in a file, `changed` which files had changed meanwhile.
    """

    announced: int = 0
    stored: int = 0
    without_text: int = 0
    skipped: int = 0
    quarantined: int = 0
    requests: int = 0
    problems: list[Problem] = field(default_factory=list)
    unreadable: list[Problem] = field(default_factory=list)
    resumed: dict[str, int] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    _papers: IdSet = field(default_factory=IdSet)
    _named: defaultdict[tuple[dt.date, str], IdSet] = field(default_factory=lambda: defaultdict(IdSet))

    @property
    def is_success(self) -> bool:
        return not self.problems

    @property
    def papers(self) -> int:
        return len(self._papers)

    def kinds(self) -> dict[dt.date, dict[str, int]]:
        days: dict[dt.date, dict[str, int]] = {}
        for (day, kind), papers in sorted(self._named.items()):
            days.setdefault(day, {})[kind] = len(papers)
        return days

    def count(self, page: Page) -> None:
        self.announced += len(page.listings)
        for listing in page.listings:
            if not self._papers.add(listing.arxiv_id):
                self.skipped += 1
            elif listing.has_text:
                self.stored += 1
            else:
                self.without_text += 1
            for announced in listing.announced:
                if not announced.is_derived:
                    self._named[announced.day, announced.kind].add(listing.arxiv_id)
        self.announced += page.deleted
        self.skipped += page.deleted
        self.quarantined += len(page.bad)

    def add(self, other: "HarvestReport") -> None:
        """Another run's counts beside these; a paper that both brought is counted by each."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems
        self.unreadable += other.unreadable
        self.resumed |= other.resumed
        self.changed += other.changed
        self._papers.update(other._papers)
        for (day, kind), papers in other._named.items():
            self._named[day, kind].update(papers)

    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in COUNTS}

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.counts(),
            "papers": self.papers,
            "days": {day.isoformat(): kinds for day, kinds in self.kinds().items()},
            "resumed": self.resumed,
            "changed": self.changed,
            "problems": [vars(problem) for problem in self.problems],
            "unreadable": [vars(record) for record in self.unreadable],
        }

    def note(self, place: str, code: str, message: str) -> None:
        self.problems.append(Problem(place, code, message))


def open_transport(limits: Limits | None = None) -> Transport:
    """The transport of this instance. Raises `ArxivUnavailable` when OFFLINE is set."""
    if settings.OFFLINE:
        raise ArxivUnavailable("OFFLINE is set: arXiv is not asked")
    return Transport(SharedPace(settings.ARXIV_PACE_SECONDS), contact=settings.ARXIV_CONTACT, limits=limits)


# --- from files ------------------------------------------------------------------------------------


@bulk.many_objects()
def import_files(
    paths: Iterable[Path | str],
    *,
    categories: Iterable[str] | None = None,
    day: dt.date | None = None,
    on_page: Progress | None = None,
) -> HarvestReport:
    """Read files of every format that `papers.arxiv.files` knows. Problems are in the report, never raised.

    Feeds are read before files from which a day would have to be derived, whatever the order given. With
    `categories` or `day` only their announcements are written; papers and texts always are. A killed import of the
    same files goes on behind its last committed page; a file that changed before that is read from its start.
    """
    found = [Path(path) for path in paths]
    scope = Scope(
        frozenset(categories) if categories is not None else None,
        frozenset({day}) if day is not None else None,
    )
    run = _begun_import(found, scope, day)
    read_before = dict(run.cursor["files"])
    report = HarvestReport(**{name: getattr(run, name) for name in COUNTS})
    for path in sorted(found, key=files.rank):
        try:
            _import_file(path, read_before.pop(str(path), None), run, report, scope, on_page)
        except ArxivError as error:
            report.note(str(path), error.code, str(error))
        except OSError as error:
            report.note(str(path), "no_file", error.strerror or str(error))
    finish(run, report)
    return report


def _begun_import(paths: Iterable[Path], scope: Scope, day: dt.date | None) -> Harvest:
    """The import of the same files for the same announcements that was killed, to be resumed; else a new one."""
    asked = {
        "of": sorted(map(str, paths)),
        "categories": None if scope.categories is None else sorted(scope.categories),
    }
    killed = Harvest.objects.filter(source=FROM_FILES, category="", day=day, state=Harvest.State.RUNNING)
    for run in killed:
        if asked.items() <= run.cursor.items():
            return run
    return Harvest.objects.create(category="", day=day, source=FROM_FILES, cursor={**asked, "files": {}})


def _import_file(
    path: Path,
    before: dict[str, Any] | None,
    run: Harvest,
    report: HarvestReport,
    scope: Scope,
    on_page: Progress | None,
) -> None:
    """Read a file, behind what the killed run had read `before` if it still begins with that."""
    after, seen, bad = None, 0, 0
    if before is not None and files.still_begins(path, Place(**before["place"])):
        after, seen, bad = Place(**before["place"]), before["seen"], before["bad"]
        report.resumed[str(path)] = seen
    elif before is not None:
        report.changed.append(str(path))
    for number, page in enumerate(files.pages(path, after=after), start=1):
        seen, bad = seen + len(page.listings) + len(page.bad), bad + len(page.bad)
        assert page.place is not None
        run.cursor["files"][str(path)] = {"place": asdict(page.place), "seen": seen, "bad": bad}
        store_page(page, run, report, scope, str(path))
        if number % COLLECTED_AFTER == 0:
            bulk.collect_young()
        if on_page is not None:
            on_page(report, path.name)
        if page.broken:
            report.note(str(path), "not_well_formed", page.broken)
        if too_many_bad(bad, seen):
            raise ArxivMalformed(f"{bad} of {seen} records cannot be read; stopped", "too_many_bad")


# --- one page --------------------------------------------------------------------------------------


def store_page(page: Page, run: Harvest, report: HarvestReport, scope: Scope, place: str) -> None:
    """A page's records, what arXiv counted, its quarantine and the run's cursor and counts: all or nothing."""
    source = Announcement.Source.RSS if page.source == "rss" else Announcement.Source.LISTING
    category = page.category or (
        next(iter(scope.categories)) if scope.categories and len(scope.categories) == 1 else None
    )
    crash_points.reach("page_read", place)
    report.count(page)
    bad = [(record, Problem(_place_of(record, place), record.code, record.reason)) for record in page.bad]
    report.unreadable += [problem for _record, problem in bad]
    with transaction.atomic():
        if run.source == FROM_FILES:
            bulk.commit_without_waiting()  # the cursor is in it: what is lost is read again
        storing.store(page.listings, source, scope)
        storing.store_counts(page, category, source)
        if page.source == "rss":
            _note_unreadable(page, category)
        if run.source == FROM_ARXIV:
            surging.park_surplus(run.category, {page.day} if page.day else scope.days or ())
        Quarantine.objects.bulk_create(
            Quarantine(
                harvest=run, place=f"{problem.place}: {problem.message}", reason=problem.code, raw=record.raw
            )
            for record, problem in bad
        )
        _save_counts(run, report)
        crash_points.reach("page_stored", place)
    crash_points.reach("page_committed", place)


def _note_unreadable(page: Page, category: str | None) -> None:
    """What a feed named in a way that cannot be read is asked for by its id, where it has one."""
    Gap.objects.bulk_create(
        [
            Gap(arxiv_id=record.arxiv_id, category=category, day=page.day, reason=Gap.Reason.UNREADABLE)
            for record in page.bad
            if record.arxiv_id and category and page.day
        ],
        ignore_conflicts=True,
    )


def _place_of(record: BadRecord, place: str) -> str:
    named = f" ({record.arxiv_id})" if record.arxiv_id else ""
    return f"{place}, record {record.position}{named}"


def _save_counts(run: Harvest, report: HarvestReport, *more: str) -> None:
    for name, count in report.counts().items():
        setattr(run, name, count)
    run.save(update_fields=[*COUNTS, "cursor", *more])


def finish(run: Harvest, report: HarvestReport) -> None:
    first = min(report.problems, key=lambda problem: problem.code not in _GRAVEST, default=None)
    run.state = Harvest.State.FAILED if first else Harvest.State.DONE
    run.problem = first.code if first else ""
    codes = list(dict.fromkeys(problem.code for problem in report.problems))
    run.problem_params = {"place": first.place, "message": first.message, "codes": codes} if first else {}
    run.finished_at = timezone.now()
    _save_counts(run, report, "state", "problem", "problem_params", "finished_at")


# --- from arXiv ------------------------------------------------------------------------------------


def harvest_day(
    category: str,
    day: dt.date,
    transport: Transport,
    *,
    now: dt.datetime | None = None,
    on_page: Progress | None = None,
    overlap: dt.timedelta = OVERLAP,
) -> HarvestReport:
    """Bring one day of one category in, and what earlier days of the overlap had lost. What arXiv does wrong is in the report, never raised.

    Raises `UnknownCategory` and `NotYetAnnounced` before any request. A day without an announcement is a
    success without one. Slow, and waits for the pace: no transaction may be open here.
    """
    now = now or timezone.now()
    if not taxonomy.is_category(category):
        raise UnknownCategory(category)
    if day > calendar.newest_day(now):
        raise NotYetAnnounced(day.isoformat())
    if not calendar.is_announcement_day(day):
        return HarvestReport()
    run = _begun(category, day)
    report = HarvestReport(**{name: getattr(run, name) for name in COUNTS})
    visit = _Visit(category, day, transport, now, run, report, on_page, overlap)
    try:
        visit.read_feed()
        visit.read_records("arXivRaw")
        visit.count_records()
        visit.read_records("arXiv")
    except ArxivError as error:
        report.note(visit.place, error.code, str(error))
    finish(visit.run, report)
    return report


def backfill(
    category: str, transport: Transport, *, now: dt.datetime | None = None, on_page: Progress | None = None
) -> HarvestReport:
    """Bring in the month before the newest feed of a category that is followed for the first time.

    From OAI-PMH alone, so its days are derived from first versions. A killed run resumes where its last page was
    committed; a repeat changes nothing. Slow, and waits for the pace: no transaction may be open here.
    """
    now = now or timezone.now()
    if not taxonomy.is_category(category):
        raise UnknownCategory(category)
    run = _begun(category, None, BACKFILL)
    newest = dt.date.fromisoformat(run.cursor.setdefault("newest", calendar.newest_feed_day(now).isoformat()))
    report = HarvestReport(**{name: getattr(run, name) for name in COUNTS})
    visit = _Visit(category, newest, transport, now, run, report, on_page, MONTH)
    try:
        visit.read_records("arXivRaw")
        visit.read_records("arXiv")
    except ArxivError as error:
        report.note(visit.place, error.code, str(error))
    finish(visit.run, report)
    return report


def _begun(category: str, day: dt.date | None, source: str = FROM_ARXIV) -> Harvest:
    """The run that was killed, to be resumed; else a new one."""
    running = Harvest.objects.filter(
        category=category, day=day, source=source, state=Harvest.State.RUNNING
    ).first()
    return running or Harvest.objects.create(category=category, day=day, source=source)


@dataclass
class _Visit:
    """One run at arXiv for one category and day, and where it stands."""

    category: str
    day: dt.date
    transport: Transport
    now: dt.datetime
    run: Harvest
    report: HarvestReport
    on_page: Progress | None
    overlap: dt.timedelta
    place: str = ""

    def read_feed(self) -> None:
        """What the day announced. A feed of another day is stored as that day's, and told apart."""
        if self.run.cursor.get("feed") or self.day != calendar.newest_feed_day(self.now):
            return
        try:
            page = rss.parse(self._fetch(f"{settings.ARXIV_RSS_URL}/{self.category}", {}))
        except ArxivError as error:
            # OAI may still answer; without the feed it must derive the day.
            self.report.note(self.place, error.code, str(error))
            return
        is_stale = page.day != self.day
        if not is_stale:
            self.run.cursor["feed"] = "read"
        self._store(page, Scope())
        if is_stale:
            self.report.note(self.place, "stale_feed", f"the feed is of {page.day}, not of {self.day}")
        if page.broken:
            self.report.note(self.place, "not_well_formed", page.broken)

    def read_records(self, prefix: str) -> None:
        """Every record that changed around the day, page by page; an expired token begins again."""
        state = self.run.cursor.setdefault(prefix, {})
        tokens: set[str] = set()
        restarts = 0
        while not state.get("is_done"):
            try:
                page = oai.parse(self._fetch(settings.ARXIV_OAI_URL, self._arguments(prefix, state)))
            except BadResumptionToken:
                restarts += 1
                state.pop("dated", None)
                if not state.pop("token", None) or restarts > _RESTARTS:
                    raise
                tokens.clear()
                continue
            goes_on = page.token is not None and _goes_on(state.get("token"), page.token, tokens)
            if not page.broken:  # a broken page is asked for again by the next run
                state.update({"token": page.token} if goes_on else {"is_done": page.token is None})
                state["dated"] = state.get("dated", 0) + self._dated(page)
            self._store(page, self._scope(prefix))
            self._check(page, goes_on)

    def _dated(self, page: Page) -> int:
        """How many of its records bear a date of this list: after that of the list before."""
        before = calendar.previous_announcement_day(self.day)
        return sum(
            one.modified_on is not None and before < one.modified_on <= self.day for one in page.listings
        )

    def count_records(self) -> None:
        """What OAI-PMH has of the day, to be compared; many more than usual are told."""
        state = self.run.cursor.get("arXivRaw", {})
        if state.get("is_done"):
            surging.count_records(self.category, self.day, state.get("dated", 0))

    def _check(self, page: Page, goes_on: bool) -> None:
        """What is good is stored; now say why this cannot go on."""
        if page.broken:
            raise ArxivMalformed(page.broken, "not_well_formed")
        if page.token is not None and not goes_on:
            raise ArxivMalformed("the resumption token leads back to where we were", "token_loops")
        bad, seen = self.report.quarantined, self.report.announced + self.report.quarantined
        if too_many_bad(bad, seen):
            raise ArxivMalformed(f"{bad} of {seen} records cannot be read; stopped", "too_many_bad")

    def _arguments(self, prefix: str, state: dict[str, Any]) -> dict[str, str]:
        if token := state.get("token"):
            return {"verb": "ListRecords", "resumptionToken": token}
        until = self.day + dt.timedelta(days=1)
        arguments = {
            "verb": "ListRecords",
            "metadataPrefix": prefix,
            "set": taxonomy.oai_set(self.category),
            "from": (self.day - self.overlap).isoformat(),
        }
        return arguments if until >= self.now.date() else {**arguments, "until": until.isoformat()}

    def _scope(self, prefix: str) -> Scope:
        """Of the day and those that the overlap reaches, where a feed was due; nothing is derived of one that was seen."""
        days = calendar.announcement_days(self.day - self.overlap, self.day)
        due = frozenset(day for day in days if calendar.feed_turns_at(day) <= self.now)
        return Scope(frozenset({self.category}), due, derives=prefix == "arXivRaw")

    def _fetch(self, url: str, params: dict[str, str]) -> bytes:
        self.place = url
        self.report.requests += 1
        return self.transport.fetch(url, params).body

    def _store(self, page: Page, scope: Scope) -> None:
        store_page(page, self.run, self.report, scope, self.place)
        if self.on_page is not None:
            self.on_page(self.report, self.category)


def _goes_on(before: str | None, after: str, tokens: set[str]) -> bool:
    """Whether a token leads forward. `tokens` are those of this pass, and learns this one."""
    reached = oai.position_of(after)
    came_from = oai.position_of(before) if before else None
    is_back = after in tokens or (reached is not None and came_from is not None and reached <= came_from)
    tokens.add(after)
    return not is_back and after != before


# --- what is known ---------------------------------------------------------------------------------


def harvested_categories() -> list[str]:
    """The categories that this instance has followed so far."""
    return sorted(
        set(Harvest.objects.exclude(category="").values_list("category", flat=True).distinct())
        | set(Announcement.objects.values_list("category", flat=True).distinct())
    )
