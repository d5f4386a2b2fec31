"""What the portal tells people: in the app, and by mail. Both are stored as a code with parameters."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .people import User


class NoticeQuerySet(models.QuerySet["Notice"]):
    def of(self, user: User) -> "NoticeQuerySet":
        return self.filter(user=user)

    def unseen(self) -> "NoticeQuerySet":
        return self.filter(seen_at=None)


class Notice(models.Model):
    """One thing told to one reader in the app; rendered in the language in which they look at it.

    `key` makes it once only: a second notice of the same key is the first.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    key = models.CharField(max_length=120)
    code = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="told_once")]
        indexes = [models.Index(fields=["user", "seen_at", "-at"], name="notice_unseen")]

    def __str__(self) -> str:
        return f"{self.code} to {self.user_id}"


class OwedMail(models.Model):
    """A mail that is owed: claimed once, then sent, refused or unknown. Unknown is never sent again.

    `profiles.outbox` moves every such table from state to state.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        CLAIMED = "claimed", _("being sent")
        SENT = "sent", _("sent")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")

    state = models.CharField(max_length=7, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(
        default=timezone.now,
        help_text=_("Queued: not sent before this instant. Claimed: the end of the lease."),
    )
    problem = models.TextField(default="", blank=True)
    queued_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class Letter(OwedMail):
    """A mail about teams and budgets: to a reader, or to an address without an account (an invitation).

    `key` makes it once only. What is said is made of `code` and `params` when it is sent, in the reader's
    language (`language` without a reader).
    """

    key = models.CharField(max_length=160, unique=True)
    code = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    address = models.EmailField(blank=True, default="")
    language = models.CharField(max_length=10, default="en")

    class Meta:
        indexes = [models.Index(fields=["state", "not_before"], name="letter_due")]

    def __str__(self) -> str:
        return f"{self.key} {self.state}"
