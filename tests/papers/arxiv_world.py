"""Some weeks of arXiv, made from a seed: what happened, and the servers that tell of it, with their vices.

The table of truth is `announced`. It is written here and read by the test; the harvester sees only answers.
Vices as arXiv's own server has them: pages by offset over records in the order of modification, without a
snapshot; tokens that expire at midnight UTC; answers that reach into today cached for an hour; feeds by
category and day that turn at midnight Eastern, and sometimes do not; 503 with and without Retry-After.
"""

import datetime as dt
import random
import urllib.parse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import httpx

from papers import calendar
from papers.arxiv.transport import Limits, Transport
from papers.pace import SharedPace
from tests.papers.pages import (
    api_entry,
    api_feed,
    feed,
    feed_error,
    feed_item,
    list_page,
    oai_error,
    oai_page,
)

UTC = dt.UTC
RFC822 = "%a, %d %b %Y %H:%M:%S GMT"
SLOTS = (dt.time(23, 15), dt.time(0, 30), dt.time(4, 0), dt.time(12, 0))  # Eastern, as portal.schedule


class Clock:
    """The time of the world; whoever sleeps moves it."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@dataclass
class Record:
    """One work, as arXiv has it at the moment."""

    arxiv_id: str
    title: str
    categories: list[str]
    versions: list[dt.datetime]
    modified_at: dt.datetime
    is_withdrawn: bool = False
    journal_ref: str = ""

    def as_raw(self) -> str:
        versions = "".join(
            f'<version version="v{number}"><date>{at.strftime(RFC822)}</date>'
            f"<source_type>{'I' if self.is_withdrawn and number == len(self.versions) else 'D'}</source_type></version>"
            for number, at in enumerate(self.versions, 1)
        )
        return self._record(
            "arXivRaw", f"<id>{self.arxiv_id}</id>{versions}", "<authors>Ada Lovelace</authors>"
        )

    def as_arxiv(self) -> str:
        person = "<author><keyname>Lovelace</keyname><forenames>Ada</forenames></author>"
        created = f"<created>{self.versions[-1]:%Y-%m-%d}</created>"
        return self._record("arXiv", f"<id>{self.arxiv_id}</id>{created}", f"<authors>{person}</authors>")

    def as_entry(self) -> str:
        return api_entry(
            self.arxiv_id,
            title=self.title,
            version=len(self.versions),
            published=self.versions[0],
            updated=self.versions[-1],
            categories=self.categories,
            abstract=f"What {self.arxiv_id} says.",
        )

    def _record(self, prefix: str, head: str, authors: str) -> str:
        reference = f"<journal-ref>{self.journal_ref}</journal-ref>" if self.journal_ref else ""
        comment = "<comments>Withdrawn by the author.</comments>" if self.is_withdrawn else ""
        return (
            f"<record><header><identifier>oai:arXiv.org:{self.arxiv_id}</identifier>"
            f"<datestamp>{self.modified_at:%Y-%m-%d}</datestamp></header><metadata>"
            f'<{prefix} xmlns="http://arxiv.org/OAI/{prefix}/">{head}<title>{self.title}</title>{authors}'
            f"<categories>{' '.join(self.categories)}</categories>{comment}{reference}"
            f"<abstract>What {self.arxiv_id} says.</abstract></{prefix}></metadata></record>"
        )


@dataclass(frozen=True)
class Named:
    """One line of the table of truth."""

    arxiv_id: str
    kind: str  # as the feed calls it
    version: int


@dataclass
class Vices:
    """How often, of a hundred answers, and when the servers misbehave."""

    busy: int = 3
    web_page: int = 1
    cut: int = 1
    moves: int = 30  # pages between which a record that was shown is modified
    # Feeds that do not turn: (day, category) to the instant from which they are right.
    stale_until: dict[tuple[dt.date, str], dt.datetime] = field(default_factory=dict)
    # Days on which no feed answers at all.
    without_feed: set[dt.date] = field(default_factory=set)
    # Papers whose records OAI-PMH never sends, and papers that feeds name in a way that nobody can read.
    never_sent: set[str] = field(default_factory=set)
    garbled: set[str] = field(default_factory=set)
    # Papers that the API does not know, and the answer it gives to everything instead of one.
    unknown: set[str] = field(default_factory=set)
    api_says: bytes = b""
    list_page: bytes = b""
    # Days whose list pages answer, and how many ids of a section they show.
    list_pages: set[dt.date] = field(default_factory=set)
    list_shows: int = 2000
    # Categories that neither feed nor OAI-PMH knows any more.
    closed: set[str] = field(default_factory=set)


class World:
    """`World(seed, first_day, days, categories)`, then `transport()` for the harvester and `announced` for the test."""

    def __init__(
        self,
        seed: int,
        first_day: dt.date,
        days: int,
        categories: Sequence[str],
        *,
        vices: Vices | None = None,
        page_size: int = 8,
    ) -> None:
        self.random = random.Random(seed)
        self.categories = list(categories)
        self.vices = vices or Vices()
        self.page_size = page_size
        self.days = self._announcement_days(first_day, days)
        self.clock = Clock(calendar.mailed_at(self.days[0]) - dt.timedelta(hours=1))
        self.records: dict[str, Record] = {}
        self.announced: dict[tuple[dt.date, str], list[Named]] = defaultdict(list)
        self.asked_at: list[tuple[dt.datetime, dt.datetime]] = []  # of each request, from and to
        self.asked_for: list[str] = []  # ids, of the API
        self._events: list[tuple[dt.datetime, int, Record]] = []
        self._cache: dict[str, tuple[dt.datetime, bytes]] = {}
        self._number = 0
        for day in self.days:
            self._happen(day)
        self._events.sort(key=lambda event: event[:2])

    # --- what happens ---------------------------------------------------------------------------

    def _announcement_days(self, first: dt.date, count: int) -> list[dt.date]:
        days = [first]
        while len(days) < count:
            days.append(calendar.next_announcement_day(days[-1]))
        return days

    def _happen(self, day: dt.date) -> None:
        """A day's new papers, cross-lists and replacements, visible in OAI from the mailing on."""
        at = calendar.mailed_at(day)
        known = sorted(self._known_before(day))
        for category in self.categories:
            for _ in range(self.random.randint(2, 5)):
                self._announce_new(day, at, category)
        for arxiv_id in self.random.sample(known, min(len(known), 3)):
            self._announce_again(day, at, self._latest(arxiv_id), is_withdrawn=self.random.random() < 0.2)
        for arxiv_id in self.random.sample(known, min(len(known), 2)):
            self._announce_cross(day, at, self._latest(arxiv_id))

    def _known_before(self, day: dt.date) -> set[str]:
        return {event[2].arxiv_id for event in self._events if event[0] < calendar.mailed_at(day)}

    def _latest(self, arxiv_id: str) -> Record:
        return [event[2] for event in self._events if event[2].arxiv_id == arxiv_id][-1]

    def _announce_new(self, day: dt.date, at: dt.datetime, category: str) -> None:
        self._number += 1
        others = [one for one in self.categories if one != category and self.random.random() < 0.25]
        record = Record(
            arxiv_id=f"{day:%y%m}.{self._number:05}",
            title=f"On {category}, part {self._number}",
            categories=[category, *others],
            versions=[self._submitted_for(day)],
            modified_at=at,
        )
        self._events.append((at, len(self._events), record))
        for place in record.categories:
            self.announced[day, place].append(
                Named(record.arxiv_id, "new" if place == category else "cross", 1)
            )

    def _submitted_for(self, day: dt.date) -> dt.datetime:
        """Between the two deadlines; one in ten was held up by the moderators for some days."""
        deadline = calendar.mailed_at(day) - dt.timedelta(hours=6)
        before = calendar.mailed_at(calendar.previous_announcement_day(day)) - dt.timedelta(hours=6)
        minutes = int((deadline - before).total_seconds() // 60)
        at = before + dt.timedelta(minutes=self.random.randrange(minutes))
        return at - dt.timedelta(days=self.random.randint(2, 6)) if self.random.random() < 0.1 else at

    def _announce_again(self, day: dt.date, at: dt.datetime, record: Record, *, is_withdrawn: bool) -> None:
        versions = [*record.versions, at - dt.timedelta(hours=8)]
        changed = Record(
            record.arxiv_id, record.title, record.categories, versions, at, is_withdrawn, record.journal_ref
        )
        self._events.append((at, len(self._events), changed))
        for number, place in enumerate(record.categories):
            kind = "replace-cross" if number else "replace"
            self.announced[day, place].append(Named(record.arxiv_id, kind, len(versions)))

    def _announce_cross(self, day: dt.date, at: dt.datetime, record: Record) -> None:
        further = [one for one in self.categories if one not in record.categories]
        names = {named.arxiv_id for place in self.categories for named in self.announced[day, place]}
        if not further or record.arxiv_id in names:
            return
        place = self.random.choice(further)
        changed = Record(
            record.arxiv_id,
            record.title,
            [*record.categories, place],
            record.versions,
            at,
            record.is_withdrawn,
        )
        self._events.append((at, len(self._events), changed))
        self.announced[day, place].append(Named(record.arxiv_id, "cross", len(record.versions)))

    def change_in_bulk(self, day: dt.date, category: str, count: int) -> None:
        """Records of papers of 2019 get a journal reference on that day, which is no announcement."""
        at = calendar.mailed_at(day) + dt.timedelta(minutes=1)
        for number in range(count):
            version = dt.datetime(2019, 1, 15, 12, tzinfo=UTC)
            record = Record(
                f"1901.{number:05}", f"Old work {number}", [category], [version], at, journal_ref="Journal 1"
            )
            self._events.append((at, len(self._events), record))
        self._events.sort(key=lambda event: event[:2])

    def _catch_up(self) -> None:
        while self._events and self._events[0][0] <= self.clock.now:
            _at, _number, record = self._events.pop(0)
            self.records[record.arxiv_id] = record

    # --- what is asked ---------------------------------------------------------------------------

    def transport(self, pace_seconds: float = 3.0) -> Transport:
        # Nobody else has the turn, so none is given back early.
        pace = SharedPace(pace_seconds, now=self.clock, sleep=self.clock.sleep, longest_nap_seconds=60)
        limits = Limits(attempts=3, backoff_seconds=5)
        return Transport(pace, handler=httpx.MockTransport(self._handle), limits=limits, now=self.clock)

    def instants(self) -> Iterator[tuple[dt.date, dt.datetime]]:
        """Each day's four due times, in order, with the day that is then the newest."""
        for day in self.days:
            for number, slot in enumerate(SLOTS):
                date = day - dt.timedelta(days=1) if number == 0 else day
                at = dt.datetime.combine(date, slot, calendar.ARXIV_ZONE).astimezone(UTC)
                yield day, at

    def _handle(self, request: httpx.Request) -> httpx.Response:
        began = self.clock.now
        self.clock.sleep(self.random.uniform(0.2, 1.5))
        self._catch_up()
        asked = dict(request.url.params)
        fault = self._fault()
        answer = fault or httpx.Response(200, stream=_Body(self._answer(request.url.path, asked)))
        self.asked_at.append((began, self.clock.now))
        return answer

    def _fault(self) -> httpx.Response | None:
        drawn = self.random.randrange(100)
        if drawn < self.vices.busy:
            in_date = (self.clock.now + dt.timedelta(seconds=20)).strftime(RFC822)
            header = self.random.choice([{"Retry-After": "10"}, {"Retry-After": in_date}, {}])
            return httpx.Response(503, headers=header, stream=_Body(b"busy"))
        if drawn < self.vices.busy + self.vices.web_page:
            return httpx.Response(200, stream=_Body(b"<!DOCTYPE html><html>Rate exceeded.</html>"))
        return None

    def _answer(self, path: str, asked: dict[str, str]) -> bytes:
        if "id_list" in asked:
            return self._entries(asked["id_list"].split(","))
        if path.endswith("/new"):
            return self.vices.list_page or self._list_page(path.split("/")[-2])
        if "verb" not in asked:
            if calendar.newest_feed_day(self.clock.now) in self.vices.without_feed:
                return b"<!DOCTYPE html><html>Down for maintenance.</html>"
            return self._feed(path.rpartition("/")[2])
        body = self._records(asked)
        if self.random.randrange(100) < self.vices.cut:
            return body[: len(body) * 2 // 3]
        return body

    def _entries(self, ids: Sequence[str]) -> bytes:
        self.asked_for += ids
        known = [self.records[one] for one in ids if one in self.records and one not in self.vices.unknown]
        return self.vices.api_says or api_feed(*(record.as_entry() for record in known))

    def _feed(self, category: str) -> bytes:
        if category in self.vices.closed:
            return feed_error(f"Bad archive {category!r}.")
        day = calendar.newest_feed_day(self.clock.now)
        if self.clock.now < self.vices.stale_until.get((day, category), self.clock.now):
            day = calendar.previous_announcement_day(day)
        items = [
            feed_item(
                named.arxiv_id,
                "unheard-of" if named.arxiv_id in self.vices.garbled else named.kind,
                version=named.version,
                title=self.records[named.arxiv_id].title,
                categories=" ".join(self.records[named.arxiv_id].categories),
            )
            for named in self.announced.get((day, category), [])
        ]
        return feed(*items, category=category, day=day.strftime("%a, %d %b %Y"))

    def _list_page(self, category: str) -> bytes:
        day = calendar.newest_feed_day(self.clock.now)
        if day not in self.vices.list_pages:
            return b"<!DOCTYPE html><html>Down for maintenance.</html>"
        sections: dict[str, list[str]] = {"new": [], "cross": [], "replacement": []}
        for named in self.announced[day, category]:
            kind = "replacement" if named.kind.startswith("replace") else named.kind
            sections[kind].append(named.arxiv_id)
        shown = self.vices.list_shows
        return list_page(day, {kind: (ids[:shown], len(ids)) for kind, ids in sections.items() if ids})

    def _records(self, asked: dict[str, str]) -> bytes:
        today = self.clock.now.date().isoformat()
        skip = 0
        if token := asked.get("resumptionToken"):
            known = dict(urllib.parse.parse_qsl(urllib.parse.unquote(token)))
            if known.pop("issued") != today:
                return oai_error("badResumptionToken")
            skip, asked = int(known.pop("skip")), known
            self._move_a_page(asked, skip)
        cached = self._cache.get(f"{sorted(asked.items())} {skip}")
        if cached is not None and self.clock.now - cached[0] < dt.timedelta(hours=1):
            return cached[1]
        body = self._page(asked, skip, today)
        if asked.get("until", today) >= today:
            self._cache[f"{sorted(asked.items())} {skip}"] = (self.clock.now, body)
        return body

    def _matching(self, asked: dict[str, str]) -> list[Record]:
        category = asked["set"].split(":", 1)[1].replace(":", ".")
        first, last = asked.get("from", "0"), asked.get("until", "9")
        found = [
            record
            for record in self.records.values()
            if category in record.categories
            and record.arxiv_id not in self.vices.never_sent
            and first <= record.modified_at.date().isoformat() <= last
        ]
        return sorted(found, key=lambda record: (record.modified_at, record.arxiv_id))

    def _page(self, asked: dict[str, str], skip: int, today: str) -> bytes:
        if asked["set"].split(":", 1)[1].replace(":", ".") in self.vices.closed:
            return oai_error("badArgument")
        found = self._matching(asked)
        if not found:
            return oai_error("noRecordsMatch")
        shown, end = found[skip : skip + self.page_size], skip + self.page_size
        token = urllib.parse.urlencode({**asked, "skip": end, "issued": today}) if end < len(found) else ""
        is_raw = asked["metadataPrefix"] == "arXivRaw"
        records = [record.as_raw() if is_raw else record.as_arxiv() for record in shown]
        return oai_page(*records, token=urllib.parse.quote(token, safe=""))

    def _move_a_page(self, asked: dict[str, str], skip: int) -> None:
        """Modify a record that was on an earlier page: it goes to the end, and its neighbours slip by one."""
        shown = self._matching(asked)[:skip]
        if shown and self.random.randrange(100) < self.vices.moves:
            record = self.random.choice(shown)
            record.journal_ref = f"Journal {len(self.asked_at)}"
            record.modified_at = self.clock.now


class _Body(httpx.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
