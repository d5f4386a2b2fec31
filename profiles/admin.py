"""The operator's view of people: accounts can be made and locked, the rest is read. No private words are shown.

What is done here leaves a line in the audit trail beside the admin's own log.
"""

import uuid
from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from papers.browsing import BriefAdmin, ReadOnlyAdmin, asked_first

from . import audit, invitations, letters, tokens
from .models import (
    ApiToken,
    AuditEvent,
    Invitation,
    Letter,
    Membership,
    Profile,
    Quota,
    QuotaRequest,
    Team,
    TopUp,
    User,
)


class NewUserForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")

    def clean_email(self) -> str:
        """Addresses are one whatever their case: the database says so too."""
        email = self.cleaned_data["email"].lower()
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError(_("Somebody with this mail address has an account already."))
        return email


@admin.register(User)
class ReaderAdmin(UserAdmin):
    show_full_result_count = False
    list_per_page = 50
    add_form = NewUserForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "language", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "language")
    search_fields = ("email", "name")
    readonly_fields = ("public_id", "date_joined", "last_login")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "public_id")}),
        (
            _("Reading"),
            {
                "fields": (
                    "language",
                    "time_zone",
                    "wants_digest",
                    "digest_hour",
                    "wants_alerts",
                    "wants_keys",
                )
            },
        ),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (
            None,
            {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")},
        ),
    )
    actions = ("lock_out", "let_in", "take_factors")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Deleting a row would tear books apart; lock the account instead."""
        return False

    @admin.action(description=_("Lock the chosen accounts"), permissions=["change"])
    @asked_first(_("Lock these accounts?"))
    def lock_out(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Sessions and tokens are dead at once, for both ask whether the account is open. Never one's own."""
        count = self._turn(
            request, chosen.exclude(email=request.user.get_username()), "account.locked", is_active=False
        )
        text = ngettext("%(count)d account is locked.", "%(count)d accounts are locked.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Open the chosen accounts again"), permissions=["change"])
    @asked_first(_("Open these accounts again?"))
    def let_in(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        count = self._turn(request, chosen, "account.opened", is_active=True)
        text = ngettext("%(count)d account is open.", "%(count)d accounts are open.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Take away the second factors of the chosen"), permissions=["change"])
    @asked_first(_("Take away their second factors? Make sure that it is they who ask."))
    def take_factors(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """For somebody who lost their telephone and their recovery codes: the password is then enough."""
        held = Authenticator.objects.filter(user__in=chosen).values_list("user", flat=True).distinct()
        for user in User.objects.filter(pk__in=list(held)):
            Authenticator.objects.filter(user=user).delete()
            _note(request, "account.factor_taken", user.public_id)
            self.log_change(request, user, "account.factor_taken")

    def _turn(self, request: HttpRequest, chosen: QuerySet[User], code: str, *, is_active: bool) -> int:
        changed = list(chosen.filter(is_active=not is_active))
        for user in changed:
            user.is_active = is_active
            user.save(update_fields=["is_active"])
            _note(request, code, user.public_id)
            self.log_change(request, user, code)
        return len(changed)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            _note(request, "account.made", obj.public_id)
            return
        shown = {name for name in form.changed_data if name in RIGHTS}
        told = {name: bool(getattr(obj, name)) for name in shown}
        before = {name: not value for name, value in told.items()}
        others = sorted({PARTS_OF_AN_ACCOUNT.get(name, "settings") for name in form.changed_data} - {""})
        if form.changed_data:
            _note(request, "account.edited", obj.public_id, before=before, after=told | {"changed": others})

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Another's password leaves a line."""
        response = super().user_change_password(request, id, form_url)
        user = User.objects.filter(pk=id).first()
        if request.method == "POST" and response.status_code == 302 and user is not None:
            _note(request, "account.password_given", user.public_id)
        return response


RIGHTS = ("is_active", "is_staff", "is_superuser")
# What of an account is told to have changed; empty: told with its value.
PARTS_OF_AN_ACCOUNT = dict.fromkeys(RIGHTS, "") | {
    "email": "email",
    "name": "name",
    "groups": "rights",
    "user_permissions": "rights",
}


def _note(
    request: HttpRequest,
    code: str,
    subject: uuid.UUID | None,
    *,
    team: Team | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """A line in the trail beside the admin's own log."""
    assert isinstance(request.user, User)
    audit.record(request.user, code, team=team, subject=subject, before=before, after=after)


class MembershipInline(admin.TabularInline):
    """Roles are given on the team's page, where the last owner is kept; here they are only read."""

    model = Membership
    fields = ("user", "role", "joined_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Team)
class TeamAdmin(BriefAdmin):
    list_display = ("name", "slug", "is_personal", "time_zone", "members", "created_at")
    list_filter = ("is_personal",)
    search_fields = ("name", "slug", "memberships__user__email")
    fields = ("name", "slug", "time_zone", "is_personal", "public_id", "created_at", "more")
    readonly_fields = ("slug", "is_personal", "public_id", "created_at", "more")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        return super().get_queryset(request).annotate(member_count=Count("memberships", distinct=True))

    @admin.display(description=_("Members"))
    def members(self, row: Team) -> int:
        return getattr(row, "member_count")  # noqa: B009 (annotated)

    @admin.display(description=_("More of it"))
    def more(self, row: Team) -> SafeString:
        links = [
            self.rows(Profile, _("Profiles"), team__id__exact=row.pk),
            self.rows(Quota, _("Limits"), team__id__exact=row.pk),
            self.rows(TopUp, _("Extra tokens"), team__id__exact=row.pk),
            self.rows(Invitation, _("Invitations"), team__id__exact=row.pk),
        ]
        return format_html_join(" · ", "{}", ((link,) for link in links))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.changed_data:
            before = {name: form.initial[name] for name in form.changed_data if name == "time_zone"}
            after = {name: getattr(obj, name) for name in before}
            others = sorted(set(form.changed_data) - {"time_zone"})
            told = after | ({"changed": others} if others else {})
            _note(request, "team.edited", obj.public_id, team=obj, before=before, after=told)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Who is where; roles are given on the team's page, where the last owner is kept."""

    list_display = ("user", "team", "role", "joined_at")
    list_filter = ("role",)
    list_select_related = ("user", "team")
    search_fields = ("user__email", "team__name", "team__slug")
    fields = ("user", "team", "role", "joined_at", "public_id")


@admin.register(Quota)
class QuotaAdmin(ReadOnlyAdmin):
    """Limits are set on the team's page or by `manage.py budget`, where open windows follow at once."""

    list_display = ("scope", "team", "whose", "period", "limit_tokens", "granted_tokens", "updated_at")
    list_filter = ("scope", "period")
    list_select_related = ("team", "membership__user", "membership__team")
    search_fields = ("team__name", "team__slug", "membership__user__email")
    fields = ("scope", "team", "whose", "period", "limit_tokens", "granted_tokens", "updated_at")

    @admin.display(description=_("Whose"))
    def whose(self, row: Quota) -> SafeString | str:
        return self.link(row.membership) if row.membership_id else "–"


@admin.register(TopUp)
class TopUpAdmin(ReadOnlyAdmin):
    list_display = ("scope", "team", "tokens", "starts_at", "ends_at", "given_by", "revoked_at")
    list_filter = ("scope", "revoked_at")
    list_select_related = ("team", "given_by")
    search_fields = ("team__name", "team__slug", "membership__user__email")
    fields = ("scope", "team", "membership", "tokens", "starts_at", "ends_at", "given_by", "revoked_at")


@admin.register(QuotaRequest)
class QuotaRequestAdmin(ReadOnlyAdmin):
    list_display = ("asked_at", "asked_by", "scope", "team", "period", "tokens", "state", "decided_by")
    list_filter = ("state", "scope")
    list_select_related = ("team", "asked_by__user", "asked_by__team", "decided_by")
    search_fields = ("team__name", "team__slug", "asked_by__user__email")
    fields = (
        "asked_at",
        "asked_by",
        "scope",
        "team",
        "period",
        "tokens",
        "state",
        "decided_at",
        "decided_by",
    )


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = (
        "email",
        "team",
        "role",
        "invited_by",
        "created_at",
        "expires_at",
        "accepted_at",
        "revoked_at",
    )
    list_filter = ("role", "accepted_at", "revoked_at")
    list_select_related = ("team", "invited_by")
    search_fields = ("email", "team__name", "team__slug")
    fields = ("email", "team", "role", "invited_by", "created_at", "expires_at", "accepted_at", "revoked_at")
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("profiles.change_invitation")

    @admin.action(description=_("Revoke the chosen invitations to this instance"), permissions=["revoke"])
    @asked_first(_("Revoke these invitations? Those to a team are its own admins’."))
    def revoke(self, request: HttpRequest, chosen: QuerySet[Invitation]) -> None:
        assert isinstance(request.user, User)
        keys = list(chosen.values_list("pk", flat=True))
        for invitation in Invitation.objects.open().filter(pk__in=keys, team=None):
            invitations.revoke(request.user, invitation)
            self.log_change(request, invitation, "invitation.revoked")


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    """Which mails are owed and what became of them; what they say is their reader's."""

    list_display = ("queued_at", "code", "whom", "state", "attempts", "not_before", "ended_at", "problem")
    list_filter = ("state", "code")
    list_select_related = ("user",)
    search_fields = ("user__email", "address")
    fields = (
        "queued_at",
        "code",
        "whom",
        "language",
        "state",
        "attempts",
        "not_before",
        "ended_at",
        "problem",
    )
    actions = ("retry",)

    @admin.display(description=_("To whom"))
    def whom(self, row: Letter) -> SafeString | str:
        return self.link(row.user) if row.user_id else row.address

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("profiles.change_letter")

    @admin.action(description=_("Send the refused ones of the chosen again"), permissions=["retry"])
    @asked_first(_("Send these letters again?"))
    def retry(self, request: HttpRequest, chosen: QuerySet[Letter]) -> None:
        """Only what was certainly not sent: what is unknown might arrive twice."""
        count = letters.retry(chosen)
        _note(request, "letters.retried", None, after={"count": count})
        text = ngettext("%(count)d letter is queued again.", "%(count)d letters are queued again.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    """What a profile costs and where it stands; what it says is its owner's business."""

    list_display = ("public_id", "team", "owner", "is_paused", "archived_at", "created_at")
    list_filter = ("is_paused", "archived_at")
    list_select_related = ("team", "owner")
    search_fields = ("public_id", "owner__email", "team__name")
    fields = (
        "public_id",
        "team",
        "owner",
        "categories",
        "cross_lists",
        "target_recall",
        "is_paused",
        "archived_at",
        "created_at",
        "updated_at",
    )


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ("name", "user", "can_write", "created_at", "last_used_at", "revoked_at")
    list_filter = ("can_write", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "name")
    fields = ("name", "user", "can_write", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("profiles.change_apitoken")

    @admin.action(description=_("Revoke the chosen tokens"), permissions=["revoke"])
    @asked_first(_("Revoke these tokens? Whoever uses one is refused at once."))
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        assert isinstance(request.user, User)
        for token in chosen.select_related("user"):
            tokens.revoke(token, request.user)
            self.log_change(request, token, "token.revoked")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The rows as they are; in words, with names, they stand at /operator/audit/."""

    list_display = ("at", "code", "actor_key", "team_key", "subject_key", "door")
    list_filter = ("door", "code")
    search_fields = ("actor_key", "team_key", "subject_key", "code")
    search_help_text = _("In words and with names: the audit trail of the instance.")
    ordering = ("-at", "-id")
