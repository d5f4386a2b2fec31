"""A form that was sent, so that sending it again does nothing more."""

from django.db import models
from django.utils import timezone

from .people import User


class SentForm(models.Model):
    """The random key of one form that one person was shown; its row is the right to the form's effect."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sent_forms")
    key = models.UUIDField()
    outcome = models.CharField(max_length=200, blank=True, default="")
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_effect_a_form")]

    def __str__(self) -> str:
        return f"{self.key} {self.outcome}"
