"""Read one claimed block: mark it as sent, ask, check, book. No transaction is open while the model thinks."""

import datetime as dt
from dataclasses import replace

from django.utils import timezone

from papers import crash_points
from scoring import budget, canaries, llm, local_judge, packed, providers, verdicts
from scoring.editions.estimating import brief_of
from scoring.endpoint import TOTAL_SECONDS
from scoring.llm import Answer, LlmError, LlmMisconfigured
from scoring.models import Candidate, Score
from scoring.prompting import payer_key
from scoring.providers import KeyUnreadable
from scoring.verdicts import Reading

from . import repairs, telling, watching
from .blocks import Block
from .failures import book_failure, pause_if_rubbish
from .records import APART, COMPANY_OF_ONE_APART, CROWNED, Booking, record


def judge_block(block: Block, *, deadline_seconds: float = TOTAL_SECONDS) -> list[Score]:
    """The scores that came of it, none where the call failed: then its papers wait again or have failed.

    Slow: no transaction may be open here. Never raises for what a model or its server does.
    """
    crash_points.reach("after_hold", block.titles)
    if block.provider.is_local:
        return record(block, _local_booking(block))
    try:
        answer = _ask(block, deadline_seconds)
    except LlmError as error:
        book_failure(block, error, timezone.now())
        return []
    if answer is None:
        return []
    crash_points.reach("after_http", block.titles)
    scores = book(block, answer)
    return repairs.repair(block, scores)


def book(block: Block, answer: Answer, now: dt.datetime | None = None) -> list[Score]:
    """Check an answer, book what is valid, and remember what it showed of the server. Safe to repeat."""
    booking = _booking(block, answer, _read(block, answer))
    scores = record(block, booking, now)
    _remember(block, answer, booking, now or timezone.now())
    return scores


def _ask(block: Block, deadline_seconds: float) -> Answer | None:
    """The model's answer; None when the hold was ended meanwhile, and no call was made. Raises LlmError."""
    assert block.prompt is not None
    try:
        endpoint = replace(providers.endpoint_of(block.provider), total_seconds=deadline_seconds)
    except KeyUnreadable as error:
        raise LlmMisconfigured("key_unreadable", str(error)) from error
    if not budget.mark_sent(block.hold):
        return None
    crash_points.reach("after_sent", block.titles)
    return llm.judge(block.prompt, endpoint, request_id=str(block.hold.key), payer=payer_key(block.profile))


def _read(block: Block, answer: Answer) -> Reading:
    assert block.prompt is not None
    content = block.revision.content
    return verdicts.read(
        answer.text,
        [*block.labels, *(label for label, _canary in block.canaries)],
        [
            *(row.text.abstract for row in block.rows),
            *(canary.text.abstract for _label, canary in block.canaries),
        ],
        len(content["interests"]),
        content["reason_language"],
    )


def _booking(block: Block, answer: Answer, reading: Reading) -> Booking:
    assert block.prompt is not None
    papers = dict(zip(block.labels, (row.paper_id for row in block.rows), strict=True))
    heard, reading = watching.heard(block, reading)
    crowned = verdicts.crowned_alone(reading.verdicts)
    if crowned is not None:
        return replace(_apart(papers, papers[crowned], answer), canaries=heard)
    if watching.is_tripped(block, heard, reading):
        return _all_apart(papers, heard, answer)
    problems = {papers[label]: "missing" for label in reading.missing}
    problems |= {papers[label]: "bad_row" for label in reading.rejected}
    if reading.is_garbled:
        outcome = "garbled"
        problems = dict.fromkeys(problems, "cut" if answer.is_cut else "garbled") | {
            papers[label]: "bad_row" for label in reading.rejected
        }
    else:
        outcome = "partial" if problems else "judged"
    return Booking(
        verdicts={papers[label]: verdict for label, verdict in reading.verdicts.items()},
        problems=problems,
        usage=answer.usage,
        outcome=outcome,
        latency_ms=answer.latency_ms,
        dropped_rows=reading.unknown,
        answer=answer.text,
        canaries=heard,
    )


def _all_apart(papers: dict[str, int], heard: dict[str, int], answer: Answer) -> Booking:
    """A canary tripped: the answer is paid for, nothing of it is believed, and each paper is read alone."""
    problems = dict.fromkeys(papers.values(), APART)
    return Booking(
        {},
        problems,
        answer.usage,
        canaries.TRIPPED,
        latency_ms=answer.latency_ms,
        answer=answer.text,
        canaries=heard,
    )


def _apart(papers: dict[str, int], crowned: int, answer: Answer) -> Booking:
    """The answer is paid for and not believed: that paper is read alone, and the others without it."""
    problems = {paper: CROWNED if paper == crowned else COMPANY_OF_ONE_APART for paper in papers.values()}
    return Booking(
        {}, problems, answer.usage, "disbelieved", latency_ms=answer.latency_ms, answer=answer.text
    )


def _remember(block: Block, answer: Answer, booking: Booking, now: dt.datetime) -> None:
    is_rubbish = booking.outcome == "garbled" and pause_if_rubbish(block, now)
    telling.of_answer(block.provider, block.hold, answer, is_rubbish=is_rubbish)


# --- without a network -----------------------------------------------------------------------------


def _local_booking(block: Block) -> Booking:
    brief = brief_of(block.profile)
    language = block.revision.content["reason_language"]
    told = {
        row.paper_id: local_judge.judge(
            "", row.text, _estimates(row.candidate, len(brief.wishes)), brief, language
        )
        for row in block.rows
    }
    return Booking(told, {}, None, "judged")


def _estimates(candidate: Candidate, interests: int) -> list[int]:
    """The stored estimate for each interest; where only the best is known, the others count 0."""
    stored = packed.unpack_estimates(bytes(candidate.interest_estimates))
    if len(stored) == interests:
        return list(stored)
    alone = [0] * interests
    if candidate.estimate_interest < interests:
        alone[candidate.estimate_interest] = candidate.estimate
    return alone
