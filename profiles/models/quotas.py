"""What may be spent: policy. What was spent is scoring's."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

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
