"""Listings into rows: papers, texts, announcements and what arXiv counted. Each call is safe to repeat.

What a response does not say (None in a `Listing`) leaves what is stored; a sample text never replaces one of
arXiv's; a text that is stored stays as it was, for quotes rest on it.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from copy import copy
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q

from papers import bulk, calendar, names
from papers.arxiv.listing import KINDS, Announced, Listing, Page
from papers.models import Announcement, ArxivCount, Correction, Gap, Paper, PaperVersion

_BATCH = 500  # below SQLite's limit of variables
_STATED = ("comment", "journal_ref", "doi", "license", "msc_class", "acm_class")
_STRONG = (Announcement.Source.RSS, Announcement.Source.LISTING)
_FIRST_TIME = (Announcement.Kind.NEW, Announcement.Kind.CROSS)


@dataclass(frozen=True)
class Scope:
    """Which announcements a run may write: all of them, or only of these categories and days."""

    categories: frozenset[str] | None = None
    days: frozenset[dt.date] | None = None
    derives: bool = True  # whether a v1 date may stand in for a list that nobody saw

    def holds(self, announced: Announced) -> bool:
        return (self.days is None or announced.day in self.days) and (
            self.categories is None or announced.category in self.categories
        )


@dataclass(slots=True)
class _Facts:
    """What a paper's row says, but for its keys: the columns that a response may bring up to date, in their order."""

    title: str = ""
    authors: list[dict[str, Any]] = field(default_factory=list)
    author_names: str = ""
    folded_text: str = ""
    folded_names: str = ""
    categories: list[str] = field(default_factory=list)
    primary_category: str = ""
    comment: str = ""
    journal_ref: str = ""
    doi: str = ""
    license: str = ""
    msc_class: str = ""
    acm_class: str = ""
    latest_version: int = 1
    submitted_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    is_withdrawn: bool = False


_FACTS = tuple(each.name for each in fields(_Facts))


@dataclass(slots=True)
class _Named:
    """A row of `Announcement`, stored or to be stored; an instance of the model costs ten times as much."""

    paper_id: int
    category: str
    day: dt.date
    kind: str
    source: str
    version: int
    pk: int | None = None


_NAMED = tuple(each.name for each in fields(_Named))


def store(listings: Sequence[Listing], source: str, scope: Scope) -> dict[str, int]:
    """Papers, texts and announcements of one page, in the caller's transaction or one of its own.

    Returns the primary key of each paper by its arxiv_id. `source` is that of the announcements the wire states.
    The texts have no feature vectors yet: `papers.filling` computes them.
    """
    ordered = sorted(listings, key=lambda listing: listing.arxiv_id)
    with transaction.atomic():
        keys, latest, new = _store_papers(ordered)
        _store_texts(ordered, keys, latest, new)
        _store_announcements(ordered, keys, source, scope, new)
    return keys


# --- papers ----------------------------------------------------------------------------------------


def _store_papers(listings: Sequence[Listing]) -> tuple[dict[str, int], dict[str, int], set[int]]:
    """The papers' primary keys and their latest versions, by arxiv_id; and the keys of those that were not yet there."""
    keys, facts = _known({listing.arxiv_id for listing in listings})
    changed: set[str] = set()
    for listing in listings:
        before = facts.get(listing.arxiv_id)
        after = _merged(before, listing)
        if after != before:
            facts[listing.arxiv_id] = after
            changed.add(listing.arxiv_id)
    stored, new = bulk.upsert_keys(
        Paper,
        ("arxiv_id", *_FACTS),
        ((arxiv_id, *_values(facts[arxiv_id])) for arxiv_id in sorted(changed)),
        unique="arxiv_id",
        update=_FACTS,
        standing=keys,
    )
    keys |= stored
    return keys, {arxiv_id: each.latest_version for arxiv_id, each in facts.items()}, new


_values = attrgetter(*_FACTS)


def _known(ids: Collection[str]) -> tuple[dict[str, int], dict[str, _Facts]]:
    keys: dict[str, int] = {}
    facts: dict[str, _Facts] = {}
    for row in Paper.objects.filter(arxiv_id__among=ids).values_list("arxiv_id", "pk", *_FACTS):
        keys[row[0]], facts[row[0]] = row[1], _Facts(*row[2:])
    return keys, facts


def _merged(before: _Facts | None, listing: Listing) -> _Facts:
    """What is known of the paper once this listing, too, has been heard."""
    after = _Facts() if before is None else copy(before)
    if listing.submitted_at is not None:
        after.submitted_at = listing.submitted_at
    if before is not None and _is_weaker(listing, before):
        return after
    after.title = listing.title or after.title
    if listing.has_text:
        after.folded_text = listing.folded_text or names.text_for_search(listing.title, listing.abstract)
    elif listing.title:
        after.folded_text = names.with_other_title(after.folded_text, listing.title)
    if _has_better_names(listing, before):
        after.authors = [
            {"name": author.name, "affiliations": list(author.affiliations)} for author in listing.authors
        ]
        after.author_names = ", ".join([author.name for author in listing.authors])
        after.folded_names = listing.folded_names
    after.folded_names = after.folded_names or names.for_search(author["name"] for author in after.authors)
    after.categories = list(listing.categories) or after.categories
    after.primary_category = listing.primary_category or after.primary_category
    for name in _STATED:
        if (stated := getattr(listing, name)) is not None:
            setattr(after, name, stated)
    after.latest_version = max(listing.version or 1, before.latest_version if before else 1)
    after.updated_at = _later(listing.updated_at, after.updated_at)
    after.is_withdrawn = after.is_withdrawn if listing.is_withdrawn is None else listing.is_withdrawn
    return after


def _is_weaker(listing: Listing, before: _Facts) -> bool:
    """An older version, or our own sample, must not speak for a paper that is known better."""
    return listing.is_sample or (listing.version is not None and listing.version < before.latest_version)


def _has_better_names(listing: Listing, before: _Facts | None) -> bool:
    if before is None or not before.authors:
        return True
    is_newer = (listing.version or 1) > before.latest_version
    return bool(listing.authors) and (not listing.has_split_names or is_newer)


def _later(stated: dt.datetime | None, stored: dt.datetime | None) -> dt.datetime | None:
    """The later one. The midnight of a bare date does not win over an instant of the same day."""
    return max((each for each in (stated, stored) if each is not None), default=None)


# --- texts -----------------------------------------------------------------------------------------


def _store_texts(
    listings: Sequence[Listing], keys: Mapping[str, int], latest: Mapping[str, int], new: Set[int]
) -> None:
    wanted: dict[tuple[int, int], Listing] = {}
    for listing in listings:
        place = keys[listing.arxiv_id], listing.version or latest[listing.arxiv_id]
        earlier = wanted.get(place)
        if earlier is None or _is_better(listing, earlier.is_sample, bool(earlier.abstract)):
            wanted[place] = listing
    for paper_id, number, is_sample, has_abstract in _stored_texts(set(keys.values()) - new):
        text_here = wanted.get((paper_id, number))
        if text_here is not None and not _is_better(text_here, is_sample, has_abstract):
            del wanted[paper_id, number]
    columns = ("paper_id", "number", "title", "abstract", "is_sample")
    rows = [(*place, text.title, text.abstract, text.is_sample) for place, text in wanted.items()]
    bulk.insert(PaperVersion, columns, (row for row in rows if row[0] in new))
    bulk.upsert(
        PaperVersion,
        columns,
        (row for row in rows if row[0] not in new),
        unique=["paper_id", "number"],
        update=["title", "abstract", "is_sample", "features"],
    )


def _is_better(text: Listing, stored_is_sample: bool, stored_has_abstract: bool) -> bool:
    """Whether it may take the place of a stored text: only of none, or of our own sample."""
    if text.is_sample or not text.abstract:
        return False
    return stored_is_sample or not stored_has_abstract


def _stored_texts(keys: Iterable[int]) -> Iterable[tuple[int, int, bool, bool]]:
    has_abstract = ExpressionWrapper(~Q(abstract=""), output_field=BooleanField())
    texts = PaperVersion.objects.filter(paper_id__among=frozenset(keys)).annotate(has_abstract=has_abstract)
    return texts.values_list("paper_id", "number", "is_sample", "has_abstract")


# --- announcements ---------------------------------------------------------------------------------


def _store_announcements(
    listings: Sequence[Listing], keys: Mapping[str, int], source: str, scope: Scope, new: Set[int]
) -> None:
    stored = _stored_announcements(set(keys.values()) - new)
    wanted: dict[tuple[int, str, dt.date], _Named] = {}
    for listing in listings:
        for announced in listing.announced:
            if not announced.is_derived and scope.holds(announced):
                row = _row(listing, keys, announced, source)
                wanted[row.paper_id, row.category, row.day] = row
    _correct_derived(wanted.values(), stored)
    proofs = [row for row in [*stored, *wanted.values()] if _is_proof(row)]
    settled = {(row.paper_id, row.category) for row in proofs}
    first_days = {row.paper_id: row.day for row in proofs if row.kind == Announcement.Kind.NEW}
    derived = _derived(listings, keys, scope, first_days)
    settled |= _garbled(keys) if derived else set()
    for row in derived:
        if (row.paper_id, row.category) not in settled:
            wanted.setdefault((row.paper_id, row.category, row.day), row)
    known = {(row.paper_id, row.category, row.day): row for row in stored}
    _note([known[place] for place, row in wanted.items() if _contradicts(row, known.get(place))])
    rows = [
        (row.paper_id, row.category, row.day, row.kind, row.source, row.version)
        for place, row in wanted.items()
        if _says_more(row, known.get(place))
    ]
    bulk.insert(Announcement, _NAMED[:-1], (row for row in rows if row[0] in new))
    bulk.upsert(
        Announcement,
        _NAMED[:-1],
        (row for row in rows if row[0] not in new),
        unique=["paper_id", "category", "day"],
        update=["kind", "source", "version"],
    )


def name(paper: Paper, category: str, day: dt.date, kind: str) -> bool:
    """Announce a paper that a list named unreadably on that day, in the caller's transaction; whether it was not yet.

    As *derived*, for its kind is a conclusion; but its day is a fact, and what was derived for days without a list
    gives way.
    """
    stored = _stored_announcements([paper.pk])
    row = _Named(paper.pk, category, day, kind, Announcement.Source.DERIVED, paper.latest_version)
    if any((each.category, each.day) == (category, day) for each in stored):
        return False
    seen = days_with_lists({each.day for each in stored})
    _correct_derived([row], [each for each in stored if (each.category, each.day) not in seen])
    Announcement.objects.create(
        paper=paper, category=category, day=day, kind=kind, source=row.source, version=row.version
    )
    return True


def _stored_announcements(keys: Iterable[int]) -> list[_Named]:
    rows = Announcement.objects.filter(paper_id__among=frozenset(keys)).values_list(*_NAMED)
    return [_Named(*row) for row in rows]


def _garbled(keys: Mapping[str, int]) -> set[tuple[int, str]]:
    """What a feed named unreadably: its day is known, and `reconciling` names it."""
    gaps = Gap.objects.filter(arxiv_id__among=frozenset(keys), reason=Gap.Reason.UNREADABLE)
    return {(keys[arxiv_id], category) for arxiv_id, category in gaps.values_list("arxiv_id", "category")}


def _row(listing: Listing, keys: Mapping[str, int], announced: Announced, source: str) -> _Named:
    return _Named(
        paper_id=keys[listing.arxiv_id],
        category=announced.category,
        day=announced.day,
        kind=announced.kind,
        source=source,
        version=listing.version or 1,
    )


def _is_proof(row: _Named) -> bool:
    return row.source in _STRONG and row.kind in _FIRST_TIME


def _says_more(row: _Named, stored: _Named | None) -> bool:
    return stored is None or (row.source in _STRONG and stored.source not in _STRONG)


def _contradicts(row: _Named, stored: _Named | None) -> bool:
    return stored is not None and _says_more(row, stored) and row.kind != stored.kind


def _note(wrong: Iterable[_Named]) -> None:
    """Keep what was derived, before a list puts it right."""
    rows = [
        Correction(paper_id=row.paper_id, category=row.category, day=row.day, kind=row.kind) for row in wrong
    ]
    Correction.objects.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["paper", "category", "day"],
        update_fields=["kind", "corrected_at"],
    )


def _correct_derived(wanted: Iterable[_Named], stored: list[_Named]) -> None:
    """A list names the day: a derived row of that paper on another day gives way, and never stands twice."""
    days = {(row.paper_id, row.category): row.day for row in wanted if row.kind in _FIRST_TIME}
    first_days = {row.paper_id: row.day for row in wanted if row.kind == Announcement.Kind.NEW}
    wrong = [
        row
        for row in stored
        if row.source not in _STRONG
        and (day := days.get((row.paper_id, row.category), first_days.get(row.paper_id))) is not None
        and row.day != day
    ]
    _note(wrong)
    Announcement.objects.filter(pk__among={row.pk for row in wrong}).delete()
    for row in wrong:
        stored.remove(row)


def _derived(
    listings: Sequence[Listing], keys: Mapping[str, int], scope: Scope, first_days: Mapping[int, dt.date]
) -> list[_Named]:
    """Rows from the v1 date, for categories and days of which no list was seen.

    Where a list named the paper as new in its category, its other categories follow that day. A paper that
    the list of its likely day does not name was held up, and came on a later day of which no list was seen.
    """
    if not scope.derives:
        return []
    likely = [
        (listing, announced)
        for listing in listings
        for announced in _likely(listing, first_days.get(keys[listing.arxiv_id]))
        if scope.categories is None or announced.category in scope.categories
    ]
    seen = days_with_lists({announced.day for _, announced in likely}.union(scope.days or ()))
    rows: list[_Named] = []
    for listing, announced in likely:
        found = announced
        if (announced.category, announced.day) in seen:
            later = _held_until(listing, announced, scope.days or frozenset(), seen)
            if later is None:
                continue
            found = later
        if scope.holds(found):
            rows.append(_row(listing, keys, found, Announcement.Source.DERIVED))
            rows[-1].version = 1
    return rows


def _held_until(
    listing: Listing, announced: Announced, days: frozenset[dt.date], seen: set[tuple[str, dt.date]]
) -> Announced | None:
    """The last of these days, up to the record's own date, that the paper can have come on; None if none is left.

    A record bears the date of its announcement, or a later one where it was changed since: the mailing of a
    day goes out on that date in UTC.
    """
    until = listing.modified_on or announced.day
    open_days = [
        day for day in days if announced.day < day <= until and (announced.category, day) not in seen
    ]
    if not open_days:
        return None
    return replace(announced, day=max(open_days))


def _likely(listing: Listing, named_on: dt.date | None) -> list[Announced]:
    likely = [announced for announced in listing.announced if announced.is_derived]
    if likely or listing.submitted_at is None or listing.announced:
        return likely
    day = named_on or calendar.day_of(listing.submitted_at)
    return [
        Announced(category, "cross" if number else "new", day, is_derived=True)
        for number, category in enumerate(listing.categories)
    ]


def days_with_lists(days: Collection[dt.date]) -> set[tuple[str, dt.date]]:
    """The categories and days of which arXiv's own list or feed was stored whole: nothing is derived for them."""
    found: set[tuple[str, dt.date]] = set()
    cut: set[tuple[str, dt.date]] = set()
    for part in _parts(sorted(days)):
        found.update(
            Announcement.objects.filter(day__in=part, source__in=_STRONG)
            .values_list("category", "day")
            .distinct()
        )
        found.update(
            ArxivCount.objects.filter(day__in=part, source=ArxivCount.Source.RSS)
            .values_list("category", "day")
            .distinct()
        )
        cut.update(
            ArxivCount.objects.filter(day__in=part, is_cut=True).values_list("category", "day").distinct()
        )
    return found - cut


# --- what arXiv counted ----------------------------------------------------------------------------


def store_counts(page: Page, category: str | None, source: str) -> None:
    """What a feed or a list page says of the size of its day, to be compared with what was stored."""
    if page.day is None or not category:
        return
    counts: Counter[str] = Counter(page.totals)
    if not page.totals:
        counts.update(listing.kind for listing in page.listings if listing.kind and listing.day == page.day)
    ArxivCount.objects.bulk_create(
        [
            ArxivCount(
                category=category,
                day=page.day,
                kind=kind,
                source=source,
                count=counts[kind],
                is_cut=page.is_cut,
            )
            for kind in KINDS
            if not page.totals or kind in page.totals
        ],
        update_conflicts=True,
        unique_fields=["category", "day", "kind", "source"],
        update_fields=["count", "is_cut", "counted_at"],
    )


def _parts[T](rows: Sequence[T]) -> Iterable[Sequence[T]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]
