"""VERB. Somebody wants to know whether a provider answers: one small question, held and paid like any call.

Here the hold; the call is made by whoever reads next (`judging.checkup`). No client for a model is loaded:
pages call this.
"""

import datetime as dt

from django.db import transaction

from profiles.models import Membership, Scope
from profiles.quotas import INSTANCE, Leg
from scoring import budget, doorbell, rubric
from scoring.budget import Refusal
from scoring.models import Call, Hold, Provider
from scoring.prompting import DICE, tokens_to_hold
from scoring.rubric import InterestText, PaperText, Prompt, RevisionText
from scoring.transactions import retried

# A worker that is busy or away for so long has forgotten the question: the tokens go back, and one may ask again.
LEASE_SECONDS = 300

_QUESTION = RevisionText((InterestText("Graph theory", "colouring, matching, planar graphs"),))
PAPER = PaperText(
    "A tight bound for edge colouring of planar graphs",
    "We prove a tight bound on the chromatic index of planar graphs and give an algorithm that attains it.",
)


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def prompt() -> Prompt:
    """The small question, with labels of its own each time."""
    return rubric.judging_prompt(_QUESTION, [PAPER], dice=DICE, cache_key="doctor")


def legs_of_check(provider: Provider, asker: Membership | None) -> list[Leg]:
    """Who pays: of a team's own provider the one who asks and the team; of the operator's the instance."""
    if asker is None or provider.team_id is None:
        return [INSTANCE]
    team_id = asker.team_id
    return [Leg(Scope.TEAM, team_id, team_id), Leg(Scope.MEMBER, asker.pk, team_id)]


def ask(provider: Provider, asker: Membership | None, now: dt.datetime) -> Hold | Refusal:
    """Hold the tokens of one question and leave it; or whose limit refuses, and nothing is left.

    Safe to repeat: while a question is open a second click finds it.
    """
    try:
        return _ask(provider, asker, now)
    except _Refused as refused:
        return refused.refusal


@retried
@transaction.atomic
def _ask(provider: Provider, asker: Membership | None, now: dt.datetime) -> Hold:
    locked = Provider.objects.select_for_update().get(pk=provider.pk)
    asked = open_question(locked, now)
    if asked is not None:
        return asked
    call = Call.objects.create(
        kind=Call.Kind.CHECK,
        day=now.date(),
        provider=locked,
        provider_model=locked.provider_model,
        created_at=now,
    )
    doorbell.ring("scoring.judge")
    tokens = tokens_to_hold(prompt(), locked)
    held = budget.hold(call, tokens, legs_of_check(locked, asker), now=now, lease_seconds=LEASE_SECONDS)
    if isinstance(held, Refusal):
        raise _Refused(held)
    return held


def open_question(provider: Provider, now: dt.datetime) -> Hold | None:
    """The check that is asked and not answered yet."""
    asked = Hold.objects.open().filter(call__provider=provider, call__kind=Call.Kind.CHECK)
    return asked.filter(lease_until__gt=now).first()


def being_checked(team_id: int | None, now: dt.datetime) -> set[int]:
    """The team's (or the operator's) providers whose check is asked and not answered yet, by their keys."""
    asked = Hold.objects.open().filter(call__kind=Call.Kind.CHECK, lease_until__gt=now)
    return set(asked.filter(call__provider__team=team_id).values_list("call__provider", flat=True))
