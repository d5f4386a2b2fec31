"""Secrets at rest: sealed with the first of FIELD_KEYS, opened with any of them, which is how keys rotate."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def seal(text: str) -> str:
    return _ring().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises cryptography.fernet.InvalidToken for what none of FIELD_KEYS sealed."""
    return _ring().decrypt(sealed.encode()).decode()


def _ring() -> MultiFernet:
    return MultiFernet([Fernet(_fernet_key(text)) for text in settings.FIELD_KEYS])


def _fernet_key(text: str) -> bytes:
    """A key that is no Fernet key is made one by hashing."""
    try:
        if len(base64.urlsafe_b64decode(text)) == 32:
            return text.encode()
    except ValueError:
        pass
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
