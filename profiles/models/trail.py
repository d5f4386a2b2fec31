"""Who did what: keys and codes that only grow, and beside them what names a person and can be erased."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Door(models.TextChoices):
    """Through which door a deed came in."""

    PAGE = "page", _("page")
    API = "api", _("API")
    ADMIN = "admin", _("administration")
    COMMAND = "command", _("command line")


class AuditEvent(models.Model):
    """Who did what, append-only: the database refuses to change or delete a row (`profiles.growing`).

    Holds keys and codes; what names a person stands in AuditPerson, and from where they came in AuditOrigin.
    """

    at = models.DateTimeField(default=timezone.now)
    actor_key = models.UUIDField(help_text=_("The user's public_id, or the nil UUID for the system."))
    team_key = models.UUIDField(null=True)
    subject_key = models.UUIDField(null=True)
    code = models.CharField(max_length=40)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    door = models.CharField(
        max_length=7, choices=Door, blank=True, default="", help_text=_("Empty for the system's own deeds.")
    )
    token_key = models.UUIDField(null=True, help_text=_("The public_id of the API token that was used."))

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["actor_key", "-at", "-id"], name="audit_who"),
            models.Index(fields=["subject_key", "-at", "-id"], name="audit_whom"),
            models.Index(fields=["code", "-at", "-id"], name="audit_what"),
            models.Index(fields=["team_key", "-at", "-id"], name="audit_team_newest"),
            models.Index(fields=["team_key", "actor_key", "-at", "-id"], name="audit_team_who"),
            models.Index(fields=["team_key", "subject_key", "-at", "-id"], name="audit_team_whom"),
            models.Index(fields=["team_key", "code", "-at", "-id"], name="audit_team_what"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.code}"


class AuditPerson(models.Model):
    """The erasable side of the audit trail: who a key was. Deleted with the person."""

    key = models.UUIDField(unique=True)
    name = models.CharField(max_length=254)

    def __str__(self) -> str:
        return self.name


class AuditOrigin(models.Model):
    """The erasable side of the audit trail: from where somebody acted. Deleted with the person."""

    event = models.OneToOneField(AuditEvent, on_delete=models.DO_NOTHING, related_name="origin")
    actor_key = models.UUIDField(db_index=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True, default="")

    def __str__(self) -> str:
        return str(self.ip)
