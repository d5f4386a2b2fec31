"""Rank again what was judged, after a change of weights. Arithmetic: no token is spent.

A score's numbers stand in the order of its revision's interests; the weights are the profile's of today. An
interest is known again by its name, else by its description; one that was taken away counts nothing.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from profiles.models import Interest, Profile, Revision

from . import value
from .models import Candidate, Edition, Score

# Editions of the last days are ranked again at once.
OPEN_DAYS = 7
_BATCH = 400


def places_of(content: dict[str, Any], interests: Sequence[Interest]) -> list[int | None]:
    """For each interest of a revision its position in the profile as it is now, or None."""
    by_name = {interest.name: interest.position for interest in interests}
    by_text = {interest.description: interest.position for interest in interests if interest.description}
    return [
        by_name.get(each["name"], by_text.get(each.get("description", "")))
        for each in content.get("interests", [])
    ]


def value_now(scores: Sequence[int], places: Sequence[int | None], weights: Sequence[float]) -> value.Value:
    """The value of a paper by the profile's weights of today, its interest a position in the profile of today."""
    in_order = [0] * len(weights)
    for score, place in zip(scores, places, strict=False):
        if place is not None:
            in_order[place] = max(in_order[place], score)
    return value.value_of(in_order, weights)


@transaction.atomic
def rerank(profile: Profile) -> int:
    """Rewrite the values of the profile's open days; how many changed. Safe to repeat."""
    days = Edition.objects.filter(profile=profile).order_by("-day").values_list("day", flat=True)[:OPEN_DAYS]
    return _rerank_days(profile, list(days))


def _rerank_days(profile: Profile, days: Sequence[dt.date]) -> int:
    interests = list(profile.interests.all())
    weights = [interest.weight for interest in interests]
    candidates = list(
        Candidate.objects.select_for_update()
        .filter(profile=profile, day__in=days, score_id__isnull=False)
        .only("id", "day", "score_id", "value", "second_value", "interest")
    )
    scores = _scores_of(candidates)
    contents = dict(Revision.objects.filter(profile=profile).values_list("pk", "content"))
    places = {key: places_of(content, interests) for key, content in contents.items()}
    changed = []
    for candidate in candidates:
        score = scores.get(candidate.score_id or 0)
        if score is None:
            continue
        new = value_now(score.interest_scores, places[score.revision_id], weights)
        if (new.value, new.second, new.interest) != (
            candidate.value,
            candidate.second_value,
            candidate.interest,
        ):
            candidate.value, candidate.second_value, candidate.interest = new.value, new.second, new.interest
            changed.append(candidate)
    Candidate.objects.bulk_update(changed, ["value", "second_value", "interest"], batch_size=_BATCH)
    return len(changed)


def _scores_of(candidates: Sequence[Candidate]) -> dict[int, Score]:
    keys = [candidate.score_id for candidate in candidates]
    found: dict[int, Score] = {}
    for start in range(0, len(keys), _BATCH):
        batch = Score.objects.only("id", "interest_scores", "revision_id").in_bulk(
            keys[start : start + _BATCH]
        )
        found.update(batch)
    return found
