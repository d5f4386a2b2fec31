"""What may be spent: policy. What was spent is scoring's."""

import datetime as dt
import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .people import User
from .profiles import Profile
from .teams import Membership, Team


class Scope(models.IntegerChoices):
    """The levels of a budget, in the one order in which their windows are locked."""

    INSTANCE = 1, _("instance")
    TEAM = 2, _("team")
    MEMBER = 3, _("member")
    SHARE = 4, _("team profile's share")


class Period(models.TextChoices):
    DAY = "day", _("day")
    WEEK = "week", _("week")
    MONTH = "month", _("month")


class Quota(models.Model):
    """What may be spent in a period: policy, set by an admin. State is scoring's BudgetWindow.

    The subject follows from the scope: nothing (instance), `team`, `membership`, `profile`. A row of scope
    MEMBER with a team and no membership is the default of that team's members. No row: the settings'
    defaults.
    """

    scope = models.PositiveSmallIntegerField(choices=Scope)
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="quotas")
    membership = models.ForeignKey(Membership, null=True, on_delete=models.CASCADE, related_name="quotas")
    profile = models.ForeignKey(Profile, null=True, on_delete=models.CASCADE, related_name="quotas")
    period = models.CharField(max_length=5, choices=Period)
    limit_tokens = models.PositiveBigIntegerField(_("limit in tokens"))
    granted_tokens = models.PositiveBigIntegerField(
        null=True, help_text=_("Of a pool: what the operator gave, above which nobody in the team raises it.")
    )
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="quota_has_the_subject_of_its_scope",
                condition=(
                    Q(scope=Scope.INSTANCE, team=None, membership=None, profile=None)
                    | Q(scope=Scope.TEAM, team__isnull=False, membership=None, profile=None)
                    | Q(scope=Scope.MEMBER, team__isnull=False, profile=None)
                    | Q(scope=Scope.SHARE, team__isnull=False, membership=None, profile__isnull=False)
                ),
            ),
            models.UniqueConstraint(
                "scope",
                Coalesce("team", 0),
                Coalesce("membership", 0),
                Coalesce("profile", 0),
                "period",
                name="one_quota_a_subject_and_period",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.limit_tokens} a {self.period}"


class QuotaRequest(models.Model):
    """A reader asks for more of one limit: once a window. Granted by a top-up, declined, or left open.

    The subject is that of the limit, as in `Quota`; `asked_by` is the membership of who asked.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        GRANTED = "granted", _("granted")
        DECLINED = "declined", _("declined")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    asked_by = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="quota_requests")
    scope = models.PositiveSmallIntegerField(choices=Scope)
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="quota_requests")
    membership = models.ForeignKey(Membership, null=True, on_delete=models.CASCADE, related_name="+")
    profile = models.ForeignKey(Profile, null=True, on_delete=models.CASCADE, related_name="+")
    period = models.CharField(max_length=5, choices=Period)
    window_starts_at = models.DateTimeField()
    window_ends_at = models.DateTimeField()
    tokens = models.PositiveBigIntegerField(help_text=_("What would let the waiting papers be read."))
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    asked_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "asked_by",
                "scope",
                Coalesce("team", 0),
                Coalesce("membership", 0),
                Coalesce("profile", 0),
                "period",
                "window_starts_at",
                name="asked_once_a_window",
            ),
        ]
        indexes = [models.Index(fields=["team", "state"], name="request_open")]

    def __str__(self) -> str:
        return f"{self.tokens} asked by {self.asked_by_id}"


class TopUpQuerySet(models.QuerySet["TopUp"]):
    def active(self, now: dt.datetime) -> "TopUpQuerySet":
        return self.filter(revoked_at=None, starts_at__lte=now, ends_at__gt=now)


class TopUp(models.Model):
    """Tokens on top of a subject's limits, once: they are used up or end at `ends_at`, and never renew.

    The subject is as in `Quota`; a default has no top-up.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    scope = models.PositiveSmallIntegerField(choices=Scope)
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="top_ups")
    membership = models.ForeignKey(Membership, null=True, on_delete=models.CASCADE, related_name="top_ups")
    profile = models.ForeignKey(Profile, null=True, on_delete=models.CASCADE, related_name="top_ups")
    tokens = models.PositiveBigIntegerField()
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    given_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    request = models.OneToOneField(QuotaRequest, null=True, on_delete=models.SET_NULL, related_name="top_up")
    revoked_at = models.DateTimeField(null=True)

    objects = TopUpQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="top_up_has_the_subject_of_its_scope",
                condition=(
                    Q(scope=Scope.INSTANCE, team=None, membership=None, profile=None)
                    | Q(scope=Scope.TEAM, team__isnull=False, membership=None, profile=None)
                    | Q(scope=Scope.MEMBER, team__isnull=False, membership__isnull=False, profile=None)
                    | Q(scope=Scope.SHARE, team__isnull=False, membership=None, profile__isnull=False)
                ),
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="a_top_up_has_a_length"),
        ]
        indexes = [models.Index(fields=["scope", "team", "ends_at"], name="top_up_active")]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} +{self.tokens}"
