"""Allauth's adapter: who may sign up, and what an account starts with."""

import ipaddress
import zoneinfo
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from . import invitations
from .invitations import InvitationError
from .models import LANGUAGES, Invitation, User

# Where the page of an invitation leaves its token, for whoever signs up from there.
INVITATION_KEY = "invitation_token"
MAIL_IS_COMING = ("email_confirmation_sent.txt", "login_code_sent.txt")
KEYS_COOKIE = "keys"
YEAR_SECONDS = 365 * 24 * 3600


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """By invitation: only for whoever comes from the page of a live one."""
        if settings.SIGNUP == "invite":
            return invitation_of(request) is not None
        return settings.SIGNUP == "open"

    def clean_email(self, email: str) -> str:
        """A newcomer who was invited has the address that the invitation was made for."""
        email = super().clean_email(email)
        invitation = None if self.request.user.is_authenticated else invitation_of(self.request)
        if invitation is not None and email.lower() != invitation.email.lower():
            raise ValidationError(_("The invitation is for %(email)s.") % {"email": invitation.email})
        return email

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        settle_in(user, request)
        saved = super().save_user(request, user, form, commit=commit)
        use_invitation(request, saved)
        return saved

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """Straight to what a newcomer needs next: a profile."""
        return reverse("profile_new")

    def render_mail(
        self, template_prefix: str, email: str, context: dict[str, Any], headers: dict[str, str] | None = None
    ) -> EmailMessage:
        """In the language of whoever has that address; of the page, for a stranger."""
        known = User.objects.filter(email__iexact=email).values_list("language", flat=True).first()
        with translation.override(known or spoken_language()):
            return super().render_mail(template_prefix, email, context, headers)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **more: Any
    ) -> None:
        """Nobody is told of a mail where none is sent."""
        if settings.HAS_MAILER or not (message_template or "").endswith(MAIL_IS_COMING):
            super().add_message(request, level, message_template, *args, **more)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        words = {
            "reauthenticate": _("Use your password"),
            "mfa_reauthenticate": _("Use your authenticator app or a recovery code"),
            "mfa_reauthenticate:webauthn": _("Use a passkey"),
        }
        return [
            {**way, "description": words[way["id"]]} for way in super().get_reauthentication_methods(user)
        ]

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        keep_keys(response, user)
        return response


def settle_in(user: User, request: HttpRequest) -> None:
    """A new account speaks the language of the page it was made on, in the browser's time zone."""
    user.language = spoken_language()
    user.time_zone = known_zone(request.POST.get("time_zone", ""))


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The invitation from whose page this visitor comes, while it lets somebody in."""
    token = request.session.get(INVITATION_KEY, "")
    found = invitations.find(token) if token else None
    if found is None:
        return None
    try:
        invitations.refuse_anybody(found, timezone.now())
    except InvitationError:
        return None
    return found


def use_invitation(request: HttpRequest, user: User) -> None:
    """One to the instance makes one account. Safe to repeat."""
    invitation = invitation_of(request)
    if invitation is not None:
        invitations.use_for_sign_up(user, invitation)


def spoken_language() -> str:
    """The language of this request, as one of the portal's."""
    language = (translation.get_language() or "").lower()
    return language if language in dict(LANGUAGES) else settings.LANGUAGE_CODE


def known_zone(name: str) -> str:
    """The named zone, if there is one of that name; else the instance's."""
    return name if name in zoneinfo.available_timezones() else settings.INSTANCE_TIME_ZONE


def keep_keys(response: HttpResponse, user: User) -> None:
    """Tell the browser whether the reader wants keys: the page frame reads it without a query."""
    response.set_cookie(
        KEYS_COOKIE,
        "on" if user.wants_keys else "off",
        max_age=YEAR_SECONDS,
        secure=settings.IS_HTTPS,
        httponly=True,
        samesite="Lax",
    )


def house_rules(request: HttpRequest) -> dict[str, Any]:
    """Context: what the account pages say about signing up and about mail on this instance."""
    return {
        "house": {
            "signup": settings.SIGNUP,
            "has_mailer": settings.HAS_MAILER,
            "has_passkeys": can_have_passkeys(request),
            "has_providers": bool(settings.SOCIALACCOUNT_PROVIDERS),
        }
    }


def can_have_passkeys(request: HttpRequest) -> bool:
    """Browsers keep a passkey for a name, never for an IP address, and only over https or on this machine."""
    host = request.get_host().rpartition(":")[0] or request.get_host()
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return request.is_secure() or host == "localhost"
    return False
