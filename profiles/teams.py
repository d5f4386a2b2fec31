"""Who belongs together: make a team, let people in, give roles, let people go. The last owner stays."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from . import audit
from .access import Deed, may, require
from .models import Membership, Profile, Role, Team, User

RANK = {Role.VIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3}


class TeamError(Exception):
    """Something that the rules of a team refuse. The message is for the person who asked; nothing changed."""


class LastOwner(TeamError):
    def __init__(self) -> None:
        super().__init__(_("A team needs an owner. Make somebody else an owner first."))


class AlreadyMember(TeamError):
    def __init__(self, email: str) -> None:
        super().__init__(_("%(email)s belongs to this team already.") % {"email": email})


class HandedToOneself(TeamError):
    def __init__(self) -> None:
        super().__init__(_("Choose somebody else to hand the team over to."))


class PersonalTeam(TeamError):
    def __init__(self) -> None:
        super().__init__(_("A personal team has one person. Create a team to share with others."))


class NoLongerMember(TeamError):
    def __init__(self) -> None:
        super().__init__(_("This person no longer belongs to the team."))


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


def may_create(user: User) -> bool:
    """Whether this person may make a further team: a setting of the instance (TEAM_CREATION)."""
    return user.is_staff or settings.TEAM_CREATION == "everybody"


@transaction.atomic
def admit(inviter: User | None, team: Team, user: User, role: str) -> Membership:
    """Make somebody a member, in the caller's transaction and after the caller's checks. Raises AlreadyMember."""
    membership, is_new = Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})
    if not is_new:
        raise AlreadyMember(user.email)
    audit.remember(user)
    audit.record(inviter, "member.added", team=team, subject=user.public_id, after={"role": role})
    return membership


@transaction.atomic
def change_team(actor: User, team: Team, name: str, time_zone: str) -> Team:
    """Another name or time zone. Windows that are open run to their end; the next ones follow the new zone.

    Safe to repeat: what is equal writes nothing.
    """
    require(locked_membership(team, actor), Deed.SET_TEAM)
    team.refresh_from_db()
    before, after = {"time_zone": team.time_zone}, {"time_zone": time_zone}
    is_renamed, is_moved = team.name != name, before != after
    team.name, team.time_zone = name, time_zone
    team.save(update_fields=["name", "time_zone"])
    if is_renamed:
        # A name may be a person's: the trail says that it changed, not to what.
        audit.record(actor, "team.renamed", team=team, subject=team.public_id)
    if is_moved:
        audit.record(
            actor, "team.zone_changed", team=team, subject=team.public_id, before=before, after=after
        )
    return team


@transaction.atomic
def hand_over(actor: User, membership: Membership) -> Membership:
    """Make another member the owner and step down to admin, in one step. Repeated, it is refused."""
    mine = locked_membership(membership.team, actor)
    require(mine, Deed.MAKE_OWNERS)
    if mine.pk == membership.pk:
        raise HandedToOneself
    _look_again(membership)
    for each, role in ((membership, Role.OWNER), (mine, Role.ADMIN)):
        before = each.role
        if before != role:
            each.role = role
            each.save(update_fields=["role"])
            _record_role(actor, each, before)
    return membership


@transaction.atomic
def change_role(actor: User, membership: Membership, role: str) -> Membership:
    """Give a member another role: never one above the actor's own, never away from the last owner."""
    mine = locked_membership(membership.team, actor)
    _look_again(membership)
    require(mine, Deed.SET_ROLES)
    require_rank(mine, role)
    require_rank(mine, membership.role)
    if membership.role == Role.OWNER and role != Role.OWNER:
        _require_another_owner(membership)
    before = membership.role
    if before == role:
        return membership
    membership.role = role
    membership.save(update_fields=["role"])
    _record_role(actor, membership, before)
    return membership


@transaction.atomic
def remove_member(actor: User, membership: Membership) -> None:
    """Let a member go. What they spent stays in the ledger; their own profiles move to their personal team."""
    mine = locked_membership(membership.team, actor)
    _look_again(membership)
    require(mine, Deed.SET_ROLES)
    require_rank(mine, membership.role)
    _let_go(membership)
    audit.record(actor, "member.removed", team=membership.team, subject=membership.user.public_id)


@transaction.atomic
def leave(membership: Membership) -> None:
    """Leave a team by one's own will; the last owner cannot, and nobody leaves a personal team."""
    locked_membership(membership.team, membership.user)
    _look_again(membership)
    if membership.team.is_personal:
        raise PersonalTeam
    _let_go(membership)
    audit.record(membership.user, "member.left", team=membership.team, subject=membership.user.public_id)


def _record_role(actor: User, membership: Membership, before: str) -> None:
    audit.record(
        actor,
        "member.role_changed",
        team=membership.team,
        subject=membership.user.public_id,
        before={"role": before},
        after={"role": membership.role},
    )


def is_in_reach(mine: Membership, other: Membership) -> bool:
    """Whether somebody may change that member's role or remove them: never one above, nor oneself."""
    ranks = RANK[Role(other.role)] <= RANK[Role(mine.role)]
    return may(mine, Deed.SET_ROLES) and other.pk != mine.pk and ranks


def require_reach(mine: Membership, other: Membership) -> None:
    if not is_in_reach(mine, other):
        raise PermissionDenied


def move_profiles_home(profiles: QuerySet[Profile]) -> None:
    """Own profiles move to the personal team of their owner, which pays from then on."""
    for profile in profiles.select_related("owner").order_by("pk"):
        assert profile.owner is not None
        profile.team = personal_team_of(profile.owner)
        profile.save(update_fields=["team"])


def require_deletable(actor: User, team: Team) -> None:
    """Raise what forbids this actor to delete the team; locks it. Scoring deletes, for it has most of the rows."""
    require(locked_membership(team, actor), Deed.DELETE_TEAM)
    if team.is_personal:
        raise PersonalTeam


def _let_go(membership: Membership) -> None:
    if membership.role == Role.OWNER:
        _require_another_owner(membership)
    move_profiles_home(Profile.objects.filter(owner=membership.user, team=membership.team))
    Membership.objects.filter(pk=membership.pk).delete()


def locked_membership(team: Team, actor: User) -> Membership:
    """The actor's membership, read under a lock on the team: roles of a team change one at a time.

    Raises PermissionDenied for who is (no longer) a member.
    """
    Team.objects.select_for_update().filter(pk=team.pk).first()
    membership = Membership.objects.select_related("team").filter(team=team, user=actor).first()
    if membership is None:
        raise PermissionDenied
    return membership


def _look_again(membership: Membership) -> None:
    """Read the role under the team's lock; NoLongerMember where another deed was quicker."""
    try:
        membership.refresh_from_db(fields=["role"])
    except Membership.DoesNotExist as error:
        raise NoLongerMember from error


def require_rank(mine: Membership, role: str) -> None:
    """Raise PermissionDenied for a role that is none, or above one's own."""
    if role not in RANK or RANK[Role(role)] > RANK[Role(mine.role)]:
        raise PermissionDenied


def _require_another_owner(membership: Membership) -> None:
    others = Membership.objects.filter(team=membership.team, role=Role.OWNER).exclude(pk=membership.pk)
    if not others.exists():
        raise LastOwner
