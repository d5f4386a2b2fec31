"""Book an answer: scores, candidates, packed codes, the call and its money in one transaction, or nothing."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from papers import crash_points
from scoring import budget, editions, scales
from scoring.edits import weighing
from scoring.looks import Look
from scoring.models import Call, Candidate, Edition, ModelScale, Score
from scoring.packed import Code
from scoring.transactions import retried
from scoring.usage import Usage
from scoring.verdicts import Verdict

from . import second_looks
from .blocks import Block, Row
from .small_calls import storable
from .values import show

log = structlog.get_logger(__name__)

# Failed answers are kept for a look, for so long.
FAILED_ANSWER_DAYS = 7
# Unusable answers at one size of block before it is halved, and for a paper alone before it has failed.
MISREADS_TO_HALVE = 2
MISREADS_TO_FAIL = 3
# Why a paper of an answer that was not believed waits again: to be read alone, or without that one.
APART = "apart"
CROWNED = "crowned_alone"
COMPANY_OF_ONE_APART = "company_of_one_apart"


@dataclass(frozen=True)
class Booking:
    """What a call came to. `problems` says, by paper, why it has no verdict."""

    verdicts: Mapping[int, Verdict]
    problems: Mapping[int, str]
    usage: Usage | None
    outcome: str
    latency_ms: int = 0
    dropped_rows: int = 0
    answer: str = ""
    canaries: Mapping[str, int] = field(default_factory=dict)


@retried
@transaction.atomic
def _book(block: Block, booking: Booking, now: dt.datetime) -> list[Score]:
    """Everything or nothing. Raises budget.HoldEnded when somebody else ended the hold: then nothing holds."""
    edition = Edition.objects.select_for_update().filter(pk=block.edition.pk).first()
    if edition is None:
        return _book_for_nobody(block, booking, now)
    mine = {each.paper_id: each for each in Candidate.objects.claimed_by(block.token)}
    judged = {paper: verdict for paper, verdict in booking.verdicts.items() if paper in mine}
    scores = _write_scores(block, judged, now)
    _write_judged(block, mine, scores, now)
    returned = [mine[paper] for paper in mine if paper not in judged]
    return_to_queue(returned, booking.problems, len(block.rows), now)
    editions.move(edition, {each.paper_id: Code[each.state.upper()] for each in mine.values()})
    outcome = booking.outcome if scores or booking.outcome not in {"judged", "partial"} else "lost"
    _write_call(block, booking, outcome, now)
    crash_points.reach("before_commit", block.titles)
    budget.settle(block.hold, booking.usage, papers=len(scores), now=now)
    return scores


def _book_for_nobody(block: Block, booking: Booking, now: dt.datetime) -> list[Score]:
    """The reader was forgotten while the model thought: the bill is a fact, and nothing else is kept."""
    _write_call(block, replace(booking, answer=""), "forgotten", now)
    budget.settle(block.hold, booking.usage, now=now)
    return []


def record(block: Block, booking: Booking, now: dt.datetime | None = None) -> list[Score]:
    """Book an answer once. A late one, whose hold was ended by the reaper, writes its true usage and no score.

    Safe to repeat: the second time the hold has ended. A connection that was lost is opened once more, for the
    answer is paid for.
    """
    now = now or timezone.now()
    try:
        try:
            scores = _book(block, booking, now)
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block:
                raise
            log.warning("booking_repeated", call=str(block.call.public_id), problem=type(error).__name__)
            connection.close()
            scores = _book(block, booking, now)
    except budget.HoldEnded:
        budget.true_up(block.hold, booking.usage, now=now)
        log.warning("answer_came_late", call=str(block.call.public_id))
        return []
    crash_points.reach("after_commit", block.titles)
    return scores


def _write_scores(block: Block, judged: Mapping[int, Verdict], now: dt.datetime) -> list[Score]:
    rows = [row for row in block.rows if row.paper_id in judged]
    model = block.provider.provider_model
    scale = None if block.provider.is_local else scales.scale_of(block.profile.pk, model)
    return Score.objects.bulk_create(_score(block, row, judged[row.paper_id], scale, now) for row in rows)


def _score(block: Block, row: Row, verdict: Verdict, scale: ModelScale | None, now: dt.datetime) -> Score:
    flags = [*verdict.flags, "addresses_the_model"] if row.is_suspect else list(verdict.flags)
    if row.candidate.look == Look.CROWNED:
        flags.append(CROWNED)
    return Score(
        day=block.edition.day,
        profile=block.profile,
        revision=block.revision,
        paper_id=row.paper_id,
        version=row.candidate.version,
        provider_model=block.provider.provider_model,
        purpose=Score.Purpose.FIRST,
        call=block.call,
        is_local=block.provider.is_local,
        is_simulated=block.provider.is_simulated,
        interest_scores=scales.counted(scale, verdict.scores),
        said_scores=list(verdict.scores) if scale else None,
        scale=scale,
        reason=verdict.reason,
        reason_language=block.revision.content["reason_language"] if verdict.reason else "",
        is_language_right=verdict.is_language_right,
        quote=verdict.quote,
        is_quote_verified=verdict.is_quote_verified,
        flags=flags,
        scored_at=now,
    )


def _write_judged(
    block: Block, mine: Mapping[int, Candidate], scores: Sequence[Score], now: dt.datetime
) -> None:
    """Point the candidates at their scores."""
    if not scores:
        return
    by_weight = weighing(block.revision, list(block.profile.interests.all()))
    judged = []
    for score in scores:
        candidate = mine[score.paper_id]
        show(candidate, score, by_weight)
        judged.append(candidate)
    if not block.provider.is_local:
        suspects = {row.paper_id for row in block.rows if row.is_suspect}
        second_looks.ask_for(block.edition, judged, suspects, block.profile.bar)
    Candidate.objects.filter(pk__in=[each.pk for each in judged]).update(
        state=judged[0].state,
        claim_token=None,
        lease_until=None,
        not_before=None,
        failure="",
        attempts=F("attempts") + 1,
        misreads=0,
        is_repeat=False,
        changed_at=now,
    )
    Candidate.objects.bulk_update(
        judged,
        ["score_id", "value", "second_value", "interest", "look", "is_look_due"],
        batch_size=500,
    )


def return_to_queue(
    candidates: Sequence[Candidate], problems: Mapping[int, str], block_size: int, now: dt.datetime
) -> None:
    """After an answer that held no use for them: wait again, in a smaller block the second time, or fail alone."""
    for each in candidates:
        problem = problems.get(each.paper_id, "garbled")
        each.attempts += 1
        is_read_apart = problem in {APART, CROWNED, COMPANY_OF_ONE_APART}
        each.misreads += not is_read_apart
        each.is_repeat = not is_read_apart
        each.state, each.claim_token, each.lease_until = Candidate.State.WAITING, None, None
        each.changed_at = now
        if problem == CROWNED:
            each.look = Look.CROWNED
        if problem in {APART, CROWNED}:
            each.largest_block = 1
        elif block_size > 1 and each.misreads >= MISREADS_TO_HALVE:
            each.largest_block, each.misreads = max(1, block_size // 2), 0
        elif block_size == 1 and each.misreads >= MISREADS_TO_FAIL:
            fail(each, problem)
    save_returned(candidates)


def fail(candidate: Candidate, failure: str) -> None:
    """Give a paper up, with the class of its failure; not saved."""
    candidate.state, candidate.failure = Candidate.State.FAILED, failure[:40]
    candidate.claim_token = candidate.lease_until = candidate.not_before = None


RETURNED_FIELDS = [
    "state",
    "claim_token",
    "lease_until",
    "not_before",
    "waits_for",
    "attempts",
    "misreads",
    "solo_crashes",
    "largest_block",
    "failure",
    "look",
    "is_repeat",
    "changed_at",
]


def save_returned(candidates: Sequence[Candidate]) -> None:
    if candidates:
        Candidate.objects.bulk_update(candidates, RETURNED_FIELDS)


def _write_call(block: Block, booking: Booking, outcome: str, now: dt.datetime) -> None:
    """How the attempt ended; its usage and cost are written by the settling."""
    keeps_answer = outcome not in {"judged", "partial"}
    Call.objects.filter(pk=block.call.pk).update(
        outcome=outcome[:40],
        canaries=dict.fromkeys((canary.name for _label, canary in block.canaries), None)
        | dict(booking.canaries),
        latency_ms=booking.latency_ms,
        dropped_rows=min(booking.dropped_rows, 32_767),
        answer_bytes=len(booking.answer.encode()),
        failed_answer=storable(booking.answer) if keeps_answer else "",
        sent_at=now - dt.timedelta(milliseconds=booking.latency_ms),
        ended_at=now,
    )


def forget_failed_answers(now: dt.datetime) -> int:
    """Drop the texts of failed answers after seven days; how many. Safe to repeat."""
    old = Call.objects.filter(ended_at__lt=now - dt.timedelta(days=FAILED_ANSWER_DAYS))
    return old.exclude(failed_answer="").update(failed_answer="")
