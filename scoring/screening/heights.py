"""How much a day was expected to hold of what its profile wants, by how likely each paper was. Pure; no numpy.

Kept of each edition, some dozens of whole numbers, so that the cut of a later day can take the days of late together.
"""

import math
from collections.abc import Iterable, Sequence
from functools import cache

from scoring.screening.constancy import REFERENCE, Constancy

# Steps of a quarter of a logit, from hopeless up to certain.
_STEPS_A_LOGIT = 4
_FURTHEST = 9.25
HEIGHTS = 2 * int(_FURTHEST * _STEPS_A_LOGIT) + 1
_SCALE = 10_000

Heights = Sequence[int]


def heights_of(estimates: Sequence[int], judge: Constancy = REFERENCE) -> list[int]:
    """The expected constant picks among papers of these estimates (0 to 10000, and the sums in the same scale), by
    height, the lowest first."""
    found = [0] * HEIGHTS
    for height, worth in zip(heights_each(estimates), judge.constant(estimates), strict=True):
        found[height] += worth
    return found


def together(days: Iterable[Heights]) -> list[int]:
    """Those of several days as of one; of none it is empty. What was kept in another division counts nothing."""
    kept = [day for day in days if len(day) == HEIGHTS]
    return [sum(column) for column in zip(*kept, strict=True)]


def heights_each(estimates: Iterable[int]) -> Iterable[int]:
    """Which height each estimate belongs to, from 0."""
    return map(_heights().__getitem__, estimates)


@cache
def _heights() -> tuple[int, ...]:
    return tuple(map(_height, range(_SCALE + 1)))


def _height(estimate: int) -> int:
    share = min(max(estimate / _SCALE, 1e-4), 1.0 - 1e-4)
    return math.floor((math.log(share / (1.0 - share)) + _FURTHEST) * _STEPS_A_LOGIT)
