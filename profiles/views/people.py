"""Pages about oneself: settings and tokens to the API."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from profiles import tokens
from profiles.access import ReaderRequest
from profiles.accounts import keep_keys
from profiles.forms import SettingsForm, TokenForm
from profiles.models import ApiToken
from profiles.once import once


@require_http_methods(["GET", "POST"])
def account_settings(request: ReaderRequest) -> HttpResponse:
    form = SettingsForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your settings are saved."))
        response = redirect("account_settings")
        keep_keys(response, request.user)
        return response
    return render(request, "profiles/settings.html", {"form": form})


@require_http_methods(["GET", "POST"])
def api_tokens(request: ReaderRequest) -> HttpResponse:
    """List one's tokens; a new one's secret is on the answer to the POST and nowhere else."""
    form = TokenForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        secret = _issue_once(request, form)
        if not secret:
            messages.warning(
                request,
                _("This token was made already, and its secret shown. If you lost it, revoke the token."),
            )
            return redirect("api_tokens")
        form = TokenForm()
    context = {"form": form, "secret": secret, "tokens": tokens.live(request.user)}
    response = render(request, "profiles/tokens.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _issue_once(request: ReaderRequest, form: TokenForm) -> str:
    """The secret of a new token; nothing if this form has made its token already."""
    secrets: list[str] = []

    def issue() -> str:
        token, secret = tokens.issue(
            request.user, form.cleaned_data["name"], can_write=form.cleaned_data["can_write"]
        )
        secrets.append(secret)
        return str(token.public_id)

    once(request.user, form.cleaned_data["once"], issue)
    return "".join(secrets)


@require_POST
def revoke_token(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    token = get_object_or_404(ApiToken, user=request.user, public_id=public_id)
    tokens.revoke(token)
    messages.success(request, _("The token %(name)s is revoked.") % {"name": token.name})
    return redirect("api_tokens")
