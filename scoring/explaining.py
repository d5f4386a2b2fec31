"""VERB. A reader asks why a paper got its score, where the reading gave no reason: the price, and the question.

The question is a hold: tokens are set aside here and the call is made by whoever reads next
(`judging.explanations`). No client for a model is loaded: pages call this.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import transaction

from papers.models import Paper, PaperVersion
from scoring import budget, doorbell, rubric, tokens
from scoring.budget import Refusal
from scoring.budget.words import dollars
from scoring.models import Call, Candidate, Edition, Hold, Provider, Score
from scoring.prompting import DICE, revision_text, text_of, tokens_to_hold
from scoring.rubric import PaperText
from scoring.transactions import retried
from scoring.usage import Prices, Usage

# What one sentence with its quote takes, and the frame of the answer.
REASON_TOKENS = 80
# A worker that is busy or away for so long has forgotten the question: the tokens go back, and one may ask again.
LEASE_SECONDS = 1_800


class NothingToAsk(Exception):
    """No model has scored the paper here, its reason is there already, or its judge is not to be had now."""


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


@dataclass(frozen=True)
class Price:
    """What one reason will take: tokens, input and output, and micro-dollars where the provider has prices."""

    tokens: int
    cost_microusd: int

    @property
    def money(self) -> str:
        return dollars(self.cost_microusd) if self.cost_microusd else ""


class Question:
    """What all questions of one profile share. Counting it takes a millisecond, once a page and only if asked."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content

    @cached_property
    def _tokens(self) -> int:
        return rubric.explain_prompt(text_of(self._content), PaperText("", ""), (), dice=DICE).input_tokens

    def price(self, title: str, abstract: str, prices: Prices) -> Price:
        """About what one reason costs, without a query."""
        text = f"{title}\n{rubric.clean(abstract, rubric.ABSTRACT_CHARACTERS)}"
        asked = self._tokens + tokens.estimate(text)
        return Price(asked + REASON_TOKENS, prices.of(Usage(asked, REASON_TOKENS)))


def ask(edition: Edition, paper: Paper, now: dt.datetime) -> Hold | Refusal:
    """Hold the tokens of one reason and leave the question; or whose limit refuses, and nothing is left.

    Safe to repeat: while a question is open a second click finds it. Raises NothingToAsk and budget.NoPayer.
    """
    try:
        return _ask(edition, paper, now)
    except _Refused as refused:
        return refused.refusal


@retried
@transaction.atomic
def _ask(edition: Edition, paper: Paper, now: dt.datetime) -> Hold:
    score = _score(edition, paper)
    asked = Hold.objects.filter(call=score.explain_call_id).first() if score.explain_call_id else None
    if asked is not None and asked.state == Hold.State.OPEN:
        return asked
    provider = Provider.objects.usable(now).filter(pk=score.call.provider_id or 0).first()
    if provider is None:
        raise NothingToAsk("its judge is not to be had now")
    call = Call.objects.create(
        kind=Call.Kind.EXPLAIN,
        day=edition.day,
        profile=edition.profile,
        edition=edition,
        revision=score.revision,
        provider=provider,
        provider_model=provider.provider_model,
        block=[["", score.paper_id, score.version]],
        created_at=now,
    )
    Score.objects.filter(pk=score.pk).update(explain_call=call)
    doorbell.ring("scoring.judge")
    legs = budget.legs_of(edition.profile, provider)
    held = budget.hold(call, _tokens(score, paper, provider), legs, now=now, lease_seconds=LEASE_SECONDS)
    if isinstance(held, Refusal):
        raise _Refused(held)
    return held


def _score(edition: Edition, paper: Paper) -> Score:
    """The effective score, locked: of two clicks one waits here for the other."""
    candidate = Candidate.objects.filter(edition=edition, day=edition.day, paper=paper).first()
    if candidate is None or candidate.score_id is None:
        raise NothingToAsk("no model has scored it")
    locked = Score.objects.select_for_update(of=("self",)).select_related("revision", "call")
    score = locked.get(pk=candidate.score_id, day=edition.day)
    if score.is_local or score.reason:
        raise NothingToAsk("a reason is there" if score.reason else "no model has scored it")
    return score


def _tokens(score: Score, paper: Paper, provider: Provider) -> int:
    text = PaperVersion.objects.filter(paper=paper, number=score.version).first()
    words = PaperText(text.title, text.abstract) if text else PaperText(paper.title, "")
    prompt = rubric.explain_prompt(revision_text(score.revision), words, score.interest_scores, dice=DICE)
    return tokens_to_hold(prompt, provider)
