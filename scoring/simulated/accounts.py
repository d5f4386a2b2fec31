"""What the simulated model bills: its prefix cache, its rate limit and its append-only bill."""

import hashlib
import json
import threading
import time
from collections import OrderedDict, deque
from pathlib import Path
from typing import Any

from scoring import tokens

CACHE_FROM_TOKENS = 1024
CACHE_STEP_TOKENS = 128


class PrefixCache:
    """Tokens that were read before, in steps of 128 from 1,024, as providers count them."""

    def __init__(self, most: int = 20_000) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def cached_tokens(self, prefix: str, total_tokens: int) -> int:
        """How many of the first tokens were seen before; remembers all of them."""
        with self._lock:
            cached = 0
            for step, digest in self._steps(prefix):
                if digest in self._seen:
                    self._seen.move_to_end(digest)
                    cached = step
                else:
                    self._seen[digest] = None
            while len(self._seen) > self._most:
                self._seen.popitem(last=False)
        return min(cached, total_tokens)

    @staticmethod
    def _steps(prefix: str) -> list[tuple[int, bytes]]:
        steps, counted, begun, digest = [], 0.0, 0, hashlib.sha256()
        due = CACHE_FROM_TOKENS
        for match in tokens.PIECE.finditer(prefix):
            counted += tokens.tokens_of(match)
            if counted >= due:
                digest.update(prefix[begun : match.end()].encode(errors="replace"))
                begun = match.end()
                steps.append((due, digest.digest()))
                due += CACHE_STEP_TOKENS
        return steps


class RateLimit:
    """So many requests in any minute; 0 is no limit."""

    def __init__(self, requests_per_minute: int = 0) -> None:
        self._most = requests_per_minute
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()

    def seconds_to_wait(self) -> int:
        """0 when the request may pass, else what Retry-After should say."""
        if not self._most:
            return 0
        now = time.monotonic()
        with self._lock:
            while self._taken and self._taken[0] <= now - 60:
                self._taken.popleft()
            if len(self._taken) < self._most:
                self._taken.append(now)
                return 0
            return max(1, round(60 - (now - self._taken[0])))


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
