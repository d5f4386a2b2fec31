"""FACT. The signed token in a mail that ends one kind of mail for one reader, and does nothing else.

`kind` is part of what is signed: the token of one kind of mail ends no other.
"""

from django.core import signing

from .models import User


def token_of(kind: str, user: User) -> str:
    return signing.Signer(salt=kind).sign(str(user.public_id))


def user_of(kind: str, token: str) -> User | None:
    """Whose token it is; None for one that we did not sign for this kind, or whose user is gone."""
    try:
        public_id = signing.Signer(salt=kind).unsign(token)
    except signing.BadSignature:
        return None
    return User.objects.filter(public_id=public_id).first()
