"""The pages beside the tests, and pages made to measure."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

WIRE = Path(__file__).parent / "wire"


def wire(name: str) -> bytes:
    return (WIRE / name).read_bytes()


def raw_record(
    arxiv_id: str,
    *,
    title: str = "A title",
    submitted: str = "Mon, 02 Feb 2026 10:00:00 GMT",
    categories: str = "cs.LG",
    versions: int = 1,
    datestamp: str = "2026-02-03",
) -> str:
    """An arXivRaw record; every version after the first came in on 2026-02-02."""
    later = "".join(
        f'<version version="v{number}"><date>Mon, 02 Feb 2026 11:00:00 GMT</date></version>'
        for number in range(2, versions + 1)
    )
    return (
        f"<record><header><identifier>oai:arXiv.org:{arxiv_id}</identifier><datestamp>{datestamp}</datestamp></header>"
        f'<metadata><arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>{arxiv_id}</id>'
        f'<version version="v1"><date>{submitted}</date></version>{later}'
        f"<title>{escape(title)}</title><authors>Ada Lovelace</authors><categories>{categories}</categories>"
        f"<abstract>About {arxiv_id}.</abstract></arXivRaw></metadata></record>"
    )


def arxiv_record(
    arxiv_id: str, *, title: str = "A title", categories: str = "cs.LG", datestamp: str = "2026-02-03"
) -> str:
    return (
        f"<record><header><identifier>oai:arXiv.org:{arxiv_id}</identifier><datestamp>{datestamp}</datestamp></header>"
        f'<metadata><arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>{arxiv_id}</id><created>2026-02-02</created>'
        "<authors><author><keyname>Lovelace</keyname><forenames>Ada</forenames><affiliation>London</affiliation>"
        f"</author></authors><title>{escape(title)}</title><categories>{categories}</categories>"
        f"<abstract>About {arxiv_id}.</abstract></arXiv></metadata></record>"
    )


def oai_page(*records: str, token: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<ListRecords>{''.join(records)}<resumptionToken>{token}</resumptionToken></ListRecords></OAI-PMH>"
    ).encode()


def oai_error(code: str) -> bytes:
    return (
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<error code='{code}'>So says the server.</error></OAI-PMH>"
    ).encode()


def feed_item(
    arxiv_id: str, kind: str = "new", *, version: int = 1, title: str = "A title", categories: str = "cs.LG"
) -> str:
    terms = "".join(f"<category>{code}</category>" for code in categories.split())
    return (
        f"<item><title>{escape(title)}</title><link>https://arxiv.org/abs/{arxiv_id}</link>"
        f"<description>arXiv:{arxiv_id}v{version} Announce Type: {kind} \nAbstract: About {arxiv_id}.</description>"
        f'<guid isPermaLink="false">oai:arXiv.org:{arxiv_id}v{version}</guid>{terms}'
        f"<arxiv:announce_type>{kind}</arxiv:announce_type><dc:creator>Ada Lovelace</dc:creator></item>"
    )


def feed(*items: str, category: str = "cs.LG", day: str = "Tue, 03 Feb 2026") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss xmlns:arxiv="http://arxiv.org/schemas/atom" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>'
        f"<title>{category} updates on arXiv.org</title><pubDate>{day} 00:00:00 -0500</pubDate>"
        f"{''.join(items)}</channel></rss>"
    ).encode()


def feed_error(message: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>Feed error for query</title>'
        f"<description>{escape(message)}</description></channel></rss>"
    ).encode()


def api_entry(
    arxiv_id: str,
    *,
    published: dt.datetime,
    updated: dt.datetime,
    categories: Sequence[str],
    title: str = "A title",
    version: int = 1,
    abstract: str = "What it says.",
) -> str:
    terms = "".join(f'<category term="{code}"/>' for code in categories)
    return (
        f"<entry><id>http://arxiv.org/abs/{arxiv_id}v{version}</id><title>{escape(title)}</title>"
        f"<updated>{updated:%Y-%m-%dT%H:%M:%SZ}</updated><published>{published:%Y-%m-%dT%H:%M:%SZ}</published>"
        f"<summary>{escape(abstract)}</summary><author><name>Ada Lovelace</name></author>"
        f'<arxiv:primary_category term="{categories[0]}"/>{terms}</entry>'
    )


def api_feed(*entries: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">'
        f"<opensearch:totalResults>{len(entries)}</opensearch:totalResults>{''.join(entries)}</feed>"
    ).encode()


def api_error(message: str) -> bytes:
    return api_feed(
        "<entry><id>http://arxiv.org/api/errors#incorrect_id_format</id><title>Error</title>"
        f"<summary>{escape(message)}</summary></entry>"
    )


def list_page(day: dt.date, sections: dict[str, tuple[Sequence[str], int]]) -> bytes:
    """arXiv's page of a category's new listings: by kind the ids that it shows, and how many it counts."""
    words = {"new": "New", "cross": "Cross", "replacement": "Replacement"}
    parts = [f"<h3>Showing new listings for {day:%A, %-d %B %Y}</h3>"]
    for kind, (ids, total) in sections.items():
        parts.append(f"<h3>{words[kind]} submissions (showing {len(ids)} of {total} entries)</h3>")
        parts += [
            f'<dt><a href ="/abs/{one}" title="Abstract" id="{one}">arXiv:{one}</a></dt>' for one in ids
        ]
    return f"<html>{''.join(parts)}</html>".encode()
