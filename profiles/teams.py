"""Who belongs together: make a team, let people in, give roles, let people go. The last owner stays."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from . import audit
from .access import Deed, require
from .models import Membership, Profile, Role, Team, User

RANK = {Role.VIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3}


class TeamError(Exception):
    """Something that the rules of a team refuse. The message is for the person who asked; nothing changed."""


class LastOwner(TeamError):
    def __init__(self) -> None:
        super().__init__(_("A team needs an owner. Make somebody else an owner first."))


class UnknownPerson(TeamError):
    def __init__(self, email: str) -> None:
        super().__init__(
            _("Nobody with the address %(email)s has an account here. Ask them to sign up first.")
            % {"email": email}
        )


class AlreadyMember(TeamError):
    def __init__(self, email: str) -> None:
        super().__init__(_("%(email)s belongs to this team already.") % {"email": email})


class PersonalTeam(TeamError):
    def __init__(self) -> None:
        super().__init__(_("A personal team has one person. Create a team to share with others."))


@transaction.atomic
def personal_team_of(user: User) -> Team:
    """The user's team of one, made on first need. Two requests at once make one."""
    User.objects.select_for_update().get(pk=user.pk)
    mine = Team.objects.filter(is_personal=True, memberships__user=user).first()
    if mine is not None:
        return mine
    team = Team.objects.create(name=user.display_name[:100], is_personal=True, time_zone=user.time_zone)
    Membership.objects.create(team=team, user=user, role=Role.OWNER)
    return team


@transaction.atomic
def create_team(user: User, name: str, time_zone: str) -> Team:
    """A team that the user owns; its budget windows turn over in `time_zone`."""
    team = Team.objects.create(name=name, time_zone=time_zone)
    Membership.objects.create(team=team, user=user, role=Role.OWNER)
    audit.record(user, "team.created", team=team, subject=team.public_id)
    return team


@transaction.atomic
def add_member(actor: User, team: Team, email: str, role: str) -> Membership:
    """Let somebody with an account in. Raises TeamError, or PermissionDenied for a role above the actor's."""
    mine = _locked(team, actor)
    require(mine, Deed.INVITE)
    _require_rank(mine, role)
    if team.is_personal:
        raise PersonalTeam
    person = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if person is None:
        raise UnknownPerson(email.strip())
    membership, is_new = Membership.objects.get_or_create(team=team, user=person, defaults={"role": role})
    if not is_new:
        raise AlreadyMember(person.email)
    audit.remember(person)
    audit.record(actor, "member.added", team=team, subject=person.public_id, after={"role": role})
    return membership


@transaction.atomic
def change_role(actor: User, membership: Membership, role: str) -> Membership:
    """Give a member another role: never one above the actor's own, never away from the last owner."""
    mine = _locked(membership.team, actor)
    membership.refresh_from_db(fields=["role"])
    require(mine, Deed.SET_ROLES)
    _require_rank(mine, role)
    _require_rank(mine, membership.role)
    if membership.role == Role.OWNER and role != Role.OWNER:
        _require_another_owner(membership)
    before = membership.role
    membership.role = role
    membership.save(update_fields=["role"])
    audit.record(
        actor,
        "member.role_changed",
        team=membership.team,
        subject=membership.user.public_id,
        before={"role": before},
        after={"role": role},
    )
    return membership


@transaction.atomic
def remove_member(actor: User, membership: Membership) -> None:
    """Let a member go. What they spent stays in the ledger; their own profiles move to their personal team."""
    mine = _locked(membership.team, actor)
    membership.refresh_from_db(fields=["role"])
    require(mine, Deed.SET_ROLES)
    _require_rank(mine, membership.role)
    _let_go(membership)
    audit.record(actor, "member.removed", team=membership.team, subject=membership.user.public_id)


@transaction.atomic
def leave(membership: Membership) -> None:
    """Leave a team by one's own will; the last owner cannot, and nobody leaves a personal team."""
    _locked(membership.team, membership.user)
    membership.refresh_from_db(fields=["role"])
    if membership.team.is_personal:
        raise PersonalTeam
    _let_go(membership)
    audit.record(membership.user, "member.left", team=membership.team, subject=membership.user.public_id)


def _let_go(membership: Membership) -> None:
    if membership.role == Role.OWNER:
        _require_another_owner(membership)
    user, team = membership.user, membership.team
    theirs = Profile.objects.filter(owner=user, team=team)
    if theirs.exists():
        theirs.update(team=personal_team_of(user))
    Membership.objects.filter(pk=membership.pk).delete()


def _locked(team: Team, actor: User) -> Membership:
    """The actor's membership, read under a lock on the team: roles of a team change one at a time."""
    Team.objects.select_for_update().get(pk=team.pk)
    membership = Membership.objects.select_related("team").filter(team=team, user=actor).first()
    if membership is None:
        raise PermissionDenied
    return membership


def _require_rank(mine: Membership, role: str) -> None:
    if role not in RANK or RANK[Role(role)] > RANK[Role(mine.role)]:
        raise PermissionDenied


def _require_another_owner(membership: Membership) -> None:
    others = Membership.objects.filter(team=membership.team, role=Role.OWNER).exclude(pk=membership.pk)
    if not others.exists():
        raise LastOwner
