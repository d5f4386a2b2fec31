"""OAI-PMH: pages of `arXiv`, `arXivRaw` and `oai_dc` records, and the protocol's errors.

https://info.arxiv.org/help/oa/index.html. In the `arXiv` format `created` is the date of the *latest* version
(the server before 2025 sent the first one's), so `submitted_at` comes from `arXivRaw` alone.
"""

import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import parse_qs, unquote

from papers.arxiv import fields, markup, tex
from papers.arxiv.listing import OAI_ERRORS, ArxivMalformed, ArxivProtocolError, Author, Listing, Page
from papers.arxiv.markup import Unreadable, child, children, needed, text


def parse(data: bytes) -> Page:
    """One page. `noRecordsMatch` is an empty page; every other error code raises its own exception."""
    document = markup.read(data, "record")
    if markup.local(document.root) != "OAI-PMH":
        raise ArxivMalformed(f"the root is <{markup.local(document.root)}>, not <OAI-PMH>")
    if _has_no_records(document.root):
        return Page("oai")
    listings, bad = markup.listings_of(document, _listing)
    deleted = len(document.records) - len(listings) - len(bad)
    return Page("oai", listings, bad, token=_token(document.root), broken=document.broken, deleted=deleted)


def _has_no_records(root: ET.Element) -> bool:
    error = child(root, "error")
    if error is None:
        return False
    code, words = error.get("code", ""), " ".join((error.text or "").split())
    if code == "noRecordsMatch":
        return True
    raise OAI_ERRORS.get(code, ArxivProtocolError)(f"{code}: {words}", code)


def _token(root: ET.Element) -> str | None:
    # The server sends the token percent-encoded once more than the protocol needs: it goes back as it came.
    found = next((each for each in root.iter() if markup.local(each) == "resumptionToken"), None)
    return ((found.text or "").strip() or None) if found is not None else None


def position_of(token: str) -> int | None:
    """The offset inside a token of arXiv's present server; None if it is opaque. For loops, not for paging."""
    skip = parse_qs(unquote(token)).get("skip", [""])[0]
    return int(skip) if skip.isdigit() else None


def _listing(record: ET.Element) -> Listing | None:
    header = child(record, "header")
    if header is None:
        raise Unreadable("no <header>")
    metadata = child(record, "metadata")
    if metadata is None or not len(metadata):
        if header.get("status") == "deleted":
            return None  # declared by the protocol, never sent by arXiv: the paper we have stays
        raise Unreadable("no <metadata>")
    body = metadata[0]
    read = {"arXiv": _arxiv, "arXivRaw": _arxiv_raw, "dc": _dublin_core}.get(markup.local(body))
    if read is None:
        raise Unreadable(f"metadata of an unknown format, <{markup.local(body)}>")
    return read(body, header)


def _arxiv(body: ET.Element, header: ET.Element) -> Listing:
    arxiv_id, _ = fields.split_id(needed(body, "id"))
    people = child(body, "authors")
    abstract, comment = tex.abstract(needed(body, "abstract")), fields.optional(text(body, "comments"))
    return Listing(
        arxiv_id=arxiv_id,
        title=tex.title(needed(body, "title")),
        abstract=abstract,
        authors=fields.people(_person(each) for each in children(people, "author"))
        if people is not None
        else (),
        categories=_categories(body),
        comment=comment,
        updated_at=fields.moment(text(body, "updated") or text(body, "created")),
        modified_on=fields.list_day(text(header, "datestamp")),
        is_withdrawn=fields.says_withdrawn(comment, abstract) or None,
        **_references(body),
    )


def _arxiv_raw(body: ET.Element, header: ET.Element) -> Listing:
    arxiv_id, _ = fields.split_id(needed(body, "id"))
    versions = sorted(children(body, "version"), key=_number)
    if not versions:
        raise Unreadable("no <version>")
    abstract, comment = tex.abstract(needed(body, "abstract")), fields.optional(text(body, "comments"))
    return Listing(
        arxiv_id=arxiv_id,
        title=tex.title(needed(body, "title")),
        abstract=abstract,
        authors=fields.authors_from_line(text(body, "authors")),
        categories=_categories(body),
        version=_number(versions[-1]),
        comment=comment,
        submitted_at=fields.moment(text(versions[0], "date")) if _number(versions[0]) == 1 else None,
        updated_at=fields.moment(text(versions[-1], "date")),
        modified_on=fields.list_day(text(header, "datestamp")),
        is_withdrawn=_is_withdrawn(versions[-1], comment, abstract),
        has_split_names=True,
        **_references(body),
    )


def _number(version: ET.Element) -> int:
    written = version.get("version", "").removeprefix("v")
    if not written.isdigit():
        raise Unreadable(f"version {written[:20]!r} is no number")
    return int(written)


def _is_withdrawn(latest: ET.Element, comment: str, abstract: str) -> bool:
    """The source flag I ("ignore") is how arXiv withdraws: a new version without a source."""
    flags = text(latest, "source_type")
    return "I" in flags if flags else fields.says_withdrawn(comment, abstract)


def _categories(body: ET.Element) -> tuple[str, ...]:
    found = fields.categories(text(body, "categories"))
    if not found:
        raise Unreadable("no category")
    return found


def _references(body: ET.Element) -> dict[str, Any]:
    return {
        "journal_ref": fields.optional(text(body, "journal-ref")),
        "doi": fields.optional(text(body, "doi")),
        "license": fields.optional(text(body, "license")),
        "msc_class": fields.optional(text(body, "msc-class")),
        "acm_class": fields.optional(text(body, "acm-class")),
    }


def _person(author: ET.Element) -> Author:
    parts = (text(author, "forenames"), text(author, "keyname"), text(author, "suffix"))
    places = (
        tex.title("".join(each.itertext())) for each in author.iter() if markup.local(each) == "affiliation"
    )
    return Author(
        tex.name(" ".join(part for part in parts if part)),
        tuple(dict.fromkeys(place for place in places if place)),
    )


def _dublin_core(body: ET.Element, header: ET.Element) -> Listing:
    arxiv_id, _ = fields.split_id(needed(header, "identifier"))
    descriptions = [each.text or "" for each in children(body, "description")]
    abstract = tex.abstract(descriptions[0]) if descriptions else ""
    comment = fields.optional(descriptions[1]) if len(descriptions) > 1 else ""
    dates = [found for each in children(body, "date") if (found := fields.moment(each.text))]
    return Listing(
        arxiv_id=arxiv_id,
        title=tex.title(needed(body, "title")),
        abstract=abstract,
        authors=fields.people(Author(_turned(each.text or "")) for each in children(body, "creator")),
        categories=tuple(
            dict.fromkeys(_code_of_set(each.text or "") for each in children(header, "setSpec"))
        ),
        comment=comment,
        updated_at=max(dates) if dates else None,
        modified_on=fields.list_day(text(header, "datestamp")),
        is_withdrawn=fields.says_withdrawn(comment, abstract) or None,
    )


def _turned(creator: str) -> str:
    """`Colas, Cédric` in reading order."""
    surname, _, rest = creator.partition(",")
    forenames, _, suffix = rest.partition(",")
    return tex.name(f"{forenames} {surname} {suffix}")


def _code_of_set(spec: str) -> str:
    """`cs:cs:AI` is cs.AI, `physics:hep-th` is hep-th, `physics:physics:optics` is physics.optics."""
    return ".".join(spec.strip().split(":")[1:]) or spec.strip()
