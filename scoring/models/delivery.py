"""What leaves the house, and when work is due."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from profiles.models import User


class OutboxMail(models.Model):
    """The digest of one reader's day: claimed once, then sent, refused or unknown. Unknown is never resent."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        CLAIMED = "claimed", _("being sent")
        SENT = "sent", _("sent")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    batch = models.PositiveSmallIntegerField(default=1)
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
        constraints = [
            models.UniqueConstraint(fields=["user", "day", "batch"], name="one_digest_a_reader_and_day"),
        ]
        indexes = [models.Index(fields=["state", "not_before"], name="outbox_due")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.day} {self.state}"


class Slot(models.Model):
    """One due time of the schedule, inserted by whoever comes first: two beats are harmless."""

    name = models.CharField(max_length=60)
    due_at = models.DateTimeField()
    taken_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "due_at"], name="each_slot_runs_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.due_at:%Y-%m-%d %H:%M}"
