"""From one model's scores to another's, so that 80 may mean the same after a change of model. Pure.

Learned from papers that both have read: monotone, and drawn towards the identity where pairs are few. It is computed
and shown; no stored score and no value changes by it (decision 0049 says why).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

# With fewer pairs nothing is learned; and as many pairs as this weigh as much as the identity does.
LEAST_PAIRS, SHRINKAGE = 20, 40


@dataclass(frozen=True)
class Mapping:
    """A monotone map of 0-100, as steps; `pairs` is what it was learned from, 0 for the identity."""

    starts: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    pairs: int = 0

    def of(self, score: int) -> int:
        """What the other model would have given, rounded, never below what a lower score is mapped to."""
        if not self.pairs:
            return score
        step = max(0, bisect_right(self.starts, score) - 1)
        weight = self.pairs / (self.pairs + SHRINKAGE)
        mapped = weight * self.values[step] + (1 - weight) * score
        return max(0, min(100, round(mapped)))


IDENTITY = Mapping()


def learn(pairs: Sequence[tuple[int, int]]) -> Mapping:
    """The map from the first model's scores to the second's: isotonic regression by pooling neighbours."""
    if len(pairs) < LEAST_PAIRS:
        return IDENTITY
    blocks: list[tuple[float, float, int]] = []
    for start, value in sorted(pairs):
        blocks.append((float(start), float(value), 1))
        while len(blocks) > 1 and (blocks[-2][1] >= blocks[-1][1] or blocks[-2][0] == blocks[-1][0]):
            (start_a, mean_a, n_a), (_start_b, mean_b, n_b) = blocks[-2:]
            blocks[-2:] = [(start_a, (mean_a * n_a + mean_b * n_b) / (n_a + n_b), n_a + n_b)]
    return Mapping(tuple(b[0] for b in blocks), tuple(b[1] for b in blocks), len(pairs))
