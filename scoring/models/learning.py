"""What the instance and each profile have learned, so that a model need not read everything."""

from django.db import models
from django.utils import timezone

from profiles.models import Profile


class Directions(models.Model):
    """A basis fitted on the papers of this instance (`scoring.screening.basis`). The newest is in use.

    A learner's weights belong to the basis they were learned by; with a new one every profile is taught anew from
    its scores.
    """

    name = models.CharField(max_length=16, unique=True)
    data = models.BinaryField()
    papers = models.PositiveIntegerField()
    fitted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-fitted_at", "-pk"]
        verbose_name_plural = "directions"

    def __str__(self) -> str:
        return f"{self.name} of {self.papers} papers"


class JudgeConstancy(models.Model):
    """How constant a model's picks are (`scoring.screening.constancy`), from its second looks; no row: as the reference's."""

    provider_model = models.CharField(max_length=161, unique=True)
    at_even = models.FloatField()
    slope = models.FloatField()
    pairs = models.PositiveIntegerField()
    learned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "judge constancies"

    def __str__(self) -> str:
        return f"{self.provider_model} {self.at_even:+.2f} {self.slope:+.2f} of {self.pairs}"


class ModelScale(models.Model):
    """What a model's scores count as on a profile's scale (`scoring.calibration`): `table[score]` for 0 to 100. Without a row
    they count as they are said; none is ever changed.

    Learned of so many `papers` of the model, held against those that were `compared`, most of them read by the model `before`
    it; of the profile's own or, where `is_borrowed`, of another profile's that changed between the same two.
    """

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+")
    provider_model = models.CharField(max_length=161)
    table = models.JSONField(default=list)
    papers = models.PositiveIntegerField()
    compared = models.PositiveIntegerField()
    before = models.CharField(max_length=161)
    is_borrowed = models.BooleanField(default=False)
    learned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "provider_model"], name="one_scale_a_profile_and_model"
            )
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} {self.provider_model} of {self.papers} papers"


class LearnerState(models.Model):
    """A profile's learner (`scoring.screening.learner`), changed by compare-and-swap on `version`.

    `signature` names the words, weights and bar by which its lessons were labelled, and the basis: where it is
    another now, the profile is taught anew. `name` is the snapshot that editions keep.
    """

    profile = models.OneToOneField(Profile, on_delete=models.CASCADE, related_name="learner")
    directions = models.CharField(max_length=16)
    signature = models.CharField(max_length=64)
    name = models.CharField(max_length=16)
    data = models.BinaryField()
    seen = models.PositiveIntegerField(default=0)
    wanted = models.FloatField(default=0)
    votes_through = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    taught_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.profile_id} {self.name}, {self.seen} lessons"
