"""What an edit of a profile does to days that are there already. No numpy: views call this at once.

A weight re-ranks every day, the newest month at once: values are arithmetic over booked scores, and cost nothing. New words reach only
what nobody has claimed: the edition takes the new revision here, and `editions.rescreen` estimates anew.
What was judged stays, by the revision of its score.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Max

from profiles import revisions
from profiles.models import Interest, Profile, Revision
from scoring import providers, rubric
from scoring.models import Candidate, Edition, Score
from scoring.models.editions import CandidateQuerySet
from scoring.value import NOTHING, Value, value_of

# The days that an edit ranks again before it answers.
AT_ONCE = dt.timedelta(days=31)
_ROWS_A_STATEMENT = 5_000


@dataclass(frozen=True)
class Weighing:
    """How the scores of one revision count today: a weight for each, and where the interest now stands."""

    weights: tuple[float, ...]
    positions: tuple[int, ...]

    def value(self, scores: Sequence[int]) -> Value:
        """The value as the reader sees it; `interest` is a position of today's profile."""
        found = value_of(scores, self.weights)
        if found.interest is None:
            return NOTHING
        return Value(found.value, found.second, self.positions[found.interest])


def weighing(revision: Revision, interests: Sequence[Interest]) -> Weighing:
    """Today's weights for a revision's interests: each known again by name, else by description, else by place.

    By place only while their number is the same, and where what stands there is not known otherwise. An
    interest that is gone weighs nothing. `interests` are the profile's, in their order.
    """
    old = revision.content["interests"]
    names = {words["name"] for words in old}
    by_name = {interest.name: interest for interest in interests}
    strangers = [interest for interest in interests if interest.name not in names]
    by_text = {interest.description: interest for interest in strangers if interest.description}
    texts = {words["description"] for words in old}
    weights, positions = [], []
    for place, words in enumerate(old):
        now = by_name.get(words["name"]) or by_text.get(words["description"])
        if now is None and len(old) == len(interests):
            there = interests[place]
            now = there if there in strangers and there.description not in texts - {""} else None
        weights.append(now.weight if now else 0.0)
        positions.append(now.position if now else 0)
    return Weighing(tuple(weights), tuple(positions))


def reweigh(profile: Profile) -> int:
    """Write the values of the profile's newest month anew, after a change of weights; returns how many changed.

    Earlier days are marked and follow with the next tick (`weigh`): no reader waits for years of them. Costs no
    tokens; safe to repeat. One UPDATE for each 5,000 rows. A change of the bar needs nothing: pages compare
    with it as they are read.
    """
    with transaction.atomic():
        editions = Edition.objects.filter(profile=profile)
        newest = editions.aggregate(day=Max("day"))["day"]
        if newest is None:
            return 0
        editions.filter(day__lte=newest - AT_ONCE).update(is_weighed=False)
        return _weigh(profile, Candidate.objects.filter(profile=profile, day__gt=newest - AT_ONCE))


def weigh(edition: Edition) -> int:
    """Write the values of one marked day anew; how many changed. Safe to repeat."""
    with transaction.atomic():
        # An edit of the weights marks the row: it comes before this, and is seen, or after, and marks it again.
        marked = Edition.objects.select_for_update().unweighed().filter(pk=edition.pk)
        if not marked.values_list("pk", flat=True):
            return 0
        Edition.objects.filter(pk=edition.pk).update(is_weighed=True)
        return _weigh(edition.profile, Candidate.objects.filter(edition=edition))


def adopt(profile: Profile) -> list[Edition]:
    """Let unclaimed papers be read by the profile's new words; returns the editions to `rescreen`.

    Call it in the transaction of the edit, and ring for `editions.rescreen` after. Claimed blocks finish by
    their old revision. The local judge's readings are free: its newest day is estimated anew even when closed.
    Safe to repeat: without a change of words nothing is returned.
    """
    revision = revisions.current(profile, rubric.VERSION)
    old = Edition.objects.filter(profile=profile).exclude(revision=revision)
    changed = list(old.filter(state=Edition.State.SCREENED))
    newest = Edition.objects.filter(profile=profile).order_by("-day").first()
    is_closed = newest is not None and newest.state == Edition.State.CLOSED
    if newest and is_closed and newest.revision != revision and providers.provider_of(profile).is_local:
        changed.append(newest)
    old.filter(pk__in=[edition.pk for edition in changed]).update(revision=revision)
    return changed


def _weigh(profile: Profile, candidates: CandidateQuerySet) -> int:
    changed = list(_changed(profile, candidates.filter(score_id__isnull=False).order_by()))
    for start in range(0, len(changed), _ROWS_A_STATEMENT):
        _write(changed[start : start + _ROWS_A_STATEMENT])
    return len(changed)


def _changed(profile: Profile, candidates: CandidateQuerySet) -> Iterable[tuple[int, Value]]:
    interests = list(profile.interests.all())
    weighings: dict[int, Weighing] = {}
    revisions_of = {revision.pk: revision for revision in Revision.objects.filter(profile=profile)}
    booked = Score.objects.filter(pk__in=candidates.values("score_id"))
    scores = {pk: words for pk, *words in booked.values_list("pk", "revision_id", "interest_scores")}
    for pk, score_id, *stored in candidates.values_list(
        "pk", "score_id", "value", "second_value", "interest"
    ):
        if score_id not in scores:
            continue
        revision_id, numbers = scores[score_id]
        if revision_id not in weighings:
            weighings[revision_id] = weighing(revisions_of[revision_id], interests)
        found = weighings[revision_id].value(numbers)
        if [found.value, found.second, found.interest] != stored:
            yield pk, found


def _write(changed: list[tuple[int, Value]]) -> None:
    """One statement; both databases name the columns of VALUES column1, column2 and so on."""
    rows = ", ".join(["(%s, %s, %s, CAST(%s AS smallint))"] * len(changed))
    numbers = [n for pk, found in changed for n in (pk, found.value, found.second, found.interest)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE scoring_candidate SET value = v.column2, second_value = v.column3, interest = v.column4"
            f" FROM (VALUES {rows}) AS v WHERE scoring_candidate.id = v.column1",
            numbers,
        )
