"""Book a call that brought no answer: what becomes of its tokens, its papers and its provider."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction

from scoring import budget, editions, providers
from scoring.llm import (
    LlmAnswered,
    LlmError,
    LlmFiltered,
    LlmMisconfigured,
    LlmRefused,
    LlmRejected,
    LlmTooLong,
    LlmUnavailable,
)
from scoring.models import Call, Candidate, Edition
from scoring.packed import Code
from scoring.prompting import DICE
from scoring.transactions import retried

from . import telling
from .blocks import Block
from .records import MISREADS_TO_FAIL, Booking, fail, record, save_returned

# Calls about several papers, one after the other, of which not one paper could be read: it is the model, then.
RUBBISH_TO_PAUSE = 8
# Among so many of the last calls they are looked for.
CALLS_TO_LOOK_AT = 60
Waits = Candidate.Waits


def book_failure(block: Block, error: LlmError, now: dt.datetime) -> None:
    """Do what the error asks for. Safe to repeat: the hold ends once."""
    match error:
        case LlmAnswered():
            _settle_useless_answer(block, error, now)
        case LlmRejected():
            _reject(block, error, now)
        case LlmMisconfigured():
            telling.of_failure(block.provider, block.hold, error, now)
            _give_up(block, error, now, _waiting_for_provider(None, counts=False))
        case LlmUnavailable():
            _wait(block, error, now)
        case _:
            raise error


def _reject(block: Block, error: LlmRejected, now: dt.datetime) -> None:
    """In company it is told by halving whose fault it is; alone it is the paper's, if the server takes others."""
    if len(block.rows) == 1 and type(error) is LlmRejected and not _takes_requests(block, now):
        providers.stop(block.provider, error.code, now)
        _give_up(block, error, now, _waiting_for_provider(None, counts=False))
        return
    _give_up(block, error, now, _smaller_or_failed(block, error))


def _takes_requests(block: Block, now: dt.datetime) -> bool:
    """Whether the provider has answered anything of ours within a day."""
    return Call.objects.filter(
        provider=block.provider,
        outcome__in=["judged", "partial", "doctor"],
        ended_at__gt=now - dt.timedelta(days=1),
    ).exists()


def _settle_useless_answer(block: Block, error: LlmAnswered, now: dt.datetime) -> None:
    """The answer has a price and no use: it is paid, and its papers are read again in smaller company."""
    if isinstance(error, LlmRefused):
        _give_up_paid(block, error, now)
        return
    problems = {row.paper_id: error.code for row in block.rows}
    record(block, Booking({}, problems, error.usage, error.code), now)
    pause_if_rubbish(block, now)


def pause_if_rubbish(block: Block, now: dt.datetime) -> bool:
    """After an answer of which nothing could be read: whether the model has babbled too often to go on paying.

    A paper alone may be at fault itself, so only calls in company count; those that brought a score end the row.
    """
    last = Call.objects.filter(provider=block.provider, kind=Call.Kind.JUDGE, ended_at__isnull=False)
    told = last.order_by("-ended_at", "-pk").values_list("outcome", "block")[:CALLS_TO_LOOK_AT]
    in_company = [outcome for outcome, papers in told if len(papers) > 1][:RUBBISH_TO_PAUSE]
    if in_company != ["garbled"] * RUBBISH_TO_PAUSE:
        return False
    providers.note_rubbish(block.provider, now)
    return True


def _give_up_paid(block: Block, error: LlmAnswered, now: dt.datetime) -> None:
    """A refusal is final for a paper alone; in company it is told whose it was by halving."""
    change = _smaller_or_failed(block, error)
    try:
        _return(block, error.code, now, change, lambda: budget.settle(block.hold, error.usage, now=now))
    except budget.HoldEnded:
        budget.true_up(block.hold, error.usage, now=now)


def _wait(block: Block, error: LlmUnavailable, now: dt.datetime) -> None:
    """Later: when the server said, or with a pause that grows and is never the same twice."""
    until = telling.of_unavailable(block.provider, block.hold, error, now)
    is_asked_to_wait = until is not None
    if until is None:
        attempts = max((row.candidate.attempts for row in block.rows), default=0)
        seconds = max(error.retry_after or 0.0, DICE.uniform(0.5, 1.5) * 2 ** min(attempts, 6))
        until = now + dt.timedelta(seconds=min(seconds, telling.LONGEST_WAIT_SECONDS))
    _give_up(block, error, now, _waiting_for_provider(until, counts=not is_asked_to_wait))


Change = Callable[[Candidate], None]


def _waiting_for_provider(until: dt.datetime | None, *, counts: bool) -> Change:
    def change(candidate: Candidate) -> None:
        candidate.not_before, candidate.waits_for = until, Waits.PROVIDER
        candidate.attempts += counts
        candidate.is_repeat |= counts

    return change


def _smaller_or_failed(block: Block, error: LlmError) -> Change:
    """In company: half as many next time. Alone: failed, at once where asking again cannot help."""
    size = len(block.rows)
    is_final = isinstance(error, LlmTooLong | LlmFiltered | LlmRefused)

    def change(candidate: Candidate) -> None:
        candidate.attempts += 1
        if size > 1:
            candidate.largest_block = size // 2
            return
        candidate.misreads += 1
        if is_final or candidate.misreads >= MISREADS_TO_FAIL:
            fail(candidate, error.code)

    return change


def _give_up(block: Block, error: LlmError, now: dt.datetime, change: Change) -> None:
    """End the hold without an answer: assumed where it may have been billed, else released."""
    end = budget.assume if error.may_be_billed else budget.release
    _return(block, error.code, now, change, lambda: end(block.hold, now=now))


@retried
@transaction.atomic
def _return(
    block: Block, outcome: str, now: dt.datetime, change: Change, end_the_hold: Callable[[], object]
) -> None:
    """The claimed papers back to the queue, each changed by `change`; then the hold's end."""
    edition = Edition.objects.select_for_update().filter(pk=block.edition.pk).first()
    mine = list(Candidate.objects.claimed_by(block.token))
    for each in mine:
        each.state, each.claim_token, each.lease_until = Candidate.State.WAITING, None, None
        each.changed_at = now
        change(each)
    save_returned(mine)
    # Without an edition the reader was forgotten meanwhile: only the call's end is left to be written.
    if edition is not None:
        editions.move(edition, {each.paper_id: Code[each.state.upper()] for each in mine})
    Call.objects.filter(pk=block.call.pk).update(outcome=outcome[:40], ended_at=now)
    end_the_hold()
