"""Ask a model for the English terms of an interest. `suggesting.ask` has left the question; here hold and call.

Each question is a call of its own, about one interest. The row is the queue: it leaves it in the transaction that books
the answer, so a kill costs what the hold's end says and the question is asked once more. A budget that refuses leaves it
waiting, and stops nothing else.
"""

import datetime as dt
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from scoring import budget, llm, providers, suggesting, terms
from scoring.budget import NoPayer
from scoring.llm import Answer, LlmError, LlmUnavailable
from scoring.models import Call, Hold, Provider, SuggestedTerms
from scoring.prompting import DICE, payer_key, tokens_to_hold
from scoring.providers import KeyUnreadable
from scoring.rubric import Prompt
from scoring.transactions import retried

from . import room, small_calls, telling

log = structlog.get_logger(__name__)

# Longer than a hold's lease: a question that a dead worker had taken is not taken again before its hold has ended.
TAKEN_SECONDS = budget.LEASE_SECONDS + 60
REFUSED_SECONDS = 3_600
LATER_SECONDS = 120
# After so many calls without terms those that are found locally stay, until somebody asks again.
MOST_CALLS = 3
AT_ONCE = 20


@dataclass(frozen=True)
class Question:
    """A held question: everything that `answer` needs, and no open transaction."""

    held: Hold
    row: SuggestedTerms
    prompt: Prompt


def claim(now: dt.datetime) -> Question | None:
    """The oldest question that can be asked now, with its hold, marked as sent by this caller and no other."""
    due = SuggestedTerms.objects.filter(Q(not_before=None) | Q(not_before__lte=now), is_due=True)
    due = due.filter(profile__archived_at=None, profile__is_paused=False)
    for pk in due.order_by("asked_at", "pk").values_list("pk", flat=True)[:AT_ONCE]:
        question = _claim(pk, now)
        if question is not None and budget.mark_sent(question.held, now=now):
            return question
    return None


@retried
@transaction.atomic
def _claim(pk: int, now: dt.datetime) -> Question | None:
    row = SuggestedTerms.objects.select_for_update().filter(pk=pk, is_due=True).first()
    if row is None or (row.not_before is not None and row.not_before > now):
        return None
    interest, chosen = suggesting.wanting(row), providers.provider_of(row.profile)
    if interest is None or chosen.is_local:
        row.delete()
        return None
    if row.calls >= MOST_CALLS:
        _end(row, row.problem or "connection_lost", now)
        return None
    provider = room.ready(chosen.pk, now)
    if provider is None or (row.calls and not room.may_repeat(provider, now)):
        return None
    prompt = terms.prompt(interest.name, interest.description, dice=DICE)
    return _hold(row, provider, prompt, now)


def _hold(row: SuggestedTerms, provider: Provider, prompt: Prompt, now: dt.datetime) -> Question | None:
    call = Call(
        kind=Call.Kind.EXPAND,
        day=now.date(),
        profile=row.profile,
        provider=provider,
        provider_model=provider.provider_model,
        is_repeat=row.calls > 0,
        created_at=now,
    )
    mine = SuggestedTerms.objects.filter(pk=row.pk)
    try:
        legs = budget.legs_of(row.profile, provider)
        mine.update(calls=F("calls") + 1, not_before=now + dt.timedelta(seconds=TAKEN_SECONDS), problem="")
        held = small_calls.hold(call, tokens_to_hold(prompt, provider), legs, now)
    except NoPayer:
        held = None
    if held is None:
        later = now + dt.timedelta(seconds=REFUSED_SECONDS)
        mine.update(calls=row.calls, not_before=later, problem="budget")
        return None
    return Question(held, row, prompt)


def answer(question: Question) -> int:
    """Ask, check, book. Returns 0: no score comes of it. Never raises for what a model or its server does.

    Slow: no transaction may be open here.
    """
    held = question.held
    call = held.call
    assert call.provider is not None and call.profile is not None
    try:
        endpoint = providers.endpoint_of(call.provider)
        said = llm.judge(question.prompt, endpoint, request_id=str(held.key), payer=payer_key(call.profile))
    except (LlmError, KeyUnreadable) as error:
        _note_failure(question, error, timezone.now())
        return 0
    telling.of_answer(call.provider, held, said)
    found = terms.read(said.text)
    try:
        _book(question, said, found, timezone.now())
    except budget.HoldEnded:
        budget.true_up(held, said.usage)
        log.warning("terms_came_late", call=str(call.public_id))
    return 0


def _note_failure(question: Question, error: LlmError | KeyUnreadable, now: dt.datetime) -> None:
    """Book what the error says of the bill; what passes is asked again later, anything else is told and left."""
    code = small_calls.give_up(question.held, error, now)
    row = SuggestedTerms.objects.filter(pk=question.row.pk).first()
    if row is None:
        return
    if not isinstance(error, LlmUnavailable) or row.calls >= MOST_CALLS:
        _end(row, code, now)
        return
    wait = max(error.retry_after or 0.0, LATER_SECONDS * row.calls)
    later = now + dt.timedelta(seconds=min(wait, REFUSED_SECONDS))
    SuggestedTerms.objects.filter(pk=row.pk).update(not_before=later, problem=code[:40])


def _end(row: SuggestedTerms, problem: str, now: dt.datetime) -> None:
    SuggestedTerms.objects.filter(pk=row.pk).update(is_due=False, problem=problem[:40], answered_at=now)


@retried
@transaction.atomic
def _book(question: Question, said: Answer, found: tuple[str, ...], now: dt.datetime) -> None:
    """The terms and their price together, or nothing. Raises budget.HoldEnded."""
    held = question.held
    row = SuggestedTerms.objects.select_for_update().filter(pk=question.row.pk).first()
    outcome = "forgotten" if row is None else ("suggested" if found else "garbled")
    Call.objects.filter(pk=held.call_id).update(
        outcome=outcome,
        latency_ms=said.latency_ms,
        answer_bytes=len(said.text.encode()),
        failed_answer=small_calls.storable(said.text) if outcome == "garbled" else "",
        ended_at=now,
    )
    if row is not None and found:
        row.terms, row.provider_model, row.answered_at = list(found), held.call.provider_model, now
        row.is_due, row.problem = False, ""
        row.save(update_fields=["terms", "provider_model", "answered_at", "is_due", "problem"])
        suggesting.take_over(row)
    elif row is not None:
        _end(row, "garbled", now)
    budget.settle(held, said.usage, now=now)
