"""What every page of a reader's may show: the meter. Lazy, so that error pages and mails ask nothing."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from scoring.budget import meter_with_forecast, words


def meter(request: HttpRequest) -> dict[str, Any]:
    """`meter`: used, limit, text and url for the header; one query, on first use, once a request."""
    return {"meter": SimpleLazyObject(lambda: _memoised(request))}


def _memoised(request: HttpRequest) -> dict[str, Any] | None:
    kept: dict[str, Any] = vars(request)
    if "budget_meter" not in kept:
        kept["budget_meter"] = _meter(request)
    return kept["budget_meter"]


def _meter(request: HttpRequest) -> dict[str, Any] | None:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    now = timezone.now()
    found = meter_with_forecast(user, now)
    if found is None:
        return None
    figure = found.figure
    gone = words.gone_of(figure.gone, figure.limit)
    text = _("%(gone)s, %(reset)s") % {"gone": gone, "reset": words.resets_in(figure.resets_at - now)}
    if found.forecast:
        text = _("%(said)s: %(forecast)s") % {"said": text, "forecast": found.forecast}
    return {"used": figure.gone, "limit": figure.limit, "text": text, "url": reverse("budget")}
