"""VERB. What a model says is counted on its profile's scale, so that 80 means the same after a change of model.

Learned from stored scores alone, for no token, when a day is closed (`scoring.calibration`): the new model's scores are held
against those of the models before it, by the same words. Learned once and soon, before the learner has learned from the new
model how promising a paper is. A row is never changed: each score names the one by which it was counted, keeps what was said,
and its value does not move.
"""

import datetime as dt
from collections.abc import Sequence

import numpy as np
from django.db.models import Count, Max, QuerySet

from scoring import calibration
from scoring.calibration import AS_SAID, Told
from scoring.models import Candidate, Edition, ModelScale, Score
from scoring.screening.calibration import Calibration
from scoring.screening.rank import SCALE

# For how long another model is new; how far back those before it are taken.
NEW = dt.timedelta(days=30)
BEFORE = dt.timedelta(days=30)
# A model has moods: with fewer days nothing is learned of it.
LEAST_DAYS = 3
_FACTS = ("table", "papers", "compared", "before", "is_borrowed", "learned_at")


def scale_of(profile_id: int, provider_model: str) -> ModelScale | None:
    """By which a model's scores are counted for a profile; None where they count as they are said."""
    return ModelScale.objects.filter(profile=profile_id, provider_model=provider_model).first()


def counted(scale: ModelScale | None, scores: Sequence[int]) -> list[int]:
    """What the scores count as, in their order."""
    return [scale.table[score] for score in scores] if scale else list(scores)


def learn(edition: Edition, provider_model: str, now: dt.datetime) -> ModelScale | None:
    """After a closed day that this model has read: learn its scale where another has read the same words before it.

    Returns the row that was written; None where nothing new is known. Safe to repeat: what is known is not learned again.
    """
    if edition.revision is None or scale_of(edition.profile_id, provider_model) is not None:
        return None
    read = Score.objects.filter(
        profile=edition.profile_id,
        revision__content_hash=edition.revision.content_hash,
        purpose=Score.Purpose.FIRST,
        is_local=False,
        day__lte=edition.day,
    )
    others = read.exclude(provider_model=provider_model)
    last = others.filter(day__gt=edition.day - NEW).aggregate(day=Max("day"))["day"]
    if last is None:
        return None
    newer = read.filter(provider_model=provider_model, day__gt=last)
    earlier = others.filter(day__gt=last - BEFORE)
    found = _lent(edition.profile_id, provider_model, _most_of(earlier), newer.count()) or _learned(
        newer, earlier
    )
    if found is None:
        return None
    found.learned_at = now
    return _kept(found, edition.profile_id, provider_model)


def _learned(newer: QuerySet[Score], earlier: QuerySet[Score]) -> ModelScale | None:
    """The scale of the newer scores by the earlier ones, unsaved; None where it is none of its own, or too little is known."""
    if newer.values("day").distinct().count() < LEAST_DAYS:
        return None
    now, then = _told(newer, as_said=True), _told(earlier, as_said=False)
    found = calibration.learn(now, then)
    if found == AS_SAID:
        return None
    return ModelScale(
        table=list(found.table), papers=found.papers, compared=len(then), before=_most_of(earlier)
    )


def _lent(profile_id: int, provider_model: str, before: str, papers: int) -> ModelScale | None:
    """What another profile has learned of the same change, of more than so many papers, where neither counted the model
    before by a scale: it is the models that differ, far more than the readers. Unsaved."""
    if scale_of(profile_id, before) is not None:
        return None
    lenders = ModelScale.objects.filter(provider_model=provider_model, before=before, is_borrowed=False)
    rescaled = ModelScale.objects.filter(provider_model=before).values("profile")
    able = lenders.filter(papers__gt=papers).exclude(profile__in=rescaled)
    lent = able.order_by("-papers", "pk").first()
    if lent is None:
        return None
    return ModelScale(
        table=lent.table, papers=lent.papers, compared=lent.compared, before=before, is_borrowed=True
    )


def _kept(found: ModelScale, profile_id: int, provider_model: str) -> ModelScale | None:
    """Saved as the one of this profile and model; None where another worker was first."""
    facts = {name: getattr(found, name) for name in _FACTS}
    row, is_new = ModelScale.objects.get_or_create(
        profile_id=profile_id, provider_model=provider_model, defaults=facts
    )
    return row if is_new else None


def _most_of(scores: QuerySet[Score]) -> str:
    """The model that gave most of these scores; there is at least one."""
    counted_by = scores.order_by().values_list("provider_model").annotate(count=Count("pk"))
    return counted_by.order_by("-count", "provider_model")[0][0]


def _told(scores: QuerySet[Score], *, as_said: bool) -> list[Told]:
    """The best score of each paper, as it was said or as it counted, with the estimate that its day gave it: the logit before
    it was bent, for the bend follows the newest model at once."""
    rows = list(
        scores.order_by("pk").values_list("day", "paper", "interest_scores", "said_scores", "profile")
    )
    if not rows:
        return []
    days = {row[0] for row in rows}
    editions = Edition.objects.filter(profile=rows[0][4], day__in=days).values_list("pk", "screening")
    bends = {pk: Calibration(*facts.get("calibration", (0.0, 1.0))) for pk, facts in editions}
    judged = Candidate.objects.filter(edition__in=bends, state=Candidate.State.JUDGED).order_by("pk")
    found = list(judged.values_list("day", "paper", "edition", "estimate"))
    logits = {
        (day, paper): float(bends[edition].undone(np.array(estimate / SCALE)))
        for day, paper, edition, estimate in found
    }
    return [
        Told(max((said or counts) if as_said else counts, default=0), logits[day, paper])
        for day, paper, counts, said, _profile in rows
        if (day, paper) in logits
    ]
