"""The one way to arXiv: paced, within a total deadline and two byte caps, with manners.

One request at a time over every endpoint and process (https://info.arxiv.org/help/api/tou.html): the `Pace`
that is passed in keeps that, and does all the waiting. A redirect is followed only on the same host.
"""

import queue
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

import httpx

from papers.arxiv import markup
from papers.arxiv.listing import ArxivError, ArxivMalformed, ArxivProtocolError, ArxivUnavailable

_REDIRECTS = {301, 302, 303, 307, 308}
_BUSY = {408, 425, 429, 500, 502, 503, 504}


class Pace(Protocol):
    """Who may ask arXiv when, over all processes."""

    def turn(self, lease_seconds: float) -> AbstractContextManager[None]:
        """Wait until nobody else asks and the last answer is old enough; hold the turn inside.

        A turn that is never given back (a kill) ends by itself after `lease_seconds`.
        """

    def hold_off(self, seconds: float) -> None:
        """Nobody asks for so long: arXiv said so."""


@dataclass(frozen=True)
class Limits:
    deadline_seconds: float = 90.0  # of one request, from its start to its last byte
    received_bytes: int = 32 * 1024 * 1024
    unpacked_bytes: int = 128 * 1024 * 1024
    attempts: int = 4
    longest_wait_seconds: float = 300.0  # a longer Retry-After is the caller's to schedule
    backoff_seconds: float = 10.0  # doubled each time, where arXiv names no time


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes
    url: str


type _Judge = Callable[[int, httpx.Headers, bytes, str], Response]


class Transport:
    """Fetches bytes for the verbs. Not for use by two threads at once; each makes its own."""

    def __init__(
        self,
        pace: Pace,
        *,
        contact: str = "",
        limits: Limits | None = None,
        handler: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pace = pace
        self._limits = limits or Limits()
        self._handler = handler
        self._now = now
        agent = "Broadsheet/0.1 (self-hosted arXiv reader"
        self._headers = {
            "User-Agent": f"{agent}; {contact})" if contact else f"{agent})",
            "Accept-Encoding": "gzip",
        }
        self._client: httpx.Client | None = None

    def __enter__(self) -> "Transport":
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def fetch(self, url: str, params: Mapping[str, str] | None = None) -> Response:
        """The answer with status 200, or 400 where it carries XML that says why (RSS and the API do that).

        Raises `ArxivUnavailable` when the attempts are used up or arXiv asks for a longer wait than
        `longest_wait_seconds`, `ArxivMalformed` for too many bytes, `ArxivProtocolError` for other refusals.
        """
        address = str(httpx.URL(url, params=dict(params))) if params else url
        return self._fetch(address, self._judged_data)

    def fetch_page(self, url: str, params: Mapping[str, str]) -> Response:
        """A web page, for the one place that wants one; raises as `fetch` does."""
        return self._fetch(str(httpx.URL(url, params=dict(params))), self._judged)

    def _fetch(self, address: str, judged: _Judge) -> Response:
        for attempt in range(1, self._limits.attempts + 1):
            try:
                return self._fetch_following(address, judged)
            except ArxivUnavailable as problem:
                wait = problem.retry_after
                if wait is None:
                    wait = self._limits.backoff_seconds * 2 ** (attempt - 1)
                self._pace.hold_off(min(wait, 24 * 3600.0))
                if attempt == self._limits.attempts or wait > self._limits.longest_wait_seconds:
                    raise ArxivUnavailable(str(problem), wait) from problem
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _fetch_following(self, address: str, judged: _Judge) -> Response:
        url = httpx.URL(address)
        for _ in range(4):
            with self._pace.turn(self._limits.deadline_seconds + 5):
                status, headers, body = self._within_deadline(url)
            if status not in _REDIRECTS:
                return judged(status, headers, body, str(url))
            target = url.join(headers.get("location", ""))
            if target.host != url.host:
                raise ArxivProtocolError(f"{url.host} redirects to another host, {target.host}", "redirect")
            url = target
        raise ArxivProtocolError(f"{address} redirects without end", "redirect")

    def _judged(self, status: int, headers: httpx.Headers, body: bytes, url: str) -> Response:
        if status in _BUSY:
            seconds = retry_after(headers.get("retry-after"), self._now())
            raise ArxivUnavailable(f"arXiv answers {status}", seconds)
        says_why = status == 400 and body.lstrip()[:1] == b"<" and not markup.looks_like_html(body)
        if status == 200 or says_why:
            return Response(status, body, url)
        raise ArxivProtocolError(f"arXiv answers {status} for {url}", f"http{status}")

    def _judged_data(self, status: int, headers: httpx.Headers, body: bytes, url: str) -> Response:
        if status == 200 and markup.looks_like_html(body):
            raise ArxivUnavailable("arXiv answers with a web page (HTML) instead of data")
        return self._judged(status, headers, body, url)

    def _within_deadline(self, url: httpx.URL) -> tuple[int, httpx.Headers, bytes]:
        """One exchange, in a thread that is left behind when it overruns.

        httpx's timeouts are per chunk: a server that drips, or a name that never resolves, would hold us.
        """
        answers: queue.SimpleQueue[tuple[int, httpx.Headers, bytes] | Exception] = queue.SimpleQueue()
        ends_at = time.monotonic() + self._limits.deadline_seconds
        client = self._client = self._client or self._new_client()

        def exchange() -> None:
            try:
                answers.put(self._exchange(client, url, ends_at))
            except (
                ArxivError,
                httpx.HTTPError,
                httpx.InvalidURL,
                OSError,
                zlib.error,
                RuntimeError,
            ) as error:
                answers.put(error)

        threading.Thread(target=exchange, name="arxiv-request", daemon=True).start()
        try:
            answer = answers.get(timeout=self._limits.deadline_seconds)
        except queue.Empty:
            self.close()  # breaks the connection that the thread still holds
            raise self._too_slow() from None
        if isinstance(answer, ArxivError):
            self.close()
            raise answer
        if isinstance(answer, Exception):
            self.close()
            raise ArxivUnavailable(
                f"no answer from {url.host} ({type(answer).__name__}: {answer})"
            ) from answer
        return answer

    def _new_client(self) -> httpx.Client:
        return httpx.Client(
            headers=self._headers,
            follow_redirects=False,
            timeout=httpx.Timeout(
                self._limits.deadline_seconds, connect=min(15.0, self._limits.deadline_seconds)
            ),
            limits=httpx.Limits(max_connections=1),
            transport=self._handler,
        )

    def _too_slow(self) -> ArxivUnavailable:
        return ArxivUnavailable(f"no complete answer within {self._limits.deadline_seconds:g} s")

    def _exchange(
        self, client: httpx.Client, url: httpx.URL, ends_at: float
    ) -> tuple[int, httpx.Headers, bytes]:
        with client.stream("GET", url) as response:
            unpack = _Unpacker(response.headers.get("content-encoding", ""), self._limits)
            for chunk in response.iter_raw():
                unpack.feed(chunk)
                if time.monotonic() > ends_at:
                    raise self._too_slow()
            return response.status_code, response.headers, unpack.finish()


class _Unpacker:
    """Counts the bytes as they came and as they unpack; a bomb is stopped before it grows."""

    def __init__(self, encoding: str, limits: Limits) -> None:
        self._limits = limits
        self._received = 0
        self._body = bytearray()
        if encoding.strip().lower() not in {"", "identity", "gzip", "deflate"}:
            raise ArxivMalformed(f"the answer is packed as {encoding[:40]!r}, which was not asked for")
        self._inflate = (
            zlib.decompressobj(wbits=47) if encoding.strip().lower() in {"gzip", "deflate"} else None
        )

    def feed(self, chunk: bytes) -> None:
        self._received += len(chunk)
        if self._received > self._limits.received_bytes:
            raise ArxivMalformed(
                f"the answer is larger than {self._limits.received_bytes:,} bytes", "too_large"
            )
        if self._inflate is None:
            self._body += chunk
        else:
            room = self._limits.unpacked_bytes - len(self._body) + 1
            self._body += self._inflate.decompress(chunk, room)
        if len(self._body) > self._limits.unpacked_bytes:
            raise ArxivMalformed(
                f"the answer unpacks to more than {self._limits.unpacked_bytes:,} bytes", "too_large"
            )

    def finish(self) -> bytes:
        if self._inflate is not None and self._received and not self._inflate.eof:
            raise ArxivUnavailable("the answer ends in the middle")
        return bytes(self._body)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from either form of the header; None where it is absent or nonsense."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value.strip())
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    return max(0.0, ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())
