"""What every page of a reader's may show: the meter, and how much they were told. Lazy, so that error pages and mails ask nothing."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import gettext as _

from profiles.models import Notice, User
from profiles.notices import Told, told
from scoring.budget import Meter, meter_with_forecast, words

NEWEST = 20


def meter(request: HttpRequest) -> dict[str, Any]:
    """`meter` (used, limit, text, url) and `news` for the header; one query, on first use, once a request."""
    return {
        "meter": SimpleLazyObject(lambda: _memoised(request).meter),
        "news": SimpleLazyObject(lambda: _memoised(request).news),
    }


class News:
    """What a reader was told and has not seen: `unseen` of them, and the newest that is urgent."""

    def __init__(self, user: User, unseen: int) -> None:
        self._user = user
        self.unseen = unseen
        self.url = reverse("notices")

    @cached_property
    def banner(self) -> Told | None:
        """Asked for only where something is unseen."""
        if not self.unseen:
            return None
        newest = Notice.objects.of(self._user).unseen().order_by("-at", "-pk")[:NEWEST]
        return next((each for each in told(newest) if each.words.is_urgent), None)


@dataclass(frozen=True)
class Header:
    meter: dict[str, Any] | None = None
    news: News | None = None


def _memoised(request: HttpRequest) -> Header:
    kept: dict[str, Any] = vars(request)
    if "reader_header" not in kept:
        kept["reader_header"] = _header(request)
    return kept["reader_header"]


def _header(request: HttpRequest) -> Header:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return Header()
    now = timezone.now()
    found = meter_with_forecast(user, now)
    if found is None:  # who spends nothing has no meter, but may be told something
        return Header(None, News(user, Notice.objects.of(user).unseen().count()))
    return Header(_shown(found, now), News(user, found.unseen))


def _shown(found: Meter, now: dt.datetime) -> dict[str, Any]:
    figure = found.figure
    gone = words.gone_of(figure.gone, figure.limit)
    text = _("%(gone)s, %(reset)s") % {"gone": gone, "reset": words.resets_in(figure.resets_at - now)}
    if found.forecast:
        text = _("%(said)s: %(forecast)s") % {"said": text, "forecast": found.forecast}
    return {"used": figure.gone, "limit": figure.limit, "text": text, "url": reverse("budget")}
