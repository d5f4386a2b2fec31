"""VERB. What each edition's calls took, by their kind: the sums of one's own books, to lay beside a provider's bill.

`tokens` is what was charged: the provider's own figures where they could be a bill, else the whole hold, which is
counted apart as `assumed`. Calls that brought nothing usable are `failed`; what they took is in `tokens` as well.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from profiles.models import Profile
from scoring.models import Call, Hold, Score
from scoring.models.judging import booked_tokens

# The outcomes that brought what was asked for. Any other that has ended bought nothing.
BOUGHT = ("judged", "partial", "repaired", "explained", "suggested", "doctor", "checked")
_GROUP = ("day", "edition_id", "profile_id", "kind")
_ASSUMED = Q(hold__state=Hold.State.ASSUMED, hold__is_trued_up=False) | Q(hold__is_flagged=True)
_ENDED = Q(hold__isnull=False) & ~Q(hold__state=Hold.State.OPEN)
_FAILED = _ENDED & ~Q(outcome__in=BOUGHT)


@dataclass(frozen=True)
class Sums:
    """Counts, tokens and micro-dollars. `tokens` = `input` + `output` + `assumed`; cached and reasoning are parts.

    `papers` have a score or a reason by these calls; `failed` calls took `failed_tokens`; `held` is of calls in flight.
    """

    calls: int = 0
    papers: int = 0
    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    tokens: int = 0
    cost_microusd: int = 0
    assumed_calls: int = 0
    assumed: int = 0
    failed_calls: int = 0
    failed_tokens: int = 0
    held: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        names = [each.name for each in fields(self)]
        return Sums(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True)
class Line:
    """One kind of call of one edition. `edition` is empty for a check, and where the edition is no more."""

    day: dt.date
    profile: str
    profile_name: str
    edition: str
    kind: str
    sums: Sums


def lines(profile: Profile | None = None, day: dt.date | None = None) -> list[Line]:
    """In order of day, profile and kind: of one profile, one day, or all. Three queries."""
    calls = Call.objects.all()
    if profile is not None:
        calls = calls.filter(profile=profile)
    if day is not None:
        calls = calls.filter(day=day)
    papers = _papers(calls)
    return [_line(row, papers) for row in _rows(calls)]


def total(of: Iterable[Line]) -> Sums:
    return sum((line.sums for line in of), Sums())


def by_kind(of: Sequence[Line]) -> dict[str, Sums]:
    """The sums of each kind of call that occurs, in the order of `Call.Kind`."""
    return {
        kind: total(line for line in of if line.kind == kind)
        for kind in Call.Kind.values
        if any(line.kind == kind for line in of)
    }


def _rows(calls: QuerySet[Call]) -> Iterable[Mapping[str, Any]]:
    charged = calls.annotate(booked=booked_tokens()).values(*_GROUP)
    return charged.annotate(
        public=F("profile__public_id"),
        name=F("profile__name"),
        of=F("edition__public_id"),
        calls=Count("pk"),
        input=_sum("input_tokens"),
        cached=_sum("cached_tokens"),
        output=_sum("output_tokens"),
        reasoning=_sum("reasoning_tokens"),
        tokens=_sum("booked"),
        cost=_sum("cost_microusd"),
        assumed_calls=Count("pk", filter=_ASSUMED),
        assumed=_sum("booked", _ASSUMED),
        failed_calls=Count("pk", filter=_FAILED),
        failed_tokens=_sum("booked", _FAILED),
        held=_sum("hold__held_tokens", Q(hold__state=Hold.State.OPEN)),
    ).order_by("day", "profile__created_at", "profile_id", "edition_id", "kind")


def _sum(name: str, where: Q | None = None) -> Coalesce:
    return Coalesce(Sum(name, filter=where), 0)


def _papers(calls: QuerySet[Call]) -> dict[tuple[Any, ...], int]:
    """How many papers have a score, or their reason on request, by these calls."""
    read = Score.objects.filter(call__in=calls).order_by()
    told = Score.objects.filter(explain_call__in=calls, explain_call__outcome="explained").order_by()
    found: dict[tuple[Any, ...], int] = {}
    for scores, way in ((read, "call"), (told, "explain_call")):
        keys = [f"{way}__{name}" for name in _GROUP]
        for *key, count in scores.values_list(*keys).annotate(count=Count("pk")):
            found[tuple(key)] = found.get(tuple(key), 0) + count
    return found


def _line(row: Mapping[str, Any], papers: Mapping[tuple[Any, ...], int]) -> Line:
    names = {each.name for each in fields(Sums)}
    sums = {name: row[name] for name in names & row.keys()}
    return Line(
        day=row["day"],
        profile=str(row["public"] or ""),
        profile_name=row["name"] or "",
        edition=str(row["of"] or ""),
        kind=row["kind"],
        sums=Sums(
            **sums, cost_microusd=row["cost"], papers=papers.get(tuple(row[name] for name in _GROUP), 0)
        ),
    )
