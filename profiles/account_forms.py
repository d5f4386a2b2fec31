"""Allauth's sign-up forms, which know whom an invitation is for."""

from typing import Any

from allauth.account.forms import SignupForm as AccountSignupForm
from allauth.core import context
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from allauth.socialaccount.forms import SignupForm as SocialSignupForm
from django import forms
from django.utils.translation import gettext_lazy as _

from .accounts import invitation_of


class SignupForm(AccountSignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fill_in_the_invited_address(self)


class ConnectionSignupForm(SocialSignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fill_in_the_invited_address(self)


def fill_in_the_invited_address(form: forms.Form) -> None:
    """The address stands there and stays; the adapter refuses another one."""
    invitation = invitation_of(context.request)
    if invitation is not None:
        form.initial["email"] = form.fields["email"].initial = invitation.email
        form.fields["email"].widget.attrs["readonly"] = True


class PasskeyForm(AddWebAuthnForm):
    """A passkey that also replaces the password, unless its owner says otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
        self.fields["name"].help_text = _("So that you tell it from others: the device, or what it hangs on.")
        field = self.fields["passwordless"]
        field.initial = True
        field.label = _("Sign in with it without a password")
        field.help_text = _(
            "It then asks for your finger, your face or its PIN. Otherwise it only follows a password."
        )


class PasskeyNameForm(EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
