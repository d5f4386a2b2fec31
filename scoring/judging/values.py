"""From booked scores to what stands on the candidate: which of a paper's scores is the effective one."""

import datetime as dt
from collections.abc import Mapping

from django.db.models import Case, F, Q, Value, When

from scoring import looks
from scoring.edits import Weighing
from scoring.models import Candidate, Score


def effective(first: Score, second: Score, weighing: Weighing) -> Score:
    """Which of two readings by one model stands: the first, unless the second differs by more than noise.

    A second look is taken alone, so that no other paper can have moved it. Within noise the first stands: then a
    second look changes nothing, neither up nor down. Both stay stored, and "Why?" shows both.
    """
    values = [weighing.value(score.interest_scores).value for score in (first, second)]
    return second if looks.second_stands(*values) else first


def standing(by_purpose: Mapping[str, Score], weighing: Weighing) -> Score:
    """The effective one of a paper's first reading and, where there is one, its second look."""
    first, second = by_purpose.get(Score.Purpose.FIRST), by_purpose.get(Score.Purpose.SECOND_LOOK)
    if first is not None and second is not None:
        return effective(first, second, weighing)
    found = first or second
    assert found is not None
    return found


def show(candidate: Candidate, score: Score, weighing: Weighing) -> None:
    """Point the candidate at its effective score; not saved. Estimates stay marked as such."""
    value = weighing.value(score.interest_scores)
    candidate.score_id = score.pk
    candidate.state = Candidate.State.ESTIMATED if score.is_local else Candidate.State.JUDGED
    candidate.value, candidate.second_value, candidate.interest = value.value, value.second, value.interest


def adopt(candidate: Candidate, score: Score, weighing: Weighing, now: dt.datetime) -> None:
    """Give a candidate a score that was paid for. Its packed code is the caller's to move.

    What was learned with another value is to be corrected: one statement, for a learner may be taking it in.
    """
    show(candidate, score, weighing)
    candidate.changed_at = now
    is_other = Q(is_taught=True) & ~Q(value=candidate.value)
    Candidate.objects.filter(pk=candidate.pk).update(
        score_id=candidate.score_id,
        state=candidate.state,
        taught_value=Case(When(is_other, then=F("value")), default=F("taught_value")),
        is_taught=Case(When(is_other, then=Value(False)), default=F("is_taught")),
        value=candidate.value,
        second_value=candidate.second_value,
        interest=candidate.interest,
        changed_at=now,
    )
