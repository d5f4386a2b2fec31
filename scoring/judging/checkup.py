"""Ask a provider one small question, to see what it can do, and say what a usual day would take."""

import datetime as dt
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone

from profiles.quotas import INSTANCE
from scoring import budget, checking, llm, providers, verdicts
from scoring.llm import Answer, LlmError, LlmUnavailable
from scoring.models import Call, Candidate, Edition, Hold, Provider, Score
from scoring.prompting import tokens_to_hold
from scoring.providers import KeyUnreadable
from scoring.rubric import Prompt
from scoring.transactions import retried
from scoring.usage import Usage

from . import room, small_calls, telling

# What a paper costs where nothing was read yet: `python -m bench.tokens`.
USUAL_TOKENS_A_PAPER = 341
# A day of four busy categories, where no day was opened yet.
USUAL_PAPERS_A_DAY = 442
_DAYS = 10


@dataclass(frozen=True)
class Checkup:
    """What one small call showed. `problem` is a stable word, "" where all is well."""

    problem: str = ""
    detail: str = ""
    answer: Answer | None = None
    is_understood: bool = False


@dataclass(frozen=True)
class Forecast:
    """What a usual day of one profile takes."""

    papers: int
    tokens_a_paper: int
    cost_microusd: int

    @property
    def tokens(self) -> int:
        return self.papers * self.tokens_a_paper


def check_up(provider: Provider) -> Checkup:
    """Make one small call, held and booked on the instance like any other. Slow: no transaction may be open.

    What is learned of the server is remembered, and a provider that answers again is resumed.
    """
    prompt, now = checking.prompt(), timezone.now()
    if room.has_asked_to_wait(provider, now):
        return Checkup("rate_limited", f"it asked to wait until {provider.open_until:%Y-%m-%d %H:%M:%S} UTC")
    held = _hold(provider, tokens_to_hold(prompt, provider), now)
    if held is None or not budget.mark_sent(held):
        return Checkup("budget", "the instance's budget refuses even one small call")
    return _ask(held, provider, prompt)


def claim(now: dt.datetime) -> Hold | None:
    """The oldest check that somebody wants and nobody has sent yet, marked as sent by this caller; None without one.

    Also of a provider that is stopped or down: whether it answers again is what is asked. Not while the server itself
    asked to wait, or is busy with as many calls as it may have.
    """
    unsent = Hold.objects.open().filter(
        sent_at=None,
        lease_until__gt=now,
        call__kind=Call.Kind.CHECK,
        call__claim_token=None,
        call__provider__is_active=True,
    )
    for held in unsent.select_related("call__provider").order_by("pk"):
        if _send(held, now):
            return held
    return None


@retried
@transaction.atomic
def _send(held: Hold, now: dt.datetime) -> bool:
    return room.ready_for_check(held.call.provider_id, now) is not None and budget.mark_sent(held, now=now)


def answer(held: Hold) -> int:
    """Make the call that was asked for. Returns 0: no score comes of it. Slow: no transaction may be open here."""
    assert held.call.provider is not None
    _ask(held, held.call.provider, checking.prompt())
    return 0


def _ask(held: Hold, provider: Provider, prompt: Prompt) -> Checkup:
    try:
        answer = llm.judge(prompt, providers.endpoint_of(provider), request_id=str(held.key))
    except (LlmError, KeyUnreadable) as error:
        found = Checkup(small_calls.end_without_answer(held, error, timezone.now()), str(error))
        # A key that is refused here is told to who asked; the next reading stops the provider.
        if isinstance(error, LlmUnavailable):
            telling.of_unavailable(provider, held, error, timezone.now())
        _remember(provider, found, timezone.now())
        return found
    reading = verdicts.read(answer.text, prompt.labels, [checking.PAPER.abstract], 1, "en")
    problem = "" if reading.verdicts else "garbled"
    found = Checkup(problem, answer=answer, is_understood=not problem)
    try:
        _settle(held, answer, timezone.now())
    except budget.HoldEnded:
        budget.true_up(held, answer.usage)
    telling.of_answer(provider, held, answer)
    providers.reinstate(provider)
    _remember(provider, found, timezone.now())
    return found


def _remember(provider: Provider, found: Checkup, now: dt.datetime) -> None:
    """What its page shows: never an answer's words, and of a failure only its code."""
    told: dict[str, Any] = {"at": now.isoformat(), "problem": found.problem}
    if found.answer is not None:
        abilities, used = found.answer.abilities, found.answer.usage
        told |= {
            "served_by": found.answer.served_by,
            "format": abilities.response_format,
            "cap": abilities.cap_name,
            "left_out": list(abilities.refused_params),
            "latency_ms": found.answer.latency_ms,
        }
        if used is not None:
            told |= {**asdict(used), "cost_microusd": provider.prices.of(used)}
    Provider.objects.filter(pk=provider.pk).update(last_check=told)


def _hold(provider: Provider, tokens: int, now: dt.datetime) -> Hold | None:
    call = Call(
        kind=Call.Kind.CHECK,
        day=now.date(),
        provider=provider,
        provider_model=provider.provider_model,
        # Its own: no worker makes this call.
        claim_token=uuid.uuid4(),
        created_at=now,
    )
    return small_calls.hold(call, tokens, [INSTANCE], now)


@transaction.atomic
def _settle(held: Hold, answer: Answer, now: dt.datetime) -> None:
    outcome = "doctor" if held.call.claim_token else "checked"
    Call.objects.filter(pk=held.call_id).update(outcome=outcome, latency_ms=answer.latency_ms, ended_at=now)
    budget.settle(held, answer.usage, now=now)


def forecast(provider: Provider) -> Forecast:
    """From the last days where there are some, else from a usual one."""
    recent = Edition.objects.exclude(state=Edition.State.OPEN).order_by("-day", "-pk")[:_DAYS]
    read = Candidate.objects.filter(edition__in=list(recent)).aggregate(
        papers=Count("pk"), days=Count("edition", distinct=True)
    )
    papers = round(read["papers"] / read["days"]) if read["days"] else USUAL_PAPERS_A_DAY
    billed = Call.objects.filter(provider=provider, kind=Call.Kind.JUDGE).aggregate(
        input=Sum("input_tokens"), output=Sum("output_tokens"), cost=Sum("cost_microusd")
    )
    scores = Score.objects.filter(call__provider=provider).count()
    if not scores:
        return Forecast(papers, USUAL_TOKENS_A_PAPER, _cost(provider, papers))
    a_paper = round(((billed["input"] or 0) + (billed["output"] or 0)) / scores)
    return Forecast(papers, a_paper, round((billed["cost"] or 0) / scores * papers))


def _cost(provider: Provider, papers: int) -> int:
    """By the provider's prices, a twelfth of the tokens being output."""
    output = USUAL_TOKENS_A_PAPER // 12
    return provider.prices.of(Usage(papers * (USUAL_TOKENS_A_PAPER - output), papers * output))
