"""VERB. What keeps the learners up to date: directions of the instance, and each profile's lessons as they come in."""

import datetime as dt

from django.db.models import Exists, OuterRef, Q

from papers.features import vectors
from papers.models import PaperVersion
from profiles.models import Profile, Vote
from scoring.editions import constancies, learners
from scoring.models import Candidate, Directions
from scoring.screening import basis

from . import slots

# What directions are fitted on, at most: about a month of computer science.
MOST_PAPERS = 6_000
# After so long the field has new words; and after twice as many papers, the first directions were too coarse.
LASTS = dt.timedelta(days=30)
_FORMAT = bytes([vectors.FORMAT])


def fit_due(now: dt.datetime) -> bool:
    """Fit directions where there are none yet, or where they are old or coarse; whether it did.

    Asked once a day, and then some ten seconds of work on a month of papers. Safe to repeat.
    """
    newest = Directions.objects.defer("data").first()
    known = PaperVersion.objects.exclude(features=b"").count()
    if known < basis.FEWEST_PAPERS or not _is_outgrown(newest, min(known, MOST_PAPERS), now):
        return False
    if not slots.take("directions", now.replace(hour=0, minute=0, second=0, microsecond=0), now):
        return False
    texts = PaperVersion.objects.exclude(features=b"").order_by("-paper_id", "-number")
    packed = [bytes(one) for one in texts.values_list("features", flat=True)[:MOST_PAPERS]]
    fitted = basis.fit([one for one in packed if one[:1] == _FORMAT])
    if fitted is None:
        return False
    facts = {"data": fitted.pack(), "papers": len(packed), "fitted_at": now}
    Directions.objects.update_or_create(name=fitted.name, defaults=facts)
    return True


def judges_due(now: dt.datetime) -> bool:
    """Once a day, learn how constant each model is; whether it did. Safe to repeat."""
    if not slots.take("constancy", now.replace(hour=0, minute=0, second=0, microsecond=0), now):
        return False
    constancies.learn_all(now)
    return True


def _is_outgrown(newest: Directions | None, papers: int, now: dt.datetime) -> bool:
    return newest is None or papers >= 2 * newest.papers or now - newest.fitted_at >= LASTS


def teach_due() -> int:
    """Teach every profile of which something was read, or of which a reader said something, since its last lesson; how
    many lessons."""
    fresh = Candidate.objects.filter(profile=OuterRef("pk")).to_teach()
    cast = Vote.objects.filter(profile=OuterRef("pk"))
    unheard = Exists(cast.filter(voted_at__gt=OuterRef("learner__votes_through")))
    first = Q(learner=None) & Exists(cast)
    owed = Profile.objects.active().filter(Exists(fresh) | unheard | first)
    return sum(learners.teach(profile) for profile in owed)
