"""How the pages look to this browser: its icon; theme, keys and language, kept in cookies, without an account."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from profiles.models import User

DAY_SECONDS = 24 * 3600
YEAR_SECONDS = 365 * DAY_SECONDS
CHOICES = {
    "theme": {"light", "dark", "auto"},
    "keys": {"on", "off"},
    "language": {code for code, _ in settings.LANGUAGES},
}


@login_not_required
@require_safe
@cache_control(public=True, max_age=DAY_SECONDS)
def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """The icon, where a browser looks for it when what it shows names none: JSON, feeds, the schema."""
    return HttpResponseRedirect(static("portal/icons/broadsheet.svg"))


@login_not_required
@require_POST
def set_appearance(request: HttpRequest) -> HttpResponseRedirect:
    """Keep each choice that was posted and go back to the page it came from; an unknown value is ignored."""
    response = HttpResponseRedirect(way_back(request))
    for name, allowed in CHOICES.items():
        chosen = request.POST.get(name, "")
        if chosen in allowed:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME if name == "language" else name,
                chosen,
                max_age=YEAR_SECONDS,
                secure=settings.IS_HTTPS,
                httponly=True,
                samesite="Lax",
            )
    if request.user.is_authenticated:
        remember(request.user, request.POST.get("language", ""), request.POST.get("keys", ""))
    return response


def remember(user: User, language: str, keys: str) -> None:
    """Language and keys follow a reader to every browser; the theme is this one's."""
    if language in CHOICES["language"]:
        user.language = language
    if keys in CHOICES["keys"]:
        user.wants_keys = keys == "on"
    user.save(update_fields=["language", "wants_keys"])


def way_back(request: HttpRequest) -> str:
    """The address in `next`, if it is one of ours; else the front page."""
    address = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if ours else "/"
