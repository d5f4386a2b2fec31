"""What models suggest as the English terms of an interest's words."""

from django.db import models
from django.utils import timezone

from profiles.models import Profile


class SuggestedTerms(models.Model):
    """One question to a model: the terms of one interest, by its words; asked once, also where an edit is taken back.

    `is_due` is the queue. `problem` says why there are no `terms`: "budget" while a limit refuses, else how the last
    call ended. What a reader typed is never here: it stands on the interest alone.
    """

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="suggested_terms")
    # SHA-256 of name and description: `suggesting.words_of`.
    words = models.CharField(max_length=64)
    is_due = models.BooleanField(default=True)
    calls = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    problem = models.CharField(max_length=40, default="", blank=True)
    terms = models.JSONField(default=list)
    provider_model = models.CharField(max_length=161, default="", blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "words"], name="words_are_asked_about_once"),
        ]
        indexes = [
            models.Index(fields=["asked_at"], name="terms_due", condition=models.Q(is_due=True)),
        ]
        verbose_name_plural = "suggested terms"

    def __str__(self) -> str:
        return f"{self.profile_id} {self.words[:12]} {len(self.terms)}"
