"""What can go wrong on the simulated model's wire, brought about on purpose."""

import itertools
import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One request's fate instead of an honest answer.

    `status` and `body` answer at once (nothing is billed). `drip` sends the honest answer a byte at a time,
    `black_hole` never answers, `cut_after` breaks the connection within the body: these are billed. `usage` replaces
    the usage object (None leaves it out), `raw` the whole body of a 200.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"error": {"message": "simulated", "type": "simulated"}}'
    drip_seconds: float = 0.0
    black_hole: bool = False
    cut_after: int = 0
    replaces_usage: bool = False
    usage: Any = None
    raw: str | None = None


def rate_limited(retry_after: str) -> Fault:
    return Fault(status=429, headers={"Retry-After": retry_after} if retry_after else {})


def with_usage(usage: Any) -> Fault:
    return Fault(replaces_usage=True, usage=usage)


class FaultPlan:
    """Hands out faults: first the given ones in order (None is an honest answer), then at random by rates."""

    def __init__(
        self, first: Iterable[Fault | None] = (), *, rates: Mapping[int, float] | None = None, seed: int = 0
    ) -> None:
        self._first = list(first)
        self._rates = dict(rates or {})
        self._dice = random.Random(seed)
        self._lock = threading.Lock()

    def add(self, *faults: Fault | None) -> None:
        with self._lock:
            self._first.extend(faults)

    def next(self) -> Fault | None:
        with self._lock:
            if self._first:
                return self._first.pop(0)
            draw = self._dice.random()
        limits = itertools.accumulate(self._rates.values())
        for status, limit in zip(self._rates, limits, strict=True):
            if draw < limit:
                return Fault(status=status, headers={"Retry-After": "1"} if status == 429 else {})
        return None
