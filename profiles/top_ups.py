"""Tokens on top of a subject's limits, once: who may give them, until when, and who takes them back.

Only policy is written here; `scoring.budget.give_top_up` and `revoke_top_up` also act on the windows that are
open. How a top-up is spent over several windows: docs/decisions/0024.
"""

import datetime as dt
import functools
import operator
from collections.abc import Collection

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import audit
from .access import Deed, membership_of, require
from .models import QuotaRequest, Scope, TopUp, User
from .quotas import MOST_TOKENS, Leg, Subject

MOST_DAYS = 366


def subject_of(row: TopUp | QuotaRequest) -> Subject:
    return Subject(Scope(row.scope), row.team, row.membership, row.profile)


def leg_of(row: TopUp | QuotaRequest) -> Leg:
    """The windows that the row is about; of its ids only, without a query."""
    subject_id = row.membership_id or row.profile_id or row.team_id or 0
    return Leg(Scope(row.scope), subject_id, row.team_id or 0)


def of(legs: Collection[Leg]) -> dict[Leg, list[TopUp]]:
    """All top-ups of these legs, ended and revoked ones too, the first to end first: one query."""
    found: dict[Leg, list[TopUp]] = {leg: [] for leg in legs}
    if not legs:
        return found
    ids: dict[Scope, list[int]] = {}
    for leg in legs:
        ids.setdefault(leg.scope, []).append(leg.subject_id)
    column = {Scope.TEAM: "team__in", Scope.MEMBER: "membership__in", Scope.SHARE: "profile__in"}
    wanted = [
        Q(scope=scope) & (Q(**{column[scope]: some}) if scope in column else Q())
        for scope, some in ids.items()
    ]
    for row in TopUp.objects.filter(functools.reduce(operator.or_, wanted)).order_by("ends_at", "pk"):
        leg = leg_of(row)
        if leg in found:
            found[leg].append(row)
    return found


def checked_amount(tokens: int) -> int:
    if type(tokens) is not int:
        raise ValidationError(_("A top-up is a whole number of tokens."), code="not_whole")
    if tokens < 1:
        raise ValidationError(_("A top-up is at least one token."), code="negative")
    if tokens > MOST_TOKENS:
        raise ValidationError(
            _("A top-up is at most %(most)s tokens."), code="huge", params={"most": f"{MOST_TOKENS:,}"}
        )
    return tokens


def checked_end(ends_at: dt.datetime, now: dt.datetime) -> dt.datetime:
    if ends_at <= now:
        raise ValidationError(_("A top-up cannot end in the past."), code="past")
    if ends_at > now + dt.timedelta(days=MOST_DAYS):
        raise ValidationError(_("A top-up ends within a year."), code="far")
    return ends_at


def require_right(actor: User | None, subject: Subject) -> None:
    """Refuse who may not give this subject a top-up: Http404, PermissionDenied, or a ValidationError.

    No actor is the system (a command); staff may give to everybody; a team's owner and admins to its members
    and team profiles. A pool is topped up by the operator alone (docs/decisions/0015).
    """
    if subject.leg is None:
        raise ValidationError(
            _("A default has no top-up: give one to members, or raise the default."), code="default"
        )
    if actor is None or actor.is_staff:
        return
    if subject.team is None:
        raise PermissionDenied
    require(membership_of(actor, subject.team), Deed.SET_QUOTAS)
    if subject.scope == Scope.TEAM:
        raise ValidationError(
            _("Only the operator of this instance can top up a team's pool; ask them."), code="not_operator"
        )


@transaction.atomic
def give(
    actor: User | None,
    subject: Subject,
    tokens: int,
    ends_at: dt.datetime,
    *,
    now: dt.datetime,
    request: QuotaRequest | None = None,
) -> TopUp:
    """Write a top-up from now until `ends_at`. Not safe to repeat: each call gives once more."""
    checked_amount(tokens)
    checked_end(ends_at, now)
    require_right(actor, subject)
    made = TopUp.objects.create(
        **subject.fields, tokens=tokens, starts_at=now, ends_at=ends_at, given_by=actor, request=request
    )
    audit.record(
        actor,
        "top_up.given",
        team=subject.team,
        subject=subject.key,
        after=_told(made) | {"ends_at": ends_at.isoformat()},
    )
    return made


@transaction.atomic
def revoke(actor: User | None, top_up: TopUp, *, now: dt.datetime | None = None) -> bool:
    """Take back what is left of a top-up; False where it was revoked or had ended before."""
    now = now or timezone.now()
    subject = subject_of(top_up)
    require_right(actor, subject)
    live = TopUp.objects.filter(pk=top_up.pk, revoked_at=None, ends_at__gt=now)
    if not live.update(revoked_at=now):
        return False
    audit.record(actor, "top_up.revoked", team=subject.team, subject=subject.key, before=_told(top_up))
    return True


def _told(row: TopUp) -> dict[str, object]:
    return {"scope": Scope(row.scope).name.lower(), "tokens": row.tokens, "top_up": str(row.public_id)}
