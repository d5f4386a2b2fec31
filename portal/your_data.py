"""The page on which readers take their data, or delete their account: both ask who is there once more."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from portal import leaving
from profiles.access import ReaderRequest
from profiles.leaving import NotHandedOver
from profiles.models import User


class DeleteForm(forms.Form):
    """One's own mail address, typed: nobody deletes themselves by a slip."""

    email = forms.CharField(
        label=gettext_lazy("Your mail address"),
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        typed = self.cleaned_data["email"].strip().lower()
        if typed != self.user.email.lower():
            raise forms.ValidationError(_("This is not the mail address of this account."))
        return typed


@require_GET
@reauthentication_required
def your_data(request: ReaderRequest) -> HttpResponse:
    return _show(request, DeleteForm(user=request.user))


@require_POST
@reauthentication_required
def take_data(request: ReaderRequest) -> HttpResponse | FileResponse:
    """The archive. A POST, for it is read once and by nobody's link."""
    now = timezone.now()
    name = f"broadsheet-{now:%Y-%m-%d}.zip"
    archive = leaving.export(request.user, now)
    response = FileResponse(archive, as_attachment=True, filename=name, content_type="application/zip")
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@reauthentication_required
def delete_account(request: ReaderRequest) -> HttpResponse:
    form = DeleteForm(request.POST, user=request.user)
    if not form.is_valid():
        return _show(request, form, status=422)
    try:
        leaving.forget(request.user)
    except NotHandedOver as error:
        form.add_error(None, str(error))
        return _show(request, form, status=409)
    request.session.flush()
    request.user = AnonymousUser()  # type: ignore[assignment]
    messages.success(request, _("Your account and your data are deleted."))
    return redirect("account_login")


def _show(request: ReaderRequest, form: DeleteForm, status: int = 200) -> HttpResponse:
    return render(request, "portal/your_data.html", {"form": form}, status=status)
