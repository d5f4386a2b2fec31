"""Probabilities that mean what they say. Pure; numpy.

A learner's logit is bent by two numbers (Platt 1999), fitted to what the model then said of the papers it read, each
counted by the inverse of its chance to be read. With little to go by the two numbers stay near "as it is".
"""

from dataclasses import dataclass

import numpy as np

from scoring.screening.learner import chance_of, logit_of

# How far the two numbers may be expected to lie from 0 and 1 before anything was seen.
_SPREAD_OF_OFFSET = 0.5
_SPREAD_OF_SLOPE = 0.3
# A paper that was drawn at one in a hundred counts no more than this, or a single one would bend everything.
_MOST_WEIGHT = 5.0
_STEPS = 15


@dataclass(frozen=True)
class Calibration:
    """The logit of the truth is `offset + slope * logit` of what was estimated."""

    offset: float = 0.0
    slope: float = 1.0

    def of(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities for a learner's logits."""
        return chance_of(self.offset + self.slope * logits)

    def undone(self, chances: np.ndarray) -> np.ndarray:
        """The logits that were bent into these probabilities."""
        return (logit_of(chances) - self.offset) / self.slope


AS_IT_IS = Calibration()


def fit(logits: np.ndarray, wanted: np.ndarray, chance_read: np.ndarray) -> Calibration:
    """The calibration for what was read: `wanted` 0 or 1, `chance_read` 0 to 1. Newton's method, always convergent
    enough in a few steps, for the penalty makes it strictly convex."""
    if not len(logits):
        return AS_IT_IS
    weights = np.minimum(1.0 / np.maximum(chance_read, 1e-3), _MOST_WEIGHT)
    offset, slope = 0.0, 1.0
    for _ in range(_STEPS):
        expected = chance_of(offset + slope * logits)
        missed, sharp = (wanted - expected) * weights, expected * (1.0 - expected) * weights
        gradient = np.array(
            [
                missed.sum() - offset / _SPREAD_OF_OFFSET**2,
                missed @ logits - (slope - 1.0) / _SPREAD_OF_SLOPE**2,
            ]
        )
        across = sharp @ logits
        hessian = np.array(
            [
                [sharp.sum() + _SPREAD_OF_OFFSET**-2, across],
                [across, sharp @ logits**2 + _SPREAD_OF_SLOPE**-2],
            ]
        )
        step = np.linalg.solve(hessian, gradient)
        offset, slope = offset + float(np.clip(step[0], -1, 1)), slope + float(np.clip(step[1], -0.5, 0.5))
    return Calibration(offset, max(slope, 0.1))
