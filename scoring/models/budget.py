"""Where tokens are counted. Only `scoring.budget` writes these tables.

A window is state in one scope and period; the ledger explains it line by line and only grows. A hold's
ledger lines of kind HOLD are its legs: each names a window, the limit in force and the sum before it, so
that `audit` can replay every admission.
"""

import datetime as dt
import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from profiles.models import Period, Scope

from .judging import Call


class BudgetWindow(models.Model):
    """What was used and is held, in one scope and period, in tokens.

    [starts_at, ends_at) is UTC; windows of one scope, subject and period neither overlap nor leave gaps; a
    counter is never reset, a new period is a new row. `subject_id` is the id of the team, membership or
    profile (0 for the instance) and no foreign key, for the count outlives its subject.
    """

    scope = models.PositiveSmallIntegerField(choices=Scope)
    subject_id = models.BigIntegerField(default=0)
    team_id = models.BigIntegerField(default=0, help_text=_("The team that pays; 0 for the instance."))
    period = models.CharField(max_length=5, choices=Period)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    limit_tokens = models.PositiveBigIntegerField()
    used_tokens = models.PositiveBigIntegerField(default=0)
    held_tokens = models.PositiveBigIntegerField(default=0)
    overrun_tokens = models.PositiveBigIntegerField(
        default=0, help_text=_("Sum over ended holds of what was used beyond what was held.")
    )
    cost_microusd = models.PositiveBigIntegerField(default=0)
    topped_up_tokens = models.PositiveBigIntegerField(
        default=0, help_text=_("How much of the limit is of top-ups.")
    )
    topped_up_by = models.JSONField(
        default=dict, help_text=_("Of which top-up how much, by its number; the sum is `topped_up_tokens`.")
    )
    revise_at = models.DateTimeField(
        null=True, help_text=_("From this instant on the limit is to be computed anew: a top-up ends.")
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "subject_id", "period", "starts_at"], name="one_window_a_period"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="a_window_has_a_length"),
            models.CheckConstraint(condition=Q(used_tokens__gte=0), name="used_is_not_negative"),
            models.CheckConstraint(condition=Q(held_tokens__gte=0), name="held_is_not_negative"),
        ]
        indexes = [
            models.Index(fields=["scope", "subject_id", "period", "-ends_at"], name="window_current"),
            models.Index(fields=["team_id", "period", "starts_at"], name="window_team"),
            models.Index(fields=["scope", "period", "starts_at"], name="window_period"),
            models.Index(fields=["ends_at"], name="window_open"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.subject_id} {self.period} from {self.starts_at:%Y-%m-%d}"

    @property
    def free_tokens(self) -> int:
        """What is left of the limit; negative where it is overrun or was lowered."""
        return self.limit_tokens - self.used_tokens - self.held_tokens


class HoldQuerySet(models.QuerySet["Hold"]):
    def open(self) -> "HoldQuerySet":
        return self.filter(state=Hold.State.OPEN)

    def overdue(self, now: dt.datetime) -> "HoldQuerySet":
        return self.open().filter(lease_until__lt=now)


class Hold(models.Model):
    """Tokens set aside for one call. Ends once: settled, released, or assumed (later trued up)."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        SETTLED = "settled", _("settled")
        RELEASED = "released", _("released")
        ASSUMED = "assumed", _("assumed")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    call = models.OneToOneField(Call, on_delete=models.PROTECT, related_name="hold")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    held_tokens = models.PositiveBigIntegerField()
    used_tokens = models.PositiveBigIntegerField(default=0)
    is_flagged = models.BooleanField(default=False, help_text=_("Booked in full: the usage was not usable."))
    is_trued_up = models.BooleanField(default=False)
    lease_until = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_ended_hold_has_an_end",
                condition=Q(state="open", ended_at=None) | (~Q(state="open") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["state", "lease_until"], name="hold_lease")]

    def __str__(self) -> str:
        return f"{self.key} {self.state} {self.held_tokens}"


class LedgerEntry(models.Model):
    """One line a hold, window and event; append-only.

    `tokens` is what the line is about: HOLD adds it to held; RELEASE takes it from held; SETTLE and ASSUME
    take the leg's hold from held and add `tokens` to used; TRUE_UP adds the (signed) difference to used.
    """

    class Kind(models.TextChoices):
        HOLD = "hold", _("held")
        SETTLE = "settle", _("settled")
        RELEASE = "release", _("released")
        ASSUME = "assume", _("assumed")
        TRUE_UP = "true_up", _("trued up")

    window = models.ForeignKey(BudgetWindow, on_delete=models.PROTECT, related_name="ledger")
    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="ledger")
    kind = models.CharField(max_length=8, choices=Kind)
    tokens = models.BigIntegerField()
    limit_tokens = models.PositiveBigIntegerField(help_text=_("The limit in force at that instant."))
    sum_before = models.PositiveBigIntegerField(help_text=_("Used and held before this line."))
    input_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    reasoning_tokens = models.PositiveBigIntegerField(default=0)
    cost_microusd = models.BigIntegerField(default=0, help_text=_("Signed: a TRUE_UP may give back."))
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hold", "window", "kind"], name="one_line_a_leg_and_event"),
        ]
        indexes = [models.Index(fields=["window", "at"], name="ledger_window")]

    def __str__(self) -> str:
        return f"{self.kind} {self.tokens:+d}"


class Spending(models.Model):
    """What one payer's day bought for one profile from one judge: sums of the ledger, for pages that look at many.

    `window` is the payer's window of the DAY in which the holds were taken. Written in the transaction that
    ends the hold; `audit` proves the sums. No foreign key to the profile: the sum outlives it, and the number
    is taken out when a person is forgotten.
    """

    # No constraint in the database: it would lock the window before its turn (`scoring.budget.spending`).
    window = models.ForeignKey(
        BudgetWindow, on_delete=models.PROTECT, related_name="spending", db_constraint=False
    )
    profile_id = models.BigIntegerField(null=True)
    provider_model = models.CharField(max_length=161)
    kind = models.CharField(max_length=11, choices=Call.Kind)
    calls = models.PositiveIntegerField(default=0)
    papers = models.PositiveIntegerField(default=0, help_text=_("Papers whose scores these calls paid for."))
    used_tokens = models.PositiveBigIntegerField(default=0)
    assumed_tokens = models.PositiveBigIntegerField(
        default=0, help_text=_("Of what was used: booked in full, for no bill came that could be one.")
    )
    input_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    reasoning_tokens = models.PositiveBigIntegerField(default=0)
    cost_microusd = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["window", "profile_id", "provider_model", "kind"], name="one_sum_a_profile_and_judge"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.used_tokens} for {self.profile_id} by {self.provider_model}"


class Alert(models.Model):
    """A window has reached a share of its limit: told once for each threshold."""

    window = models.ForeignKey(BudgetWindow, on_delete=models.CASCADE, related_name="alerts")
    percent = models.PositiveSmallIntegerField()
    limit_tokens = models.PositiveBigIntegerField()
    used_tokens = models.PositiveBigIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["window", "percent"], name="alerted_once_a_threshold"),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % of window {self.window_id}"
