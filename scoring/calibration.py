"""From one model's scores to another's, so that 80 may mean the same after a change of model. Pure.

Learned from papers that both have read, by equal ranks (equipercentile linking, as tests are equated): the score that as many
papers reach. Not by regression: the expected score of a noisy judge lies nearer to the mean than what he would say, so that of
two equal models the map would lower every high score. No stored score and no value changes by it (decision 0071).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, pvariance

# With fewer pairs nothing is learned; and as many pairs as this weigh as much as the identity does.
LEAST_PAIRS, SHRINKAGE = 40, 20
# What differs by less, or by so few standard errors, is the same scale.
LEAST_POINTS, ERRORS = 4.0, 3.0
# Papers that neither model finds worth anything say nothing of a scale.
WORTH_SOMETHING = 30


@dataclass(frozen=True)
class Mapping:
    """A monotone map of 0-100, straight between points; `pairs` is what it was learned from, 0 for the identity."""

    starts: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    pairs: int = 0

    def of(self, score: int) -> int:
        """What the other model would have given, rounded, never below what a lower score is mapped to."""
        if not self.pairs:
            return score
        weight = self.pairs / (self.pairs + SHRINKAGE)
        return max(0, min(100, round(weight * self._between(score) + (1 - weight) * score)))

    def _between(self, score: float) -> float:
        after = bisect_right(self.starts, score)
        if after == 0 or after == len(self.starts):
            edge = min(after, len(self.starts) - 1)
            return self.values[edge] + (score - self.starts[edge])
        x, z = self.starts[after - 1], self.starts[after]
        y, w = self.values[after - 1], self.values[after]
        return y + (w - y) * (score - x) / (z - x)


IDENTITY = Mapping()


def learn(pairs: Sequence[tuple[int, int]]) -> Mapping:
    """The map from the first model's scores to the second's; the identity with few pairs, or without a difference that is
    more than chance. The pairs must be drawn without regard to either score."""
    telling = [(start, value) for start, value in pairs if max(start, value) >= WORTH_SOMETHING]
    if len(telling) < LEAST_PAIRS or not _differ(telling):
        return IDENTITY
    starts = sorted(start for start, _value in telling)
    values = sorted(value for _start, value in telling)
    points: dict[int, float] = {}
    for score in sorted(set(starts)):
        low, high = starts.index(score), bisect_right(starts, score)
        points[score] = fmean(values[low:high])
    return Mapping(tuple(map(float, points)), tuple(points.values()), len(telling))


def _differ(pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether one stands higher than the other, or one is squeezed against the other, by more than chance."""
    middle = fmean([(start + value) / 2 for start, value in pairs])
    off = [value - start for start, value in pairs]
    tilted = [(value - start) * (1 if start + value >= 2 * middle else -1) for start, value in pairs]
    return any(_is_off(each) for each in (off, tilted))


def _is_off(points: Sequence[float]) -> bool:
    mean, error = fmean(points), sqrt(max(pvariance(points), 1.0) / len(points))
    return abs(mean) >= LEAST_POINTS and abs(mean) >= ERRORS * error
