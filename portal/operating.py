"""What of other packages the operator may look at in the admin: nothing that is a secret, nothing to tear apart."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin

from papers.browsing import ReadOnlyAdmin

# Seeds of second factors, keys of providers, tokens; and what a person does at their own pages.
HIDDEN = (Authenticator, SocialAccount, SocialApp, SocialToken, UserSession, EmailAddress)


class EmailAddressAdmin(ReadOnlyAdmin):
    """Which addresses an account has, and whether it proved them: for whoever cannot sign in."""

    list_display = ("email", "user", "primary", "verified")
    list_filter = ("primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email", "user__email")
    fields = ("email", "user", "primary", "verified")


def tidy(site: admin.AdminSite) -> None:
    """Take away what other packages registered, and give back what is useful. Safe to repeat."""
    for model in HIDDEN:
        if site.is_registered(model):
            site.unregister(model)
    site.register(EmailAddress, EmailAddressAdmin)
