"""A server that answers as arXiv does, at the transport: feeds by category, OAI over a list of records."""

import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from papers.arxiv.transport import Limits, Pace, Transport
from tests.papers.pages import arxiv_record, feed, oai_error, oai_page, raw_record


class NoPace:
    """For tests that are not about the pace."""

    @contextmanager
    def turn(self, lease_seconds: float) -> Iterator[None]:
        yield

    def hold_off(self, seconds: float) -> None:
        pass


class Killed(BaseException):
    """Stands for kill -9: nothing of ours catches it."""


class FakeArxiv:
    """`papers` is the truth: arXiv ids with the fields of `raw_record`. `faults` maps a request's number to
    what happens instead of its answer."""

    def __init__(self, page_size: int = 2) -> None:
        self.feeds: dict[str, bytes] = {}
        self.papers: dict[str, dict[str, object]] = {}
        self.page_size = page_size
        self.requests: list[dict[str, str]] = []
        self.faults: dict[int, Callable[[], bytes]] = {}

    def transport(self, pace: Pace | None = None) -> Transport:
        return Transport(
            pace or NoPace(), handler=httpx.MockTransport(self._handle), limits=Limits(attempts=1)
        )

    def asked_for(self, name: str) -> list[str]:
        return [request.get(name, "") for request in self.requests]

    def _handle(self, request: httpx.Request) -> httpx.Response:
        asked = dict(request.url.params) | {"path": request.url.path}
        self.requests.append(asked)
        fault = self.faults.get(len(self.requests))
        body = fault() if fault else self.answer(asked)
        return httpx.Response(200, stream=_Body(body))

    def answer(self, asked: dict[str, str]) -> bytes:
        if "verb" not in asked:
            category = asked["path"].rpartition("/")[2]
            return self.feeds.get(category, feed(category=category, day="Mon, 02 Feb 2026"))
        prefix, start = asked.get("metadataPrefix", ""), 0
        if token := asked.get("resumptionToken"):
            known = dict(urllib.parse.parse_qsl(urllib.parse.unquote(token)))
            prefix, start = known["metadataPrefix"], int(known["skip"])
        records = [self._record(prefix, arxiv_id) for arxiv_id in self.papers]
        if not records:
            return oai_error("noRecordsMatch")
        end = start + self.page_size
        following = urllib.parse.quote(f"metadataPrefix={prefix}&skip={end}", safe="")
        return oai_page(*records[start:end], token=following if end < len(records) else "")

    def _record(self, prefix: str, arxiv_id: str) -> str:
        fields = self.papers[arxiv_id]
        if prefix == "arXivRaw":
            return raw_record(arxiv_id, **fields)  # type: ignore[arg-type]
        shared = {
            name: value for name, value in fields.items() if name in {"title", "categories", "datestamp"}
        }
        return arxiv_record(arxiv_id, **shared)  # type: ignore[arg-type]


class _Body(httpx.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
