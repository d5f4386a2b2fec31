"""From a booked score to what stands on the candidate."""

import datetime as dt

from scoring.edits import Weighing
from scoring.models import Candidate, Score


def show(candidate: Candidate, score: Score, weighing: Weighing) -> None:
    """Point the candidate at its effective score; not saved. Estimates stay marked as such."""
    value = weighing.value(score.interest_scores)
    candidate.score_id = score.pk
    candidate.state = Candidate.State.ESTIMATED if score.is_local else Candidate.State.JUDGED
    candidate.value, candidate.second_value, candidate.interest = value.value, value.second, value.interest


def adopt(candidate: Candidate, score: Score, weighing: Weighing, now: dt.datetime) -> None:
    """Give a waiting candidate a score that was paid for before. Its packed code is the caller's to move."""
    show(candidate, score, weighing)
    candidate.changed_at = now
    candidate.save(update_fields=["score_id", "state", "value", "second_value", "interest", "changed_at"])
