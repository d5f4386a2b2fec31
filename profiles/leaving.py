"""VERB. What the people's app knows of somebody: given to them as files, or forgotten for good.

The audit trail keeps the key, and from then on nobody can say whose it was; the ledger keeps its sums under
the number of a membership that is gone.
"""

import json
from collections.abc import Iterator
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.db.models import Count, Q, QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _

from . import audit, invitations, letters, toml
from .models import (
    AuditEvent,
    Invitation,
    Mark,
    Membership,
    Notice,
    Profile,
    QuotaRequest,
    Role,
    Team,
    User,
    Vote,
)
from .teams import TeamError


class NotHandedOver(TeamError):
    """Others would be left in a team without an owner; nothing was changed."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            _("You are the last owner of %(teams)s. Make somebody else an owner there first.")
            % {"teams": ", ".join(names)}
        )


def require_handed_over(user: User) -> None:
    """Raise NotHandedOver while somebody else is in a team that only this person owns.

    Locks the person's teams, so that it stays true to the end of the caller's transaction.
    """
    theirs = Membership.objects.filter(user=user).values("team")
    list(Team.objects.select_for_update().filter(pk__in=theirs).order_by("pk"))
    others_own = Membership.objects.filter(role=Role.OWNER).exclude(user=user).values("team")
    owned = Membership.objects.filter(user=user, role=Role.OWNER).values("team")
    orphaned = (
        Team.objects.filter(pk__in=owned).exclude(pk__in=others_own).exclude(pk__in=teams_that_go(user))
    )
    if names := list(orphaned.order_by("name").values_list("name", flat=True)):
        raise NotHandedOver(names)


def teams_that_go(user: User) -> QuerySet[Team]:
    """Those in which nobody else is: they go with the person."""
    alone = Membership.objects.values("team").annotate(count=Count("pk")).filter(count=1).values("team")
    return Team.objects.filter(pk__in=Membership.objects.filter(user=user, team__in=alone).values("team"))


def profiles_that_go(user: User) -> QuerySet[Profile]:
    """The person's own, wherever they are paid, and all of the teams that go; archived ones too."""
    return Profile.objects.filter(Q(owner=user) | Q(team__in=teams_that_go(user)))


def forget(user: User) -> None:
    """Delete the person with all that is theirs; sessions and tokens are dead with the commit.

    Call it last, in the caller's transaction and after `require_handed_over`: what scoring keeps of the
    profiles must be gone before.
    """
    key, mail = user.public_id, user.email
    for membership in Membership.objects.filter(user=user, team__is_personal=False).select_related("team"):
        audit.record(None, "member.left", team=membership.team, subject=key)
    audit.record(None, "person.forgotten", subject=key)
    invitations.withdraw_of(user)
    audit.forget(user)
    letters.forget_address(mail)
    for session in UserSession.objects.filter(user=user):
        session.end()
    named = LogEntry.objects.filter(Q(object_repr__icontains=mail) | Q(change_message__icontains=mail))
    named.update(object_repr=str(key), change_message="")
    teams_that_go(user).delete()
    User.objects.get(pk=user.pk).delete()


# --- taking it along -------------------------------------------------------------------------------


def export(user: User) -> Iterator[tuple[str, str]]:
    """Files as (name, text): the account as JSON, each of the person's own profiles as TOML."""
    yield "account.json", json.dumps(_account(user), indent=2, ensure_ascii=False, default=str) + "\n"
    for profile in own_profiles(user):
        yield f"profiles/{folder_of(profile)}.toml", toml.dump(profile)


def own_profiles(user: User) -> list[Profile]:
    return list(Profile.objects.filter(owner=user).select_related("team").prefetch_related("interests"))


def folder_of(profile: Profile) -> str:
    """A file name that is readable, safe everywhere, and one profile's only."""
    return f"{slugify(profile.name, allow_unicode=True) or 'profile'}-{profile.public_id.hex[:8]}"


def _account(user: User) -> dict[str, Any]:
    fields = (
        "public_id", "email", "name", "language", "time_zone", "wants_digest", "digest_hour", "wants_alerts",
        "wants_keys", "date_joined", "last_login",
    )  # fmt: skip
    memberships = Membership.objects.filter(user=user).order_by("joined_at")
    marks = Mark.objects.of(user).order_by("marked_at")
    votes = Vote.objects.filter(user=user).order_by("voted_at")
    deeds = AuditEvent.objects.filter(actor_key=user.public_id).order_by("at", "pk")
    moments = ("created_at", "expires_at", "accepted_at", "revoked_at")
    received = Invitation.objects.filter(email__iexact=user.email).order_by("created_at")
    sent = Invitation.objects.filter(invited_by=user).order_by("created_at")
    asked = QuotaRequest.objects.filter(asked_by__user=user).order_by("asked_at")
    return {
        "account": {name: getattr(user, name) for name in fields},
        "teams": list(memberships.values("team__name", "team__slug", "role", "joined_at")),
        "profiles": [{"name": each.name, "file": folder_of(each)} for each in own_profiles(user)],
        "marks": list(marks.values("paper__arxiv_id", "kind", "marked_at")),
        "votes": list(votes.values("paper__arxiv_id", "profile__name", "direction", "voted_at")),
        "api_tokens": list(
            user.api_tokens.values("name", "can_write", "created_at", "last_used_at", "revoked_at")
        ),
        "invitations_received": list(received.values("team__name", "role", *moments)),
        "invitations_sent": list(sent.values("team__name", "email", "role", *moments)),
        "notices": list(Notice.objects.of(user).order_by("at").values("code", "params", "at", "seen_at")),
        "requests_for_more": list(
            asked.values("team__name", "period", "tokens", "state", "asked_at", "decided_at")
        ),
        "sessions": list(
            UserSession.objects.filter(user=user).values("ip", "user_agent", "created_at", "last_seen_at")
        ),
        "audit": list(
            deeds.values(
                "at",
                "code",
                "team_key",
                "subject_key",
                "before",
                "after",
                "door",
                "token_key",
                "origin__ip",
                "origin__user_agent",
            )
        ),
    }
