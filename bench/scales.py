"""`python -m bench.scales [SEED]`: what counting a new model's scores on the old scale does to what is recommended.

A profile reads its days as the portal does (`bench.policy`); then another model reads for it, which means other numbers by the
same papers: higher, lower, squeezed, bent, or the same. Its scores are counted as they are said, or on the scale that
`scoring.calibration` learns from what both models said of *different* papers; what counts is what the learner is taught. Shown
are the last days of the stretch, as another reading of all their papers by either model: how many are recommended for each
that the old model would recommend (1.00 is right), and likewise how many get 83 and more; after how many days there is a
scale. Two changes of model a stream, at different days; the furthest of them is shown, too. A narrow profile, which reads
little, is shown with the scale that the broad one before it learned, too: in the portal it borrows that.
"""

import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from bench import recorded, synthetic
from bench.days import PICKED_FROM, DayOf, Stream
from bench.policy import Reader, Texts
from scoring import calibration
from scoring.calibration import AS_SAID, Scale, Told
from scoring.screening.cut import Cut
from scoring.screening.recall import Seen

HIGH = 83
# As in `scoring.scales`, which a bench without a database cannot import.
LEAST_DAYS = 3
CHANGED_ON = (14, 20)
READ_ON, MEASURED_FROM = 20, 10
# Which other reading of a day is whose: of the papers that are read, and of all, by the new model and by the old one.
OLD, NEW, NEW_OF_ALL, OLD_OF_ALL = 4, 1, 2, 3
BENDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the same": lambda s: s,
    "12 higher": lambda s: s + 12,
    "12 lower": lambda s: s - 12,
    "squeezed": lambda s: 50 + 0.6 * (s - 50),
    "bent": lambda s: s + 18 * np.sin(np.clip(s, 0, 100) / 100 * np.pi),
}


@dataclass
class Noting(Reader):
    """A reader that keeps what it was told, with the estimate's logit."""

    told: list[list[tuple[int, float]]] = field(default_factory=list)

    def _book(self, day: DayOf, line: Cut, chances: np.ndarray, raw: np.ndarray) -> Seen:
        self.told.append([(i, float(raw[i])) for i in sorted(line.chosen)])
        return super()._book(day, line, chances, raw)

    def forked(self) -> "Noting":
        """One that goes on alone from here, over days of its own."""
        days = replace(self.texts.stream, days=list(self.texts.stream.days))
        fork = Noting(Texts(days, self.texts.packed, self.texts.priors))
        for each in fields(self):
            if each.name != "texts":
                setattr(fork, each.name, copy.deepcopy(getattr(self, each.name)))
        return fork


@dataclass(frozen=True)
class Came:
    """For each paper of the old model's so many of the new one's; the day of the first scale, 0 where there was none."""

    picks: float
    high: float
    learned_on: int
    scale: Scale


def said(bend: Callable[[np.ndarray], np.ndarray], day: DayOf, reading: int) -> list[int]:
    """What the new model says of a day's papers."""
    return np.clip(np.rint(bend(np.array(day.again(reading)))), 0, 100).astype(int).tolist()


def changed(
    reader: Noting, number: int, bend: str, *, is_linked: bool = False, lent: Scale | None = None
) -> Came:
    """Go on from that day with the other model: as it is said, with a scale learned, or with one that is lent."""
    fork, days = reader.forked(), reader.texts.stream.days
    then = [Told(days[at].first[i], chance) for at, day in enumerate(fork.told) for i, chance in day]
    now: list[Told] = []
    scale, learned_on = AS_SAID, 0
    new, old = np.zeros(2), np.zeros(2)
    for at in range(number, number + READ_ON):
        told = said(BENDS[bend], days[at], NEW)
        fork.texts.stream.days[at] = replace(days[at], first=[scale.of(one) for one in told])
        if at - number >= MEASURED_FROM:
            new += _count([scale.of(one) for one in said(BENDS[bend], days[at], NEW_OF_ALL)])
            old += _count(days[at].again(OLD_OF_ALL))
        fork.read_day(at)
        now += [Told(told[i], chance) for i, chance in fork.told[-1]]
        if is_linked and not learned_on and at - number + 1 >= LEAST_DAYS:
            scale = lent or calibration.learn(now, then)
            learned_on = at - number + 1 if scale.table else 0
    picks, high = new / np.maximum(old, 1)
    return Came(float(picks), float(high), learned_on, scale)


def _count(scores: Sequence[int]) -> np.ndarray:
    """How many are recommended, and how many stand high."""
    return np.array([sum(score >= PICKED_FROM for score in scores), sum(score >= HIGH for score in scores)])


def rows(stream: Stream, lent: dict[str, Scale]) -> Iterator[str]:
    """Of each bend as it is said, with its scale learned and, for a narrow profile, with the one of the broad profile before
    it, which leaves it in `lent`."""
    is_broad = "seven fields" in stream.name
    days = [replace(day, first=day.again(OLD)) for day in stream.days]
    reader = Noting(Texts.of(replace(stream, days=days)))
    came: dict[tuple[str, str], list[Came]] = {}
    for number in range(max(CHANGED_ON) + 1):
        if number in CHANGED_ON:
            for bend in BENDS:
                ways = [
                    ("as said", changed(reader, number, bend)),
                    ("its scale learned", changed(reader, number, bend, is_linked=True)),
                ]
                if not is_broad:
                    ways.append(("borrowed", changed(reader, number, bend, is_linked=True, lent=lent[bend])))
                for way, one in ways:
                    came.setdefault((bend, way), []).append(one)
        reader.read_day(number)
    for (bend, way), all_of in came.items():
        if is_broad and way == "its scale learned":
            lent[bend] = all_of[-1].scale
        picks = [each.picks for each in all_of]
        furthest = max(picks, key=lambda one: abs(one - 1))
        high = np.mean([each.high for each in all_of])
        days_to = ", ".join(str(each.learned_on or "-") for each in all_of)
        yield f"| {stream.name} | {bend} | {way} | {np.mean(picks):.2f} | {furthest:.2f} | {high:.2f} | {days_to} |"


def streams(seed: int) -> Iterator[Stream]:
    """A broad one and a narrow one, synthetic, and recorded where the development data is present."""
    yield from synthetic.streams(seed)[:2]
    try:
        found = recorded.streams(recorded.folder())
    except FileNotFoundError as error:
        print(f"Recorded days not measured: {error}\n")
        return
    yield found[0]
    yield next(one for one in found if one.name.endswith("智能体"))


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    print(
        f"seed {seed}; a bar of {PICKED_FROM}; days {MEASURED_FROM + 1} to {READ_ON} after the change of model\n"
    )
    print(
        "| stream | the new model | counted | picks for one | furthest | with 83 and more, for one | days to a scale |"
    )
    print("|---|---|---|---|---|---|---|")
    lent: dict[str, Scale] = {}
    for stream in streams(seed):
        for row in rows(stream, lent):
            print(row, flush=True)


if __name__ == "__main__":
    main()
