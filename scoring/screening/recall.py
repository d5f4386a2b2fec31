"""What of the wanted papers was found, with its interval, from what was read and what the audit saw. Pure; numpy.

Of each edition six sums are kept (`Seen`), so that several can be taken together where one is too small. Unread papers are
counted by their estimates, corrected by two ratios that are themselves uncertain: how the day's judge picks against
what was estimated above the cut (he is lenient or strict by the day), and how the audits of late found against what was
estimated below it. Both have Gamma posteriors around 1, the missed papers are Poisson, the found ones binomial; the
interval is that of the ratio over so many draws from a seed.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

DRAWS = 2_000
# How many papers' worth of belief each ratio begins with.
BELIEF_IN_AUDIT = 12.0
BELIEF_IN_DAY = 10.0
# The interval, and how wide it may be before more editions are taken together, at most so many.
LOW, HIGH = 0.05, 0.95
WIDEST = 0.12
MOST_EDITIONS = 30
# How many days' audits speak.
AUDITED_BY = 20
# Days resemble each other, so their audits say less than as many independent ones: two thirds.
_TOLD_BY_AUDITS = 2 / 3
# The estimates are doubted where so many finds in the last five audits are this improbable, even if a quarter more were
# allowed for.
DOUBT = 0.02
DOUBTED_BY = 5
_LENIENCE = 1.25


@dataclass(frozen=True)
class Seen:
    """Of one edition: `picks` the model made where `expected_picks` were estimated, `constant` of them by
    expectation; `unread` constant picks by estimate; `audited` finds where `expected_audited` were estimated."""

    picks: float = 0.0
    expected_picks: float = 0.0
    constant: float = 0.0
    unread: float = 0.0
    audited: float = 0.0
    expected_audited: float = 0.0

    def as_json(self) -> dict[str, float]:
        return {name: round(value, 4) for name, value in asdict(self).items()}

    def __add__(self, other: "Seen") -> "Seen":
        mine, its = asdict(self), asdict(other)
        return Seen(**{name: mine[name] + its[name] for name in mine})


@dataclass(frozen=True)
class Stated:
    """A recall from 0 to 1, with the bounds between which it lies nine times in ten, of the last `editions`."""

    recall: float
    low: float
    high: float
    editions: int = 1

    @property
    def width(self) -> float:
        return self.high - self.low


def missed_ratio(audits: Sequence[Seen]) -> float:
    """How many wanted papers lie below the cut for each that was estimated there; `audits` are the newest first."""
    belief, found, expected = _evidence(audits)
    return (belief + found) / (belief + expected)


def is_doubted(audits: Sequence[Seen]) -> bool:
    """Whether the newest audits found more than the estimates can be believed to have allowed."""
    newest = audits[:DOUBTED_BY]
    found, expected = sum(one.audited for one in newest), sum(one.expected_audited for one in newest)
    mean = _LENIENCE * expected + 0.05
    below = sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(round(found)))
    return found >= 2 and 1.0 - below < DOUBT


def _evidence(audits: Sequence[Seen]) -> tuple[float, float, float]:
    """The belief to begin with, and what was found and expected; where the newest contradict, they alone speak."""
    doubted = is_doubted(audits)
    those = audits[: DOUBTED_BY if doubted else AUDITED_BY]
    found, expected = sum(one.audited for one in those), sum(one.expected_audited for one in those)
    return (0.5 if doubted else BELIEF_IN_AUDIT), found, expected


def stated(window: Sequence[Seen], audits: Sequence[Seen], seed: int) -> Stated | None:
    """The recall of these editions taken together; None where nothing was found or expected.

    `audits` are those of late, these editions' among them.
    """
    found, unread = sum(one.constant for one in window), sum(one.unread for one in window)
    if found + unread <= 0:
        return None
    random = np.random.default_rng(seed)
    ratio = _ratio(random, audits)
    missed = np.zeros(DRAWS)
    finds = np.zeros(DRAWS)
    for one in window:
        leniency = random.gamma(BELIEF_IN_DAY + one.picks, 1.0 / (BELIEF_IN_DAY + one.expected_picks), DRAWS)
        missed += random.poisson(np.maximum(ratio * leniency * one.unread, 0.0))
        share = min(max(one.constant / one.picks, 0.0), 1.0) if one.picks else 0.0
        finds += random.binomial(round(one.picks), share, DRAWS)
    recalls = np.where(finds + missed > 0, finds / np.maximum(finds + missed, 1e-9), 1.0)
    low, high = np.quantile(recalls, [LOW, HIGH])
    return Stated(float(recalls.mean()), float(low), float(high), len(window))


def stated_of_late(newest_first: Sequence[Seen], audits: Sequence[Seen], seed: int) -> Stated | None:
    """The recall of as few of the newest editions as give an interval that is narrow enough, MOST_EDITIONS at
    most."""
    said: Stated | None = None
    for count in range(1, min(len(newest_first), MOST_EDITIONS) + 1):
        said = stated(newest_first[:count], audits, seed)
        if said is not None and said.width <= WIDEST:
            return said
    return said


def _ratio(random: np.random.Generator, audits: Sequence[Seen]) -> np.ndarray:
    belief, found, expected = _evidence(audits)
    shape, rate = _TOLD_BY_AUDITS * (belief + found), _TOLD_BY_AUDITS * (belief + expected)
    return random.gamma(shape, 1.0 / rate, DRAWS)
