"""The words of the feed's queries: the order of a day, its cards with all they show, a day with all its sums."""

from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, JSONObject

from papers.models import PaperVersion
from profiles.models import Mark, Membership, User, Vote
from scoring.entries import UNREAD_STATES
from scoring.json_rows import JSONRows
from scoring.models import Call, Candidate, Edition, Score
from scoring.models.judging import booked_tokens

READ_STATES = [Candidate.State.JUDGED, Candidate.State.ESTIMATED]
# Value, then the second-best contribution, then the estimate, then the id; what has no value comes last.
RANKING = (
    F("value").desc(nulls_last=True),
    F("second_value").desc(nulls_last=True),
    "-estimate",
    "paper__arxiv_id",
)
WAITING_LAST = Case(
    When(state__in=UNREAD_STATES, then=Value(1)), default=Value(0), output_field=IntegerField()
)


def recommended(bar: Any) -> Q:
    return Q(state__in=READ_STATES, value__gte=bar)


def marked(reader: User | None, kind: str) -> Exists:
    return Exists(Mark.objects.filter(user=reader, paper=OuterRef("paper"), kind=kind))


def with_card_rows(candidates: QuerySet[Candidate], reader: User | None) -> QuerySet[Candidate]:
    """Each with its effective score and call, the text that was read, and the reader's own marks."""
    score = Score.objects.filter(pk=OuterRef("score_id"), day=OuterRef("day"))
    text = PaperVersion.objects.filter(paper=OuterRef("paper"), number=OuterRef("version"))
    votes = Vote.objects.filter(user=reader, paper=OuterRef("paper"), profile=OuterRef("profile"))
    return candidates.annotate(
        score_row=Subquery(score.values(row=JSONObject(**SCORE_COLUMNS))),
        text_row=Subquery(
            text.values(row=JSONObject(title="title", abstract="abstract", is_sample="is_sample"))
        ),
        is_saved=marked(reader, Mark.Kind.SAVED),
        is_read=marked(reader, Mark.Kind.READ),
        is_dismissed=marked(reader, Mark.Kind.DISMISSED),
        vote=Subquery(votes.values("direction")[:1]),
    )


SCORE_COLUMNS = {
    name: name
    for name in [
        "interest_scores",
        "said_scores",
        "reason",
        "reason_language",
        "is_language_right",
        "quote",
        "is_quote_verified",
        "flags",
        "provider_model",
        "is_local",
        "is_simulated",
        "purpose",
    ]
} | {
    "words_hash": "revision__content_hash",
    "rubric": "revision__content__rubric_version",
    "block": "call__block",
    "may_be_asked": "call__provider__is_active",
    "price_input": "call__provider__price_input_microusd",
    "price_output": "call__provider__price_output_microusd",
    "question_state": "explain_call__hold__state",
    "question_outcome": "explain_call__outcome",
    "input_tokens": "call__input_tokens",
    "cached_tokens": "call__cached_tokens",
    "output_tokens": "call__output_tokens",
    "reasoning_tokens": "call__reasoning_tokens",
    "booked_tokens": "call__hold__used_tokens",
    "cost_microusd": "call__cost_microusd",
}


def with_sums(editions: QuerySet[Edition], reader: User | None) -> QuerySet[Edition]:
    """Each with what its page counts, as subqueries of one statement."""
    here = Candidate.objects.filter(edition=OuterRef("pk"), day=OuterRef("day")).order_by()
    kept = here.exclude(marked(reader, Mark.Kind.DISMISSED))
    picks = kept.filter(recommended(OuterRef("profile__bar")))
    gone = here.filter(marked(reader, Mark.Kind.DISMISSED))
    calls = Call.objects.filter(edition=OuterRef("pk")).order_by()
    read = calls.filter(outcome__in=["judged", "partial"])
    siblings = Edition.objects.filter(profile=OuterRef("profile"))
    roles = Membership.objects.filter(user=reader, team=OuterRef("profile__team")).values("role")
    return editions.annotate(
        picks=Subquery(picks.values("edition").annotate(all=JSONRows(Coalesce("interest", 0))).values("all")),
        reader_role=Subquery(roles[:1]),
        unread_count=_count(kept.filter(state__in=UNREAD_STATES)),
        dismissed_count=_count(gone),
        waits=Subquery(
            here.filter(state=Candidate.State.WAITING)
            .values("edition")
            .annotate(all=JSONRows("waits_for"))
            .values("all")
        ),
        tokens=Coalesce(
            Subquery(calls.values("edition").annotate(all=Sum(booked_tokens())).values("all")),
            0,
        ),
        cost_microusd=Coalesce(
            Subquery(calls.values("edition").annotate(all=Sum("cost_microusd")).values("all")), 0
        ),
        judges=Subquery(read.values("edition").annotate(all=JSONRows("provider_model")).values("all")),
        previous_day=Subquery(siblings.filter(day__lt=OuterRef("day")).order_by("-day").values("day")[:1]),
        next_day=Subquery(siblings.filter(day__gt=OuterRef("day")).order_by("day").values("day")[:1]),
    )


def _count(candidates: QuerySet[Candidate]) -> Coalesce:
    return Coalesce(Subquery(candidates.values("edition").annotate(all=Count("pk")).values("all")), 0)
