"""Calls beside the reading (a repair, the doctor's question): each has a hold and a payer of its own."""

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from scoring import budget
from scoring.budget import Leg
from scoring.llm import LlmAnswered, LlmError
from scoring.models import Call, Hold
from scoring.providers import KeyUnreadable
from scoring.transactions import retried

from . import room, telling

# Failed answers are kept for a look, so much of them.
FAILED_ANSWER_CHARACTERS = 20_000


def storable(answer: str) -> str:
    """A failed answer as a text column takes it: without NUL, cut."""
    return answer[:FAILED_ANSWER_CHARACTERS].replace("\x00", "")


@retried
@transaction.atomic
def hold(call: Call, tokens: int, legs: Collection[Leg], now: dt.datetime) -> Hold | None:
    """Save the call with its hold; neither where the budget refuses."""
    call.save(force_insert=True)
    held = budget.hold(call, tokens, legs, now=now)
    if isinstance(held, Hold):
        return held
    call.delete()
    return None


@retried
@transaction.atomic
def send_if_it_may(held: Hold, now: dt.datetime) -> bool:
    """Mark a question as sent; False where its provider may not be asked one call more, or somebody else sends it.

    Outside any transaction, for the mark must be kept before the request leaves.
    """
    return room.ready(held.call.provider_id, now) is not None and budget.mark_sent(held, now=now)


def give_up(held: Hold, error: LlmError | KeyUnreadable, now: dt.datetime) -> str:
    """End the hold as the error says, and let its provider's health know; returns the word that the call keeps."""
    code = end_without_answer(held, error, now)
    if held.call.provider is not None:
        telling.of_failure(held.call.provider, held, error, now)
    return code


@retried
@transaction.atomic
def end_without_answer(held: Hold, error: LlmError | KeyUnreadable, now: dt.datetime) -> str:
    """Book what the error says of the bill; returns the word that the call keeps. Safe to repeat."""
    code = error.code if isinstance(error, LlmError) else "key_unreadable"
    Call.objects.filter(pk=held.call_id).update(outcome=code[:40], ended_at=now)
    if isinstance(error, LlmAnswered):
        budget.settle(held, error.usage, now=now)
    elif isinstance(error, LlmError) and error.may_be_billed:
        budget.assume(held, now=now)
    else:
        budget.release(held, now=now)
    return code
