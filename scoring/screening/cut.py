"""Which papers the model is meant to read: from the top, until the expected recall reaches the target.

The expected recall of the best k papers is the sum of their probabilities over the sum of all. Probabilities
that tell nothing apart are flat, and then nearly everything is read: a profile whose words carry nothing
pays with tokens, never with papers. A random twentieth of the rest is read too, for the audit.
Pure and deterministic; whole numbers only, so that two machines draw the same line.
"""

import datetime as dt
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

AUDIT_SHARE = 0.05


@dataclass(frozen=True)
class Cut:
    """`order` is every paper, best first; the first `rank` are to be read, and those in `audit` besides.

    `expected_recall` is what reading to the cut should find; the audit is not counted in.
    """

    order: tuple[int, ...]
    rank: int
    audit: frozenset[int]
    expected_recall: float

    @property
    def chosen(self) -> tuple[int, ...]:
        """What the model is meant to read, best first, the audit sample at its places."""
        return tuple(i for place, i in enumerate(self.order) if place < self.rank or i in self.audit)


def seed_of(profile: str, day: dt.date, batch: int = 1) -> str:
    """The seed of an edition's audit sample: the same for ever, told on the edition."""
    return hashlib.sha256(f"{profile}:{day.isoformat()}:{batch}".encode()).hexdigest()


def cut(estimates: Sequence[int], keys: Sequence[str], target_recall: float, seed: str) -> Cut:
    """Draw the line. `estimates` are 0 to 10000; `keys` (arXiv ids) break ties and carry the draw.

    A target of 1.0 reads everything. So does a day on which nothing is expected at all.
    """
    if len(estimates) != len(keys):
        raise ValueError("each estimate needs its key")
    order = sorted(range(len(estimates)), key=lambda i: (-estimates[i], keys[i]))
    rank = _rank([estimates[i] for i in order], target_recall)
    total = sum(estimates)
    found = sum(estimates[i] for i in order[:rank])
    return Cut(
        order=tuple(order),
        rank=rank,
        audit=frozenset(draw(order[rank:], keys, seed)),
        expected_recall=found / total if total else 1.0,
    )


def _rank(descending: list[int], target_recall: float) -> int:
    total = sum(descending)
    if target_recall >= 1.0 or not total:
        return len(descending)
    needed = math.ceil(total * round(target_recall * 10_000) / 10_000)
    found = 0
    for place, one in enumerate(descending, start=1):
        found += one
        if found >= needed:
            return place
    return len(descending)


def draw(rest: Sequence[int], keys: Sequence[str], seed: str) -> list[int]:
    """A twentieth of the rest, rounded up: those whose keyed hash is lowest, whatever their order."""
    drawn = sorted(rest, key=lambda i: hashlib.sha256(f"{seed}:{keys[i]}".encode()).digest())
    return drawn[: math.ceil(len(rest) * AUDIT_SHARE)]
