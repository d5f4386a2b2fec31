"""Answer what readers have asked: why a paper got its score. `explaining.ask` has left the hold; here the call."""

import datetime as dt

import structlog
from django.db import transaction
from django.utils import timezone

from papers.models import PaperVersion
from scoring import budget, llm, providers, rubric, verdicts
from scoring.llm import Answer, LlmError
from scoring.models import Call, Hold, Provider, Score
from scoring.prompting import DICE, cache_key, payer_key, revision_text
from scoring.providers import KeyUnreadable
from scoring.rubric import PaperText, Prompt
from scoring.transactions import retried
from scoring.verdicts import Verdict

from . import small_calls, telling
from .small_calls import storable

log = structlog.get_logger(__name__)


def claim(now: dt.datetime) -> Hold | None:
    """The oldest question that nobody has sent yet, marked as sent by this caller and no other; None without one.

    None, too, while its provider is stopped, paused or busy: the question waits, with its tokens, until its lease ends.
    """
    unsent = Hold.objects.open().filter(
        sent_at=None,
        lease_until__gt=now,
        call__kind=Call.Kind.EXPLAIN,
        call__profile__isnull=False,
        call__provider__in=Provider.objects.usable(now),
    )
    for held in unsent.select_related("call__provider", "call__profile__team").order_by("pk"):
        if small_calls.send_if_it_may(held, now):
            return held
    return None


def answer(held: Hold) -> int:
    """Ask, check, book. Returns 0: no score comes of it, only words. Never raises for what a model does.

    Slow: no transaction may be open here.
    """
    call = held.call
    score = Score.objects.select_related("revision").filter(explain_call=call).first()
    assert call.provider is not None and call.profile is not None
    if score is None:
        budget.release(held)
        return 0
    text = PaperVersion.objects.filter(paper=score.paper_id, number=score.version).first()
    paper = PaperText(text.title, text.abstract) if text else PaperText(score.paper.title, "")
    prompt = _prompt(score, paper)
    try:
        endpoint = providers.endpoint_of(call.provider)
        said = llm.judge(prompt, endpoint, request_id=str(held.key), payer=payer_key(call.profile))
    except (LlmError, KeyUnreadable) as error:
        small_calls.give_up(held, error, timezone.now())
        return 0
    telling.of_answer(call.provider, held, said)
    language = score.revision.content["reason_language"]
    verdict = verdicts.read_explanation(said.text, prompt.labels[0], paper.abstract, language)
    try:
        _book(held, said, score, verdict, language, timezone.now())
    except budget.HoldEnded:
        budget.true_up(held, said.usage)
        log.warning("reason_came_late", call=str(call.public_id))
    return 0


def _prompt(score: Score, paper: PaperText) -> Prompt:
    words = revision_text(score.revision)
    return rubric.explain_prompt(
        words, paper, score.interest_scores, dice=DICE, cache_key=cache_key(score.revision)
    )


@retried
@transaction.atomic
def _book(
    held: Hold, said: Answer, score: Score, verdict: Verdict | None, language: str, now: dt.datetime
) -> None:
    """The reason and its price together, or nothing. Raises budget.HoldEnded."""
    if verdict is not None:
        Score.objects.filter(pk=score.pk, reason="").update(
            reason=verdict.reason,
            reason_language=language,
            is_language_right=verdict.is_language_right,
            quote=verdict.quote,
            is_quote_verified=verdict.is_quote_verified,
            flags=[flag for flag in score.flags if flag != "no_reason"] + list(verdict.flags),
        )
    Call.objects.filter(pk=held.call_id).update(
        outcome="explained" if verdict is not None else "garbled",
        latency_ms=said.latency_ms,
        answer_bytes=len(said.text.encode()),
        failed_answer="" if verdict is not None else storable(said.text),
        ended_at=now,
    )
    budget.settle(held, said.usage, now=now)
