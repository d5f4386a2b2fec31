"""The operator's view of people: accounts can be made and locked, trails only read. No private words are shown."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import tokens
from .models import ApiToken, AuditEvent, Membership, Profile, Team, User


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
    actions = ("lock_out", "let_in")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Deleting a row would tear books apart; lock the account instead."""
        return False

    @admin.action(description=_("Lock the chosen accounts"))
    def lock_out(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        count = chosen.exclude(email=request.user.get_username()).update(is_active=False)
        text = ngettext("%(count)d account is locked.", "%(count)d accounts are locked.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Open the chosen accounts again"))
    def let_in(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        count = chosen.update(is_active=True)
        text = ngettext("%(count)d account is open.", "%(count)d accounts are open.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


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
class TeamAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "is_personal", "time_zone", "created_at")
    list_filter = ("is_personal",)
    search_fields = ("name", "slug", "memberships__user__email")
    fields = ("name", "slug", "time_zone", "is_personal", "public_id", "created_at")
    readonly_fields = ("slug", "is_personal", "public_id", "created_at")
    inlines = (MembershipInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


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
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        for token in chosen.select_related("user"):
            tokens.revoke(token)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "code", "actor_key", "team_key", "subject_key")
    list_filter = ("code",)
    search_fields = ("actor_key", "team_key", "subject_key", "code")
    date_hierarchy = "at"
