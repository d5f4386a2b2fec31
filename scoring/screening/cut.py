"""Which papers the model is meant to read: from the top, until the expected recall reaches the target.

A paper counts by its chance to be wanted now and on a second reading (`constancy`), for what a judge picks on a whim is no
loss. The expected recall of the best k papers is their sum over the sum of all, the unread ones times `missed`: how much
more the audits of late have found below the cut than was estimated there. The target is meant for the days of late taken
together (their `Heights`), so that a poor day is not read to its bottom for the one paper that it may hold.

Estimates that tell nothing apart are flat, and then nearly everything is read: a profile whose words carry nothing
pays with tokens, never with papers. A random sample of the rest is read too, for the audit: a paper that might be
wanted is drawn more often than one that hardly can be, but none with a chance under a hundredth.
Pure and deterministic; no numpy.
"""

import datetime as dt
import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from scoring.screening.constancy import REFERENCE, Constancy
from scoring.screening.heights import Heights, heights_each

# How many of the rest are drawn on average: this share, and more of a short list, so that some are drawn of each day.
AUDIT_SHARE = 0.015
AUDITED_A_DAY = 3
LARGEST_AUDIT_SHARE = 0.04
# How probably any of them is drawn, at least and at most.
RAREST_DRAW = 0.01
COMMONEST_DRAW = 0.5
CERTAIN = 10_000
# The cut aims this share of what may be missed above the target: audits are few, and where they are kind by chance the
# target is missed for weeks; where they are hard, some papers too many are read.
AIM_HIGHER = 0.03


@dataclass(frozen=True)
class Cut:
    """`order` is every paper, best first; the first `rank` are to be read, and those in `audit` besides.

    `audit` has the chance of each to be drawn, of CERTAIN. `expected_recall` is what reading to the cut should find; the
    audit is not counted in.
    """

    order: tuple[int, ...]
    rank: int
    audit: Mapping[int, int]
    expected_recall: float

    @property
    def chosen(self) -> tuple[int, ...]:
        """What the model is meant to read, best first, the audit sample at its places."""
        return tuple(i for place, i in enumerate(self.order) if place < self.rank or i in self.audit)


def seed_of(profile: str, day: dt.date, batch: int = 1) -> str:
    """The seed of an edition's audit sample: the same for ever, told on the edition."""
    return hashlib.sha256(f"{profile}:{day.isoformat()}:{batch}".encode()).hexdigest()


def cut(
    estimates: Sequence[int],
    keys: Sequence[str],
    target_recall: float,
    seed: str,
    *,
    missed: float = 1.0,
    before: Heights = (),
    judge: Constancy = REFERENCE,
) -> Cut:
    """Draw the line. `estimates` are 0 to 10000; `keys` (arXiv ids) break ties and carry the draw; `before` is what the
    days of late were expected to hold, by height.

    A target of 1.0 reads everything. So does a day on which nothing is expected at all.
    """
    if len(estimates) != len(keys):
        raise ValueError("each estimate needs its key")
    order = list(_by_key(tuple(keys)))
    order.sort(key=estimates.__getitem__, reverse=True)  # stable: of equals the first by key stays first
    descending = [estimates[i] for i in order]
    worths = judge.constant(descending)
    rank = _rank(descending, worths, target_recall, missed, before)
    return Cut(
        order=tuple(order),
        rank=rank,
        audit=draw(order[rank:], estimates, keys, seed),
        expected_recall=_recall(sum(worths[:rank]), sum(worths[rank:]), missed),
    )


@lru_cache(maxsize=4)
def _by_key(keys: tuple[str, ...]) -> tuple[int, ...]:
    """The places in the order of their keys; kept, for every profile of a day is shown the same papers."""
    return tuple(sorted(range(len(keys)), key=keys.__getitem__))


def _rank(
    descending: Sequence[int], worths: Sequence[int], target_recall: float, missed: float, before: Heights
) -> int:
    whole = sum(worths) + sum(before)
    if target_recall >= 1.0 or not sum(worths):
        return len(worths)
    target = round((target_recall + AIM_HIGHER * (1.0 - target_recall)) * 10_000) / 10_000
    found = start = 0
    for height, same in groupby(heights_each(descending)):
        here = worths[start : start + len(list(same))]
        above, beside = found + sum(before[height + 1 :]), sum(before[height : height + 1])
        read = above + sum(here) + beside
        if _recall(read, whole - read, missed) >= target:
            return start + _enough(here, above, beside, whole, target, missed)
        found, start = found + sum(here), start + len(here)
    return len(worths)


def _enough(here: Sequence[int], above: int, beside: int, whole: int, target: float, missed: float) -> int:
    """How many of the papers of one height; of what the days before held `beside` them, as large a share counts."""
    taken, all_here = 0, sum(here)
    for count, one in enumerate(here, start=1):
        taken += one
        read = above + taken + (beside * taken / all_here if all_here else beside)
        if _recall(read, whole - read, missed) >= target:
            return count
    return len(here)


def _recall(found: float, rest: float, missed: float) -> float:
    whole = found + missed * rest
    return found / whole if whole else 1.0


def draw(rest: Sequence[int], estimates: Sequence[int], keys: Sequence[str], seed: str) -> dict[int, int]:
    """The audit sample of those below the line, whatever their order, with the chance each had, of CERTAIN.

    Drawn by the square root of the estimate, so that the fewest readings tell most of how many wanted papers lie there;
    systematically, from the likeliest down from a random start, so that every sample holds some of each height.
    """
    ordered = _from_the_likeliest(rest, estimates, keys, seed)
    roots = [math.sqrt(estimates[i] + 1) for i in ordered]
    share = min(max(AUDIT_SHARE, AUDITED_A_DAY / max(1, len(ordered))), LARGEST_AUDIT_SHARE)
    scale = share * len(ordered) / sum(roots) if ordered else 0.0
    drawn: dict[int, int] = {}
    reached, next_at = 0, _lot(seed)
    for i, root in zip(ordered, roots, strict=True):
        whole = round(CERTAIN * min(max(scale * root, RAREST_DRAW), COMMONEST_DRAW))
        reached += whole
        if reached > next_at:
            drawn[i] = whole
            next_at += CERTAIN
    return drawn


def _from_the_likeliest(
    rest: Sequence[int], estimates: Sequence[int], keys: Sequence[str], seed: str
) -> list[int]:
    """By estimate; of equals by lot, which need be cast for them alone."""
    met = Counter([estimates[i] for i in rest])
    rows = [
        (-estimates[i], _lot(f"{seed}:{keys[i]}") if met[estimates[i]] > 1 else 0, keys[i], i) for i in rest
    ]
    rows.sort()
    return [i for *_, i in rows]


def _lot(of: str) -> int:
    """A number from 0 to CERTAIN - 1, the same for ever for the same words."""
    return int.from_bytes(hashlib.sha256(of.encode()).digest()[:8]) * CERTAIN >> 64
