"""Nobody of whom a second factor is asked gets anywhere before they have one."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import ResolverMatch
from django_htmx.http import HttpResponseClientRedirect

from .second_factor import lacks_second_factor, request_for_one

# What leads to a second factor, and the ways out. Setting one up may ask for the password, or for a verified mail.
OPEN = {"account_logout", "account_reauthenticate", "account_email", "account_email_verification_sent"}
OPEN |= {"account_confirm_email", "account_set_password", "appearance", "healthz", "readyz"}
OPEN_PREFIXES = ("mfa_",)


class SecondFactorMiddleware:
    """Pages lead to where it is set up; the API, asked with a session, says so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        user = request.user
        match = request.resolver_match
        if not user.is_authenticated or match is None or is_open(match) or not lacks_second_factor(user):
            return None
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": request_for_one(), "code": "second_factor_required"}, status=403)
        if request.headers.get("HX-Request") == "true":
            return HttpResponseClientRedirect("/account/2fa/")
        messages.warning(request, request_for_one())
        return redirect("mfa_index")


def is_open(match: ResolverMatch) -> bool:
    name = match.url_name or ""
    return not match.namespaces and (name in OPEN or name.startswith(OPEN_PREFIXES))
