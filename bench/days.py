"""What a bench of ranking asks for: streams of days with a judge's first readings, his second ones, and the truth.

`bench.synthetic.streams(seed)` and `bench.recorded.streams(folder)` both yield these. What a learner may see of a
day is `first` (and `first_by_interest`), of that day and of earlier ones; `again`, `stable` and `chance` are for
whoever measures.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from scoring.screening.brief import Brief

# A value from here on is a pick, whatever bar a profile has: "clearly within the interest" by the rubric's anchors.
PICKED_FROM = 60


@dataclass(frozen=True)
class Paper:
    id: str
    title: str
    abstract: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """One answer of a judge about one paper: 0-100 for each interest, in the brief's order."""

    score_by_interest: tuple[int, ...]

    @property
    def value(self) -> int:
        return max(self.score_by_interest, default=0)


@dataclass
class DayOf:
    """One day of a stream; all lists run beside `papers`.

    `first[i]` is the value, 0-100, that the judge gives when he reads the paper for the first time; `again(k)` are
    the values of his k-th other reading (k from 0), with other noise and the same for the same k. `chance[i]` is
    how probably any reading picks the paper, `stable[i]` whether it is a true positive. `is_recorded` says that
    the second reading and the stable picks are real ones, of a list that was read twice. `chance_by_interest` is
    the truth for a simulated model (`bench.labels.of_stream`).
    """

    day: dt.date
    papers: list[Paper]
    first: list[int]
    again: Callable[[int], list[int]]
    stable: list[bool]
    chance: list[float] = field(default_factory=list)
    first_by_interest: list[Reading] = field(default_factory=list)
    chance_by_interest: list[tuple[float, ...]] = field(default_factory=list)
    is_recorded: bool = False

    @property
    def picked(self) -> list[bool]:
        """What the first reading recommends."""
        return [value >= PICKED_FROM for value in self.first]


@dataclass
class Stream:
    """One profile's days, in order of time. No paper comes twice in a stream."""

    name: str
    brief: Brief
    days: list[DayOf]
