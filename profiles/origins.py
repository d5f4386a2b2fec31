"""From where a deed comes: the door, the client's address, the token. Set at the door, read by `audit.record`."""

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .models import Door

AGENT_CHARACTERS = 200
_PREFIXES = {"/admin/": Door.ADMIN, "/api/": Door.API}


@dataclass(frozen=True)
class Origin:
    """Empty for the system itself: a tick, a worker."""

    door: str = ""
    ip: str | None = None
    user_agent: str = ""
    token_key: UUID | None = None


NOWHERE, COMMAND = Origin(), Origin(str(Door.COMMAND))
_current: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)


def current() -> Origin:
    return _current.get()


@contextmanager
def through(origin: Origin) -> Iterator[None]:
    """Whatever is recorded inside came from there."""
    before = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(before)


def by_token(key: UUID) -> None:
    """The request under way is made with that API token."""
    _current.set(replace(_current.get(), token_key=key))


class OriginMiddleware:
    """Keeps from where each request comes while it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with through(_of(request)):
            return self.get_response(request)


def _of(request: HttpRequest) -> Origin:
    door = next(
        (door for prefix, door in _PREFIXES.items() if request.path_info.startswith(prefix)), Door.PAGE
    )
    agent = request.headers.get("User-Agent", "")[:AGENT_CHARACTERS].replace("\x00", "")
    return Origin(str(door), client_address(request), agent)


def client_address(request: HttpRequest) -> str | None:
    """The address that the outermost trusted proxy saw, or that of the connection; None where there is none.

    Each of the TRUSTED_PROXY_COUNT proxies appends one address to X-Forwarded-For: what stands before those
    was written by the client and is never believed.
    """
    written = request.headers.get("X-Forwarded-For", "").split(",")
    count = settings.TRUSTED_PROXY_COUNT
    given = (
        written[-count] if 0 < count <= len(written) and any(written) else request.META.get("REMOTE_ADDR", "")
    )
    try:
        return str(ipaddress.ip_address(given.strip()))
    except ValueError:
        return None
