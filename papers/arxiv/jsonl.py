"""JSON Lines, one paper a line: what one instance, or a collection, hands to another.

Fields: `id, version, title, abstract, authors[], categories[], primary, comment, published, updated,
first_listed` (the day of the list that announced it as new), `announce[]` of `{category, kind, day}` instead
of that; null where not known. `sample: true` marks a text that is not the authors', `withdrawn: true` a paper.
"""

import codecs
import json
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from papers import names
from papers.arxiv import fields, tex
from papers.arxiv.listing import KINDS, Announced, Author, BadRecord, Listing
from papers.arxiv.markup import Unreadable

_LONGEST_LINE = 4 * 1024 * 1024


def parse(lines: Iterable[bytes], first: int = 1) -> Iterator[Listing | BadRecord]:
    """Each line as it comes, so that memory stays flat. A bad line keeps its number (from `first`) and its bytes."""
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            yield _listing(line)
        except ValueError as error:  # Unreadable, no JSON, not UTF-8
            yield BadRecord(number, str(error), line[: 64 * 1024])


def _listing(line: bytes) -> Listing:
    if len(line) > _LONGEST_LINE:
        raise Unreadable("a line of more than 4 MiB")
    row = json.loads(line.removeprefix(codecs.BOM_UTF8).decode())
    if not isinstance(row, dict):
        raise Unreadable("not a JSON object")
    arxiv_id, version = fields.split_id(_string(row, "id"))
    title, abstract = _needed_title(row), tex.abstract(_string(row, "abstract"))
    authors, categories, comment = fields.people(_people(row)), _categories(row), row.get("comment")
    return Listing(
        arxiv_id=arxiv_id,
        title=title,
        abstract=abstract,
        authors=authors,
        categories=categories,
        version=_version(row) or version,
        comment=fields.optional(_string(row, "comment")) if comment is not None else None,
        journal_ref=_known(row, "journal_ref"),
        doi=_known(row, "doi"),
        license=_known(row, "license"),
        submitted_at=fields.moment(_string(row, "published")),
        updated_at=fields.moment(_string(row, "updated")),
        is_withdrawn=fields.says_withdrawn(comment, abstract) or _flag(row, "withdrawn") or None,
        announced=tuple(_announced(row, categories)),
        is_sample=_flag(row, "sample"),
        folded_text=names.text_for_search(title, abstract),
        folded_names=names.for_search([author.name for author in authors]),
    )


def _string(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(f"{name} is not a string")
    return value


def _known(row: dict[str, Any], name: str) -> str | None:
    return fields.optional(_string(row, name)) if row.get(name) is not None else None


def _flag(row: dict[str, Any], name: str) -> bool:
    return row.get(name) is True


def _needed_title(row: dict[str, Any]) -> str:
    found = tex.title(_string(row, "title"))
    if not found:
        raise Unreadable("no title")
    return found


def _version(row: dict[str, Any]) -> int | None:
    value = row.get("version")
    if isinstance(value, str) and value.removeprefix("v").isdigit():
        return int(value.removeprefix("v"))
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise Unreadable(f"version {value!r} is no positive whole number")
    return value


def _announced(row: dict[str, Any], categories: tuple[str, ...]) -> Iterator[Announced]:
    given = row.get("announce")
    if given is None:
        day = fields.list_day(_string(row, "first_listed"))
        if day is not None:
            # The list names a new paper in its primary category; that its cross-lists came along is likely.
            yield Announced(categories[0], "new", day)
            yield from (Announced(category, "cross", day, is_derived=True) for category in categories[1:])
        return
    if not isinstance(given, list):
        raise Unreadable("announce is not a list")
    for each in given:
        if not isinstance(each, dict):
            raise Unreadable("announce holds something that is not an object")
        kind, day = each.get("kind"), fields.list_day(_string(each, "day"))
        if kind not in KINDS or day is None or not _string(each, "category"):
            raise Unreadable("announce needs a category, a day and a kind (new, cross, replacement)")
        yield Announced(each["category"], kind, day)


def _people(row: dict[str, Any]) -> Iterator[Author]:
    people = row.get("authors") or []
    if not isinstance(people, list):
        raise Unreadable("authors is not a list")
    if (plain := _plain_names(people)) is not None:
        yield from plain
        return
    for person in people:
        if isinstance(person, str):
            yield Author(tex.name(person))
        elif isinstance(person, dict):
            places = person.get("affiliations") or []
            yield Author(tex.name(_string(person, "name")), tuple(tex.title(str(place)) for place in places))
        else:
            raise Unreadable("an author is not a string")


def _plain_names(people: list[Any]) -> list[Author] | None:
    """The authors, where all are names in which nothing is to be resolved; most are, and need one look together."""
    try:
        together = "".join(people)
    except TypeError:
        return None  # some are objects
    if not tex.is_plain_name(together):
        return None
    if not together.isascii():
        people = [unicodedata.normalize("NFC", person) for person in people]
    return [Author(person.strip(" ")) for person in people]


def _categories(row: dict[str, Any]) -> tuple[str, ...]:
    codes = row.get("categories") or []
    if not isinstance(codes, list):
        raise Unreadable("categories is not a list")
    found = fields.categories(" ".join([_string(row, "primary"), *map(str, codes)]))
    if not found:
        raise Unreadable("no category")
    return found
