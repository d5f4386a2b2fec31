"""Each attempt at a model, and the booked answers."""

import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from papers.models import Paper
from profiles.models import Profile, Revision
from scoring.outcomes import outcome_told

from .editions import Edition
from .learning import ModelScale
from .providers import Provider, judge_name


class Call(models.Model):
    """One attempt at a model, of a kind, with its payer. Money follows its Hold; this row says what happened.

    Prompts and answers are not stored: hash, sizes and usage are. A failed answer is kept seven days.
    """

    class Kind(models.TextChoices):
        JUDGE = "judge", _("judge")
        SECOND_LOOK = "second_look", _("second look")
        REPAIR = "repair", _("repair")
        EXPLAIN = "explain", _("explain")
        EXPAND = "expand", _("search terms")
        CHECK = "check", _("check")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=11, choices=Kind, default=Kind.JUDGE)
    day = models.DateField()
    profile = models.ForeignKey(Profile, null=True, on_delete=models.SET_NULL, related_name="+")
    edition = models.ForeignKey(Edition, null=True, on_delete=models.SET_NULL, related_name="calls")
    revision = models.ForeignKey(Revision, null=True, on_delete=models.SET_NULL, related_name="+")
    provider = models.ForeignKey(Provider, null=True, on_delete=models.SET_NULL, related_name="calls")
    provider_model = models.CharField(max_length=161)
    claim_token = models.UUIDField(null=True)
    # Made because an earlier call brought nothing (`scoring.providers.retries`).
    is_repeat = models.BooleanField(default=False)
    # [[label, paper id, version], …] in the order in which they were sent.
    block = models.JSONField(default=list)
    # The canaries that rode along and, once answered, what each got: {name: score or null} (`scoring.canaries`).
    canaries = models.JSONField(default=dict)

    prompt_sha256 = models.CharField(max_length=64, default="", blank=True)
    prompt_bytes = models.PositiveIntegerField(default=0)
    answer_bytes = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    reasoning_tokens = models.PositiveIntegerField(default=0)
    cost_microusd = models.PositiveBigIntegerField(default=0)
    is_usage_flagged = models.BooleanField(default=False)
    # "judged", "partial", or the class of the failure ("unavailable", "garbled", "refused", …).
    outcome = models.CharField(max_length=40, default="", blank=True)
    dropped_rows = models.PositiveSmallIntegerField(default=0, help_text=_("Rows with an unknown label."))
    latency_ms = models.PositiveIntegerField(null=True)
    failed_answer = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["edition", "created_at"], name="call_edition"),
            models.Index(fields=["day"], name="call_day"),
            models.Index(fields=["provider", "created_at"], name="call_provider"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id} {self.outcome}"

    @property
    def judge(self) -> Any:
        return judge_name(self.provider_model)

    @property
    def money(self) -> str:
        """What it cost in dollars, to the millionth where it is little."""
        return f"${self.cost_microusd / 1_000_000:.4f}"

    @property
    def told(self) -> Any:
        """How it ended, in words."""
        return outcome_told(self.outcome)


def booked_tokens() -> Coalesce:
    """What a call was charged: its hold's figure also stands where the provider's own could be no bill."""
    counted = models.F("input_tokens") + models.F("output_tokens")
    return Coalesce("hold__used_tokens", counted, output_field=models.BigIntegerField())


class Score(models.Model):
    """The booked answer about one paper. It exists if and only if its call's hold is settled.

    `interest_scores` are whole numbers 0-100 in the order of the revision's interests, on the profile's scale. What a
    reader sees is the *value*: arithmetic over these and the profile's weights, stored on the candidate.
    """

    class Purpose(models.TextChoices):
        FIRST = "first", _("first reading")
        SECOND_LOOK = "second_look", _("second look")
        RE_READING = "re_reading", _("re-reading")

    day = models.DateField()
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="scores")
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="scores")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveSmallIntegerField()
    provider_model = models.CharField(max_length=161)
    purpose = models.CharField(max_length=11, choices=Purpose, default=Purpose.FIRST)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="scores")
    # The call by which a reader asked for the reason, where the first reading gave none.
    explain_call = models.ForeignKey(Call, null=True, on_delete=models.SET_NULL, related_name="explained")
    is_local = models.BooleanField(default=False, help_text=_("An estimate: never teaches the learner."))
    is_simulated = models.BooleanField(default=False)

    interest_scores = models.JSONField(default=list)
    # What the model said, and by which scale it was counted as `interest_scores`; null where the two are one.
    said_scores = models.JSONField(null=True)
    scale = models.ForeignKey(ModelScale, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(default="", blank=True)
    reason_language = models.CharField(max_length=10, default="", blank=True)
    is_language_right = models.BooleanField(default=True)
    quote = models.TextField(default="", blank=True)
    is_quote_verified = models.BooleanField(default=False)
    flags = models.JSONField(default=list)
    scored_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "revision", "paper", "version", "provider_model", "purpose"],
                name="nothing_is_paid_twice",
            ),
        ]
        indexes = [models.Index(fields=["profile", "paper"], name="score_profile_paper")]

    def __str__(self) -> str:
        return f"{self.paper_id} {self.interest_scores}"
