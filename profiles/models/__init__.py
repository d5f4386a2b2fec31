"""Who reads, for what, on whose money.

Addresses carry `public_id`s. Names of people stand on User and Membership only; the audit trail names an
actor key, and what identifies a person stands in an erasable side row.
"""

from .marks import Mark, MarkQuerySet, Vote
from .people import LANGUAGES, ApiToken, User, UserManager
from .profiles import REASON_LANGUAGES, Interest, Profile, ProfileQuerySet, Revision
from .quotas import Period, Quota, Scope
from .teams import Membership, MembershipQuerySet, Role, Team, TeamQuerySet, random_slug
from .trail import AuditEvent, AuditPerson

__all__ = [
    "LANGUAGES",
    "REASON_LANGUAGES",
    "ApiToken",
    "AuditEvent",
    "AuditPerson",
    "Interest",
    "Mark",
    "MarkQuerySet",
    "Membership",
    "MembershipQuerySet",
    "Period",
    "Profile",
    "ProfileQuerySet",
    "Quota",
    "Revision",
    "Role",
    "Scope",
    "Team",
    "TeamQuerySet",
    "User",
    "UserManager",
    "Vote",
    "random_slug",
]
