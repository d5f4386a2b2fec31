"""Keys to the API: 256 bits, shown once, stored as SHA-256, revocable."""

import datetime as dt
import hashlib
import secrets

from django.utils import timezone

from . import audit
from .models import ApiToken, User

PREFIX = "bs_"
# Last use is kept to the minute: a script that asks ten times a second must not write ten times.
LAST_USE_GRAIN = dt.timedelta(minutes=1)


def issue(user: User, name: str, *, can_write: bool) -> tuple[ApiToken, str]:
    """A new token and its secret, which nobody can read again."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(user=user, name=name, sha256=_digest(secret), can_write=can_write)
    audit.record(user, "token.issued", subject=token.public_id, after={"can_write": can_write})
    return token, secret


def find(secret: str, now: dt.datetime) -> ApiToken | None:
    """The live token of that secret, its use recorded; None for one that is unknown, revoked or locked out."""
    token = (
        ApiToken.objects.select_related("user")
        .filter(sha256=_digest(secret), revoked_at=None, user__is_active=True)
        .first()
    )
    if token is not None and (token.last_used_at is None or now - token.last_used_at >= LAST_USE_GRAIN):
        token.last_used_at = now
        token.save(update_fields=["last_used_at"])
    return token


def revoke(token: ApiToken, actor: User | None = None) -> None:
    """Dead from the next request on, by its owner unless another acts. Safe to repeat."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record(actor or token.user, "token.revoked", subject=token.public_id)


def live(user: User) -> list[ApiToken]:
    return list(ApiToken.objects.filter(user=user, revoked_at=None).order_by("-created_at"))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
