"""What a card and a page say of a paper itself: its people, and where its code and data are. No query."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from papers import about, search
from papers.links import Link, links_in
from papers.models import Announcement, Paper

FIRST_AUTHORS = 3
# More names than these between the first and the last come when they are asked for: a card stays light.
MOST_AT_ONCE = 40
# Of a page's `citation_author` tags; BibTeX and RIS name everybody.
MOST_CITED = 200
KINDS: dict[str, Any] = {
    "code": _("Code"),
    "data": _("Data"),
    "model": _("Model"),
    "project": _("Project page"),
}


def author_line(author: dict[str, Any]) -> str:
    """`Name (Affiliation; Affiliation)`, affiliations only where arXiv sent them."""
    affiliations = "; ".join(author.get("affiliations") or [])
    return f"{author['name']} ({affiliations})" if affiliations else author["name"]


@dataclass(frozen=True)
class Person:
    """An author as a line shows them; `address` finds their papers."""

    line: str
    address: str


class People:
    """A paper's authors: the first three, the last, and the rest on demand."""

    def __init__(self, authors: Sequence[dict[str, Any]]) -> None:
        self._authors = authors
        few = len(authors) <= FIRST_AUTHORS + 2
        self._first = len(authors) if few else FIRST_AUTHORS
        self.count = len(authors)

    @cached_property
    def first(self) -> list[Person]:
        return _people(self._authors[: self._first])

    @property
    def middle_count(self) -> int:
        return max(0, self.count - self._first - 1)

    @property
    def is_long(self) -> bool:
        return self.middle_count > MOST_AT_ONCE

    @property
    def middle(self) -> list[Person]:
        return _people(self._authors[self._first : -1]) if self.middle_count else []

    @cached_property
    def last(self) -> Person | None:
        return _people(self._authors[-1:])[0] if self.count > self._first else None


def _people(authors: Iterable[dict[str, Any]]) -> list[Person]:
    place = reverse("search")
    return [
        Person(author_line(author), f"{place}?{urlencode({'q': search.by_author(author['name'])})}")
        for author in authors
    ]


@dataclass(frozen=True)
class FoundLink:
    """A link of a paper with the words that it stands under; a second one of a kind is numbered."""

    url: str
    kind: str
    shown: str
    number: int

    @property
    def words(self) -> str:
        words = str(KINDS[self.kind])
        return f"{words} {self.number}" if self.number > 1 else words


def found_links(paper: Paper, abstract: str) -> list[FoundLink]:
    """What the comment and the abstract name. Give no abstract that is not the authors'."""
    numbers: dict[str, int] = {}
    found = []
    for link in links_in(paper.comment, abstract):
        numbers[link.kind] = numbers.get(link.kind, 0) + 1
        found.append(_found(link, numbers[link.kind]))
    return found


def _found(link: Link, number: int) -> FoundLink:
    return FoundLink(link.url, link.kind, link.shown, number)


@dataclass(frozen=True)
class Replaced:
    """That arXiv's list of that day named a new version."""

    version: int
    day: dt.date


class Facts:
    """The fields of arXiv's that a paper's page lists, where they say anything."""

    def __init__(self, paper: Paper, announcements: Iterable[Announcement]) -> None:
        self.paper = paper
        self.licence = about.licence_of(paper.license)
        self.dois = about.dois_of(paper.doi)
        named = sorted(announcements, key=lambda each: each.day)
        self.first_day = named[0].day if named else None
        days: dict[int, dt.date] = {}
        for each in named:
            if each.kind == Announcement.Kind.REPLACEMENT and each.version > 1:
                days.setdefault(each.version, each.day)
        self.replaced = [Replaced(*each) for each in sorted(days.items())]

    @property
    def has_any(self) -> bool:
        paper = self.paper
        comment = "" if paper.is_withdrawn else paper.comment  # then it stands above, as the reason
        stated = (
            comment,
            paper.journal_ref,
            paper.doi,
            paper.license,
            paper.msc_class,
            paper.acm_class,
        )
        return any(stated) or paper.latest_version > 1
