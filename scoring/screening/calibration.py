"""Probabilities that mean what they say. Pure; numpy.

A learner's logit is bent by three numbers, fitted to what the model then said of the papers it read, each counted by
the inverse of its chance to be read: an offset and a slope (Platt 1999), and a steeper slope below a knee, for the
hopeless papers of a rare wish are more hopeless than a straight line through the likely ones would have them. With
little to go by the numbers stay near what profiles usually need.
"""

from dataclasses import dataclass

import numpy as np

from scoring.screening.learner import chance_of, logit_of

# What offset, slope and bend are before anything was seen, and how far they may be expected to lie from it.
_USUAL = np.array([0.0, 1.0, 1.0])
_SPREAD = np.array([0.5, 0.3, 0.8])
# A paper that was drawn at one in a hundred counts no more than this, or a single one would bend everything.
_MOST_WEIGHT = 2.0
_STEPS = 15
_SMALLEST_SLOPE = 0.1
# The bend is believed as far as so many picks have been seen: a fresh profile must not lose what it hardly knows.
_PICKS_FOR_A_BEND = 60.0
# The knee lies where a paper is wanted as often as those that were read; with so many papers of belief in one in ten.
_BELIEF_IN_KNEE = 10.0


@dataclass(frozen=True)
class Calibration:
    """The logit of the truth is `offset + slope * logit` of what was estimated, and below the `knee` (a logit)
    `bend` steeper."""

    offset: float = 0.0
    slope: float = 1.0
    bend: float = 0.0
    knee: float = 0.0

    def of(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities for a learner's logits."""
        return chance_of(self.offset + self.slope * logits + self.bend * np.minimum(logits - self.knee, 0.0))

    def undone(self, chances: np.ndarray) -> np.ndarray:
        """The logits that were bent into these probabilities."""
        bent = logit_of(chances)
        above = (bent - self.offset) / self.slope
        below = (bent - self.offset + self.bend * self.knee) / (self.slope + self.bend)
        return np.where(above >= self.knee, above, below)

    def as_list(self) -> list[float]:
        """The four numbers in the order of the fields, for a row's JSON."""
        return [round(number, 6) for number in (self.offset, self.slope, self.bend, self.knee)]


AS_IT_IS = Calibration()


def fit(logits: np.ndarray, wanted: np.ndarray, chance_read: np.ndarray) -> Calibration:
    """The calibration for what was read: `wanted` 0 or 1, `chance_read` 0 to 1. Newton's method, always convergent
    enough in a few steps, for the penalty makes it strictly convex."""
    if not len(logits):
        return AS_IT_IS
    weights = np.minimum(1.0 / np.maximum(chance_read, 1e-3), _MOST_WEIGHT)
    share = (weights @ wanted + 0.1 * _BELIEF_IN_KNEE) / (weights.sum() + _BELIEF_IN_KNEE)
    knee = float(logit_of(np.array(share)))
    rows = np.stack([np.ones(len(logits)), logits, np.minimum(logits - knee, 0.0)])
    picks = float(wanted.sum())
    usual = _USUAL * np.array([1.0, 1.0, picks / (picks + _PICKS_FOR_A_BEND)])
    numbers = usual.copy()
    for _ in range(_STEPS):
        expected = chance_of(numbers @ rows)
        gradient = rows @ ((wanted - expected) * weights) - (numbers - usual) / _SPREAD**2
        hessian = (rows * (expected * (1.0 - expected) * weights)) @ rows.T + np.diag(_SPREAD**-2)
        numbers = numbers + np.clip(np.linalg.solve(hessian, gradient), -0.7, 0.7)
    offset, slope, bend = map(float, numbers)
    slope = max(slope, _SMALLEST_SLOPE)
    return Calibration(offset, slope, max(bend, _SMALLEST_SLOPE - slope), knee)
