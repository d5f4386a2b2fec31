"""Providers' keys at rest: encrypted, bound to their row, and never shown again but for their end."""

import json
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from django.db import transaction

from profiles import sealing
from scoring.models import Provider


class KeyUnreadable(Exception):
    """A stored key was written for another owner, or with a FIELD_KEY that is gone."""


def set_key(provider: Provider, api_key: str) -> None:
    """Store the key, encrypted for this row. An empty one is stored as none."""
    provider.api_key_encrypted, provider.api_key_last_four = "", ""
    if api_key:
        plain = json.dumps({"owner": str(provider.public_id), "key": api_key})
        provider.api_key_encrypted = sealing.seal(plain)
        provider.api_key_last_four = api_key[-4:] if len(api_key) >= 12 else ""
    provider.save(update_fields=["api_key_encrypted", "api_key_last_four"])


def key_of(provider: Provider, *, unreadable: str | None = None) -> str:
    """The key in clear, to be used and never shown. Raises KeyUnreadable, or returns `unreadable` if given."""
    if not provider.api_key_encrypted:
        return ""
    try:
        plain = json.loads(sealing.unseal(provider.api_key_encrypted))
    except InvalidToken:
        plain = {}
    if plain.get("owner") == str(provider.public_id):
        return str(plain["key"])
    if unreadable is not None:
        return unreadable
    raise KeyUnreadable(f"the key of provider {provider.public_id} cannot be read")


@dataclass(frozen=True)
class Rotation:
    """What a rotation did; `unreadable` are the providers whose key must be typed again."""

    rotated: int
    unreadable: tuple[Provider, ...]


def rotate() -> Rotation:
    """Encrypt every key anew with the first of FIELD_KEYS, so that the others may be taken away. Safe to repeat."""
    rotated, unreadable = 0, []
    for pk in Provider.objects.exclude(api_key_encrypted="").order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            provider = Provider.objects.select_for_update().filter(pk=pk).first()
            if provider is None:
                continue
            try:
                set_key(provider, key_of(provider))
            except KeyUnreadable:
                unreadable.append(provider)
            else:
                rotated += 1
    return Rotation(rotated, tuple(unreadable))


def with_unreadable_keys() -> list[Provider]:
    """The providers in use whose key cannot be read with the FIELD_KEYS as they are."""
    stored = Provider.objects.filter(is_active=True).exclude(api_key_encrypted="").order_by("pk")
    return [each for each in stored if not is_key_readable(each)]


def is_key_readable(provider: Provider) -> bool:
    try:
        key_of(provider)
    except KeyUnreadable:
        return False
    return True
