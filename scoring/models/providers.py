"""Who judges, and which of them a team or a profile has chosen."""

import datetime as dt
import re
import uuid
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from profiles.models import Profile, Team
from scoring.usage import Prices


class ProviderQuerySet(models.QuerySet["Provider"]):
    def usable(self, now: dt.datetime) -> "ProviderQuerySet":
        """Neither retired, stopped, nor behind an open breaker."""
        return self.filter(Q(open_until=None) | Q(open_until__lte=now), is_active=True, paused_at=None)

    def allowed_to(self, team_id: int) -> "ProviderQuerySet":
        """What may read for the team: its own, and the operator's that are for all teams or for this one.

        Not those that judge one profile only, and not the local judge.
        """
        return self.filter(is_allowed_to(team_id)).order_by("created_at", "pk")

    def of_the_operator(self) -> "ProviderQuerySet":
        """Those that the operator offers, retired ones too; neither the local judge nor a profile's own."""
        return self.filter(team=None, profile=None, kind=Provider.Kind.OPENAI).order_by("created_at", "pk")


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
    # Of the operator's providers: every team may choose it, or only those that are named.
    is_for_all_teams = models.BooleanField(default=True)
    allowed_teams = models.ManyToManyField(Team, blank=True, related_name="+")

    price_input_microusd = models.PositiveIntegerField(default=0)
    price_cached_microusd = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Empty: as other input.")
    )
    price_output_microusd = models.PositiveIntegerField(default=0)
    price_reasoning_microusd = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Empty: as other output.")
    )
    context_tokens = models.PositiveIntegerField(default=32_768)
    concurrency = models.PositiveSmallIntegerField(default=16)
    block_size = models.PositiveSmallIntegerField(default=20)
    extra_params = models.JSONField(default=dict, blank=True)
    abilities = models.JSONField(default=dict, blank=True)
    is_cap_honoured = models.BooleanField(default=True)

    # Stopped until somebody acts (a revoked key, an empty account); the operator is told once.
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=40, blank=True, default="")
    # The breaker: failures in a row, until when no hold is taken, and when that pause began (empty after an answer).
    failures = models.PositiveSmallIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    # After a 429: how many calls at once it is thought to bear (empty: as many as `concurrency`), how many answers came
    # since that grew, when it was last halved, and when it last grew.
    allowed_at_once = models.PositiveSmallIntegerField(null=True, blank=True)
    answers_since_growth = models.PositiveSmallIntegerField(default=0)
    shrunk_at = models.DateTimeField(null=True, blank=True)
    grown_at = models.DateTimeField(null=True, blank=True)
    # When a repeat was last put off because the retry budget was used up (`scoring.providers.retries`).
    retries_spent_at = models.DateTimeField(null=True, blank=True)
    # What its last check showed: {"at", "problem", "served_by", "format", "cap", "latency_ms", "tokens", …}.
    last_check = models.JSONField(default=dict, blank=True)
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

    @property
    def calls_at_once(self) -> int:
        """How many calls it may have in flight now: never above `concurrency`, fewer after a 429."""
        return (
            self.concurrency if self.allowed_at_once is None else min(self.allowed_at_once, self.concurrency)
        )

    @property
    def prices(self) -> Prices:
        return Prices(
            input_microusd=self.price_input_microusd,
            cached_microusd=self.price_cached_microusd,
            output_microusd=self.price_output_microusd,
            reasoning_microusd=self.price_reasoning_microusd,
        )


def is_allowed_to(team_id: int) -> Q:
    """Whether a provider may read for the team, as a condition."""
    named = Provider.allowed_teams.through.objects.filter(provider=OuterRef("pk"), team=team_id)
    is_offered = Q(team=None) & (Q(is_for_all_teams=True) | Exists(named))
    return (Q(team=team_id) | is_offered) & Q(is_active=True, profile=None, kind=Provider.Kind.OPENAI)


class ModelChoice(models.Model):
    """Which of the allowed providers a team, or one profile, has chosen. Without a row the usual order holds.

    A choice that is retired or no longer allowed is passed over, not deleted: it holds again when it is back.
    """

    team = models.OneToOneField(
        Team, null=True, blank=True, on_delete=models.CASCADE, related_name="model_choice"
    )
    profile = models.OneToOneField(
        Profile, null=True, blank=True, on_delete=models.CASCADE, related_name="model_choice"
    )
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="choices")
    chosen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_choice_is_a_teams_or_a_profiles",
                condition=Q(team__isnull=False, profile=None) | Q(team=None, profile__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"provider {self.provider_id}"


_LOCAL_JUDGE = re.compile(r"local(-[0-9a-f]{12})?/local")


def judge_name(provider_model: str) -> Any:
    """A judge as a page names it: the local one in words, any other as provider and model."""
    return _("Local estimate") if _LOCAL_JUDGE.fullmatch(provider_model) else provider_model
