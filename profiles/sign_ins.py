"""What happens to an account itself goes into the audit trail. Allauth's signals are the only hook it has for it.

Codes name what changed and never the secret, the address or the device: `account.signed_in`,
`account.password_changed`, `account.factor_added` and so on, the person being both who did it and whom it
concerns.
"""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.socialaccount import signals as social
from django.dispatch import Signal

from . import audit
from .models import User

CODES: dict[Signal, str] = {
    account.user_signed_up: "account.signed_up",
    account.user_logged_in: "account.signed_in",
    account.password_set: "account.password_set",
    account.password_changed: "account.password_changed",
    account.password_reset: "account.password_reset",
    account.email_confirmed: "account.mail_confirmed",
    account.email_changed: "account.mail_changed",
    account.email_added: "account.mail_added",
    account.email_removed: "account.mail_removed",
    mfa.authenticator_added: "account.factor_added",
    mfa.authenticator_removed: "account.factor_removed",
    mfa.authenticator_reset: "account.factor_reset",
    social.social_account_added: "account.connected",
    social.social_account_removed: "account.disconnected",
}


def listen() -> None:
    """Called once, where the portal is wired. Safe to repeat."""
    for signal, code in CODES.items():
        signal.connect(write_down, dispatch_uid=code)


def write_down(signal: Signal, **told: Any) -> None:
    user = person_of(told)
    audit.record(user, CODES[signal], subject=user.public_id, after=details_of(told))


def person_of(told: dict[str, Any]) -> User:
    if "user" in told:
        return told["user"]
    if "email_address" in told:
        return told["email_address"].user
    return (told.get("sociallogin") or told["socialaccount"]).user


def details_of(told: dict[str, Any]) -> dict[str, str]:
    """The kind of a factor, or which provider: codes."""
    details = {}
    if "authenticator" in told:
        details["factor"] = str(told["authenticator"].type)
    if "sociallogin" in told:
        details["provider"] = told["sociallogin"].account.provider
    if "socialaccount" in told:
        details["provider"] = told["socialaccount"].provider
    return details
