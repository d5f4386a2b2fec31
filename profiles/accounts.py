"""Allauth's adapter: who may sign up, and what an account starts with."""

import zoneinfo
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation

from .models import LANGUAGES, User

KEYS_COOKIE = "keys"
YEAR_SECONDS = 365 * 24 * 3600


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.SIGNUP == "open"

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """A new account speaks the language of the page it was made on, in the browser's time zone."""
        user.language = spoken_language()
        user.time_zone = known_zone(request.POST.get("time_zone", ""))
        return super().save_user(request, user, form, commit=commit)

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """Straight to what a newcomer needs next: a profile."""
        return reverse("profile_new")

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        keep_keys(response, user)
        return response


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
    return {"house": {"signup": settings.SIGNUP, "has_mailer": settings.HAS_MAILER}}
