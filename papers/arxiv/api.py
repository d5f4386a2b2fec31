"""The query API's Atom: single ids, and what was submitted before we were here.

https://info.arxiv.org/help/api/user-manual.html. It knows versions, instants and affiliations, but not days.
"""

import re
import xml.etree.ElementTree as ET
from typing import Any

from papers.arxiv import fields, markup, tex
from papers.arxiv.listing import ApiRefused, ArxivMalformed, Author, Listing, Page
from papers.arxiv.markup import Unreadable, child, children, needed, text


def parse(data: bytes) -> Page:
    """One answer. An id that does not exist is an answer without entries; a malformed one is `ApiRefused`."""
    document = markup.read(data, "entry")
    if markup.local(document.root) != "feed":
        raise ArxivMalformed(f"the root is <{markup.local(document.root)}>, not <feed>")
    for entry in document.records:
        if isinstance(entry, ET.Element) and "/api/errors" in (text(entry, "id") or ""):
            raise ApiRefused(text(entry, "summary") or "the API refuses the request", "apiError")
    listings, bad = markup.listings_of(document, _listing)
    total = text(document.root, "totalResults")
    return Page(
        "api", listings, bad, total=int(total) if total and total.isdigit() else None, broken=document.broken
    )


def _listing(entry: ET.Element) -> Listing:
    arxiv_id, version = fields.split_id(needed(entry, "id"))
    abstract, comment = tex.abstract(text(entry, "summary") or ""), fields.optional(text(entry, "comment"))
    return Listing(
        arxiv_id=arxiv_id,
        title=tex.title(needed(entry, "title")),
        abstract=abstract,
        authors=fields.people(_person(each) for each in children(entry, "author")),
        categories=_categories(entry),
        version=version,
        comment=comment,
        journal_ref=fields.optional(text(entry, "journal_ref")),
        doi=fields.optional(text(entry, "doi")),
        submitted_at=fields.moment(text(entry, "published")),
        updated_at=fields.moment(text(entry, "updated")),
        is_withdrawn=fields.says_withdrawn(comment, abstract) or None,
        **_classes(entry),
    )


def _categories(entry: ET.Element) -> tuple[str, ...]:
    primary = child(entry, "primary_category")
    terms = [
        each.get("term", "") for each in ([] if primary is None else [primary]) + children(entry, "category")
    ]
    found = fields.categories(" ".join(term for term in terms if not _is_class(term)))
    if not found:
        raise Unreadable("no category")
    return found


def _is_class(term: str) -> bool:
    """MSC and ACM classes come as categories too: `68T07`, `I.2.7; F.2.2`."""
    return bool(re.match(r"\d|[A-K]\.\d", term))


def _classes(entry: ET.Element) -> dict[str, Any]:
    terms = [each.get("term", "") for each in children(entry, "category") if _is_class(each.get("term", ""))]
    return {
        "msc_class": "; ".join(tex.title(term) for term in terms if term[0].isdigit()),
        "acm_class": "; ".join(tex.title(term) for term in terms if not term[0].isdigit()),
    }


def _person(author: ET.Element) -> Author:
    places = [tex.title("".join(each.itertext())) for each in children(author, "affiliation")]
    return Author(tex.name(needed(author, "name")), tuple(dict.fromkeys(place for place in places if place)))
