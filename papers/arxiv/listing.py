"""What the wire says of a paper, and the ways in which the wire can fail.

A `Listing` is one parsed record; it is never stored. Every parser of this package turns bytes into a `Page`
of listings, keeps the bytes of a record that it cannot read, and raises one of the errors below. Nobody changes a
listing or its parts; *frozen* ones take three times as long to make, and there are ten to a record.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Literal

Kind = Literal["new", "cross", "replacement"]
Source = Literal["rss", "listing", "oai", "api", "jsonl"]

# A longer feed is cut by arXiv, its *new* papers first.
FEED_IS_CUT_AT = 2000
KINDS: tuple[Kind, ...] = ("new", "cross", "replacement")
KIND_OF_ANNOUNCE_TYPE: dict[str, Kind] = {
    "new": "new",
    "cross": "cross",
    "replace": "replacement",
    "replace-cross": "replacement",
}


@dataclass(slots=True, unsafe_hash=True)
class Author:
    """A name in reading order ("Ada Lovelace"), with the affiliations that arXiv itself sent."""

    name: str
    affiliations: tuple[str, ...] = ()


@dataclass(slots=True, unsafe_hash=True)
class Announced:
    """That arXiv's list of `day` named the paper in `category` as `kind`; `is_derived` if nobody said so."""

    category: str
    kind: Kind
    day: date
    is_derived: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Listing:
    """One paper as one response names it.

    None means *this response does not say*, the empty string *there is none*: a weaker format must not erase
    what a stronger one knew. Texts are Unicode with TeX accents resolved and mathematics as written.
    """

    arxiv_id: str  # without version: 2601.21821 or hep-th/9901001
    title: str
    abstract: str
    authors: tuple[Author, ...]
    categories: tuple[str, ...]  # the primary one first
    version: int | None = None
    comment: str | None = None
    journal_ref: str | None = None
    doi: str | None = None
    license: str | None = None
    msc_class: str | None = None
    acm_class: str | None = None
    submitted_at: datetime | None = None  # of v1; never taken from the arXiv format's `created`
    updated_at: datetime | None = None
    modified_on: date | None = None  # the OAI datestamp
    is_withdrawn: bool | None = None
    announced: tuple[Announced, ...] = ()
    is_sample: bool = False  # the text is the project's own, not the authors'
    has_split_names: bool = False  # names were cut out of one line: weaker than a list that arXiv sent
    folded_text: str = ""  # for the search, where the reader made them already
    folded_names: str = ""

    def __reduce__(self) -> tuple[Callable[[list[Any]], "Listing"], tuple[list[Any]]]:
        """By its values in their order, all flat: what dataclasses do is five times as slow."""
        values = list(_values(self))
        values[_AUTHORS] = [(author.name, author.affiliations) for author in self.authors]
        values[_ANNOUNCED] = list(map(_values_named, self.announced))
        return _listing, (values,)

    @property
    def primary_category(self) -> str:
        return self.categories[0] if self.categories else ""

    @property
    def kind(self) -> Kind | None:
        return self.announced[0].kind if self.announced else None

    @property
    def day(self) -> date | None:
        return self.announced[0].day if self.announced else None

    @property
    def has_text(self) -> bool:
        return bool(self.title and self.abstract)


_NAMES = [each.name for each in fields(Listing)]
_AUTHORS, _ANNOUNCED = _NAMES.index("authors"), _NAMES.index("announced")
_values = attrgetter(*_NAMES)
_values_named = attrgetter(*(each.name for each in fields(Announced)))


def _listing(values: list[Any]) -> Listing:
    """What `Listing.__reduce__` took apart."""
    values[_AUTHORS] = tuple([Author(*each) for each in values[_AUTHORS]])
    values[_ANNOUNCED] = tuple([Announced(*each) for each in values[_ANNOUNCED]])
    return Listing(*values)


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that could not be read: where it stood (from 1), why, and its bytes.

    `code` is `unreadable` (a field is missing or makes no sense), `not_well_formed`, `bad_encoding` or
    `cut_off`.
    """

    position: int
    reason: str
    raw: bytes
    arxiv_id: str = ""
    code: str = "unreadable"


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file was read: whole lines, and the unpacked bytes they are, with the digest of these.

    Another run goes on from here if the file still begins with the same bytes.
    """

    lines: int
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Page:
    """One response: `listings` and `bad` together are every record that it held."""

    source: Source
    listings: tuple[Listing, ...] = ()
    bad: tuple[BadRecord, ...] = ()
    token: str | None = None  # where the next page continues
    category: str | None = None  # of a feed
    day: date | None = None  # of a feed or a list page
    total: int | None = None  # what arXiv says the whole answer holds
    broken: str | None = None  # why the rest of the page could not be read
    deleted: int = 0  # records that are only a header saying so
    totals: dict[Kind, int] = field(default_factory=dict)  # of a list page's sections
    named: dict[str, Kind] = field(default_factory=dict)  # the ids in them, as far as the page shows them
    place: Place | None = None  # where in its file it ends

    @property
    def is_cut(self) -> bool:
        """Whether this feed stops where arXiv cuts feeds: what it counts is a lower bound."""
        return self.source == "rss" and len(self.listings) + len(self.bad) >= FEED_IS_CUT_AT


class ArxivError(Exception):
    """Something between arXiv and us went wrong; `code` says what in one word, for rows and machines."""

    code = "error"


class ArxivUnavailable(ArxivError):
    """Later: arXiv is down, slow or asks to wait. A repeat is safe after `retry_after` seconds, if given."""

    code = "unavailable"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ArxivMalformed(ArxivError):
    """What came is not what was asked for. Codes: html, doctype, too_large, not_xml, not_expected."""

    def __init__(self, message: str, code: str = "not_expected") -> None:
        super().__init__(message)
        self.code = code


class ArxivProtocolError(ArxivError):
    """arXiv understood the request and refuses it; `code` is its own word for why."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class BadArgument(ArxivProtocolError):
    """An OAI argument is illegal: a date, a range, a set."""


class BadResumptionToken(ArxivProtocolError):
    """The token expired (at midnight UTC) or is not one: begin again from the stored date."""


class BadVerb(ArxivProtocolError):
    """No such OAI verb."""


class CannotDisseminateFormat(ArxivProtocolError):
    """No such OAI metadata format."""


class IdDoesNotExist(ArxivProtocolError):
    """arXiv has no paper of that id, or it is no id."""


class NoMetadataFormats(ArxivProtocolError):
    """The OAI record exists in no format."""


class NoSetHierarchy(ArxivProtocolError):
    """The OAI server says that it has no sets."""


class FeedRefused(ArxivProtocolError):
    """An RSS or Atom feed that says only what was wrong with the request (valid RSS, status 400)."""


class ApiRefused(ArxivProtocolError):
    """An answer of the API whose one entry is an error."""


OAI_ERRORS: dict[str, type[ArxivProtocolError]] = {
    "badArgument": BadArgument,
    "badResumptionToken": BadResumptionToken,
    "badVerb": BadVerb,
    "cannotDisseminateFormat": CannotDisseminateFormat,
    "idDoesNotExist": IdDoesNotExist,
    "noMetadataFormats": NoMetadataFormats,
    "noSetHierarchy": NoSetHierarchy,
}


def too_many_bad(bad: int, seen: int) -> bool:
    """Whether a run must stop: one bad record never stops it, more than one in a hundred does."""
    return bad > 1 and bad * 100 > seen
