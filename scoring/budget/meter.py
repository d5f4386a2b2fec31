"""The one figure in every header: how much of their own limit a reader has left."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, FloatField, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Greatest, JSONObject

from profiles.models import Membership, Period, Profile, Quota, Scope, User
from profiles.quotas import Leg
from scoring.models import BudgetWindow

from .figures import Figure, unopened
from .sheet import SPENDERS


def meter_of(user: User, now: dt.datetime) -> Figure | None:
    """The fullest window of the reader's memberships that pay for a profile of theirs: one query.

    A membership that pays for none stands in only where none does; None for who may not spend.
    """
    figures = [(row.pays, _figure(row, now)) for row in _rows(user, now)]
    if not figures:
        return None
    paying = [figure for pays, figure in figures if pays] or [figure for _, figure in figures]
    return max(paying, key=lambda figure: figure.share_gone)


def _rows(user: User, now: dt.datetime) -> Any:
    windows = (
        BudgetWindow.objects.filter(
            scope=Scope.MEMBER, subject_id=OuterRef("pk"), starts_at__lte=now, ends_at__gt=now
        )
        .annotate(gone=Cast(F("used_tokens") + F("held_tokens"), FloatField()))
        .order_by((F("gone") / Greatest(F("limit_tokens"), Value(1))).desc())
    )
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
