"""The last word on an error: a database or a Redis that does not answer is a 503 with a date to come back, not a 500."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from redis.exceptions import RedisError

RETRY_SECONDS = "5"


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Renders without the request, for a session cannot be read now."""
    if isinstance(sys.exception(), OperationalError | InterfaceError | RedisError):
        page = render_to_string("503.html")
        return HttpResponse(page, status=503, headers={"Retry-After": RETRY_SECONDS})
    return HttpResponse(render_to_string("500.html"), status=500)
