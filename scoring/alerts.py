"""VERB. A limit comes to its end: who it concerns is told at 80 % and at 100 %, once a threshold and window.

Found by looking at the open windows at each tick, never on the path of a hold: a hot window has no time for
it. A window counts as full when its limit is used, or when it has stopped somebody's reading: a block that
does not fit leaves a little over.

Who steers a team gets a notice for each of its members and profiles, and one letter a day that lists them.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from profiles import letters, notices
from profiles.models import Membership, Period, Profile, Scope, Team, User
from profiles.tidings import Params, Words
from scoring.models import Alert, BudgetWindow, Edition

NEARLY, FULL = 80, 100
# Limits of which a team has many: who steers it gets one letter a day about all of them.
ONE_OF_MANY = (Scope.MEMBER, Scope.SHARE)
# In settings.TIDINGS.
CODE, LIST = "budget.alert", "budget.full_list"


def alert_due(now: dt.datetime) -> int:
    """Tell of every open window that has reached a threshold it had not; how many. Safe to repeat and to race.

    Straight to the end is told once, as full. A limit that was raised and is reached again in the same window
    is not told again. Two queries where nothing is new.
    """
    stopping = _stopping(now)
    reached = BudgetWindow.objects.filter(starts_at__lte=now, ends_at__gt=now, used_tokens__gt=0)
    reached = reached.filter(
        Q(used_tokens__gte=F("limit_tokens") * NEARLY / 100) | Q(subject_id__in={key[1] for key in stopping})
    )
    reached = reached.annotate(told=Max("alerts__percent")).filter(Q(told=None) | Q(told__lt=FULL))
    return sum(
        _alert(window, percent, now)
        for window in reached.order_by("pk")
        if (percent := _percent(window, stopping)) and percent > (window.told or 0)
    )


def _stopping(now: dt.datetime) -> set[tuple[int, int, str]]:
    """The limits that stop an edition now."""
    blocked = Edition.objects.filter(blocked_until__gt=now).values_list("blocked_by", flat=True)
    return {(by["scope"], by["subject_id"], by["period"]) for by in blocked if "scope" in by}


def _percent(window: BudgetWindow, stopping: set[tuple[int, int, str]]) -> int:
    key = (window.scope, window.subject_id, window.period)
    if window.used_tokens >= window.limit_tokens or key in stopping:
        return FULL
    return NEARLY if window.used_tokens * 100 >= window.limit_tokens * NEARLY else 0


def _alert(window: BudgetWindow, percent: int, now: dt.datetime) -> bool:
    with transaction.atomic():
        figures = {"limit_tokens": window.limit_tokens, "used_tokens": window.used_tokens, "at": now}
        _row, is_new = Alert.objects.get_or_create(window=window, percent=percent, defaults=figures)
        if is_new:
            _tell(window, percent, now)
    return is_new


def _tell(window: BudgetWindow, percent: int, now: dt.datetime) -> None:
    params = {
        "window": window.pk,
        "percent": percent,
        "limit": window.limit_tokens,
        "used": window.used_tokens,
    }
    key = f"alert:{window.pk}:{percent}"
    own = _spender(window)
    if own is not None:
        notices.tell([own], key, CODE, {**params, "is_own": True}, now=now)
    others = [user for user in _steering(window) if own is None or user.pk != own.pk]
    is_one_of_many = window.scope in ONE_OF_MANY
    readers = notices.tell(others, key, CODE, params, by_mail=not is_one_of_many, now=now)
    if is_one_of_many:
        _list_by_mail(window.team_id, readers, now)
    if window.scope == Scope.INSTANCE:
        for number, address in enumerate(settings.ADMINS):
            letters.owe(f"{key}:operator:{number}", CODE, params, address=address, now=now)


def _list_by_mail(team_id: int, readers: list[User], now: dt.datetime) -> None:
    """One letter to each, once a day of the team; what it lists is looked up when it is sent."""
    team = Team.objects.filter(pk=team_id).first()
    if team is not None:
        day = timezone.localdate(now, team.zone)
        letters.owe_all(readers, f"full:{team_id}:{day}", LIST, {"team": team_id, "at": now.isoformat()}, now)


def _spender(window: BudgetWindow) -> User | None:
    if window.scope != Scope.MEMBER:
        return None
    membership = Membership.objects.select_related("user").filter(pk=window.subject_id).first()
    return membership.user if membership is not None else None


def _steering(window: BudgetWindow) -> list[User]:
    """Who can act: a team's owners and admins, for the instance its staff."""
    if window.scope == Scope.INSTANCE:
        return list(User.objects.filter(is_staff=True, is_active=True))
    steering = Membership.objects.steering().filter(team=window.team_id).select_related("user")
    return [membership.user for membership in steering]


# --- in words ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Names:
    """What some windows are called, by their subjects' ids."""

    windows: dict[int, BudgetWindow]
    teams: dict[int, Team]
    members: dict[int, Membership]
    shares: dict[int, Profile]

    @classmethod
    def of(cls, windows: dict[int, BudgetWindow]) -> "_Names":
        subjects: dict[int, set[int]] = {scope: set() for scope in Scope}
        for window in windows.values():
            subjects[window.scope].add(window.subject_id)
        return cls(
            windows,
            Team.objects.in_bulk({window.team_id for window in windows.values()}),
            Membership.objects.select_related("user").in_bulk(subjects[Scope.MEMBER]),
            Profile.objects.filter(owner=None).in_bulk(subjects[Scope.SHARE]),
        )


def words_of_alerts(rows: Sequence[Params]) -> list[Words | None]:
    """The words of alerts (`settings.TIDINGS`): whose limit, how much of it, until when, and what can be done."""
    names = _Names.of(BudgetWindow.objects.in_bulk([row["window"] for row in rows]))
    return [_words(row, names) for row in rows]


def _words(row: Params, names: _Names) -> Words | None:
    window = names.windows.get(row["window"])
    if window is None:
        return None
    team = names.teams.get(window.team_id)
    is_full = row["percent"] == FULL
    title = _title(row, window, names, team)
    if title is None:
        return None
    paragraphs = [
        _("%(used)s of %(limit)s tokens a %(period)s are used. A new count starts at %(at)s.")
        % {
            "used": f"{row['used']:,}",
            "limit": f"{row['limit']:,}",
            "period": Period(window.period).label,
            "at": date_format(timezone.localtime(window.ends_at), "Y-m-d H:i"),
        },
        _(
            "Until then, or until the limit is raised, papers are ranked by local estimates, which cost nothing."
        )
        if is_full
        else _("When it is used up, papers are ranked by local estimates, which cost nothing."),
    ]
    if is_full and row["used"] < row["limit"]:
        paragraphs.insert(1, _("What is left is less than the next reading needs."))
    if row.get("is_own"):
        place, action, why = reverse("budget"), _("Your budget"), _("You get this because it is your limit.")
    elif team is not None:
        place, action = reverse("team_quotas", args=[team.slug]), _("The team's quotas")
        why = _("You get this because you steer %(team)s.") % {"team": team.name}
    else:
        place, action = reverse("operator_spending"), _("Spending of all teams")
        why = _("You get this because you run this instance.")
    return Words(title, paragraphs, path=place, action=action, why=why, is_urgent=is_full)


def _title(row: Params, window: BudgetWindow, names: _Names, team: Team | None) -> str | None:
    is_full = row["percent"] == FULL
    about: dict[str, Any] = {"team": team.name if team is not None else "", "percent": row["percent"]}
    if window.scope == Scope.INSTANCE:
        return (
            _("The instance's budget is used up")
            if is_full
            else _("%(percent)s %% of the instance's budget are used") % about
        )
    if team is None:
        return None
    if window.scope == Scope.TEAM:
        text = (
            _("The pool of %(team)s is used up")
            if is_full
            else _("%(percent)s %% of the pool of %(team)s are used")
        )
        return text % about
    if row.get("is_own"):
        text = (
            _("Your limit in %(team)s is used up")
            if is_full
            else _("%(percent)s %% of your limit in %(team)s are used")
        )
        return text % about
    about["name"] = _subject_name(window, names)
    text = (
        _("%(name)s: the limit in %(team)s is used up")
        if is_full
        else _("%(name)s: %(percent)s %% of the limit in %(team)s are used")
    )
    return text % about


def _subject_name(window: BudgetWindow, names: _Names) -> str:
    if window.scope == Scope.SHARE:
        profile = names.shares.get(window.subject_id)
        return profile.name if profile is not None else _("A former team profile")
    membership = names.members.get(window.subject_id)
    return membership.user.display_name if membership is not None else _("A former member")


def words_of_lists(rows: Sequence[Params]) -> list[Words | None]:
    """The words of the letter a day (`settings.TIDINGS`): which limits of a team come to their end by now.

    Of the windows that were open when the letter was owed. None where none is near its end any more.
    """
    return [_list(row["team"], dt.datetime.fromisoformat(row["at"])) for row in rows]


def _list(team_id: int, at: dt.datetime) -> Words | None:
    team = Team.objects.filter(pk=team_id).first()
    if team is None:
        return None
    stopping = _stopping(at)
    found = BudgetWindow.objects.filter(team_id=team_id, scope__in=ONE_OF_MANY, used_tokens__gt=0)
    windows = found.filter(starts_at__lte=at, ends_at__gt=at).in_bulk()
    names = _Names.of(windows)
    reached = [(percent, each) for each in windows.values() if (percent := _percent(each, stopping))]
    if not reached:
        return None
    reached.sort(key=lambda pair: (-pair[0], _subject_name(pair[1], names), pair[1].ends_at))
    return Words(
        _("Limits in %(team)s come to their end") % {"team": team.name},
        [_("So it stands when this is sent. Further limits of today are told in the app alone.")],
        [_item(window, percent, names) for percent, window in reached],
        path=reverse("team_quotas", args=[team.slug]),
        action=_("The team's quotas"),
        why=_("You get this because you steer %(team)s.") % {"team": team.name},
    )


def _item(window: BudgetWindow, percent: int, names: _Names) -> str:
    text = (
        _("%(name)s: used up, %(used)s of %(limit)s tokens a %(period)s")
        if percent == FULL
        else _("%(name)s: %(used)s of %(limit)s tokens a %(period)s")
    )
    return text % {
        "name": _subject_name(window, names),
        "used": f"{window.used_tokens:,}",
        "limit": f"{window.limit_tokens:,}",
        "period": Period(window.period).label,
    }
