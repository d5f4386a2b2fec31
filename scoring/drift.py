"""Whether a model still tells papers apart, and whether it means by a number what it meant before. Pure.

Two things go wrong silently: a model *collapses* (every paper gets the same, for all interests or for one), and it
*drifts* (from one day, block or model to the next the same papers would get more, or less). Days differ in what they
bring, so a day's scores are compared with the local estimates of the same papers, never with another day's scores.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import fmean, median, pvariance

# So many papers in so many blocks tell of a collapse; fewer may be alike by chance.
LEAST_PAPERS, LEAST_BLOCKS = 20, 3
# Scores within so little of each other are the same; and an interest that always gets next to nothing is just narrow.
ALIKE, NOTHING = 3, 20
# A drift is at least so many points on average and so many standard errors, over so many papers each time.
LEAST_DRIFT, ERRORS, LEAST_COMPARED = 12.0, 4.0, 40
# Blocks differ a little for any model. So many blocks of so many papers tell of one that reads each by another measure: a
# spread of so many points, so far beyond chance; or one block that stands so far from all others.
FEWEST_BLOCKS, LEAST_IN_A_BLOCK = 6, 8
LEAST_SPREAD, SPREAD_ERRORS = 8.0, 4.0
LEAST_LONE, LONE_ERRORS = 15.0, 4.0
# How often a canary must have been read lately and weeks ago, and by how many points it must have moved.
LEAST_CANARIES, LEAST_CREPT = 20, 8.0


class Finding(StrEnum):
    """What is wrong with a day's scores."""

    ALIKE = "alike"
    ONE_ALIKE = "one_alike"
    HIGHER = "higher"
    LOWER = "lower"
    OTHER_SCALE = "other_scale"
    TORN = "torn"
    CREPT_HIGHER = "crept_higher"
    CREPT_LOWER = "crept_lower"


@dataclass(frozen=True)
class Reading:
    """One paper's scores by interest, its local estimate from 0 to 100, and the block that it was read in."""

    scores: tuple[int, ...]
    estimate: float
    block: int

    @property
    def best(self) -> int:
        return max(self.scores, default=0)

    @property
    def residual(self) -> float:
        return self.best - self.estimate


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


def torn(day: Sequence[Reading]) -> float | None:
    """By how many points the measure differs from block to block, or one block from all others; None where it does not.

    Blocks hold papers of neighbouring estimates, so scores are first freed of what the estimates say (a parabola over the
    day); what is left of a block's mean is compared with how far single papers lie apart.
    """
    blocks = _blocks(day)
    if len(blocks) < FEWEST_BLOCKS:
        return None
    means = [fmean(block) for block in blocks]
    within = sum(pvariance(block) * len(block) for block in blocks) / sum(len(block) - 1 for block in blocks)
    within = max(within, 1.0)
    spread = _spread_beyond(blocks, means, within)
    if spread is not None:
        return spread
    lone = max(means, key=abs)
    standing = [mean / sqrt(within / len(block)) for mean, block in zip(means, blocks, strict=True)]
    usual = max(1.0, 1.4826 * median(abs(each - median(standing)) for each in standing))
    is_far = max(abs(each - median(standing)) for each in standing) >= LONE_ERRORS * usual
    return lone if is_far and abs(lone) >= LEAST_LONE else None


def _spread_beyond(blocks: Sequence[Sequence[float]], means: Sequence[float], within: float) -> float | None:
    """The standard deviation of the blocks' measures beyond what chance gives; None where it is small or may be chance.

    The F statistic as a normal deviate (Wilson and Hilferty 1931).
    """
    count, free = len(blocks), len(blocks) - 1
    usual = sum(len(block) for block in blocks) / count
    between = sum(len(block) * mean**2 for block, mean in zip(blocks, means, strict=True)) / free
    spread = sqrt(max(0.0, between - within) / usual)
    deviate = ((between / within) ** (1 / 3) - (1 - 2 / (9 * free))) / sqrt(2 / (9 * free))
    return spread if spread >= LEAST_SPREAD and deviate >= SPREAD_ERRORS else None


def _blocks(day: Sequence[Reading]) -> list[list[float]]:
    """The scores of each block of some size, freed of what the estimates say."""
    by_block: dict[int, list[Reading]] = {}
    for each in day:
        by_block.setdefault(each.block, []).append(each)
    large = [block for block in by_block.values() if len(block) >= LEAST_IN_A_BLOCK]
    if len(large) < FEWEST_BLOCKS:
        return []
    expected = _parabola([(each.estimate / 100, float(each.best)) for block in large for each in block])
    return [[each.best - expected(each.estimate / 100) for each in block] for block in large]


def _parabola(points: Sequence[tuple[float, float]]) -> Callable[[float], float]:
    """The parabola of least squares, held flat by a hair so that it exists for any points."""
    sums = [[sum(x ** (i + j) for x, _ in points) + 1e-6 * (i == j) for j in range(3)] for i in range(3)]
    right = [sum(y * x**i for x, y in points) for i in range(3)]
    for i in range(3):
        for j in range(i + 1, 3):
            share = sums[j][i] / sums[i][i]
            sums[j] = [a - share * b for a, b in zip(sums[j], sums[i], strict=True)]
            right[j] -= share * right[i]
    c = right[2] / sums[2][2]
    b = (right[1] - sums[1][2] * c) / sums[1][1]
    a = (right[0] - sums[0][1] * b - sums[0][2] * c) / sums[0][0]
    return lambda x: a + b * x + c * x * x


def crept(now: Sequence[int], then: Sequence[int]) -> tuple[Finding, float] | None:
    """Whether one and the same text has come to be worth more, or less, than weeks ago, and by how many points.

    A learner follows a model that drifts slowly, and then its estimates hide it; a text of ours that rides along in each
    block does not move.
    """
    if min(len(now), len(then)) < LEAST_CANARIES:
        return None
    by = fmean(now) - fmean(then)
    error = sqrt(pvariance(now) / len(now) + pvariance(then) / len(then))
    if abs(by) < LEAST_CREPT or abs(by) < ERRORS * error:
        return None
    return (Finding.CREPT_HIGHER if by > 0 else Finding.CREPT_LOWER), by
