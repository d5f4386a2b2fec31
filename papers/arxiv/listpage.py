"""The HTML page of a category's new listings: how many papers arXiv itself counted, and which ids it names as what."""

import re
from datetime import date, datetime
from html.parser import HTMLParser

from papers.arxiv import fields
from papers.arxiv.listing import ArxivMalformed, Kind, Page
from papers.arxiv.markup import Unreadable

_SECTION = re.compile(r"(New|Cross|Replacement) submissions.*?of\s+(\d+)\s+entries", re.DOTALL)
_DAY = re.compile(r"new listings for \w+, (\d{1,2} \w+ \d{4})")
_KIND: dict[str, Kind] = {"New": "new", "Cross": "cross", "Replacement": "replacement"}


class _Headings(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.addresses: list[tuple[int, str]] = []  # of abstracts, each with the number of headings before it
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "h3":
            self._is_inside = True
            self.found.append("")
        link = dict(attrs)
        if tag == "a" and link.get("title") == "Abstract" and link.get("href"):
            self.addresses.append((len(self.found), link["href"] or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "h3":
            self._is_inside = False

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.found[-1] += data


def parse(data: bytes) -> Page:
    """The page's day and its sections' totals; a section that is not on the page has none."""
    reader = _Headings()
    reader.feed(data.decode("utf-8", errors="replace"))
    headings = [" ".join(heading.split()) for heading in reader.found]
    day = next((match.group(1) for heading in headings if (match := _DAY.search(heading))), None)
    if day is None:
        raise ArxivMalformed("this web page is not one of arXiv's lists of new papers")
    totals = {_KIND[m.group(1)]: int(m.group(2)) for heading in headings if (m := _SECTION.search(heading))}
    return Page("listing", day=_date(day), totals=totals, named=_named(reader.addresses, headings))


def _named(addresses: list[tuple[int, str]], headings: list[str]) -> dict[str, Kind]:
    named: dict[str, Kind] = {}
    for number, address in addresses:
        section = _SECTION.search(headings[number - 1]) if number else None
        try:
            arxiv_id, _version = fields.split_id(
                address.removeprefix("https://arxiv.org").removeprefix("/abs/")
            )
        except Unreadable:
            continue
        if section is not None:
            named.setdefault(arxiv_id, _KIND[section.group(1)])
    return named


def _date(written: str) -> date:
    for form in ("%d %B %Y", "%d %b %Y"):
        try:
            return datetime.strptime(written, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise ArxivMalformed(f"the list's day {written!r} is no date")
