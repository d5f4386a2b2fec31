"""What stops an edition, in words: whose limit, how much of it, until when, and whom to ask."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import get_text_list
from django.utils.translation import gettext_lazy as _

from profiles.access import Deed, may
from profiles.models import Membership, Period, QuotaRequest, Scope, User
from scoring import asking
from scoring.budget import Refusal
from scoring.models import BudgetWindow, Edition

HEADINGS = {
    Scope.INSTANCE: _("The instance's budget is used up."),
    Scope.TEAM: _("The team's pool is used up."),
    Scope.MEMBER: _("Your limit is used up."),
    Scope.SHARE: _("This team profile's share is used up."),
}
HELP = {
    Scope.INSTANCE: _("The operator of this instance can raise it."),
    Scope.TEAM: _("An owner of the team, or the operator of this instance, can raise the pool."),
    Scope.MEMBER: _("An owner or admin of your team can raise it; then the reading goes on by itself."),
    Scope.SHARE: _("An owner or admin of your team can raise it; then the reading goes on by itself."),
}
NO_PAYER_HELP = _(
    "Its owner is no longer in its team, or may only look. An owner or admin of the team can change that."
)


ASKED = {
    QuotaRequest.State.OPEN: _("You have asked for more; nobody has decided yet."),
    QuotaRequest.State.GRANTED: _("You were granted more in this window, and it is used up, too."),
    QuotaRequest.State.DECLINED: _("You have asked for more in this window; it was declined."),
}
NAMES_SHOWN = 3


@dataclass(frozen=True)
class Blocked:
    """What the notice says; where a reader may ask, the address of the button, or what became of their question."""

    heading: Any
    text: str
    help: Any
    ask_url: str = ""
    asked: Any = ""
    steer_url: str = ""


NOBODY_PAYS = Blocked(_("Nobody pays for this profile."), "", NO_PAYER_HELP)


def of(edition: Edition, zone: Any, now: dt.datetime, reader: User | None = None) -> Blocked | None:
    """The notice for an edition that a budget stops now, by what its window says; the reset is told in `zone`.

    With a `reader`, also whom they can ask by name, and the way to ask.
    """
    by = edition.blocked_by
    if not by or (edition.blocked_until is not None and edition.blocked_until <= now):
        return None
    if by.get("reason") == "no_payer":
        return NOBODY_PAYS
    told = _told(by, _live(by, now), edition.blocked_until, zone)
    return told if reader is None else _with_a_way_on(told, edition, reader, now)


def _with_a_way_on(told: Blocked, edition: Edition, reader: User, now: dt.datetime) -> Blocked:
    team = edition.profile.team
    mine = Membership.objects.filter(user=reader, team=team).first()
    found = asking.figure_of(edition, now)
    if found is None or mine is None or not may(mine, Deed.ASK_FOR_MORE):
        return told
    subject, figure = found
    if subject.scope not in asking.OPERATORS and may(mine, Deed.SET_QUOTAS):
        return replace(
            told,
            help=_("You can raise it yourself; then the reading goes on by itself."),
            steer_url=reverse("team_quotas", args=[team.slug]),
        )
    names = (
        [user.display_name for user in asking.steering(team)] if subject.scope not in asking.OPERATORS else []
    )
    if names:
        shown = get_text_list(names[:NAMES_SHOWN], str(_("or")))
        told = replace(
            told, help=_("%(names)s can raise it; then the reading goes on by itself.") % {"names": shown}
        )
    asked = asking.asked_by(reader, edition, subject, figure)
    if asked is not None:
        return replace(told, asked=ASKED[QuotaRequest.State(asked.state)])
    return replace(told, ask_url=reverse("ask_for_more", args=[edition.public_id]))


def of_refusal(refusal: Refusal, zone: Any) -> Blocked:
    """The same words where a single call was refused."""
    return _told(refusal.as_blocked_by, refusal.as_blocked_by, refusal.resets_at, zone)


def _told(by: dict[str, Any], figures: dict[str, Any], until: dt.datetime | None, zone: Any) -> Blocked:
    scope = Scope(by["scope"])
    text = _("%(used)s of %(limit)s tokens a %(period)s are used, %(held)s are held.") % {
        **{name: intcomma(figures.get(name, 0)) for name in ("used", "held", "limit")},
        "period": Period(by["period"]).label,
    }
    if figures.get("used", 0) + figures.get("held", 0) < figures.get("limit", 0):
        text += " " + _("What is left is less than the next reading needs.")
    if until is not None:
        local = timezone.localtime(until, zone)
        text += " " + _("A new count starts at %(at)s.") % {"at": date_format(local, "Y-m-d H:i")}
    return Blocked(HEADINGS[scope], text, HELP[scope])


def _live(by: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
    """The window's figures: calls have settled since the edition was stopped. Those it kept where none is open."""
    window = BudgetWindow.objects.filter(
        scope=by["scope"],
        subject_id=by["subject_id"],
        period=by["period"],
        starts_at__lte=now,
        ends_at__gt=now,
    ).first()
    if window is None:
        return by
    return {"used": window.used_tokens, "held": window.held_tokens, "limit": window.limit_tokens}
