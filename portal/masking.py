"""FACTS. Which addresses carry a secret, and a log line without it.

Request lines name the path, and Django names it again for every 404. Whoever reads a log must not be able to
accept an invitation, read a feed, end a digest or set a password.
"""

import re
from collections.abc import MutableMapping
from typing import Any

SECRET_PATHS = re.compile(
    r"(/(?:invitations|f|digest/off|letters/off|requests/letter|account/confirm-email|account/password/reset/key)/)"
    r"(?!done/)[^/\s?&\"'%]+"
)
# The same inside a query, such as ?next=%2Finvitations%2FTOKEN%2F.
SECRET_QUERIES = re.compile(r"((?:%2F|/)(?:invitations|f)(?:%2F|/))[\w-]{8,}", re.IGNORECASE)
MASK = "…"


def masked(text: str) -> str:
    return SECRET_QUERIES.sub(rf"\1{MASK}", SECRET_PATHS.sub(rf"\1{MASK}", text))


def mask_secrets(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: every text of the line, without tokens."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = masked(value)
    return event
