"""What stops an edition, in words: whose limit, how much of it, until when, and whom to ask."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from profiles.models import Period, Scope
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


@dataclass(frozen=True)
class Blocked:
    heading: Any
    text: str
    help: Any


NOBODY_PAYS = Blocked(_("Nobody pays for this profile."), "", NO_PAYER_HELP)


def of(edition: Edition, zone: Any, now: dt.datetime) -> Blocked | None:
    """The notice for an edition that a budget stops now, by what its window says; the reset is told in `zone`."""
    by = edition.blocked_by
    if not by or (edition.blocked_until is not None and edition.blocked_until <= now):
        return None
    if by.get("reason") == "no_payer":
        return NOBODY_PAYS
    return _told(by, _live(by, now), edition.blocked_until, zone)


def of_refusal(refusal: Refusal, zone: Any) -> Blocked:
    """The same words where a single call was refused."""
    return _told(refusal.as_blocked_by, refusal.as_blocked_by, refusal.resets_at, zone)


def _told(by: dict[str, Any], figures: dict[str, Any], until: dt.datetime | None, zone: Any) -> Blocked:
    scope = Scope(by["scope"])
    text = _("%(used)s of %(limit)s tokens a %(period)s are used, %(held)s are held.") % {
        **{name: intcomma(figures.get(name, 0)) for name in ("used", "held", "limit")},
        "period": Period(by["period"]).label,
    }
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
