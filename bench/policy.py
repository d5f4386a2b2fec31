"""A profile's days as the portal reads them, without the portal: screen, cut, read, audit, learn, state the recall.

All arithmetic is `scoring.screening`'s; here stand only the order of steps and what is counted. What a day's judge says
reaches the learner on the evening of that day, and only of what was read.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.days import PICKED_FROM, DayOf, Stream
from papers.features.vectors import features
from scoring.screening import basis, calibration, recall
from scoring.screening.basis import Basis, Rows
from scoring.screening.brief import Brief
from scoring.screening.constancy import again
from scoring.screening.cut import CERTAIN, Cut, cut
from scoring.screening.heights import Heights, heights_of, together
from scoring.screening.index import Index
from scoring.screening.learner import Learner, Lesson, logit_of
from scoring.screening.rank import SCALE, estimate
from scoring.screening.recall import Seen, Stated

BACKGROUND = 2_000
LIBRARY = 6_000
MOST_COUNTS = 2.0
CALIBRATED_BY, TOGETHER = 30, 10
REFIT_AFTER = dt.timedelta(days=30)


@dataclass(frozen=True)
class Texts:
    """A stream's days with their vectors, its words' estimates, and the earlier papers that it is measured against."""

    stream: Stream
    packed: list[list[bytes]]
    priors: list[np.ndarray]

    @classmethod
    def of(
        cls, stream: Stream, brief: Brief | None = None, packed: list[list[bytes]] | None = None
    ) -> "Texts":
        vectors = packed or [[features(p.title, p.abstract) for p in day.papers] for day in stream.days]
        priors, before = [], []
        for one in vectors:
            index = Index(one, before[-BACKGROUND:])
            priors.append(np.array(estimate(index, brief or stream.brief).combined) / SCALE)
            before += one
        return cls(stream, vectors, priors)


@dataclass(frozen=True)
class Outcome:
    """One day: how much was read, what was stated, and what was true of the stable picks."""

    papers: int
    read: int
    audited: int
    stable: int
    found: int
    first_recall: float
    own: Stated | None
    late: Stated | None
    scores: np.ndarray
    day: DayOf
    chosen: tuple[int, ...] = ()
    is_doubted: bool = False
    agreeing: int = 0
    most_agreeing: int = 0
    picked_again: int = 0

    @property
    def true_recall(self) -> float | None:
        return self.found / self.stable if self.stable else None


@dataclass
class Reader:
    """A profile over its days. `planted` bends its estimates, for a learner that is wrong on purpose."""

    texts: Texts
    target: float = 0.9
    planted: Callable[[np.ndarray], np.ndarray] | None = None
    learns: bool = True
    name: str = "bench"
    pupil: Learner | None = None
    known: Basis | None = None
    _fitted: tuple[dt.date, int] | None = None
    _lessons: list[tuple[int, int, Lesson]] = field(default_factory=list)
    _said: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    _seen: list[Seen] = field(default_factory=list)
    _heights: list[Heights] = field(default_factory=list)

    def read_all(self) -> list[Outcome]:
        return [self.read_day(number) for number in range(len(self.texts.stream.days))]

    def read_day(self, number: int) -> Outcome:
        day, prior = self.texts.stream.days[number], self.texts.priors[number]
        self._fit(number)
        rows = self.known.rows(self.texts.packed[number]) if self.known and self.learns else None
        raw = self.pupil.logits(rows, prior) if self.pupil and rows else logit_of(prior)
        if self.planted:
            raw = self.planted(raw)
        bent = self._calibration() if self.pupil and rows else calibration.AS_IT_IS
        chances = bent.of(raw)
        audits = list(reversed(self._seen))[: recall.MOST_EDITIONS]
        ids = [paper.id for paper in day.papers]
        seed = hashlib.sha256(f"{self.name}:{day.day}".encode()).hexdigest()
        estimates = np.rint(chances * SCALE).astype(int).tolist()
        before = together(self._heights[-TOGETHER:])
        line = cut(estimates, ids, self.target, seed, missed=recall.missed_ratio(audits), before=before)
        self._heights.append(heights_of(estimates))
        seen = self._book(day, line, chances, raw)
        outcome = self._outcome(day, line, seen, audits, int(seed[:12], 16), raw, chances)
        self._seen.append(seen)
        self._learn(number, line, rows, prior)
        return outcome

    def _calibration(self) -> calibration.Calibration:
        late = self._said[-CALIBRATED_BY:]
        if not late:
            return calibration.AS_IT_IS
        return calibration.fit(*(np.concatenate([part[i] for part in late]) for i in range(3)))

    def _book(self, day: DayOf, line: Cut, chances: np.ndarray, raw: np.ndarray) -> Seen:
        read = np.array(sorted(line.chosen), dtype=int)
        wanted = np.array([day.first[i] >= PICKED_FROM for i in read], dtype=float)
        drawn = np.array([line.audit.get(int(i), CERTAIN) / CERTAIN for i in read])
        self._said.append((raw[read], wanted, drawn))
        audited = np.array([int(i) in line.audit for i in read], dtype=bool)
        unread = np.delete(chances, read) if len(read) else chances
        return Seen(
            picks=float(wanted.sum()),
            expected_picks=float(chances[read].sum()) if len(read) else 0.0,
            constant=float(
                sum(again(chances[i]) for i, is_pick in zip(read, wanted, strict=True) if is_pick)
            ),
            unread=float(sum(chance * again(chance) for chance in unread)),
            audited=float(wanted[audited].sum()) if len(read) else 0.0,
            expected_audited=float(chances[read][audited].sum()) if len(read) else 0.0,
        )

    def _outcome(
        self,
        day: DayOf,
        line: Cut,
        seen: Seen,
        audits: list[Seen],
        seed: int,
        raw: np.ndarray,
        chances: np.ndarray,
    ) -> Outcome:
        chosen = set(line.chosen)
        second = [value >= PICKED_FROM for value in day.again(0)]
        both = [i for i, is_picked in enumerate(day.picked) if is_picked and second[i]]
        of_late = [seen, *audits]
        picked = day.picked
        return Outcome(
            papers=len(day.papers),
            read=len(chosen),
            audited=len(line.audit),
            stable=sum(day.stable),
            found=sum(day.stable[i] for i in chosen),
            first_recall=sum(picked[i] for i in chosen) / max(1, sum(picked)),
            own=recall.stated([seen], of_late, seed),
            late=recall.stated_of_late(of_late[: recall.MOST_EDITIONS], of_late, seed),
            scores=raw,
            day=day,
            chosen=tuple(sorted(chosen)),
            is_doubted=recall.is_doubted(of_late),
            agreeing=sum(i in chosen for i in both),
            most_agreeing=len(both),
            picked_again=sum(second),
        )

    def _learn(self, number: int, line: Cut, rows: Rows | None, prior: np.ndarray) -> None:
        day = self.texts.stream.days[number]
        for i in sorted(line.chosen, key=lambda i: day.papers[i].id):
            drawn = min(CERTAIN / line.audit[i], MOST_COUNTS) if i in line.audit else 1.0
            lesson = Lesson(float(day.first[i] >= PICKED_FROM), drawn)
            self._lessons.append((number, i, lesson))
            if self.pupil is not None and rows is not None:
                self.pupil.teach(rows, i, float(prior[i]), lesson)

    def _fit(self, number: int) -> None:
        """Directions from the papers of the days before, as `scoring.learning.fit_due`; then all lessons again."""
        library = [one for day in self.texts.packed[:number] for one in day][-LIBRARY:]
        today = self.texts.stream.days[number].day
        if not self.learns or len(library) < basis.FEWEST_PAPERS:
            return
        if self._fitted and len(library) < 2 * self._fitted[1] and today - self._fitted[0] < REFIT_AFTER:
            return
        self.known, self._fitted = basis.fit(library), (today, len(library))
        if self.known is None:
            return
        self.pupil = Learner.fresh(self.known.width, len(self.known.hashes))
        rows: dict[int, Rows] = {}
        for at, paper, lesson in self._lessons:
            if at not in rows:
                rows = {at: self.known.rows(self.texts.packed[at])}
            self.pupil.teach(rows[at], paper, float(self.texts.priors[at][paper]), lesson)


@dataclass(frozen=True)
class Summary:
    """What a stretch of days came to; shares from 0 to 1."""

    days: int
    share_read: float
    share_audited: float
    recall: float
    first_recall: float
    stated: float
    covered: float
    width: float
    together: float
    covered_together: float
    width_together: float
    correlation: float


def summary(outcomes: Sequence[Outcome], whole: Sequence[Outcome] = ()) -> Summary | None:
    """Of the days with stable picks, None where there are none; recall is over all their stable picks together.

    `whole` are all days of the stream, where these are a part of them: a statement may take days before the part in.
    """
    told = [one for one in outcomes if one.stable and one.own and one.late]
    if not told:
        return None
    truths = np.array([one.found / one.stable for one in told])
    owns = [one.own for one in told if one.own]
    lates = [one.late for one in told if one.late]
    of_late = [true_of_late(whole or outcomes, one) for one in told]
    papers = sum(one.papers for one in told)
    return Summary(
        days=len(told),
        share_read=sum(one.read for one in told) / papers,
        share_audited=sum(one.audited for one in told) / papers,
        recall=sum(one.found for one in told) / sum(one.stable for one in told),
        first_recall=float(np.mean([one.first_recall for one in told])),
        stated=float(np.mean([one.recall for one in owns])),
        covered=float(np.mean([holds(s, t) for s, t in zip(owns, truths, strict=True)])),
        width=float(np.mean([one.width for one in owns])),
        together=float(np.mean([one.recall for one in lates])),
        covered_together=float(np.mean([holds(s, t) for s, t in zip(lates, of_late, strict=True)])),
        width_together=float(np.mean([one.width for one in lates])),
        correlation=float(np.corrcoef(truths, [one.recall for one in owns])[0, 1]) if len(told) > 2 else 0.0,
    )


def true_of_late(outcomes: Sequence[Outcome], last: Outcome) -> float:
    """The true recall of the days that a statement takes together."""
    assert last.late is not None
    at = next(i for i, one in enumerate(outcomes) if one is last)
    window = outcomes[max(0, at - last.late.editions + 1) : at + 1]
    return sum(one.found for one in window) / max(1, sum(one.stable for one in window))


def holds(said: Stated, truth: float) -> bool:
    return said.low - 1e-9 <= truth <= said.high + 1e-9
