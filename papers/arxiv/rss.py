"""arXiv's RSS 2.0 and Atom feeds: what one day announced in one category, and as what.

https://info.arxiv.org/help/rss.html. An empty feed (a weekend, a holiday) is a success. A feed that only says
what was wrong with the request is valid RSS, and raises `FeedRefused`.
"""

import re
import xml.etree.ElementTree as ET
from datetime import date

from papers.arxiv import fields, markup, tex
from papers.arxiv.listing import KIND_OF_ANNOUNCE_TYPE, Announced, ArxivMalformed, FeedRefused, Listing, Page
from papers.arxiv.markup import Unreadable, child, children, needed, text

_HEAD = re.compile(
    r"\s*arXiv:(?P<id>\S+)\s+Announce Type:\s*(?P<kind>[\w-]+)\s*(?:Abstract:\s*)?", re.IGNORECASE
)
_FEED_OF = re.compile(r"(\S+) updates on arXiv\.org")


def parse(data: bytes) -> Page:
    """One feed, with its day and, where one category was asked for, its category."""
    is_atom = b"http://www.w3.org/2005/Atom" in data[:4096] and b"<rss" not in data[:4096]
    document = markup.read(data, "entry" if is_atom else "item")
    about = document.root if is_atom else _channel(document.root)
    title = text(about, "title") or ""
    if title.startswith("Feed error"):
        raise FeedRefused(text(about, "description") or text(about, "subtitle") or title, "feedError")
    day = fields.list_day(text(about, "updated" if is_atom else "pubDate"))
    category = _category(title)
    listings, bad = markup.listings_of(document, lambda record: _listing(record, category, day))
    return Page("rss", listings, bad, category=category, day=day, broken=document.broken)


def _channel(root: ET.Element) -> ET.Element:
    if markup.local(root) != "rss":
        raise ArxivMalformed(f"the root is <{markup.local(root)}>, neither <rss> nor <feed>")
    found = child(root, "channel")
    return root if found is None else found


def _category(title: str) -> str | None:
    match = _FEED_OF.match(title)
    codes = fields.categories(match.group(1)) if match and "+" not in match.group(1) else ()
    return codes[0] if codes else None


def _listing(item: ET.Element, category: str | None, feed_day: date | None) -> Listing:
    description = text(item, "description") or text(item, "summary") or ""
    head = _HEAD.match(description)
    arxiv_id, version = fields.split_id(
        text(item, "guid") or text(item, "id") or (head["id"] if head else "")
    )
    announced_as = (text(item, "announce_type") or (head["kind"] if head else "")).lower()
    kind = KIND_OF_ANNOUNCE_TYPE.get(announced_as)
    if kind is None:
        raise Unreadable(f"announce type {announced_as[:40]!r} is unknown")
    abstract = tex.abstract(description[head.end() :] if head else description)
    categories = _categories(item)
    day = fields.list_day(text(item, "pubDate") or text(item, "published")) or feed_day
    # A feed of a whole archive, or of several categories, does not say for which one it names the paper.
    place = category if category and category in categories else categories[0]
    return Listing(
        arxiv_id=arxiv_id,
        title=tex.title(needed(item, "title")),
        abstract=abstract,
        authors=fields.authors_from_line(text(item, "creator")),
        categories=categories,
        version=version,
        license=text(item, "rights"),
        is_withdrawn=fields.says_withdrawn(None, abstract) or None,
        announced=(Announced(place, kind, day),) if day else (),
        has_split_names=True,
    )


def _categories(item: ET.Element) -> tuple[str, ...]:
    written = " ".join(each.get("term") or each.text or "" for each in children(item, "category"))
    found = fields.categories(written)
    if not found:
        raise Unreadable("no category")
    return found
