"""The one way to arXiv: its pace, its deadline, its caps and its manners."""

import datetime as dt
import gzip
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from papers.arxiv.listing import ArxivMalformed, ArxivProtocolError, ArxivUnavailable
from papers.arxiv.transport import Limits, Transport, retry_after

NOW = dt.datetime(2026, 2, 3, 5, 30, tzinfo=dt.UTC)
URL = "https://rss.arxiv.org/rss/cs.LG"


class Bytes(httpx.SyncByteStream):
    """A body as it comes over the wire, in pieces."""

    def __init__(self, body: bytes, size: int = 1000) -> None:
        self._pieces = [body[start : start + size] for start in range(0, len(body), size)]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces


def reply(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=Bytes(body))


class FakePace:
    """Writes down what it was asked; never waits."""

    def __init__(self) -> None:
        self.log: list[str] = []

    @contextmanager
    def turn(self, lease_seconds: float) -> Iterator[None]:
        self.log.append("turn")
        yield
        self.log.append("end")

    def hold_off(self, seconds: float) -> None:
        self.log.append(f"wait {seconds:g}")


def transport(
    handler: Callable[[httpx.Request], httpx.Response], pace: FakePace | None = None, **limits: float
) -> Transport:
    return Transport(
        pace or FakePace(),
        contact="ops@example.org",
        limits=Limits(**limits),  # type: ignore[arg-type]
        handler=httpx.MockTransport(handler),
        now=lambda: NOW,
    )


def answers(*responses: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    left = list(responses)
    return lambda request: left.pop(0)


def test_a_request_names_us_and_a_contact_and_waits_its_turn() -> None:
    pace, seen = FakePace(), []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return reply(200, b"<rss/>")

    response = transport(handler, pace).fetch(URL, {"a": "b%3D"})

    assert response.body == b"<rss/>"
    assert seen[0].url == URL + "?a=b%253D"
    assert "Broadsheet" in seen[0].headers["user-agent"]
    assert "ops@example.org" in seen[0].headers["user-agent"]
    assert pace.log == ["turn", "end"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17.0),
        ("Tue, 03 Feb 2026 05:31:00 GMT", 60.0),
        ("Tue, 03 Feb 2026 05:29:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        (None, None),
    ],
)
def test_retry_after_comes_in_two_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_arxiv_is_asked_again_after_the_time_it_names(status: int) -> None:
    pace = FakePace()
    busy = reply(status, retry_after="17")

    response = transport(answers(busy, reply(200, b"<a/>")), pace).fetch(URL)

    assert response.body == b"<a/>"
    assert pace.log == ["turn", "end", "wait 17", "turn", "end"]


def test_without_a_named_time_the_pause_doubles_and_ends() -> None:
    pace = FakePace()

    with pytest.raises(ArxivUnavailable):
        transport(lambda request: reply(503), pace, attempts=3).fetch(URL)

    assert [entry for entry in pace.log if "wait" in entry] == ["wait 10", "wait 20", "wait 40"]
    assert pace.log.count("turn") == 3


def test_a_long_wait_is_the_callers_to_schedule() -> None:
    pace = FakePace()

    with pytest.raises(ArxivUnavailable) as caught:
        transport(lambda request: reply(503, retry_after="3600"), pace).fetch(URL)

    assert caught.value.retry_after == 3600
    assert pace.log == ["turn", "end", "wait 3600"]


def test_html_with_status_200_is_asked_again() -> None:
    html = reply(200, b"<!DOCTYPE html><html></html>")

    response = transport(answers(html, reply(200, b"<a/>"))).fetch(URL)

    assert response.body == b"<a/>"


def test_a_refusal_in_xml_is_handed_to_its_parser() -> None:
    response = transport(lambda request: reply(400, b"<rss/>")).fetch(URL)

    assert (response.status, response.body) == (400, b"<rss/>")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_other_refusals_are_final(status: int) -> None:
    pace = FakePace()

    with pytest.raises(ArxivProtocolError) as caught:
        transport(lambda request: reply(status, b"no"), pace).fetch(URL)

    assert caught.value.code == f"http{status}"
    assert pace.log == ["turn", "end"]


def test_a_broken_connection_is_asked_again() -> None:
    calls = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        if len(calls) == 1:
            raise httpx.ConnectError("refused")
        return reply(200, b"<a/>")

    assert transport(handler).fetch(URL).body == b"<a/>"


def test_a_redirect_stays_on_its_host_and_is_paced() -> None:
    pace = FakePace()
    moved = reply(301, location="/rss/cs.LG?x=1")

    transport(answers(moved, reply(200, b"<a/>")), pace).fetch(URL)

    assert pace.log == ["turn", "end", "turn", "end"]


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "http://127.0.0.1/"])
def test_a_redirect_to_another_host_is_refused(target: str) -> None:
    with pytest.raises(ArxivProtocolError, match="another host"):
        transport(lambda request: reply(302, location=target)).fetch(URL)


def test_redirects_without_end_are_refused() -> None:
    with pytest.raises(ArxivProtocolError, match="without end"):
        transport(lambda request: reply(302, location=URL)).fetch(URL)


def test_packed_answers_are_unpacked() -> None:
    body = gzip.compress(b"<a/>" * 1000)

    fetched = transport(
        lambda request: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Bytes(body))
    ).fetch(URL)

    assert fetched.body == b"<a/>" * 1000


def test_a_bomb_is_stopped_before_it_grows() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000)

    with pytest.raises(ArxivMalformed) as caught:
        transport(
            lambda request: httpx.Response(
                200, headers={"Content-Encoding": "deflate"}, stream=Bytes(bomb, 10**6)
            ),
            unpacked_bytes=1_000_000,
        ).fetch(URL)

    assert caught.value.code == "too_large"


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(ArxivMalformed) as caught:
        transport(lambda request: httpx.Response(200, stream=Bytes(b"x" * 5000)), received_bytes=4000).fetch(
            URL
        )

    assert caught.value.code == "too_large"


def test_a_packing_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(ArxivMalformed, match="br"):
        transport(
            lambda request: httpx.Response(200, headers={"Content-Encoding": "br"}, stream=Bytes(b"x"))
        ).fetch(URL)


def test_a_packed_answer_that_ends_early_is_asked_again() -> None:
    whole = gzip.compress(b"<a/>")
    headers = {"Content-Encoding": "gzip"}

    fetched = transport(
        answers(
            httpx.Response(200, headers=headers, stream=Bytes(whole[:-6])),
            httpx.Response(200, headers=headers, stream=Bytes(whole)),
        )
    ).fetch(URL)

    assert fetched.body == b"<a/>"


def test_a_black_hole_costs_one_deadline() -> None:
    release = threading.Event()

    def handler(request: httpx.Request) -> httpx.Response:
        release.wait(30)
        return reply(200)

    try:
        with pytest.raises(ArxivUnavailable, match=r"within 0\.2 s"):
            transport(handler, deadline_seconds=0.2, attempts=1).fetch(URL)
    finally:
        release.set()


def test_a_dripping_answer_costs_one_deadline() -> None:
    """Each chunk comes in time; the whole never does."""
    stop = threading.Event()

    class Drip(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while not stop.wait(0.02):
                yield b"<"

    try:
        with pytest.raises(ArxivUnavailable):
            transport(
                lambda request: httpx.Response(200, stream=Drip()), deadline_seconds=0.3, attempts=1
            ).fetch(URL)
    finally:
        stop.set()


def test_the_turn_is_given_back_when_the_request_fails() -> None:
    pace = FakePace()

    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    with pytest.raises(ArxivUnavailable):
        transport(handler, pace, attempts=1).fetch(URL)

    assert pace.log[0] == "turn"
