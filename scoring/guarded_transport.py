"""EDGE: a way out to a model's server that cannot be led astray or held up.

An address that a user may set is checked when connecting, after the name was resolved, and the address that
was checked is the one that is used. A call ends at its deadline even if the server drips, and a body
ends at its cap. There are no redirects, no proxies from the environment and no compressed bodies.
"""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2
from httpcore2 import NetworkBackend, NetworkStream

from scoring.addresses import AddressPolicy

CONNECT_SECONDS = 5.0
BODY_BYTES = 4_000_000


class AddressRefused(httpcore2.ConnectError):
    """The name leads to an address that the policy does not allow."""


class BodyTooLarge(httpcore2.ReadError):
    """The answer went past its cap."""


class DeadlinePassed(httpcore2.ReadTimeout):
    """The whole call took longer than it may, however lively it was."""


class _CallLimits(threading.local):
    """What the call that runs on this thread may still take."""

    ends_at = float("inf")
    bytes_left = BODY_BYTES


_limits = _CallLimits()


@contextmanager
def limits(*, total_seconds: float, body_bytes: int = BODY_BYTES) -> Iterator[None]:
    """Everything this thread sends and reads inside ends by then, and within so many bytes."""
    _limits.ends_at, _limits.bytes_left = time.monotonic() + total_seconds, body_bytes
    try:
        yield
    finally:
        del _limits.ends_at, _limits.bytes_left


def _remaining(timeout: float | None) -> float:
    left = _limits.ends_at - time.monotonic()
    if left <= 0:
        raise DeadlinePassed("the call's deadline has passed")
    return left if timeout is None else min(timeout, left)


class _GuardedStream(NetworkStream):
    def __init__(self, stream: NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        chunk_timeout = _remaining(timeout)
        try:
            data = self._stream.read(max_bytes, chunk_timeout)
        except httpcore2.ReadTimeout as error:
            _remaining(None)
            raise error
        _limits.bytes_left -= len(data)
        if _limits.bytes_left < 0:
            raise BodyTooLarge("the answer is longer than any answer may be")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _remaining(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, *args: Any, **options: Any) -> NetworkStream:
        return _GuardedStream(self._stream.start_tls(*args, **options))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _GuardedBackend(NetworkBackend):
    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> NetworkStream:
        failure: Exception | None = None
        for address in self._allowed_addresses(host, port):
            try:
                stream = self._backend.connect_tcp(
                    address, port, _remaining(timeout), local_address, socket_options
                )
                return _GuardedStream(stream)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError(f"{host} has no address")

    def _allowed_addresses(self, host: str, port: int) -> list[str]:
        """At most two addresses of the name; refused as a whole if any of them is forbidden."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} is not known") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            if not self._policy.allows(address):
                raise AddressRefused(f"{host} is not a public address, and no setting allows it")
        return addresses[:2]


class _GuardedTransport(httpx2.HTTPTransport):
    def __init__(self, policy: AddressPolicy, connections: int) -> None:
        super().__init__(verify=_tls_context(), trust_env=False)
        # httpx2 has no way to hand a network backend on, its pool has.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=_tls_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30,
            network_backend=_GuardedBackend(policy),
        )


_tls_lock = threading.Lock()
_tls: list[Any] = []


def _tls_context() -> Any:
    """One TLS context for all clients: making one costs more than a call."""
    with _tls_lock:
        if not _tls:
            _tls.append(httpx2.create_ssl_context(trust_env=False))
        return _tls[0]


def _refuse_compressed(response: httpx2.Response) -> None:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise httpx2.DecodingError("a compressed answer was not asked for", request=response.request)


def guarded_client(policy: AddressPolicy, *, read_seconds: float, connections: int = 64) -> httpx2.Client:
    """An HTTP client under the policy; `limits` around each call bound its time and size."""
    return httpx2.Client(
        transport=_GuardedTransport(policy, connections),
        timeout=httpx2.Timeout(read_seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
        headers={"Accept-Encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
        event_hooks={"response": [_refuse_compressed]},
    )
