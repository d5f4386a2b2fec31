"""Who pays for a profile's reading."""

from profiles.access import Deed, may
from profiles.models import Membership, Profile, Scope
from profiles.quotas import INSTANCE, Leg
from scoring.models import Provider

__all__ = ["Leg", "NoPayer", "legs_of"]


class NoPayer(Exception):
    """The profile's owner is no longer in its team, or may only look: nobody pays, no call is made."""


def legs_of(profile: Profile, provider: Provider) -> list[Leg]:
    """The legs of a call for this profile by this provider, in the order in which windows are locked.

    A personal profile is paid by its owner's membership in its team, the team and the instance; a team
    profile by its share, the team and the instance. A team's own key touches no instance window; the local
    judge costs nothing and touches none. Raises NoPayer.
    """
    if provider.is_local:
        return []
    payer = _payer(profile)
    legs = [payer, Leg(Scope.TEAM, profile.team_id, profile.team_id)]
    if provider.team_id is None:
        legs.append(INSTANCE)
    return sorted(legs)


def _payer(profile: Profile) -> Leg:
    if profile.is_team_profile:
        return Leg(Scope.SHARE, profile.pk, profile.team_id)
    membership = Membership.objects.filter(team=profile.team_id, user=profile.owner_id).first()
    if membership is None or not may(membership, Deed.SPEND):
        raise NoPayer(f"nobody pays for profile {profile.public_id}")
    return Leg(Scope.MEMBER, membership.pk, profile.team_id)
