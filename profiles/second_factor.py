"""The second factor: whose account must have one, and how allauth keeps its secrets.

What counts is a TOTP application or a passkey; recovery codes alone are none.
"""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.utils.translation import gettext as _

from . import sealing
from .models import Membership, Role, User

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
SEALED = "sealed:"


class MfaAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        """A copy of the database alone must not be enough to make codes."""
        return SEALED + sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """What was stored before secrets were sealed stands there in clear."""
        if not encrypted_text.startswith(SEALED):
            return encrypted_text
        return sealing.unseal(encrypted_text.removeprefix(SEALED))

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return _("Passkey %(number)d") % {"number": number}

    def _get_site_name(self) -> str:
        return "Broadsheet"


def lacks_second_factor(user: User) -> bool:
    """Whether MFA_REQUIRED_FOR asks this person for a second factor that they do not have yet.

    No query for those whom the setting never means; one or two for the others.
    """
    return is_required_of(user) and not has_second_factor(user)


def is_required_of(user: User) -> bool:
    """`staff`: operators. `admins`: they, and owners and admins of a team that others may belong to."""
    if settings.MFA_REQUIRED_FOR == "none":
        return False
    if user.is_staff or user.is_superuser:
        return True
    if settings.MFA_REQUIRED_FOR == "staff":
        return False
    steering = Membership.objects.filter(user=user, role__in=[Role.OWNER, Role.ADMIN])
    return steering.filter(team__is_personal=False).exists()


def has_second_factor(user: User) -> bool:
    return Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def request_for_one() -> str:
    """What a page and the API say to whoever lacks one."""
    return _("Your role asks for a second factor. Set one up, and everything else opens.")
