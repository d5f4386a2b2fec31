"""How constant each model is, from rows to `scoring.screening.constancy` and back: learned once a day, kept by model."""

import datetime as dt
from collections.abc import Iterator

from profiles.models import Profile, Revision
from scoring import looks
from scoring.edits import Weighing, weighing
from scoring.models import Candidate, JudgeConstancy, Score
from scoring.screening.constancy import REFERENCE, Again, Constancy, learn
from scoring.screening.rank import SCALE

# The newest second looks that tell of a model: it may have changed since.
MOST_LOOKS = 2_000


def constancy_of(provider_model: str) -> Constancy:
    """The model's, as it was last learned; the reference's judge's where too little is known of it."""
    row = JudgeConstancy.objects.filter(provider_model=provider_model).first()
    return Constancy(row.at_even, row.slope, row.pairs) if row else REFERENCE


def as_stored(judge: Constancy) -> dict[str, list[float]]:
    """What an edition keeps of it: nothing where it is the reference's."""
    return {} if judge == REFERENCE else {"constancy": [judge.at_even, judge.slope, judge.pairs]}


def stored_with(screening: dict) -> Constancy:
    """The one by which an edition was cut."""
    return Constancy(*screening["constancy"]) if screening.get("constancy") else REFERENCE


def learn_all(now: dt.datetime) -> int:
    """Learn anew of every model whose picks were read again; of how many enough is known. Safe to repeat."""
    models = Score.objects.filter(purpose=Score.Purpose.SECOND_LOOK, is_local=False).order_by(
        "provider_model"
    )
    known = 0
    for name in list(models.values_list("provider_model", flat=True).distinct()):
        found = learn(list(_read_again(name)))
        if found == REFERENCE:
            JudgeConstancy.objects.filter(provider_model=name).delete()
            continue
        known += 1
        facts = {"at_even": found.at_even, "slope": found.slope, "pairs": found.pairs, "learned_at": now}
        JudgeConstancy.objects.update_or_create(provider_model=name, defaults=facts)
    return known


def _read_again(name: str) -> Iterator[Again]:
    """The picks of the model that were far from their estimates, and were read again whole: a suspected paper is read the
    second time without the sentences that address the model, and tells nothing of its constancy."""
    seconds = Score.objects.filter(purpose=Score.Purpose.SECOND_LOOK, provider_model=name, is_local=False)
    newest = list(seconds.order_by("-scored_at", "-pk").select_related("revision")[:MOST_LOOKS])
    keys = {"profile__in": {s.profile_id for s in newest}, "paper__in": {s.paper_id for s in newest}}
    far = Candidate.objects.filter(look=looks.Look.FAR, **keys)
    estimates = {(c.profile_id, c.paper_id): c.estimate for c in far}
    read_first = Score.objects.filter(purpose=Score.Purpose.FIRST, provider_model=name, **keys)
    firsts = {(s.revision_id, s.paper_id, s.version): s for s in read_first}
    profiles = Profile.objects.prefetch_related("interests").in_bulk({s.profile_id for s in newest})
    weighings: dict[int, Weighing] = {}
    for second in newest:
        estimate = estimates.get((second.profile_id, second.paper_id))
        first = firsts.get((second.revision_id, second.paper_id, second.version))
        if estimate is None or first is None:
            continue
        profile = profiles[second.profile_id]
        by_weight = weighings.setdefault(second.revision_id, _weighing(second.revision, profile))
        over = by_weight.value(first.interest_scores).value - profile.bar
        if over >= 0:
            is_picked = by_weight.value(second.interest_scores).value >= profile.bar
            yield Again(estimate / SCALE, over, is_picked)


def _weighing(revision: Revision, profile: Profile) -> Weighing:
    return weighing(revision, list(profile.interests.all()))
