"""How constant a judge is: what he picks once he may not pick again. Pure; no numpy.

A second reading of one list finds 0.73 of the first one's picks, and far more of those that were to be expected. So
recall is stated for *constant* picks: those that a second reading would make too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# How probably a second reading picks again what the first one picked, by the logit of its estimate. Measured on the
# five lists of the development data that were read twice (485 picks; `python -m bench.ranking` prints it).
_AGAIN_AT_EVEN = 1.02
_AGAIN_SLOPE = 0.43
# The same where it is also known by how much the first reading was over the bar, a tenth of the scale each. Papers
# that are looked at again were chosen by estimate and value alone: given both, they are as good as drawn.
_AT_THE_BAR, _TEN_OVER_THE_BAR = -0.15, 0.76
# How far another judge may be expected to lie from these before anything was seen of him, in logits.
_SPREAD_AT_EVEN, _SPREAD_OF_SLOPE = 0.7, 0.15
# With fewer picks read again nothing is learned of a judge.
LEAST_PAIRS = 20
_STEPS = 20


@dataclass(frozen=True)
class Again:
    """A pick that was read again: its estimate, 0 to 1, how far over the bar it was, 0 to 100, and what became of it."""

    chance: float
    over_the_bar: int
    is_picked: bool


@dataclass(frozen=True)
class Constancy:
    """A judge's two numbers; `pairs` is how many picks they were learned from, 0 for the reference's judge."""

    at_even: float = _AGAIN_AT_EVEN
    slope: float = _AGAIN_SLOPE
    pairs: int = 0

    def again(self, chance: float) -> float:
        """The chance that a pick would be picked again, 0 to 1, where `chance` was its estimate: a judge is noisy, and
        what he picks against all expectation is often a whim."""
        return _share(self.at_even + self.slope * _logit(chance))

    def constant(self, estimates: Sequence[int], scale: int = 10_000) -> list[int]:
        """How probably each paper is a constant pick, wanted by one reading and by the next; in the estimates' scale."""
        worths = _worths(self, scale)
        return [worths[estimate] for estimate in estimates]


REFERENCE = Constancy()


def again(chance: float) -> float:
    """As the reference's judge."""
    return REFERENCE.again(chance)


def constant(estimates: Sequence[int], scale: int = 10_000) -> list[int]:
    """As the reference's judge."""
    return REFERENCE.constant(estimates, scale)


def learn(pairs: Sequence[Again]) -> Constancy:
    """The numbers of a judge whose picks were read again; the reference's with too few.

    Two shifts, of level and slope, by Newton's method under a prior that holds them near 0: what was looked at again
    is far from its estimate, so the level is learned and the slope hardly moves. The same in any order.
    """
    if len(pairs) < LEAST_PAIRS:
        return REFERENCE
    rows = sorted((_logit(each.chance), each.over_the_bar / 10, each.is_picked) for each in pairs)
    level = slope = 0.0
    for _ in range(_STEPS):
        gradient = [-level / _SPREAD_AT_EVEN**2, -slope / _SPREAD_OF_SLOPE**2]
        a, b, c = _SPREAD_AT_EVEN**-2, 0.0, _SPREAD_OF_SLOPE**-2
        for logit, over, is_picked in rows:
            known = _AT_THE_BAR + _AGAIN_SLOPE * logit + _TEN_OVER_THE_BAR * over
            share = _share(known + level + slope * logit)
            missed, sharp = is_picked - share, share * (1.0 - share)
            gradient[0] += missed
            gradient[1] += missed * logit
            a, b, c = a + sharp, b + sharp * logit, c + sharp * logit * logit
        scale = a * c - b * b
        level += (c * gradient[0] - b * gradient[1]) / scale
        slope += (a * gradient[1] - b * gradient[0]) / scale
    slope = max(slope, -_AGAIN_SLOPE)
    return Constancy(round(_AGAIN_AT_EVEN + level, 4), round(_AGAIN_SLOPE + slope, 4), len(rows))


def _logit(chance: float) -> float:
    kept = min(max(chance, 1e-4), 1.0 - 1e-4)
    return math.log(kept / (1.0 - kept))


def _share(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(logit, -30.0), 30.0)))


@lru_cache(maxsize=64)
def _worths(judge: Constancy, scale: int) -> tuple[int, ...]:
    return tuple(round(estimate * judge.again(estimate / scale)) for estimate in range(scale + 1))
