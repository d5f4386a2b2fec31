"""Providers' keys at rest: encrypted, bound to their row, and never shown again but for their end."""

import base64
import hashlib
import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from scoring.models import Provider


class KeyUnreadable(Exception):
    """A stored key was written for another owner, or with a FIELD_KEY that is gone."""


def set_key(provider: Provider, api_key: str) -> None:
    """Store the key, encrypted for this row. An empty one is stored as none."""
    provider.api_key_encrypted, provider.api_key_last_four = "", ""
    if api_key:
        plain = json.dumps({"owner": str(provider.public_id), "key": api_key})
        provider.api_key_encrypted = _ring().encrypt(plain.encode()).decode()
        provider.api_key_last_four = api_key[-4:] if len(api_key) >= 12 else ""
    provider.save(update_fields=["api_key_encrypted", "api_key_last_four"])


def key_of(provider: Provider, *, unreadable: str | None = None) -> str:
    """The key in clear, to be used and never shown. Raises KeyUnreadable, or returns `unreadable` if given."""
    if not provider.api_key_encrypted:
        return ""
    try:
        plain = json.loads(_ring().decrypt(provider.api_key_encrypted.encode()))
    except InvalidToken:
        plain = {}
    if plain.get("owner") == str(provider.public_id):
        return str(plain["key"])
    if unreadable is not None:
        return unreadable
    raise KeyUnreadable(f"the key of provider {provider.public_id} cannot be read")


def _ring() -> MultiFernet:
    """The first of FIELD_KEYS encrypts, all decrypt; a key that is no Fernet key is made one by hashing."""
    return MultiFernet([Fernet(_fernet_key(text)) for text in settings.FIELD_KEYS])


def _fernet_key(text: str) -> bytes:
    try:
        if len(base64.urlsafe_b64decode(text)) == 32:
            return text.encode()
    except ValueError:
        pass
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
