"""Who judges, each attempt, and the booked answers."""

import datetime as dt
import re
import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from papers.models import Paper
from profiles.models import Profile, Revision, Team
from scoring.outcomes import outcome_told

from .editions import Edition


class ProviderQuerySet(models.QuerySet["Provider"]):
    def usable(self, now: dt.datetime) -> "ProviderQuerySet":
        """Neither retired, stopped, nor behind an open breaker."""
        return self.filter(Q(open_until=None) | Q(open_until__lte=now), is_active=True, paused_at=None)


class Provider(models.Model):
    """A judge: the local one, or a server that speaks the chat-completions API.

    The operator's providers have no team and are paid from the instance's windows too; a team's own key
    touches no instance window. Prices are data: micro-dollars per million tokens. `abilities` is what was
    learned of the server (response format, name of the cap, parameters it refuses).
    """

    class Kind(models.TextChoices):
        LOCAL = "local", _("local estimate")
        OPENAI = "openai", _("OpenAI-compatible server")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="providers")
    profile = models.ForeignKey(
        Profile,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("Judges this profile only."),
    )
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=6, choices=Kind)
    base_url = models.URLField(max_length=300, blank=True, default="")
    model = models.CharField(max_length=100)
    api_key_encrypted = models.TextField(blank=True, default="")
    api_key_last_four = models.CharField(max_length=4, blank=True, default="")
    is_simulated = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    price_input_microusd = models.PositiveIntegerField(default=0)
    price_cached_microusd = models.PositiveIntegerField(default=0)
    price_output_microusd = models.PositiveIntegerField(default=0)
    price_reasoning_microusd = models.PositiveIntegerField(default=0)
    context_tokens = models.PositiveIntegerField(default=32_768)
    concurrency = models.PositiveSmallIntegerField(default=16)
    block_size = models.PositiveSmallIntegerField(default=20)
    extra_params = models.JSONField(default=dict, blank=True)
    abilities = models.JSONField(default=dict, blank=True)
    is_cap_honoured = models.BooleanField(default=True)

    # Stopped until somebody acts (a revoked key, an empty account); the operator is told once.
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=40, blank=True, default="")
    # The breaker: failures in a row, and until when no hold is taken.
    failures = models.PositiveSmallIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Coalesce("team", 0), "name", name="one_provider_a_name"),
        ]

    def __str__(self) -> str:
        return self.provider_model

    @property
    def provider_model(self) -> str:
        """The key under which scores of this judge are unique."""
        return f"{self.name}/{self.model}"

    @property
    def is_local(self) -> bool:
        return self.kind == self.Kind.LOCAL


_LOCAL_JUDGE = re.compile(r"local(-[0-9a-f]{12})?/local")


def judge_name(provider_model: str) -> Any:
    """A judge as a page names it: the local one in words, any other as provider and model."""
    return _("Local estimate") if _LOCAL_JUDGE.fullmatch(provider_model) else provider_model


class Call(models.Model):
    """One attempt at a model, of a kind, with its payer. Money follows its Hold; this row says what happened.

    Prompts and answers are not stored: hash, sizes and usage are. A failed answer is kept seven days.
    """

    class Kind(models.TextChoices):
        JUDGE = "judge", _("judge")
        SECOND_LOOK = "second_look", _("second look")
        REPAIR = "repair", _("repair")
        EXPLAIN = "explain", _("explain")
        EXPAND = "expand", _("expand")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=11, choices=Kind, default=Kind.JUDGE)
    day = models.DateField()
    profile = models.ForeignKey(Profile, null=True, on_delete=models.SET_NULL, related_name="+")
    edition = models.ForeignKey(Edition, null=True, on_delete=models.SET_NULL, related_name="calls")
    revision = models.ForeignKey(Revision, null=True, on_delete=models.SET_NULL, related_name="+")
    provider = models.ForeignKey(Provider, null=True, on_delete=models.SET_NULL, related_name="calls")
    provider_model = models.CharField(max_length=161)
    claim_token = models.UUIDField(null=True)
    # [[label, paper id, version], …] in the order in which they were sent.
    block = models.JSONField(default=list)

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
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id} {self.outcome}"

    @property
    def judge(self) -> Any:
        return judge_name(self.provider_model)

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

    `interest_scores` are whole numbers 0-100 in the order of the revision's interests. What a reader sees
    is the *value*: arithmetic over these and the profile's weights, stored on the candidate.
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
