"""Where a form without JavaScript leads back to."""

from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from profiles.access import ReaderRequest


def way_back(request: ReaderRequest) -> str:
    """The page the form stood on, if it is one of ours; else the newest day."""
    address = request.POST.get("next") or request.headers.get("referer", "")
    ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if ours else reverse("today")
