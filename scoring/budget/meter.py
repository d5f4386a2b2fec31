"""The one figure in every header: how much of their own limit a reader has left."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import CharField, Count, Exists, F, FloatField, OuterRef, StringAgg, Subquery, Value
from django.db.models.functions import Cast, Concat, Greatest, JSONObject

from profiles.models import Membership, Notice, Period, Profile, Quota, Scope, User
from profiles.quotas import Leg
from scoring.models import BudgetWindow

from .figures import Figure, unopened
from .forecast import LOOKS_BACK, day_of, forecast_of
from .sheet import SPENDERS


@dataclass(frozen=True)
class Meter:
    """The figure of a header, and what is to be said of how long it lasts; `forecast` is in words, or empty."""

    figure: Figure
    forecast: str
    unseen: int = 0  # notices of the reader, which ride along in the same query


def meter_of(user: User, now: dt.datetime) -> Figure | None:
    """The fullest window of the reader's memberships that pay for a profile of theirs: one query.

    A membership that pays for none stands in only where none does; None for who may not spend.
    """
    found = _fullest(user, now)
    return found[1] if found is not None else None


def meter_with_forecast(user: User, now: dt.datetime) -> Meter | None:
    """As `meter_of`, and still one query."""
    found = _fullest(user, now)
    if found is None:
        return None
    row, figure = found
    ahead = forecast_of(figure, _past(row), now, row.team.zone)
    return Meter(figure, ahead.told(user.zone, now) if ahead is not None else "", row.unseen or 0)


def _fullest(user: User, now: dt.datetime) -> tuple[Any, Figure] | None:
    figures = [(row, _figure(row, now)) for row in _rows(user, now)]
    paying = [each for each in figures if each[0].pays] or figures
    return max(paying, key=lambda each: each[1].share_gone, default=None)


def _past(row: Any) -> dict[dt.date, int]:
    """Tokens by day of the team's zone, out of the one string that the query brings."""
    past: dict[dt.date, int] = {}
    for part in (row.past or "").split(","):
        starts_at, found, used = part.partition("=")
        if found:
            day = day_of(_instant(starts_at), row.team.zone)
            past[day] = past.get(day, 0) + int(used)
    return past


def _rows(user: User, now: dt.datetime) -> Any:
    windows = (
        BudgetWindow.objects.filter(
            scope=Scope.MEMBER, subject_id=OuterRef("pk"), starts_at__lte=now, ends_at__gt=now
        )
        .annotate(gone=Cast(F("used_tokens") + F("held_tokens"), FloatField()))
        .order_by((F("gone") / Greatest(F("limit_tokens"), Value(1))).desc())
    )
    used = Concat(Cast("starts_at", CharField()), Value("="), Cast("used_tokens", CharField()))
    days = BudgetWindow.objects.filter(
        scope=Scope.MEMBER,
        subject_id=OuterRef("pk"),
        period=Period.DAY,
        starts_at__gt=now - LOOKS_BACK - dt.timedelta(days=1),
        starts_at__lte=now,
    ).order_by()
    past = days.values("subject_id").annotate(days=StringAgg(used, delimiter=Value(","))).values("days")
    unseen = Notice.objects.of(user).unseen().order_by().values("user").annotate(count=Count("pk"))
    limits = Quota.objects.filter(scope=Scope.MEMBER, team=OuterRef("team"), period=Period.DAY)
    return (
        Membership.objects.filter(user=user, role__in=SPENDERS)
        .select_related("team")
        .annotate(
            window=Subquery(
                windows.values(
                    figures=JSONObject(
                        period="period",
                        limit="limit_tokens",
                        used="used_tokens",
                        held="held_tokens",
                        overrun="overrun_tokens",
                        cost="cost_microusd",
                        starts="starts_at",
                        ends="ends_at",
                    )
                )[:1]
            ),
            past=Subquery(past, output_field=CharField()),
            unseen=Subquery(unseen.values("count")),
            own_limit=Subquery(limits.filter(membership=OuterRef("pk")).values("limit_tokens")[:1]),
            default_limit=Subquery(limits.filter(membership=None).values("limit_tokens")[:1]),
            pays=Exists(Profile.objects.active().filter(team=OuterRef("team"), owner=user)),
        )
    )


def _figure(row: Any, now: dt.datetime) -> Figure:
    leg = Leg(Scope.MEMBER, row.pk, row.team_id)
    if row.window is None:
        limit = next(
            known
            for known in (row.own_limit, row.default_limit, settings.DEFAULT_MEMBER_DAILY_TOKENS)
            if known is not None
        )
        return unopened(leg, Period.DAY, limit, now, row.team.zone)
    window = row.window
    return Figure(
        leg=leg,
        period=Period(window["period"]),
        limit=window["limit"],
        used=window["used"],
        held=window["held"],
        overrun=window["overrun"],
        cost_microusd=window["cost"],
        starts_at=_instant(window["starts"]),
        resets_at=_instant(window["ends"]),
    )


def _instant(text: str) -> dt.datetime:
    """An instant out of JSON: PostgreSQL writes its offset, SQLite leaves it out and means UTC."""
    instant = dt.datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
