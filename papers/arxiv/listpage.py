"""The HTML page of a category's new listings, for one thing only: how many papers arXiv itself counted."""

import re
from datetime import date, datetime
from html.parser import HTMLParser

from papers.arxiv.listing import ArxivMalformed, Kind, Page

_SECTION = re.compile(r"(New|Cross|Replacement) submissions.*?of\s+(\d+)\s+entries", re.DOTALL)
_DAY = re.compile(r"new listings for \w+, (\d{1,2} \w+ \d{4})")
_KIND: dict[str, Kind] = {"New": "new", "Cross": "cross", "Replacement": "replacement"}


class _Headings(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "h3":
            self._is_inside = True
            self.found.append("")

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
    return Page("listing", day=_date(day), totals=totals)


def _date(written: str) -> date:
    for form in ("%d %B %Y", "%d %b %Y"):
        try:
            return datetime.strptime(written, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise ArxivMalformed(f"the list's day {written!r} is no date")
