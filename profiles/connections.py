"""Signing in through somebody else's account system: which are offered, and whom their word is taken for."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.conf import settings
from django.http import HttpRequest

from .accounts import invitation_of, settle_in, use_invitation
from .models import User


class ConnectionAdapter(DefaultSocialAccountAdapter):
    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Those of the settings and no others: a row in the database opens no door."""
        apps = [
            SocialApp(provider=kind, **app)
            for kind, rules in settings.SOCIALACCOUNT_PROVIDERS.items()
            for app in rules["APPS"]
        ]
        return [
            app
            for app in apps
            if provider in {None, app.provider, app.provider_id} and client_id in {None, app.client_id}
        ]

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        """The account of an address that both sides have verified, or none.

        A provider that says "true" in words, or nothing, has not verified it.
        """
        for address in sociallogin.email_addresses:
            address.verified = address.verified is True
        return super().authenticate_by_email(sociallogin)

    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        """Who signed up here with a stranger's address must not be there when the stranger comes."""
        return EmailAddress.objects.filter(email__iexact=email, verified=True).exists()

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whoever was invited signs up with the address of the invitation, and sees a form for it."""
        invitation = invitation_of(request)
        if invitation is None:
            return super().is_auto_signup_allowed(request, sociallogin)
        verified = {address.email.lower() for address in sociallogin.email_addresses if address.verified}
        return verified == {invitation.email.lower()}

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user = super().populate_user(request, sociallogin, data)
        parts = [data.get("first_name"), data.get("last_name")]
        user.name = (data.get("name") or " ".join(part for part in parts if part))[:100]
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        settle_in(sociallogin.user, request)
        saved = super().save_user(request, sociallogin, form)
        use_invitation(request, saved)
        return saved
