"""Out of the portal to a sign-in provider, under a policy that lets no form lead away from it.

A browser holds `form-action 'self'` against every redirect that follows a posted form, also against those that
a provider makes to its own next host, which no setting can know. So the answer to the form is a page of ours,
and the page goes on.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from requests import RequestException


class OnwardMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (
            request.method == "POST"
            and response.status_code == 302
            and leads_away(response["Location"], request)
        ):
            page = render(request, "account/onward.html", {"onward": response["Location"]})
            page["Cache-Control"] = "no-store"
            return page
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A provider that cannot be reached is no fault of ours, and nobody is signed in."""
        if isinstance(error, RequestException):
            return render(request, "socialaccount/authentication_error.html", status=502)
        return None


def leads_away(address: str, request: HttpRequest) -> bool:
    return urlsplit(address).netloc not in {"", request.get_host()}
