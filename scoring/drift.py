"""Whether a model still tells papers apart, and whether it means by a number what it meant before. Pure.

Two things go wrong silently: a model *collapses* (every paper gets the same, for all interests or for one), and it
*drifts* (from one day, block or model to the next the same papers would get more, or less). Days differ in what they
bring, so a day's scores are compared with the local estimates of the same papers, never with another day's scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import fmean, pvariance

# So many papers in so many blocks tell of a collapse; fewer may be alike by chance.
LEAST_PAPERS, LEAST_BLOCKS = 20, 3
# Scores within so little of each other are the same; and an interest that always gets next to nothing is just narrow.
ALIKE, NOTHING = 3, 20
# A drift is at least so many points on average and so many standard errors, over so many papers each time.
LEAST_DRIFT, ERRORS, LEAST_COMPARED = 12.0, 4.0, 40


class Finding(StrEnum):
    """What is wrong with a day's scores."""

    ALIKE = "alike"
    ONE_ALIKE = "one_alike"
    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True)
class Reading:
    """One paper's scores by interest, its local estimate from 0 to 100, and the block that it was read in."""

    scores: tuple[int, ...]
    estimate: float
    block: int

    @property
    def residual(self) -> float:
        return max(self.scores, default=0) - self.estimate


def collapsed(day: Sequence[Reading]) -> Finding | None:
    """Whether the scores tell nothing apart, over several blocks."""
    if len(day) < LEAST_PAPERS or len({each.block for each in day}) < LEAST_BLOCKS:
        return None
    interests = list(zip(*(each.scores for each in day), strict=False))
    alike = [max(scores) - min(scores) <= ALIKE for scores in interests]
    if interests and all(alike):
        return Finding.ALIKE
    stuck = (same and min(scores) >= NOTHING for same, scores in zip(alike, interests, strict=True))
    return Finding.ONE_ALIKE if any(stuck) else None


def drifted(day: Sequence[Reading], before: Sequence[Reading]) -> tuple[Finding, float] | None:
    """Whether scores stand higher or lower above their estimates than before, and by how many points."""
    if min(len(day), len(before)) < LEAST_COMPARED:
        return None
    now, then = [each.residual for each in day], [each.residual for each in before]
    by = fmean(now) - fmean(then)
    error = sqrt(pvariance(now) / len(now) + pvariance(then) / len(then))
    if abs(by) < LEAST_DRIFT or abs(by) < ERRORS * error:
        return None
    return (Finding.HIGHER if by > 0 else Finding.LOWER), by


def spread_of_blocks(day: Sequence[Reading]) -> float:
    """How far the means of the blocks lie apart, in points: a model that reads each block by another measure."""
    blocks: dict[int, list[float]] = {}
    for each in day:
        blocks.setdefault(each.block, []).append(each.residual)
    means = [fmean(found) for found in blocks.values() if len(found) >= LEAST_BLOCKS]
    return max(means) - min(means) if len(means) > 1 else 0.0
