"""Canaries: which ride along in a block, and whether its answer is to be believed."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings

from profiles.models import Revision
from scoring import canaries
from scoring.canaries import Canary
from scoring.models import Call, Candidate, Edition, Provider
from scoring.prompting import revision_text
from scoring.verdicts import Reading

from .blocks import Block, Row

# For how long a canary that cried is not heard again by the same profile, and how many readings tell its worth.
SPENT_DAYS = 14
READINGS = 40


def watch_of(edition: Edition, rows: Sequence[Row], revision: Revision, provider: Provider) -> list[Canary]:
    """The canaries for a block of these rows; none where they cannot pay, or have cried too often on that day.

    A cry costs a call for each paper of the block. So after a tenth of a day's papers was read apart for it the
    day goes on without: what then still holds is that suspects are read alone and a lone crown is not believed.
    """
    share = settings.CANARY_PERCENT / 100
    if provider.is_local or len(rows) < canaries.LEAST_COMPANY or not share:
        return []
    since = edition.day - dt.timedelta(days=SPENT_DAYS)
    cried = Call.objects.filter(profile=edition.profile_id, outcome=canaries.TRIPPED, day__gte=since)
    spent: set[str] = set()
    today = 0
    for edition_id, heard in cried.values_list("edition_id", "canaries"):
        today += edition_id == edition.pk
        spent |= {name for name, score in heard.items() if name != canaries.HIGH and _is_loud(score)}
    if today and today >= canaries.allowance(Candidate.objects.filter(edition=edition).count()):
        return []
    key = f"{edition.public_id} {min(row.paper_id for row in rows)}"
    return list(canaries.chosen(key, revision_text(revision), share, spent))


def _is_loud(score: int | None) -> bool:
    return score is not None and score >= canaries.LOW_TRIPS_FROM


def heard(block: Block, reading: Reading) -> tuple[dict[str, int], Reading]:
    """Each canary's best score, and the reading without them."""
    names = {label: canary.name for label, canary in block.canaries}
    scores = {
        names[label]: max(verdict.scores, default=0)
        for label, verdict in reading.verdicts.items()
        if label in names
    }
    rest = replace(
        reading,
        verdicts={label: verdict for label, verdict in reading.verdicts.items() if label not in names},
        missing=tuple(label for label in reading.missing if label not in names),
        rejected=tuple(label for label in reading.rejected if label not in names),
    )
    return scores, rest


def is_tripped(block: Block, scores: dict[str, int], rest: Reading) -> bool:
    """Whether the answer is not to be believed. One that left out its canaries and nothing else is not either."""
    if not block.canaries or rest.is_garbled:
        return False
    is_whole = not rest.missing and not rest.rejected and not rest.is_truncated
    if is_whole and len(scores) < len(block.canaries):
        return True
    history = _history(block) if canaries.HIGH in scores else []
    return canaries.is_tripped(scores, history)


def _history(block: Block) -> list[int]:
    """What the high canary got before, by the same words and model, in answers that were believed."""
    read = Call.objects.filter(
        revision=block.revision,
        provider_model=block.provider.provider_model,
        kind=Call.Kind.JUDGE,
        outcome__in=["judged", "partial"],
        canaries__has_key=canaries.HIGH,
    )
    found = read.order_by("-pk").values_list("canaries", flat=True)[:READINGS]
    return [each[canaries.HIGH] for each in found if each[canaries.HIGH] is not None]
