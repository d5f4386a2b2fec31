"""What a call tells of its provider's health, whichever kind it is: a reading, a repair, a reason, a check."""

import datetime as dt

from scoring import providers
from scoring.llm import Answer, LlmError, LlmMisconfigured, LlmUnavailable
from scoring.models import Hold, Provider
from scoring.prompting import DICE
from scoring.providers import KeyUnreadable

# A 429 without a usable Retry-After; and a wait that is too long to keep anything for.
DEFAULT_WAIT_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 3600.0


def of_answer(provider: Provider, held: Hold, answer: Answer, *, is_rubbish: bool = False) -> None:
    """It answered: an answer that could be read closes the breaker, if the call was sent after it had opened.

    Nothing, where the row names another server or model by now: this answer is not of that one.
    """
    if not _is_still_the_same(provider):
        return
    if not is_rubbish:
        providers.note_success(provider, sent_at(held))
    providers.learn(provider, answer.abilities)
    if answer.usage is not None and answer.usage.output_tokens > answer.cap_tokens:
        providers.note_cap_ignored(provider)


def of_failure(
    provider: Provider, held: Hold, error: LlmError | KeyUnreadable, now: dt.datetime
) -> dt.datetime | None:
    """A 429 halves and pauses, a breakdown counts towards the breaker, a refused key stops it.

    Returns until when a busy server asked to wait; None for all else. Safe to repeat but for the count of failures.
    """
    if not _is_still_the_same(provider):
        return None
    if isinstance(error, KeyUnreadable):
        providers.stop(provider, "key_unreadable", now)
    elif isinstance(error, LlmMisconfigured):
        providers.stop(provider, error.code, now)
    elif isinstance(error, LlmUnavailable):
        return of_unavailable(provider, held, error, now)
    return None


def of_unavailable(
    provider: Provider, held: Hold, error: LlmUnavailable, now: dt.datetime
) -> dt.datetime | None:
    """As `of_failure`."""
    if not _is_still_the_same(provider):
        return None
    if error.code != "rate_limited":
        providers.note_failure(provider, sent_at(held), now)
        return None
    named = DEFAULT_WAIT_SECONDS * DICE.uniform(1, 2) if error.retry_after is None else error.retry_after
    seconds = min(named, LONGEST_WAIT_SECONDS)
    providers.note_throttled(provider, sent_at(held), now)
    providers.pause(provider, now, seconds)
    return now + dt.timedelta(seconds=seconds)


def _is_still_the_same(asked: Provider) -> bool:
    """Whether the row still names the server and the model that were asked."""
    return Provider.objects.filter(pk=asked.pk, base_url=asked.base_url, model=asked.model).exists()


def sent_at(held: Hold) -> dt.datetime:
    """When the request left: what a later call knew, this one did not."""
    found = Hold.objects.filter(pk=held.pk).values_list("sent_at", flat=True).first()
    return found or held.created_at
