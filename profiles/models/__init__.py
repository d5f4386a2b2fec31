"""Who reads, for what, on whose money.

Addresses carry `public_id`s. Names of people stand on User and Membership only; the audit trail names an
actor key, and what identifies a person stands in an erasable side row.
"""

from .invitations import Invitation
from .letters import Letter, Notice, OwedMail
from .marks import Mark, MarkQuerySet, Vote
from .once import SentForm
from .people import LANGUAGES, ApiToken, User, UserManager
from .profiles import REASON_LANGUAGES, Interest, Profile, ProfileQuerySet, Revision
from .quotas import Period, Quota, QuotaRequest, Scope, TopUp
from .teams import Membership, MembershipQuerySet, Role, Team, TeamQuerySet, random_slug
from .trail import AuditEvent, AuditOrigin, AuditPerson, Door

__all__ = [
    "LANGUAGES",
    "REASON_LANGUAGES",
    "ApiToken",
    "AuditEvent",
    "AuditOrigin",
    "AuditPerson",
    "Door",
    "Interest",
    "Invitation",
    "Letter",
    "Mark",
    "MarkQuerySet",
    "Membership",
    "MembershipQuerySet",
    "Notice",
    "OwedMail",
    "Period",
    "Profile",
    "ProfileQuerySet",
    "Quota",
    "QuotaRequest",
    "Revision",
    "Role",
    "Scope",
    "SentForm",
    "Team",
    "TeamQuerySet",
    "TopUp",
    "User",
    "UserManager",
    "Vote",
    "random_slug",
]
