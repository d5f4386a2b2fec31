"""Who may do what, in one table, and the row or a 404.

Pages, API and tests ask here. What somebody may not even know of is a 404 with the body of a missing one;
what a member may see but not do is a 403.
"""

import uuid
from enum import StrEnum

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_htmx.middleware import HtmxDetails

from .models import Membership, Profile, Role, Team, User


class ReaderRequest(HttpRequest):
    """A request of somebody who is signed in, as LoginRequiredMiddleware leaves it to a view."""

    user: User
    htmx: HtmxDetails


class Deed(StrEnum):
    SEE_TEAM = "see_team"
    SPEND = "spend"
    EDIT_TEAM_PROFILES = "edit_team_profiles"
    SEE_QUOTAS = "see_quotas"
    SET_QUOTAS = "set_quotas"
    RAISE_POOL = "raise_pool"
    SEE_AUDIT = "see_audit"
    INVITE = "invite"
    SET_TEAM = "set_team"
    SET_ROLES = "set_roles"
    MAKE_OWNERS = "make_owners"
    DELETE_TEAM = "delete_team"
    ASK_FOR_MORE = "ask_for_more"
    MANAGE_PROVIDERS = "manage_providers"


_VIEWER = {Deed.SEE_TEAM}
_MEMBER = _VIEWER | {Deed.SPEND, Deed.EDIT_TEAM_PROFILES, Deed.ASK_FOR_MORE}
_ADMIN = _MEMBER | {
    Deed.SEE_QUOTAS,
    Deed.SET_QUOTAS,
    Deed.SEE_AUDIT,
    Deed.INVITE,
    Deed.SET_TEAM,
    Deed.SET_ROLES,
    Deed.MANAGE_PROVIDERS,
}
_OWNER = _ADMIN | {Deed.RAISE_POOL, Deed.MAKE_OWNERS, Deed.DELETE_TEAM}

MAY: dict[str, set[Deed]] = {
    Role.VIEWER: _VIEWER,
    Role.MEMBER: _MEMBER,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _OWNER,
}

# The deeds in words, for the table on a team's page.
IN_WORDS: dict[Deed, Promise] = {
    Deed.SEE_TEAM: _("See the team and read its profiles"),
    Deed.SPEND: _("Have own profiles that the team pays for, and copy a team profile"),
    Deed.EDIT_TEAM_PROFILES: _("Make, change and delete the team's profiles"),
    Deed.ASK_FOR_MORE: _("Ask for more tokens"),
    Deed.SEE_QUOTAS: _("See everybody's limits and use"),
    Deed.SET_QUOTAS: _("Set limits, and lower the team's pool"),
    Deed.INVITE: _("Invite people, in a role up to one's own"),
    Deed.SET_ROLES: _("Change roles and remove people, up to one's own role"),
    Deed.SET_TEAM: _("Rename the team and set its time zone"),
    Deed.MANAGE_PROVIDERS: _("Choose the team's models and keep its keys"),
    Deed.SEE_AUDIT: _("Read who did what"),
    Deed.RAISE_POOL: _("Raise the pool, up to what the operator gave"),
    Deed.MAKE_OWNERS: _("Make owners, and hand the team over"),
    Deed.DELETE_TEAM: _("Delete the team"),
}


def rights_table() -> list[tuple[Promise, list[bool]]]:
    """MAY as rows: each deed in words, and whether each role may do it, in the order of `Role`."""
    return [(words, [deed in MAY[role] for role in Role]) for deed, words in IN_WORDS.items()]


def profile_for(user: User, public_id: uuid.UUID | str) -> Profile:
    """The profile, if it is the user's own or a team profile of one of their teams; else Http404."""
    try:
        return Profile.objects.visible_to(user).select_related("team", "owner").get(public_id=public_id)
    except (Profile.DoesNotExist, ValueError) as error:
        raise Http404 from error


def editable_profile_for(user: User, public_id: uuid.UUID | str) -> Profile:
    """The profile, if the user may change it; PermissionDenied for a viewer of a team profile."""
    profile = profile_for(user, public_id)
    if profile.is_team_profile:
        require(membership_of(user, profile.team), Deed.EDIT_TEAM_PROFILES)
    return profile


def membership_for(user: User, slug: str) -> Membership:
    """The user's membership in the team of that slug; Http404 for a stranger."""
    try:
        return Membership.objects.select_related("team", "user").get(user=user, team__slug=slug)
    except Membership.DoesNotExist as error:
        raise Http404 from error


def membership_of(user: User, team: Team) -> Membership:
    return membership_for(user, team.slug)


def may(membership: Membership, deed: Deed) -> bool:
    return deed in MAY[membership.role]


def require(membership: Membership, deed: Deed) -> None:
    """Raise PermissionDenied unless the membership's role may do the deed."""
    if not may(membership, deed):
        raise PermissionDenied
