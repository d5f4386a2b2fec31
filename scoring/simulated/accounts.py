"""What the simulated model bills: its prefix cache, its rate limits and its append-only bill."""

import hashlib
import json
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scoring import tokens

CACHE_FROM_TOKENS = 1024
CACHE_STEP_TOKENS = 128
MINUTE = 60.0


class PrefixCache:
    """Tokens that were read before, in steps of 128 from 1,024, as providers count them.

    A prefix counts within its scope only (who asks, which model, which cache key), as long as it was asked for
    within `keeps_seconds` (0: for ever) and is among the last `most` steps.
    """

    def __init__(
        self, most: int = 20_000, keeps_seconds: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._most = most
        self._keeps_seconds = keeps_seconds
        self._clock = clock
        self._lock = threading.Lock()

    def cached_tokens(self, prefix: str, total_tokens: int, scope: str = "") -> int:
        """How many of the first tokens were seen before; remembers all of them."""
        steps = self._steps(scope, prefix)
        with self._lock:
            now = self._clock()
            cached = 0
            for step, digest in steps:
                if not self._is_fresh(digest, now) or step > total_tokens:
                    break
                cached = step
            # The longest first: a prefix must not be forgotten before what continues it.
            for _, digest in reversed(steps):
                self._seen[digest] = now
                self._seen.move_to_end(digest)
            while len(self._seen) > self._most:
                self._seen.popitem(last=False)
        return cached

    def _is_fresh(self, digest: bytes, now: float) -> bool:
        seen_at = self._seen.get(digest)
        return seen_at is not None and not 0 < self._keeps_seconds < now - seen_at

    @staticmethod
    def _steps(scope: str, prefix: str) -> list[tuple[int, bytes]]:
        steps, counted, begun, digest = [], 0.0, 0, hashlib.sha256(f"{scope}\0".encode(errors="replace"))
        due = CACHE_FROM_TOKENS
        for match in tokens.PIECE.finditer(prefix):
            counted += tokens.tokens_of(match)
            if counted >= due:
                digest.update(prefix[begun : match.end()].encode(errors="replace"))
                begun = match.end()
                # One long piece may pass several steps: only the last of them is known to end here.
                due += int((counted - due) // CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS
                steps.append((due, digest.digest()))
                due += CACHE_STEP_TOKENS
        return steps


class RateLimit:
    """So many requests and so many tokens in any minute; 0 is no limit.

    A request is admitted with its input; what it writes is added when it is known. A request larger than the
    whole limit passes when the minute is empty: it would else wait for ever.
    """

    def __init__(
        self,
        requests_per_minute: int = 0,
        tokens_per_minute: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_requests = requests_per_minute
        self._most_tokens = tokens_per_minute
        self._clock = clock
        self._requests: deque[float] = deque()
        self._tokens: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()

    @property
    def counts_tokens(self) -> bool:
        return bool(self._most_tokens)

    def seconds_to_wait(self, input_tokens: int = 0) -> int:
        """0 when the request may pass, else what Retry-After should say."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            free_at = max(self._request_free_at(now), self._tokens_free_at(now, input_tokens))
            if free_at > now:
                return max(1, math.ceil(free_at - now))
            if self._most_requests:
                self._requests.append(now)
            if self._most_tokens:
                self._tokens.append((now, input_tokens))
            return 0

    def add_written(self, output_tokens: int) -> None:
        if self._most_tokens:
            with self._lock:
                self._tokens.append((self._clock(), output_tokens))

    def _forget(self, now: float) -> None:
        while self._requests and self._requests[0] <= now - MINUTE:
            self._requests.popleft()
        while self._tokens and self._tokens[0][0] <= now - MINUTE:
            self._tokens.popleft()

    def _request_free_at(self, now: float) -> float:
        if not self._most_requests or len(self._requests) < self._most_requests:
            return now
        return self._requests[0] + MINUTE

    def _tokens_free_at(self, now: float, wanted: int) -> float:
        """When so much has left the minute that the request fits."""
        over = sum(count for _, count in self._tokens) + wanted - self._most_tokens
        if not self._most_tokens or over <= 0:
            return now
        for taken_at, count in self._tokens:
            over -= count
            if over <= 0:
                return taken_at + MINUTE
        return self._tokens[-1][0] + MINUTE if self._tokens else now


class Bill:
    """One line a request, written before the answer goes out: what the model counts, whoever still listens.

    With a path the lines go to that file and are not kept in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.lines: list[dict[str, Any]] = []
        self._path = path
        self._lock = threading.Lock()

    def add(self, line: dict[str, Any]) -> None:
        with self._lock:
            if self._path is None:
                self.lines.append(line)
            else:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def billed(self) -> list[dict[str, Any]]:
        """The lines that cost something."""
        with self._lock:
            lines = list(self.lines) if self._path is None else read_bill(self._path)
        return [line for line in lines if line["status"] == 200]

    @property
    def total_tokens(self) -> int:
        return sum(line["usage"]["total_tokens"] for line in self.billed())


def read_bill(path: Path) -> list[dict[str, Any]]:
    """The lines of a bill on disk; a last line that a kill cut short is left out."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
