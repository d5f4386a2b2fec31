"""The arithmetic from interest scores to what a reader sees. Pure.

value = max over interests of score x weight, rounded half up; the section is the interest that gave the
maximum, ties in the profile's order; the second-best contribution breaks ties between papers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Value:
    """`value` and `second` are 0-100 (shown as 0.0-10.0); `interest` is a position in the profile, from 0."""

    value: int
    second: int
    interest: int | None


NOTHING = Value(0, 0, None)


def value_of(scores: Sequence[int], weights: Sequence[float]) -> Value:
    """The value of one paper. Scores without a weight (an interest that was taken away) count nothing."""
    contributions = [_exact(weight) * score for score, weight in zip(scores, weights, strict=False)]
    if not contributions:
        return NOTHING
    order = sorted(range(len(contributions)), key=lambda position: (-contributions[position], position))
    second = contributions[order[1]] if len(order) > 1 else Fraction(0)
    return Value(rounded_half_up(contributions[order[0]]), rounded_half_up(second), order[0])


def shown(value: int) -> str:
    """A value as readers see it: 87 is "8.7"."""
    return f"{value // 10}.{value % 10}"


def rounded_half_up(number: Fraction) -> int:
    return math.floor(number + Fraction(1, 2))


def _exact(weight: float) -> Fraction:
    """The decimal that was typed: 0.35 is 35/100, so that halves round as a person would round them."""
    return Fraction(repr(float(weight)))
