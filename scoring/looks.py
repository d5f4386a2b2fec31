"""FACTS: when a paper is read a second time, alone, and which of two readings stands. Pure.

A second look costs a call of its own, so it is bounded and only where it can matter: near or over the bar.
"""

from dataclasses import dataclass
from enum import StrEnum

# A model that reads the same paper twice differs by less than this mostly (ranking.md: kappa 0.64).
NOISE = 20
# A value so much above the local estimate, both from 0 to 100, is far from it; and a paper that was as good as
# certain and came to next to nothing.
FAR = 70
CERTAIN, NOTHING = 95, 10
# An estimate among fewer papers than this says too little for anything to be far from it.
FEW = 20
# So far below the bar a suspected paper's own score does not matter.
NEAR = 10


class Look(StrEnum):
    """Why a paper is looked at again."""

    NONE = ""
    FAR = "far"
    SUSPECTED = "suspected"
    # Not asked for here: an answer put it above all others, was not believed, and it was read alone since.
    CROWNED = "crowned"


@dataclass(frozen=True)
class Read:
    """A first reading: `value` and `bar` from 0 to 100, `estimate` from 0 to 10000."""

    value: int
    bar: int
    estimate: int
    is_suspect: bool


def wanted(read: Read) -> Look:
    """Whether a second look can matter, and why."""
    if read.is_suspect:
        return Look.SUSPECTED if read.value >= read.bar - NEAR else Look.NONE
    is_raised = read.value >= read.bar and read.value - read.estimate / 100 >= FAR
    is_sunk = read.estimate >= 100 * CERTAIN and read.value <= min(NOTHING, read.bar - 1)
    return Look.FAR if is_raised or is_sunk else Look.NONE


def most(look: Look, papers: int) -> int:
    """How many papers of a day may be looked at again for that reason."""
    if look == Look.SUSPECTED:
        return max(3, papers // 20)
    return max(1, papers // 100) if papers >= FEW else 0


def second_stands(first: int, second: int) -> bool:
    """The first reading stands unless the second, alone, is further from it than noise."""
    return abs(first - second) >= NOISE
