"""The parts that several of arXiv's formats share: ids, categories, names, dates, withdrawals."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from papers.arxiv import tex
from papers.arxiv.listing import Author
from papers.arxiv.markup import Unreadable

# https://info.arxiv.org/help/arxiv_identifier.html
_ID = re.compile(
    r"(?:oai:arxiv\.org:|https?://(?:\w+\.)?arxiv\.org/abs/|arxiv:)?"
    r"(\d{4}\.\d{4,5}|[a-z]+(?:-[a-z]+)*(?:\.[A-Z]{2})?/\d{7})(?:v([1-9]\d{0,3}))?",
    re.IGNORECASE,
)
_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z]{2,}(?:-[a-z]+)*)?")
_WITHDRAWN = re.compile(
    r"\W*(?:this|the)\s+(?:\w+\s+)?(?:paper|article|submission|manuscript|work|preprint)\s+(?:has\s+been|is|was)\s+"
    r"withdrawn\b",
    re.IGNORECASE,
)
_WITHDRAWN_COMMENT = re.compile(r"\W*(?:paper\s+)?withdrawn\b(?!\s+from)", re.IGNORECASE)
_PARENTHESES = re.compile(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_BETWEEN_NAMES = re.compile(r"\s*(?:[,;:]|\s+and\s+|\s+&\s+)\s*(?:and\s+)?", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|I{2,3}|IV", re.IGNORECASE)


def split_id(text: str) -> tuple[str, int | None]:
    """The id without version, and the version if there is one. Raises `Unreadable`."""
    match = _ID.fullmatch(text.strip())
    if match is None:
        raise Unreadable(f"{text.strip()[:80]!r} is no arXiv id")
    return match.group(1), int(match.group(2)) if match.group(2) else None


@lru_cache(maxsize=4096)
def categories(text: str | None) -> tuple[str, ...]:
    """Category codes in arXiv's order; MSC and ACM classes that some formats mix in are left out."""
    codes = (text or "").replace(",", " ").split()
    return tuple(dict.fromkeys(code for code in codes if _CATEGORY.fullmatch(code)))


def moment(text: str | None) -> datetime | None:
    """An aware UTC instant from an RFC 822 or ISO 8601 date; a bare day is its midnight in UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except (ValueError, TypeError) as error:
            raise Unreadable(f"{text[:40]!r} is no date") from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def list_day(text: str | None) -> date | None:
    """The date as written, in the zone in which arXiv wrote it: a list's day never moves with a zone."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        try:
            return parsedate_to_datetime(text).date()
        except (ValueError, TypeError) as error:
            raise Unreadable(f"{text[:40]!r} is no date") from error


def optional(text: str | None) -> str:
    """A field of a format that sends it whenever there is one: absent means empty."""
    return tex.title(text or "")


def says_withdrawn(comment: str | None, abstract: str) -> bool:
    """Whether author's words say so. Only arXivRaw's source flag is proof; the other formats have no flag."""
    comment = comment or ""
    return any((_WITHDRAWN.match(comment), _WITHDRAWN_COMMENT.match(comment), _WITHDRAWN.match(abstract)))


def people(found: Iterable[Author]) -> tuple[Author, ...]:
    """The authors among them: a lone colon after a collaboration's name is no person."""
    return tuple(author for author in found if _has_letter(author.name))


def _has_letter(name: str) -> bool:
    return name[:1].isalnum() or any(each.isalnum() for each in name)


def authors_from_line(text: str | None) -> tuple[Author, ...]:
    """Names from the one line that RSS and arXivRaw send: `A. Lovelace (1), C. Babbage (2) ((1) Here, …)`.

    Only arXiv's own parentheses become affiliations.
    """
    line = " ".join(tex.clean(text or "").split())
    line, places = _numbered_places(line)
    protected: list[str] = []

    def keep(match: re.Match[str]) -> str:
        protected.append(match.group(1))
        return f"\x00{len(protected) - 1}\x00"

    found: list[Author] = []
    for part in _BETWEEN_NAMES.split(_PARENTHESES.sub(keep, line)):
        inside = [protected[int(number)] for number in re.findall(r"\x00(\d+)\x00", part)]
        person = tex.name(re.sub(r"\x00\d+\x00", " ", part))
        if found and _SUFFIX.fullmatch(person):
            found[-1] = Author(f"{found[-1].name} {person}", found[-1].affiliations)
        elif person:
            found.append(Author(person, _affiliations(inside, places)))
    return people(found)


def _numbered_places(line: str) -> tuple[str, dict[str, str]]:
    """The key of numbered affiliations at the end, `((1) Here, (2) There)`, taken off the line."""
    begins = re.search(r"\(\s*(?=\(\w{1,2}\))", line)
    if begins is None or not line.endswith(")"):
        return line, {}
    parts = re.split(r"\((\w{1,2})\)\s*", line[begins.end() : -1])[1:]
    places = {
        number: tex.title(place.strip(" ,;")) for number, place in zip(parts[::2], parts[1::2], strict=False)
    }
    return line[: begins.start()], places


def _affiliations(inside: list[str], places: dict[str, str]) -> tuple[str, ...]:
    named: list[str] = []
    for text in inside:
        marks = [mark for mark in re.split(r"[\s,]+|and", text) if mark]
        if marks and all(mark.isdigit() or (places and mark in places) for mark in marks):
            named += [places[mark] for mark in marks if mark in places]
        else:
            named.append(tex.title(text))
    return tuple(dict.fromkeys(name for name in named if name))
