"""What leaves the house, and when work is due."""

from django.db import models
from django.utils import timezone

from profiles.models import OwedMail, User


class OutboxMail(OwedMail):
    """The digest of one reader's day."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    batch = models.PositiveSmallIntegerField(default=1)

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
