"""What readers did with papers."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from papers.models import Paper

from .people import User
from .profiles import Profile


class MarkQuerySet(models.QuerySet["Mark"]):
    def of(self, user: User) -> "MarkQuerySet":
        return self.filter(user=user)


class Mark(models.Model):
    """What one reader did with a paper. Nobody else sees it."""

    class Kind(models.TextChoices):
        READ = "read", _("read")
        SAVED = "saved", _("saved")
        DISMISSED = "dismissed", _("dismissed")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="marks")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=9, choices=Kind)
    marked_at = models.DateTimeField(default=timezone.now)

    objects = MarkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "paper", "kind"], name="marked_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.paper_id}"


class Vote(models.Model):
    """Up (+1) or down (-1): trains that profile. In a team profile each member has one vote."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="votes")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="votes")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="+")
    direction = models.SmallIntegerField()
    voted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "profile", "paper"], name="one_vote_a_reader"),
            models.CheckConstraint(condition=Q(direction__in=[-1, 1]), name="a_vote_is_up_or_down"),
        ]

    def __str__(self) -> str:
        return f"{self.direction:+d} {self.paper_id}"
