"""VERB. How somebody is asked in: to a team in a role, or to this instance only.

An invitation is bound to an address, lasts seven days and is used once. Whether an account exists for the
address is never said: the inviter sees the same for everybody, and who has an account finds the invitation on
their page of teams.

Its token is 256 bits, of which only the SHA-256 is stored. It is not random but derived: an HMAC, with the
instance's secret, of what the row says (its id and its end). A mail that waits in the outbox can so be written
when it is sent, and no row, backup or export of the database holds anything that opens a door. A renewed
invitation ends at another instant, so it has another token, and the old one is dead. Where SECRET_KEY was
changed in between, links that are out still work, and a letter that waits is not sent: `link_of` says so.
"""

import base64
import datetime as dt
import hashlib
import hmac
import uuid
from collections.abc import Mapping

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from . import audit, letters, notices, teams
from .access import MAY, Deed, may, require
from .models import Invitation, Membership, Role, Team, User
from .teams import RANK, AlreadyMember, PersonalTeam, TeamError

LASTS = dt.timedelta(days=7)
MOST_OPEN = 500
CODE = "invitation"  # in settings.TIDINGS
SALT = b"profiles.invitation"
# A second click on "Invite" sends the same again.
SAME_AGAIN = dt.timedelta(minutes=1)


class InvitationError(TeamError):
    """Why an invitation cannot be made or used. The message is for the person who tries; nothing changed."""


class AlreadyInvited(InvitationError):
    def __init__(self, email: str) -> None:
        super().__init__(
            _("%(email)s has an open invitation already: send it again, or revoke it first.")
            % {"email": email}
        )


class AlreadyReader(InvitationError):
    def __init__(self, email: str) -> None:
        super().__init__(_("%(email)s has an account on this instance already.") % {"email": email})


class TooManyOpen(InvitationError):
    def __init__(self) -> None:
        super().__init__(
            _("%(most)d invitations are open already. Revoke those that nobody will use.")
            % {"most": MOST_OPEN}
        )


class NotOpen(InvitationError):
    """It was accepted or revoked meanwhile: there is nothing to send again or to revoke."""

    def __init__(self) -> None:
        super().__init__(_("This invitation is not open any more."))


class AlreadyUsed(InvitationError):
    def __init__(self) -> None:
        super().__init__(_("This invitation was used already. Each one lets in one person, once."))


class Revoked(InvitationError):
    def __init__(self) -> None:
        super().__init__(_("This invitation was revoked. Ask whoever invited you for another one."))


class Ended(InvitationError):
    def __init__(self) -> None:
        super().__init__(
            _("This invitation has ended: it lasted seven days. Ask whoever invited you to send it again.")
        )


class WrongAddress(InvitationError):
    def __init__(self, invited: str, mine: str) -> None:
        super().__init__(
            _(
                "This invitation is for %(invited)s, and you are signed in as %(mine)s. Sign in with that address."
            )
            % {"invited": masked(invited), "mine": mine}
        )


class UnverifiedAddress(InvitationError):
    def __init__(self, mine: str) -> None:
        super().__init__(
            _("Confirm your mail address %(mine)s first; then you can accept this invitation.")
            % {"mine": mine}
        )


class SenderGone(InvitationError):
    def __init__(self) -> None:
        super().__init__(
            _(
                "Whoever sent this invitation has left since, so it is void. Ask an admin of the team for another."
            )
        )


class SenderLostRight(InvitationError):
    def __init__(self) -> None:
        super().__init__(
            _(
                "Whoever sent this invitation may not give this role any more. Ask an admin of the team for another."
            )
        )


class AlreadyIn(InvitationError):
    def __init__(self) -> None:
        super().__init__(_("You belong to this team already; your role stays as it is."))


# --- the token -------------------------------------------------------------------------------------


def token_of(invitation: Invitation) -> str:
    """The token as the row says it now. Shown to the inviter once, and in the mail; never stored or logged."""
    words = f"{invitation.public_id}|{invitation.expires_at.astimezone(dt.UTC).isoformat()}"
    mac = hmac.new(settings.SECRET_KEY.encode(), SALT + b"|" + words.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).decode().rstrip("=")


def path_of(invitation: Invitation) -> str:
    return reverse("invitation", args=[token_of(invitation)])


def link_of(invitation: Invitation) -> str:
    """The whole address; empty where the secret was changed since: then only a renewed one has a link."""
    if digest_of(token_of(invitation)) != invitation.token_sha256:
        return ""
    return settings.PORTAL_URL + path_of(invitation)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find(token: str) -> Invitation | None:
    """The invitation of that token in whatever state; None for one that is unknown or was replaced."""
    rows = Invitation.objects.select_related("team", "invited_by")
    return rows.filter(token_sha256=digest_of(token)).first()


def masked(email: str) -> str:
    """An address that its owner recognises and nobody else learns."""
    name, _at, domain = email.partition("@")
    return f"{name[:1]}…@{domain}"


# --- making, renewing, revoking --------------------------------------------------------------------


@transaction.atomic
def invite(actor: User | None, team: Team, email: str, role: str) -> Invitation:
    """Ask somebody into a team. Raises TeamError, or PermissionDenied for a role above the actor's own.

    No actor is the operator's command. A mail goes out where there is a mailer; who has an account is told
    there too. Repeated within a minute by the same actor with the same words, it returns the invitation that
    was made.
    """
    email = email.strip().lower()
    _require_sender(actor, team, role)
    if team.is_personal:
        raise PersonalTeam
    if Membership.objects.filter(team=team, user__email__iexact=email).exists():
        raise AlreadyMember(email)
    return _made(actor, team, email, role)


@transaction.atomic
def invite_to_instance(actor: User | None, email: str) -> Invitation:
    """Let somebody make an account where sign-up is by invitation; for staff and the operator's command."""
    email = email.strip().lower()
    if actor is not None and not actor.is_staff:
        raise PermissionDenied
    if User.objects.filter(email__iexact=email).exists():
        raise AlreadyReader(email)
    return _made(actor, None, email, Role.MEMBER)


def _made(actor: User | None, team: Team | None, email: str, role: str) -> Invitation:
    now = timezone.now()
    open_ones = Invitation.objects.select_for_update().open().filter(team=team)
    before = open_ones.filter(email__iexact=email).first()
    if before is not None:
        is_same = (before.invited_by, before.role) == (actor, role) and now - before.created_at < SAME_AGAIN
        if is_same:
            return before
        if before.expires_at > now:
            raise AlreadyInvited(email)
        _close(before, now)
    if Invitation.objects.live(now).filter(team=team).count() >= MOST_OPEN:
        raise TooManyOpen
    made = Invitation(team=team, email=email, role=role, invited_by=actor, created_at=now)
    made.expires_at = now + LASTS
    made.token_sha256 = digest_of(token_of(made))
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:  # without a team there is no row to lock: the constraint decides
        raise AlreadyInvited(email) from error
    _record(actor, "member.invited", made, after={"role": role})
    _tell(made, actor)
    return made


@transaction.atomic
def renew(actor: User, invitation: Invitation, seen: str) -> Invitation:
    """Send it again: a new token, seven days anew; the old link is dead. The actor answers for it from now on.

    `seen` is the `token_sha256` that the actor's page was made with: where another click has renewed it
    meanwhile, that one's token stands. Raises NotOpen, or PermissionDenied.
    """
    now = timezone.now()
    if invitation.team is not None:
        _require_sender(actor, invitation.team, invitation.role)
    elif not actor.is_staff:
        raise PermissionDenied
    renewed = Invitation(public_id=invitation.public_id, expires_at=now + LASTS)
    won = (
        Invitation.objects.open()
        .filter(pk=invitation.pk, token_sha256=seen)
        .update(token_sha256=digest_of(token_of(renewed)), expires_at=renewed.expires_at, invited_by=actor)
    )
    invitation.refresh_from_db()
    if not won:
        if invitation.accepted_at or invitation.revoked_at:
            raise NotOpen
        return invitation
    _record(actor, "invitation.renewed", invitation, after={"role": invitation.role})
    _tell(invitation, actor)
    return invitation


@transaction.atomic
def revoke(actor: User, invitation: Invitation) -> None:
    """Take it back: its link is dead at once. Safe to repeat. Raises NotOpen for one that was accepted."""
    if invitation.team is not None:
        require(teams.locked_membership(invitation.team, actor), Deed.INVITE)
    elif not actor.is_staff:
        raise PermissionDenied
    if Invitation.objects.open().filter(pk=invitation.pk).update(revoked_at=timezone.now()):
        _record(actor, "invitation.revoked", invitation)
        return
    invitation.refresh_from_db(fields=["accepted_at"])
    if invitation.accepted_at is not None:
        raise NotOpen


def _require_sender(actor: User | None, team: Team, role: str) -> None:
    if actor is None:
        Team.objects.select_for_update().get(pk=team.pk)
        return
    mine = teams.locked_membership(team, actor)
    require(mine, Deed.INVITE)
    teams.require_rank(mine, role)


def _close(ended: Invitation, now: dt.datetime) -> None:
    """One that ended unused makes room for another to the same address."""
    Invitation.objects.open().filter(pk=ended.pk).update(revoked_at=now)


# --- accepting -------------------------------------------------------------------------------------


@transaction.atomic
def accept(user: User, invitation: Invitation) -> Membership | None:
    """Use it: the membership that it makes, None for one to the instance only. Once, decided by one UPDATE.

    Raises the InvitationError that says why not; then nothing has changed.
    """
    now = timezone.now()
    if invitation.team is not None:
        Team.objects.select_for_update().filter(pk=invitation.team.pk).first()
    _look_again(invitation)
    refuse(invitation, user, now)
    if not _take(invitation, user, now):
        _look_again(invitation)
        _refuse_state(invitation, now)
        raise NotOpen
    if invitation.team is None:
        _record(user, "invitation.accepted", invitation)
        return None
    _record(user, "invitation.accepted", invitation)
    return teams.admit(invitation.invited_by, invitation.team, user, invitation.role)


def _look_again(invitation: Invitation) -> None:
    """What became of it since it was found. Raises NotOpen where it is gone with its team."""
    row = Invitation.objects.filter(pk=invitation.pk).values("accepted_at", "revoked_at").first()
    if row is None:
        raise NotOpen
    invitation.accepted_at, invitation.revoked_at = row["accepted_at"], row["revoked_at"]


def _take(invitation: Invitation, user: User, now: dt.datetime) -> bool:
    """Win it, if it is still what was looked at: neither used, revoked, ended nor renewed since."""
    mine = Invitation.objects.live(now).filter(pk=invitation.pk, token_sha256=invitation.token_sha256)
    return bool(mine.update(accepted_at=now, accepted_by=user))


@transaction.atomic
def use_for_sign_up(user: User, invitation: Invitation) -> None:
    """An invitation to the instance is used by making the account. One to a team waits to be accepted.

    The address is not verified yet: it is the invitation's own, as whoever signs up cannot choose another.
    """
    if invitation.team is None and _take(invitation, user, timezone.now()):
        _record(user, "invitation.accepted", invitation)


def refuse(invitation: Invitation, user: User, now: dt.datetime) -> None:
    """Raise why this person cannot accept it now; return if they can. Reads only."""
    refuse_anybody(invitation, now)
    if invitation.email.lower() not in addresses_of(user):
        if user.email.lower() == invitation.email.lower():
            raise UnverifiedAddress(user.email)
        raise WrongAddress(invitation.email, user.email)
    if invitation.team is not None and Membership.objects.filter(team=invitation.team, user=user).exists():
        raise AlreadyIn


def refuse_anybody(invitation: Invitation, now: dt.datetime) -> None:
    """Raise why nobody can accept it now, whoever they are. Reads only."""
    _refuse_state(invitation, now)
    _refuse_sender(invitation)


def _refuse_state(invitation: Invitation, now: dt.datetime) -> None:
    if invitation.accepted_at is not None:
        raise AlreadyUsed
    if invitation.revoked_at is not None:
        raise Revoked
    if invitation.expires_at <= now:
        raise Ended


def _refuse_sender(invitation: Invitation) -> None:
    """Whoever sent it must still be able to send it. None is the operator's command."""
    sender, team = invitation.invited_by, invitation.team
    if team is not None and team.is_personal:
        raise PersonalTeam
    if sender is None:
        return
    if not sender.is_active:
        raise SenderGone
    if team is None:
        if not sender.is_staff:
            raise SenderLostRight
        return
    membership = Membership.objects.filter(team=team, user=sender).first()
    if membership is None:
        raise SenderGone
    if not may(membership, Deed.INVITE) or RANK[Role(invitation.role)] > RANK[Role(membership.role)]:
        raise SenderLostRight


def addresses_of(user: User) -> set[str]:
    """The addresses that count as this person's: those they confirmed, where mail can be confirmed at all."""
    if not settings.HAS_MAILER:
        return {user.email.lower()}
    verified = EmailAddress.objects.filter(user=user, verified=True)
    return {address.lower() for address in verified.values_list("email", flat=True)}


# --- who is told, and the trail --------------------------------------------------------------------


def waiting_for(user: User, now: dt.datetime) -> list[Invitation]:
    """Live invitations to teams for the addresses of this person, the newest first."""
    rows = Invitation.objects.live(now).select_related("team", "invited_by")
    mine = rows.filter(email__in=addresses_of(user)).exclude(team=None)
    return list(mine.exclude(team__memberships__user=user).order_by("-created_at"))


def pending(team: Team | None) -> list[Invitation]:
    """What a team's admins see: open ones, also those that have ended, the newest first."""
    rows = Invitation.objects.open().filter(team=team).select_related("invited_by", "team")
    return list(rows.order_by("-created_at", "-pk"))


def is_void(invitation: Invitation, roles: Mapping[int, str]) -> bool:
    """Whether its sender can no longer answer for it, by the roles of the team's members (by user id)."""
    if invitation.invited_by_id is None:
        return False
    role = roles.get(invitation.invited_by_id)
    if role is None or Deed.INVITE not in MAY[role]:
        return True
    return RANK[Role(invitation.role)] > RANK[Role(role)]


def withdraw_of(user: User) -> None:
    """Of somebody who is forgotten: those to their addresses go, those they sent are void."""
    theirs = Invitation.objects.filter(email__in={user.email.lower(), *addresses_of(user)})
    audit.forget_keys(theirs.values_list("public_id", flat=True))
    theirs.delete()
    Invitation.objects.open().filter(invited_by=user).update(revoked_at=timezone.now())


def _tell(invitation: Invitation, actor: User | None) -> None:
    """A mail where there is a mailer, and a notice for who has an account. Rows only; nothing is sent here."""
    params = {"invitation": str(invitation.public_id), "ends": invitation.expires_at.isoformat()}
    key = f"invitation:{invitation.public_id}:{invitation.expires_at.timestamp():.6f}"
    if settings.HAS_MAILER:
        language = actor.language if actor is not None else settings.LANGUAGE_CODE
        letters.owe(key, CODE, params, address=invitation.email, language=language)
    reader = User.objects.filter(email__iexact=invitation.email, is_active=True).first()
    if reader is not None:
        notices.tell([reader], key, CODE, params, by_mail=False)


def _record(
    actor: User | None, code: str, invitation: Invitation, after: dict[str, str] | None = None
) -> None:
    """The trail names the invitation by its id; whom it was for stands in the side row that can be erased."""
    audit.remember_key(invitation.public_id, invitation.email)
    audit.record(actor, code, team=invitation.team, subject=invitation.public_id, after=after or {})


def by_id(team: Team | None, public_id: uuid.UUID) -> Invitation | None:
    rows = Invitation.objects.select_related("team", "invited_by")
    return rows.filter(team=team, public_id=public_id).first()
