"""What a profile is expected to want of a day: its words' estimate, what it learned, and how true both were of late."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoring.models import Candidate, Edition
from scoring.packed import Entry
from scoring.screening import calibration, recall
from scoring.screening.basis import Basis
from scoring.screening.calibration import AS_IT_IS, Calibration
from scoring.screening.cut import CERTAIN
from scoring.screening.heights import Heights, together
from scoring.screening.kept import rows_of
from scoring.screening.learner import Learner, chance_of, logit_of
from scoring.screening.rank import SCALE, Estimates

from .estimating import features_of, prior_of
from .learners import learner_of
from .recalling import audits_of

# How many earlier days say how true the estimates are.
CALIBRATED_BY = 30
# How many of them the target is meant for, together with the day itself.
TOGETHER = 10


@dataclass(frozen=True)
class Expected:
    """The estimates, how they were bent, and how much more than estimated the audits found below the cut."""

    estimates: Estimates
    calibration: Calibration
    missed: float
    is_doubted: bool


def expected_of(edition: Edition, entries: Sequence[Entry], beside: Sequence[Entry] = ()) -> Expected:
    """Of these entries, in their order. Without anything learned the words' estimate stands as it is."""
    return expected_by(learner_of(edition.profile), edition, entries, beside)


def expected_by(
    known: tuple[Basis, Learner] | None,
    edition: Edition,
    entries: Sequence[Entry],
    beside: Sequence[Entry] = (),
) -> Expected:
    """The same by what is given as learned."""
    packed = features_of([*entries, *beside])
    mine = packed[: len(entries)]
    prior = prior_of(edition, mine, packed[len(entries) :])
    audits = audits_of(edition)
    missed, is_doubted = recall.missed_ratio(audits), recall.is_doubted(audits)
    if known is None or not entries:
        return Expected(prior, AS_IT_IS, missed, is_doubted)
    basis, learner = known
    chances = np.array(prior.combined) / SCALE
    logits = learner.logits(rows_of(basis, mine), chances)
    bent = calibrated_by(edition)
    return Expected(_learned(prior, bent.of(logits), learner.name), bent, missed, is_doubted)


def heights_before(edition: Edition) -> list[int]:
    """What the days of late were expected to hold, by height; empty where no day was estimated by the same words."""
    return together(heights_of_late(edition))


def heights_of_late(edition: Edition) -> list[Heights]:
    """The same of each day, the newest first."""
    return [facts.get("heights", ()) for _, facts in _days_before(edition)[:TOGETHER]]


def calibrated_by(edition: Edition) -> Calibration:
    """How the estimates of the days before are to be bent, by what the model then said of what it read."""
    before = list(_days_before(edition))
    bends = {pk: Calibration(*facts.get("calibration", (0.0, 1.0))) for pk, facts in before}
    read = Candidate.objects.filter(edition__in=bends, state=Candidate.State.JUDGED, value__isnull=False)
    rows = list(read.order_by("edition", "pk").values_list("edition", "estimate", "value", "audit_chance"))
    if not rows:
        return AS_IT_IS
    logits = [float(bends[key].undone(np.array([estimate / SCALE]))[0]) for key, estimate, _, _ in rows]
    wanted = [float((value or 0) >= edition.profile.bar) for _, _, value, _ in rows]
    drawn = [chance / CERTAIN if chance else 1.0 for *_, chance in rows]
    return calibration.fit(np.array(logits), np.array(wanted), np.array(drawn))


def _days_before(edition: Edition) -> list[tuple[int, dict]]:
    words = edition.revision.content_hash if edition.revision else None
    found = Edition.objects.filter(profile=edition.profile, day__lt=edition.day, screened_at__isnull=False)
    if words:
        found = found.filter(screening__revision=words)
    return list(found.order_by("-day").values_list("pk", "screening")[:CALIBRATED_BY])


def _learned(prior: Estimates, chances: np.ndarray, snapshot: str) -> Estimates:
    """The learned estimates; each interest's moves with the whole, so that it still says which one it is."""
    moved = logit_of(chances) - logit_of(np.array(prior.combined) / SCALE)
    by_interest = np.array(prior.by_interest, dtype=float).reshape(len(chances), -1) / SCALE
    shifted = chance_of(logit_of(by_interest) + moved[:, None])
    return replace(
        prior,
        combined=tuple(np.rint(chances * SCALE).astype(int).tolist()),
        by_interest=tuple(map(tuple, np.rint(shifted * SCALE).astype(int).tolist())),
        snapshot=snapshot,
    )
