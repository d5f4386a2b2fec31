"""What may be spent: the limits in force, and who may change them.

A limit belongs to a subject (the instance, a team's pool, a member, a team profile's share) and a period.
A day always has one: the subject's own row, else for members and shares the team's default, else the
setting's. A week or month has one only where a row says so. What was used is not known here: it is
`scoring.budget` that counts, and its `change_quota` that sets a limit and acts on the open windows at once.
"""

import re
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import audit
from .access import Deed, may, membership_of, require
from .models import Membership, Period, Profile, Quota, Scope, Team, User

MOST_TOKENS = 10**12

Limits = dict[Period, int]


@dataclass(frozen=True, order=True)
class Leg:
    """Whose windows are touched. Sorted, legs stand in the one order in which windows are locked.

    `subject_id` is the id of the team, membership or profile, and 0 for the instance; `team_id` is the team
    whose zone and defaults apply, 0 for the instance.
    """

    scope: Scope
    subject_id: int
    team_id: int


INSTANCE = Leg(Scope.INSTANCE, 0, 0)


@dataclass(frozen=True)
class Subject:
    """Whose limit a row is. A MEMBER subject without a membership is the default of the team's members."""

    scope: Scope
    team: Team | None = None
    membership: Membership | None = None
    profile: Profile | None = None

    @property
    def leg(self) -> Leg | None:
        """The windows that count for this subject; None for a default, which has none of its own."""
        if self.team is None:
            return INSTANCE
        if self.scope == Scope.TEAM:
            return Leg(Scope.TEAM, self.team.pk, self.team.pk)
        if self.scope == Scope.SHARE and self.profile is not None:
            return Leg(Scope.SHARE, self.profile.pk, self.team.pk)
        if self.membership is not None:
            return Leg(Scope.MEMBER, self.membership.pk, self.team.pk)
        return None

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "scope": self.scope,
            "team": self.team,
            "membership": self.membership,
            "profile": self.profile,
        }

    @property
    def key(self) -> uuid.UUID | None:
        """What the audit trail calls the subject."""
        named = self.membership or self.profile or self.team
        return named.public_id if named is not None else None


def instance() -> Subject:
    return Subject(Scope.INSTANCE)


def pool(team: Team) -> Subject:
    return Subject(Scope.TEAM, team)


def member_default(team: Team) -> Subject:
    return Subject(Scope.MEMBER, team)


def member(membership: Membership) -> Subject:
    return Subject(Scope.MEMBER, membership.team, membership)


def share(profile: Profile) -> Subject:
    return Subject(Scope.SHARE, profile.team, profile=profile)


# --- the limits in force ---------------------------------------------------------------------------


class Policy:
    """The quota rows of some legs, loaded in one query, and what follows from them."""

    def __init__(self, legs: Collection[Leg]) -> None:
        teams = {leg.team_id for leg in legs if leg.team_id}
        ids: dict[Scope, set[int]] = {scope: set() for scope in Scope}
        for leg in legs:
            ids[leg.scope].add(leg.subject_id)
        wanted = Q(scope=Scope.TEAM, team__in=teams)
        wanted |= Q(scope=Scope.MEMBER, team__in=teams, membership=None)
        wanted |= Q(scope=Scope.MEMBER, membership__in=ids[Scope.MEMBER])
        wanted |= Q(scope=Scope.SHARE, profile__in=ids[Scope.SHARE])
        if ids[Scope.INSTANCE]:
            wanted |= Q(scope=Scope.INSTANCE)
        self._rows: dict[tuple[int, int, int, int], Limits] = {}
        self._granted: dict[tuple[int, Period], int] = {}
        for row in Quota.objects.filter(wanted):
            owner = (row.scope, row.team_id or 0, row.membership_id or 0, row.profile_id or 0)
            self._rows.setdefault(owner, {})[Period(row.period)] = row.limit_tokens
            if row.team_id and row.granted_tokens is not None:
                self._granted[row.team_id, Period(row.period)] = row.granted_tokens

    def own(self, leg: Leg) -> Limits:
        """What rows say of this very subject, without defaults."""
        membership = leg.subject_id if leg.scope == Scope.MEMBER else 0
        profile = leg.subject_id if leg.scope == Scope.SHARE else 0
        return self._rows.get((leg.scope, leg.team_id, membership, profile), {})

    def member_default(self, team_id: int) -> Limits:
        """What a member without a row of their own may spend."""
        row = self._rows.get((Scope.MEMBER, team_id, 0, 0), {})
        return {Period.DAY: settings.DEFAULT_MEMBER_DAILY_TOKENS} | row

    def limits(self, leg: Leg) -> Limits:
        """The limits in force, a period each; always one for the day."""
        if leg.scope == Scope.INSTANCE:
            default: Limits = {Period.DAY: settings.INSTANCE_DAILY_TOKENS}
        elif leg.scope == Scope.TEAM:
            default = {Period.DAY: settings.DEFAULT_TEAM_DAILY_TOKENS}
        else:
            default = self.member_default(leg.team_id)
        return default | self.own(leg)

    def ceiling(self, team_id: int, period: Period) -> int | None:
        """What the operator gave the team, above which nobody in it raises its pool; None: no such figure.

        A pool's row keeps the grant; without one a day has the setting's default.
        """
        default = settings.DEFAULT_TEAM_DAILY_TOKENS if period == Period.DAY else None
        return self._granted.get((team_id, period), default)


def limits_of(legs: Iterable[Leg]) -> dict[Leg, Limits]:
    """The limits in force of many legs, in one query."""
    legs = list(legs)
    policy = Policy(legs)
    return {leg: policy.limits(leg) for leg in legs}


def limits_in_force(scope: Scope, subject_id: int, team_id: int) -> Limits:
    """The limits in force of one subject; `team_id` as in `Leg`."""
    leg = Leg(scope, subject_id, team_id)
    return limits_of([leg])[leg]


# --- setting one -----------------------------------------------------------------------------------

_WHOLE = re.compile(r"(?P<digits>\d{1,3}([,_ \u00a0\u2009\u202f]\d{3})+|\d+)\s*(?P<unit>[kKmM]?)")
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


def parse_tokens(text: str) -> int:
    """A limit as a person types it (`250000`, `250,000`, `250k`, `2M`); ValidationError says what is wrong."""
    text = text.strip()
    if not text:
        raise ValidationError(_("Give a number of tokens, such as 250000 or 250k."), code="empty")
    if text.startswith(("-", "\u2212")):
        raise ValidationError(_("A limit cannot be negative; 0 stops all spending."), code="negative")
    match = _WHOLE.fullmatch(text)
    if match is None:
        raise ValidationError(
            _("“%(text)s” is not a whole number of tokens, such as 250000 or 250k."),
            code="not_whole",
            params={"text": text[:40]},
        )
    tokens = int(re.sub(r"\D", "", match["digits"])) * _UNITS[match["unit"].lower()]
    return checked_tokens(tokens)


def checked_tokens(tokens: int) -> int:
    """The same number, if it can be a limit; else ValidationError."""
    if type(tokens) is not int:
        raise ValidationError(_("A limit is a whole number of tokens."), code="not_whole")
    if tokens < 0:
        raise ValidationError(_("A limit cannot be negative; 0 stops all spending."), code="negative")
    if tokens > MOST_TOKENS:
        raise ValidationError(
            _("A limit is at most %(most)s tokens."), code="huge", params={"most": f"{MOST_TOKENS:,}"}
        )
    return tokens


def require_right(actor: User | None, subject: Subject, period: Period, tokens: int | None) -> None:
    """Refuse who may not set this limit: Http404 for a stranger, PermissionDenied, or a ValidationError.

    No actor is the system (a command); staff may set everything; a team's owner and admins what is within
    the team. Only an owner raises the pool, and only up to what the operator gave (docs/decisions).
    """
    if actor is None or actor.is_staff:
        return
    if subject.team is None:
        raise PermissionDenied
    membership = membership_of(actor, subject.team)
    require(membership, Deed.SET_QUOTAS)
    if subject.scope == Scope.TEAM:
        _require_right_to_pool(membership, period, tokens)


def _require_right_to_pool(membership: Membership, period: Period, tokens: int | None) -> None:
    team_id = membership.team.pk
    leg = Leg(Scope.TEAM, team_id, team_id)
    policy = Policy([leg])
    current, ceiling = policy.limits(leg).get(period), policy.ceiling(team_id, period)
    wanted = tokens if tokens is not None else ceiling
    is_raise = current is not None and (wanted is None or wanted > current)
    if is_raise and not may(membership, Deed.RAISE_POOL):
        raise ValidationError(
            _("Only an owner of the team can raise its pool; an admin can lower it."), code="not_owner"
        )
    if ceiling is not None and wanted is not None and wanted > ceiling:
        raise ValidationError(
            _("The operator of this instance gave the team %(ceiling)s tokens; ask them for more."),
            code="above_ceiling",
            params={"ceiling": f"{ceiling:,}"},
        )


@transaction.atomic
def set_quota(actor: User | None, subject: Subject, period: Period, tokens: int | None) -> Quota | None:
    """Set a limit in tokens (0 to 10^12), or with None take the subject's own row away.

    Only policy is written, with a line in the audit trail: call `scoring.budget.change_quota`, which also
    acts on the windows that are open. Safe to repeat: an equal limit writes nothing. Raises as
    `require_right` and `checked_tokens` do, and then nothing was changed.
    """
    if tokens is not None:
        checked_tokens(tokens)
    require_right(actor, subject, period, tokens)
    row = Quota.objects.select_for_update().filter(**subject.fields, period=period).first()
    before = row.limit_tokens if row is not None else None
    is_grant = subject.scope == Scope.TEAM and (actor is None or actor.is_staff)
    if tokens == before and not is_grant:
        return row
    if tokens is None:
        _take_back(row, is_grant)
        row = None
    else:
        row, _made = Quota.objects.update_or_create(
            **subject.fields,
            period=period,
            defaults={"limit_tokens": tokens, "updated_at": timezone.now()}
            | ({"granted_tokens": tokens} if is_grant else {}),
        )
    _note(actor, subject, period, before, tokens)
    return row


def _take_back(row: Quota | None, is_grant: bool) -> None:
    """Delete the row; where it keeps the operator's grant, and another acts, fall back to the grant."""
    if row is None:
        return
    if row.granted_tokens is None or is_grant:
        row.delete()
        return
    row.limit_tokens = row.granted_tokens
    row.updated_at = timezone.now()
    row.save(update_fields=["limit_tokens", "updated_at"])


def _note(
    actor: User | None, subject: Subject, period: Period, before: int | None, after: int | None
) -> None:
    about = {"scope": Scope(subject.scope).name.lower(), "period": str(period)}
    audit.record(
        actor,
        "quota.removed" if after is None else "quota.set",
        team=subject.team,
        subject=subject.key,
        before=about | {"limit_tokens": before},
        after=about | {"limit_tokens": after},
    )
