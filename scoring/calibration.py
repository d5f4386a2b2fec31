"""From what one model says to what counts on a profile's scale, so that 80 means the same after a change of model. Pure.

No paper need be read twice. The scores of the new model and those of the one before it are of different papers, so the
earlier ones are weighted until their papers are as promising, by the local estimates, as the newer ones (the design of
nonequivalent groups with covariates, as tests are equated: Wiberg and Bränberg 2015); then equal ranks are linked, over
smoothed distributions (kernel equating: von Davier, Holland and Thayer 2004). Not by regression: the expected score of
a noisy judge lies nearer to the mean than what he would say. `python -m bench.scales` measures it.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, sqrt

# With fewer papers nothing is learned; and so many of one estimate stand for it.
LEAST_PAPERS = 150
IN_A_STRATUM = 15
# By how much the distributions must differ (Kolmogorov and Smirnov: once in a hundred thousand by chance, for papers of
# one day are not independent), and by how many points some score then, to be two scales.
CHANCE, LEAST_POINTS = 2.5, 5
# How far a score smears over its neighbours, in points.
_WIDTH = 3.0
_SCORES = range(101)


@dataclass(frozen=True)
class Told:
    """What a model said of one paper: its best score, 0 to 100, and what had been estimated, in any unit."""

    score: int
    estimate: float


@dataclass(frozen=True)
class Scale:
    """What each score from 0 to 100 counts as, never less than a lower one; empty where it counts as it is."""

    table: tuple[int, ...] = ()
    papers: int = 0

    def of(self, score: int) -> int:
        return self.table[score] if self.table else score


AS_SAID = Scale()


def learn(now: Sequence[Told], then: Sequence[Told]) -> Scale:
    """The scale on which `now` counts as `then` did; AS_SAID with few papers, or where they differ by no more than chance."""
    if len(then) < LEAST_PAPERS:
        return AS_SAID
    compared, weights = _as_promising(now, then)
    if len(compared) < LEAST_PAPERS:
        return AS_SAID
    new = _distribution(compared, [1.0] * len(compared))
    old = _distribution([each.score for each in then], weights)
    sure = sum(weights) ** 2 / sum(weight * weight for weight in weights)
    apart = max(abs(a - b) for a, b in zip(_summed(new), _summed(old), strict=True))
    if apart < CHANCE * sqrt(1 / len(compared) + 1 / sure):
        return AS_SAID
    table = _linked(_summed(_smeared(new)), _summed(_smeared(old)))
    if max(abs(counts - score) for score, counts in enumerate(table)) < LEAST_POINTS:
        return AS_SAID
    return Scale(table, len(compared))


def _as_promising(now: Sequence[Told], then: Sequence[Told]) -> tuple[list[int], list[float]]:
    """The scores of the newer papers whose stratum holds earlier ones, and the weight of each earlier paper: how many of the
    newer ones stand in its stratum for each of the earlier."""
    ordered = sorted(each.estimate for each in now)
    edges = sorted({ordered[at] for at in range(IN_A_STRATUM, len(ordered) - IN_A_STRATUM + 1, IN_A_STRATUM)})
    strata_now, strata_then = ([bisect_right(edges, each.estimate) for each in part] for part in (now, then))
    newer, earlier = Counter(strata_now), Counter(strata_then)
    compared = [each.score for each, stratum in zip(now, strata_now, strict=True) if earlier[stratum]]
    return compared, [newer[stratum] / earlier[stratum] for stratum in strata_then]


def _distribution(scores: Sequence[int], weights: Sequence[float]) -> list[float]:
    """The share of each score from 0 to 100."""
    shares = [0.0] * len(_SCORES)
    for score, weight in zip(scores, weights, strict=True):
        shares[score] += weight
    whole = sum(shares)
    return [share / whole for share in shares]


def _smeared(shares: Sequence[float]) -> list[float]:
    """Each score's share spread over its neighbours; what would fall beyond 0 or 100 stays at the end."""
    spread = [0.0] * len(_SCORES)
    for score, share in enumerate(shares):
        if share:
            reached = [_normal((edge + 0.5 - score) / _WIDTH) for edge in _SCORES[:-1]] + [1.0]
            for at, upto in enumerate(reached):
                spread[at] += share * (upto - (reached[at - 1] if at else 0.0))
    return spread


def _summed(shares: Sequence[float]) -> list[float]:
    """The share up to each score."""
    sums, upto = [], 0.0
    for share in shares:
        upto += share
        sums.append(upto)
    return sums


def _linked(new: Sequence[float], old: Sequence[float]) -> tuple[int, ...]:
    """For each score the one that as large a share of the earlier ones lies under; half of its own share counts."""
    middle = [(upto + before) / 2 for before, upto in zip([0.0, *new], new, strict=False)]
    middles = [(upto + before) / 2 for before, upto in zip([0.0, *old], old, strict=False)]
    return tuple(round(_between(middles, share)) for share in middle)


def _between(rising: Sequence[float], share: float) -> float:
    """At which score, between whole ones, the shares reach this one."""
    after = bisect_left(rising, share)
    if after == 0:
        return 0.0
    if after == len(rising):
        return float(len(rising) - 1)
    below, above = rising[after - 1], rising[after]
    return after - 1 + (share - below) / (above - below) if above > below else float(after)


def _normal(deviate: float) -> float:
    return (1.0 + erf(deviate / sqrt(2.0))) / 2.0
