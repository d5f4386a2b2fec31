"""Ask a provider one small question, to see what it can do, and say what a usual day would take."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone

from profiles.quotas import INSTANCE
from scoring import budget, llm, providers, rubric, verdicts
from scoring.llm import Answer, LlmError
from scoring.models import Call, Candidate, Edition, Hold, Provider, Score
from scoring.prompting import DICE, tokens_to_hold
from scoring.providers import KeyUnreadable
from scoring.rubric import InterestText, PaperText, RevisionText

from . import small_calls

# What a paper costs where nothing was read yet: `python -m bench.tokens`.
USUAL_TOKENS_A_PAPER = 341
# A day of four busy categories, where no day was opened yet.
USUAL_PAPERS_A_DAY = 442
_DAYS = 10
_QUESTION = RevisionText((InterestText("Graph theory", "colouring, matching, planar graphs"),))
_PAPER = PaperText(
    "A tight bound for edge colouring of planar graphs",
    "We prove a tight bound on the chromatic index of planar graphs and give an algorithm that attains it.",
)


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
    prompt = rubric.judging_prompt(_QUESTION, [_PAPER], dice=DICE, cache_key="doctor")
    held = _hold(provider, tokens_to_hold(prompt, provider), timezone.now())
    if held is None or not budget.mark_sent(held):
        return Checkup("budget", "the instance's budget refuses even one small call")
    try:
        answer = llm.judge(prompt, providers.endpoint_of(provider), request_id=str(held.key))
    except (LlmError, KeyUnreadable) as error:
        return Checkup(small_calls.end_without_answer(held, error, timezone.now()), str(error))
    _settle(held, answer, timezone.now())
    providers.learn(provider, answer.abilities)
    providers.resume(provider)
    reading = verdicts.read(answer.text, prompt.labels, [_PAPER.abstract], 1, "en")
    problem = "" if reading.verdicts else "garbled"
    return Checkup(problem, answer=answer, is_understood=not problem)


def _hold(provider: Provider, tokens: int, now: dt.datetime) -> Hold | None:
    call = Call(
        kind=Call.Kind.EXPLAIN,
        day=now.date(),
        provider=provider,
        provider_model=provider.provider_model,
        created_at=now,
    )
    return small_calls.hold(call, tokens, [INSTANCE], now)


@transaction.atomic
def _settle(held: Hold, answer: Answer, now: dt.datetime) -> None:
    Call.objects.filter(pk=held.call_id).update(outcome="doctor", latency_ms=answer.latency_ms, ended_at=now)
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
    read = USUAL_TOKENS_A_PAPER - output
    return papers * (read * provider.price_input_microusd + output * provider.price_output_microusd) // 10**6
