"""What one is told: the list, and leaving the letters by one click from a mail (RFC 8058)."""

import uuid

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from profiles import letters, notices
from profiles.access import ReaderRequest
from profiles.models import Notice

SHOWN = 100


@require_GET
def notice_list(request: ReaderRequest) -> HttpResponse:
    """The newest notices, in the reader's language; looking at them marks nothing."""
    found = notices.told(Notice.objects.of(request.user).order_by("-at", "-pk")[:SHOWN])
    context = {"told": found, "is_any_new": any(each.notice.seen_at is None for each in found)}
    return render(request, "profiles/notices.html", context)


@require_POST
def all_seen(request: ReaderRequest) -> HttpResponse:
    notices.see_all(request.user, timezone.now())
    return redirect("notices")


@require_POST
def seen(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """Put one notice away and stay where it stood."""
    notices.see(get_object_or_404(Notice, user=request.user, public_id=public_id), timezone.now())
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if is_ours else "notices")


@login_not_required
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def letters_off(request: HttpRequest, token: str) -> HttpResponse:
    """POST ends the letters; GET only asks, since mail scanners open every address. A forged token is a 404."""
    user = letters.user_of_token(token)
    if user is None:
        raise Http404
    is_done = request.method == "POST"
    if is_done:
        letters.unsubscribe(user)
    return render(request, "profiles/letters_off.html", {"is_done": is_done})
