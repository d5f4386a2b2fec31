"""How constant a judge is: what he picks once he may not pick again. Pure; no numpy.

A second reading of one list finds 0.73 of the first one's picks, and far more of those that were to be expected. So
recall is stated for *constant* picks: those that a second reading would make too.
"""

import math
from collections.abc import Sequence
from functools import cache

# How probably a second reading picks again what the first one picked, by the logit of its estimate. Measured on the
# five lists of the development data that were read twice (485 picks; `python -m bench.ranking` prints it).
_AGAIN_AT_EVEN = 1.02
_AGAIN_SLOPE = 0.43


def again(chance: float) -> float:
    """The chance that a pick would be picked again, 0 to 1, where `chance` was its estimate: a judge is noisy, and
    what he picks against all expectation is often a whim."""
    kept = min(max(chance, 1e-4), 1.0 - 1e-4)
    logit = _AGAIN_AT_EVEN + _AGAIN_SLOPE * math.log(kept / (1.0 - kept))
    return 1.0 / (1.0 + math.exp(-logit))


def constant(estimates: Sequence[int], scale: int = 10_000) -> list[int]:
    """How probably each paper is a constant pick, wanted by one reading and by the next; in the estimates' scale."""
    worths = _worths(scale)
    return [worths[estimate] for estimate in estimates]


@cache
def _worths(scale: int) -> tuple[int, ...]:
    return tuple(round(estimate * again(estimate / scale)) for estimate in range(scale + 1))
