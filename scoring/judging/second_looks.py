"""Read a paper again, alone: its score is far from its estimate, or its text addresses the model.

A suspected paper is read without the sentences that address the model, so that the two readings tell what they
did. Each look is a call of its own kind, with its own hold and payer. The candidate's flag is the queue: it is
taken off in the transaction that books the answer, so a kill costs what the hold's end says and the look is taken
later. A budget that refuses leaves it waiting, and stops nothing else.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.utils import timezone

from papers import crash_points
from papers.models import PaperVersion
from scoring import budget, llm, looks, providers, rubric, scales, suspicion, verdicts
from scoring.budget import NoPayer
from scoring.edits import weighing
from scoring.llm import Answer, LlmError
from scoring.looks import Look
from scoring.models import Call, Candidate, Edition, Hold, Provider, Score
from scoring.prompting import DICE, cache_key, payer_key, revision_text, tokens_to_hold
from scoring.providers import KeyUnreadable
from scoring.rubric import PaperText, Prompt
from scoring.transactions import retried
from scoring.verdicts import Verdict

from . import room, small_calls, telling, values

log = structlog.get_logger(__name__)

# Longer than a hold's lease: a look that a dead worker had taken is not taken again before its hold has ended.
LOOK_SECONDS = budget.LEASE_SECONDS + 60
REFUSED_SECONDS = 3600
# After so many calls without an answer the first reading stands, and so does what was read longer ago.
MOST_CALLS = 2
LOOK_DAYS = 7
AT_ONCE = 20
# Where a suspected title was nothing but an order.
UNTITLED = "Untitled"


@dataclass(frozen=True)
class SecondLook:
    """A held look: everything that `take` needs, and no open transaction."""

    held: Hold
    candidate: Candidate
    first: Score
    prompt: Prompt
    text: PaperText


# --- which papers ----------------------------------------------------------------------------------


def ask_for(edition: Edition, judged: Sequence[Candidate], suspects: Collection[int], bar: int) -> None:
    """Say on just judged candidates which of them are to be looked at again; not saved.

    Within the day's bounds (`looks.most`), first come, first served; under the edition's lock.
    """
    wanted: dict[Look, list[Candidate]] = {}
    for each in judged:
        read = looks.Read(each.value or 0, bar, each.estimate, each.paper_id in suspects)
        if look := looks.wanted(read):
            wanted.setdefault(look, []).append(each)
    for look, found in wanted.items():
        papers = Candidate.objects.filter(edition=edition)
        left = looks.most(look, papers.count()) - papers.filter(look=look).count()
        for each in sorted(found, key=lambda candidate: -(candidate.value or 0))[: max(0, left)]:
            each.look, each.is_look_due = look, True


# --- taking one ------------------------------------------------------------------------------------


def claim(now: dt.datetime, edition_ids: Collection[int] | None = None) -> SecondLook | None:
    """The next look with its hold, marked as sent by this caller and no other; None when none can be taken now."""
    due = Candidate.objects.filter(is_look_due=True, changed_at__gte=now - dt.timedelta(days=LOOK_DAYS))
    if edition_ids is not None:
        due = due.filter(edition_id__in=list(edition_ids))
    ready = due.ready(now).filter(edition__stopped_at=None, edition__profile__archived_at=None)
    for pk in ready.order_by("-day", "rank").values_list("pk", flat=True)[:AT_ONCE]:
        look = _claim(pk, now)
        if look is not None and budget.mark_sent(look.held, now=now):
            return look
    return None


@retried
@transaction.atomic
def _claim(pk: int, now: dt.datetime) -> SecondLook | None:
    found = Candidate.objects.filter(pk=pk).values_list("edition_id", flat=True).first()
    edition = Edition.objects.select_for_update().filter(pk=found or 0).first()
    candidate = Candidate.objects.ready(now).filter(pk=pk, is_look_due=True).first()
    if edition is None or candidate is None:
        return None
    first = (
        Score.objects.filter(pk=candidate.score_id or 0)
        .select_related("revision", "scale", "call__provider")
        .first()
    )
    made = _calls_about(candidate)
    if first is None or first.is_local or first.purpose != Score.Purpose.FIRST or made >= MOST_CALLS:
        _end(candidate)
        return None
    known = _of_first(first)
    if known is not None:
        _settle_for(candidate, first, known, now)
        return None
    judge = first.call.provider
    if judge is None or judge.provider_model != first.provider_model:
        # The model was changed since: two models' readings of a paper say nothing of each other.
        _end(candidate)
        return None
    provider = room.ready(judge.pk, now)
    if provider is None or (made and not room.may_repeat(provider, now)):
        return None
    return _hold(edition, candidate, first, provider, now, is_repeat=made > 0)


def _calls_about(candidate: Candidate) -> int:
    """How often the look was asked for already."""
    calls = Call.objects.filter(edition=candidate.edition_id, kind=Call.Kind.SECOND_LOOK)
    return sum(papers[0][1] == candidate.paper_id for papers in calls.values_list("block", flat=True))


def _of_first(first: Score) -> Score | None:
    """The second look at the same version by the same words and model, which was paid for already."""
    return Score.objects.filter(
        revision=first.revision_id,
        paper=first.paper_id,
        version=first.version,
        provider_model=first.provider_model,
        purpose=Score.Purpose.SECOND_LOOK,
    ).first()


def _hold(
    edition: Edition,
    candidate: Candidate,
    first: Score,
    provider: Provider,
    now: dt.datetime,
    *,
    is_repeat: bool,
) -> SecondLook | None:
    text = _text(candidate)
    prompt = rubric.judging_prompt(
        revision_text(first.revision), [text], dice=DICE, cache_key=cache_key(first.revision)
    )
    call = Call(
        kind=Call.Kind.SECOND_LOOK,
        day=edition.day,
        profile=edition.profile,
        edition=edition,
        revision=first.revision,
        provider=provider,
        provider_model=provider.provider_model,
        is_repeat=is_repeat,
        block=[[prompt.labels[0], candidate.paper_id, candidate.version]],
        created_at=now,
    )
    try:
        legs = budget.legs_of(edition.profile, provider)
        held = small_calls.hold(call, tokens_to_hold(prompt, provider), legs, now)
    except NoPayer:
        held = None
    wait = LOOK_SECONDS if held is not None else REFUSED_SECONDS
    Candidate.objects.filter(pk=candidate.pk).update(not_before=now + dt.timedelta(seconds=wait))
    return None if held is None else SecondLook(held, candidate, first, prompt, text)


def _text(candidate: Candidate) -> PaperText:
    """What is judged: of a suspected paper, what is left without the sentences that address the model."""
    found = PaperVersion.objects.filter(paper=candidate.paper_id, number=candidate.version).first()
    text = PaperText(found.title, found.abstract) if found else PaperText(candidate.paper.title, "")
    if candidate.look != Look.SUSPECTED:
        return text
    title, abstract = suspicion.without_orders(text.title), suspicion.without_orders(text.abstract)
    return PaperText(title or UNTITLED, abstract)


def take(look: SecondLook) -> int:
    """Ask, check, book; how many scores came of it. Never raises for what a model or its server does.

    Slow: no transaction may be open here.
    """
    call = look.held.call
    assert call.provider is not None and call.profile is not None
    crash_points.reach("after_sent", look.text.title)
    try:
        endpoint = providers.endpoint_of(call.provider)
        said = llm.judge(look.prompt, endpoint, request_id=str(look.held.key), payer=payer_key(call.profile))
    except (LlmError, KeyUnreadable) as error:
        small_calls.give_up(look.held, error, timezone.now())
        return 0
    telling.of_answer(call.provider, look.held, said)
    crash_points.reach("after_http", look.text.title)
    content = look.first.revision.content
    reading = verdicts.read(
        said.text,
        look.prompt.labels,
        [look.text.abstract],
        len(content["interests"]),
        content["reason_language"],
    )
    try:
        booked = _book(look, said, reading.verdicts, timezone.now())
    except budget.HoldEnded:
        budget.true_up(look.held, said.usage)
        log.warning("second_look_came_late", call=str(call.public_id))
        return 0
    crash_points.reach("after_commit", look.text.title)
    return booked


@retried
@transaction.atomic
def _book(look: SecondLook, said: Answer, read: Mapping[str, Verdict], now: dt.datetime) -> int:
    """The score, the candidate and the money together, or nothing. Raises budget.HoldEnded."""
    edition = Edition.objects.select_for_update().filter(pk=look.candidate.edition_id).first()
    candidate = Candidate.objects.filter(pk=look.candidate.pk, is_look_due=True).first()
    verdict = next(iter(read.values()), None)
    is_wanted = edition is not None and candidate is not None and verdict is not None
    outcome = "judged" if is_wanted else ("garbled" if verdict is None else "lost")
    Call.objects.filter(pk=look.held.call_id).update(
        outcome=outcome if edition is not None else "forgotten",
        latency_ms=said.latency_ms,
        answer_bytes=len(said.text.encode()),
        failed_answer=small_calls.storable(said.text) if edition is not None and verdict is None else "",
        ended_at=now,
    )
    if is_wanted:
        assert candidate is not None and verdict is not None
        second = _score(look, verdict, now)
        second.save(force_insert=True)
        _settle_for(candidate, look.first, second, now)
    crash_points.reach("before_commit", look.text.title)
    budget.settle(look.held, said.usage, papers=int(is_wanted), now=now)
    return int(is_wanted)


def _score(look: SecondLook, verdict: Verdict, now: dt.datetime) -> Score:
    first = look.first
    suspected = ["addresses_the_model"] if look.candidate.look == Look.SUSPECTED else []
    return Score(
        day=first.day,
        profile_id=first.profile_id,
        revision_id=first.revision_id,
        paper_id=first.paper_id,
        version=first.version,
        provider_model=first.provider_model,
        purpose=Score.Purpose.SECOND_LOOK,
        call_id=look.held.call_id,
        is_simulated=first.is_simulated,
        interest_scores=scales.counted(first.scale, verdict.scores),
        said_scores=list(verdict.scores) if first.scale else None,
        scale=first.scale,
        reason=verdict.reason,
        reason_language=first.revision.content["reason_language"] if verdict.reason else "",
        is_language_right=verdict.is_language_right,
        quote=verdict.quote,
        is_quote_verified=verdict.is_quote_verified,
        flags=[*verdict.flags, *suspected],
        scored_at=now,
    )


def _settle_for(candidate: Candidate, first: Score, second: Score, now: dt.datetime) -> None:
    """Point the candidate at the reading that stands by today's weights, and take the look off the queue."""
    by_weight = weighing(first.revision, list(candidate.profile.interests.all()))
    values.adopt(candidate, values.effective(first, second, by_weight), by_weight, now)
    _end(candidate)


def _end(candidate: Candidate) -> None:
    Candidate.objects.filter(pk=candidate.pk).update(is_look_due=False, not_before=None)
