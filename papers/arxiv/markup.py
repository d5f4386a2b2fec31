"""XML from outside: no DOCTYPE, and a page that breaks in the middle keeps its good records."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from papers.arxiv.listing import ArxivMalformed, BadRecord, Listing

_LONGEST_RAW = 64 * 1024  # of a quarantined record: enough for three thousand authors
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_ROOT = re.compile(rb"<(?![?!])([A-Za-z][\w:.-]*)\b[^>]*>")
_LEAF = re.compile(rb"<([\w:]+)[^<>]*>[^<>]*</\1>")
_SOME_ID = re.compile(rb"oai:arXiv\.org:([\w.-]+/?\d*\.?\d*)|/abs/([\w.-]+/?\d*\.?\d*)")


class Unreadable(ValueError):
    """This record lacks what a paper must have; the message says what."""


@dataclass(frozen=True)
class Document:
    """A parsed page. `root` holds no record where the page broke; `records` are elements or lost bytes."""

    root: ET.Element
    records: tuple[ET.Element | BadRecord, ...]
    broken: str | None = None


def looks_like_html(data: bytes) -> bool:
    return _HTML.match(data[:2048].removeprefix(b"\xef\xbb\xbf")) is not None


def read(data: bytes, record_tag: str) -> Document:
    """Parse a page whose records are elements named `record_tag` (local name).

    A page that is not well-formed is read record by record: the good ones are kept, the others keep their
    bytes. Raises `ArxivMalformed` for HTML, a DOCTYPE and what has no XML root.
    """
    if looks_like_html(data):
        raise ArxivMalformed("this is a web page (HTML), not a response of arXiv's interfaces", "html")
    if _DOCTYPE.search(data[:4096]):
        raise ArxivMalformed("the XML declares a DOCTYPE, which arXiv never does; refused", "doctype")
    try:
        root = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise ArxivMalformed("the XML declares a DOCTYPE or entities; refused", "doctype") from error
    except (ET.ParseError, ValueError, LookupError) as error:
        return _read_piecemeal(data, record_tag.encode(), str(error))
    return Document(root, tuple(element for element in root.iter() if local(element) == record_tag))


def _read_piecemeal(data: bytes, tag: bytes, problem: str) -> Document:
    start = _ROOT.search(data)
    if start is None:
        raise ArxivMalformed(f"this is no XML ({problem})", "not_xml")
    head, close = start.group(0), b"</" + start.group(1) + b">"
    before_records = re.split(rb"<" + tag + rb"\b", data[start.end() :], maxsplit=1)[0]
    records = tuple(_pieces(data, tag, head, close))
    where = f"after record {len(records)}" if records else "before the first record"
    return Document(
        _root_of(head, before_records, close), records, f"not well-formed XML, {where}: {problem}"
    )


def _root_of(head: bytes, inside: bytes, close: bytes) -> ET.Element:
    """The root with the whole leaves that stood before the first record (a feed's title and day)."""
    leaves = b"".join(match.group(0) for match in _LEAF.finditer(inside))
    for body in (leaves, b""):
        try:
            return fromstring(head + body + close, forbid_dtd=True)
        except (ET.ParseError, ValueError):
            continue
    raise ArxivMalformed("this is no XML: its first element cannot be read", "not_xml")


def _pieces(data: bytes, tag: bytes, head: bytes, close: bytes) -> Iterator[ET.Element | BadRecord]:
    """Each record by itself, in one pass over the bytes however badly they are nested."""
    starts = [match.start() for match in re.finditer(rb"<" + tag + rb"[\s>/]", data)]
    ending = b"</" + tag + b">"
    for position, (start, following) in enumerate(zip(starts, [*starts[1:], len(data)], strict=True), 1):
        end = data.find(ending, start, following)
        if end < 0:
            reason = "the page ends, or the next record begins, in the middle of this record"
            yield bad_record(position, reason, data[start:following], "cut_off")
            continue
        raw = data[start : end + len(ending)]
        try:
            yield fromstring(head + raw + close, forbid_dtd=True)[0]
        except (ET.ParseError, ValueError) as error:
            yield _lost(position, str(error), raw)


def _lost(position: int, problem: str, raw: bytes) -> BadRecord:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} of this record is not UTF-8"
        return bad_record(position, reason, raw, "bad_encoding")
    return bad_record(position, problem, raw, "not_well_formed")


def bad_record(position: int, reason: str, raw: bytes, code: str = "unreadable") -> BadRecord:
    found = _SOME_ID.search(raw)
    arxiv_id = (found.group(1) or found.group(2)).decode() if found else ""
    return BadRecord(position, reason, raw[:_LONGEST_RAW], arxiv_id, code)


def listings_of(
    document: Document, parse: Callable[[ET.Element], Listing | None]
) -> tuple[tuple[Listing, ...], tuple[BadRecord, ...]]:
    """Every record through `parse`: what it makes of them, and those of which it says `Unreadable`.

    Where it makes None, the record is neither.
    """
    listings: list[Listing] = []
    bad: list[BadRecord] = []
    for position, record in enumerate(document.records, 1):
        if isinstance(record, BadRecord):
            bad.append(record)
            continue
        try:
            listing = parse(record)
        except ValueError as error:  # Unreadable, or a number or date that is none
            bad.append(bad_record(position, str(error), ET.tostring(record)))
        else:
            listings += [listing] if listing else []
    return tuple(listings), tuple(bad)


def local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def child(element: ET.Element, name: str) -> ET.Element | None:
    return next((each for each in element if local(each) == name), None)


def children(element: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in element if local(each) == name]


def text(element: ET.Element, name: str) -> str | None:
    """The stripped text of the first child of that local name; None if there is no such child."""
    found = child(element, name)
    return None if found is None else "".join(found.itertext()).strip()


def needed(element: ET.Element, name: str) -> str:
    found = text(element, name)
    if not found:
        raise Unreadable(f"no <{name}>")
    return found


def without_declaration(xml: str) -> str:
    """Without `<?xml … encoding=…?>`, which would contradict a text that was decoded already."""
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", xml, count=1)
