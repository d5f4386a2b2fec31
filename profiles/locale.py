"""Pages in the reader's own language and time zone, on whatever browser they sign in."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation


class ReaderLocaleMiddleware:
    """Stands after authentication. A visitor keeps what the cookie or the browser asks for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        translation.activate(user.language)
        request.LANGUAGE_CODE = translation.get_language()
        try:
            zone = user.zone
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            # A zone that a later tzdata dropped must not lock its reader out.
            zone = zoneinfo.ZoneInfo("UTC")
        with timezone.override(zone):
            return self.get_response(request)
