"""Leaving the digest by one click, from a mail, without signing in (RFC 8058)."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from scoring import digest


@login_not_required
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def digest_off(request: HttpRequest, token: str) -> HttpResponse:
    """POST ends the digest; GET only asks, since mail scanners open every address. A forged token is a 404."""
    user = digest.user_of_token(token)
    if user is None:
        raise Http404
    is_done = request.method == "POST"
    if is_done:
        digest.unsubscribe(user)
    return render(request, "scoring/digest_off.html", {"is_done": is_done})
