"""Reasons in the wrong language: one cheap call for those only, else they stay, marked."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from scoring import budget, llm, providers, rubric, verdicts
from scoring.budget import NoPayer
from scoring.llm import Answer, LlmError
from scoring.models import Call, Edition, Hold, Score
from scoring.prompting import DICE, payer_key, tokens_to_hold
from scoring.providers import KeyUnreadable
from scoring.transactions import retried

from . import room, small_calls, telling
from .blocks import Block


def repair(block: Block, scores: list[Score]) -> list[Score]:
    """The same scores, with reasons in the profile's language where the model could say them again.

    Costs at most one small call, and nothing where a budget refuses, of tokens or of repeats, or the provider is
    paused or busy; the scores stand either way.
    """
    wrong = [score for score in scores if score.reason and not score.is_language_right]
    if not wrong:
        return scores
    language = block.revision.content["reason_language"]
    prompt = rubric.repair_prompt([score.reason for score in wrong], language, dice=DICE)
    held = _hold(block, tokens_to_hold(prompt, block.provider), timezone.now())
    if held is None or not budget.mark_sent(held):
        return scores
    try:
        endpoint = providers.endpoint_of(block.provider)
        answer = llm.judge(prompt, endpoint, request_id=str(held.key), payer=payer_key(block.profile))
    except (LlmError, KeyUnreadable) as error:
        small_calls.give_up(held, error, timezone.now())
        return scores
    telling.of_answer(block.provider, held, answer)
    said = verdicts.read_repairs(answer.text, prompt.labels, language)
    new = {score.pk: said[label] for label, score in zip(prompt.labels, wrong, strict=True) if label in said}
    _write(held, answer, wrong, new, timezone.now())
    return scores


@retried
def _hold(block: Block, tokens: int, now: dt.datetime) -> Hold | None:
    try:
        legs = budget.legs_of(block.profile, block.provider)
    except NoPayer:
        return None
    with transaction.atomic():
        # Locked, so that a reader who is forgotten meanwhile is either gone here or has this call too.
        if not Edition.objects.select_for_update().filter(pk=block.edition.pk).exists():
            return None
        provider = room.ready(block.provider.pk, now)
        if provider is None or not providers.may_repair(provider, now):
            return None
        return small_calls.hold(_call(block, now), tokens, legs, now)


def _call(block: Block, now: dt.datetime) -> Call:
    return Call(
        kind=Call.Kind.REPAIR,
        day=block.edition.day,
        profile=block.profile,
        edition=block.edition,
        revision=block.revision,
        provider=block.provider,
        provider_model=block.provider.provider_model,
        is_repeat=True,
        created_at=now,
    )


@retried
def _write(held: Hold, answer: Answer, wrong: Sequence[Score], new: dict[int, str], now: dt.datetime) -> None:
    """The new reasons and their price, in one transaction."""
    for score in wrong:
        if score.pk in new:
            score.reason, score.is_language_right = new[score.pk], True
    try:
        with transaction.atomic():
            repaired = [score for score in wrong if score.pk in new]
            Score.objects.bulk_update(repaired, ["reason", "is_language_right"])
            Call.objects.filter(pk=held.call_id).update(
                outcome="repaired" if repaired else "useless", latency_ms=answer.latency_ms, ended_at=now
            )
            budget.settle(held, answer.usage, now=now)
    except budget.HoldEnded:
        budget.true_up(held, answer.usage, now=now)
