"""Who belongs together, in which role."""

import datetime as dt
import secrets
import uuid
import zoneinfo

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .people import User


def random_slug() -> str:
    return secrets.token_hex(4)


class Role(models.TextChoices):
    """From most to least: what each may do is one table in `profiles.access`."""

    OWNER = "owner", _("owner")
    ADMIN = "admin", _("admin")
    MEMBER = "member", _("member")
    VIEWER = "viewer", _("viewer")


class TeamQuerySet(models.QuerySet["Team"]):
    def of(self, user: User) -> "TeamQuerySet":
        return self.filter(memberships__user=user).distinct()


class Team(models.Model):
    """Who belongs together, and who pays. Everybody has a personal team of one."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=60, unique=True, default=random_slug)
    name = models.CharField(_("name"), max_length=100)
    is_personal = models.BooleanField(default=False)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TeamQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def steering(self) -> "MembershipQuerySet":
        """Owners and admins: who may see and set quotas."""
        return self.filter(role__in=[Role.OWNER, Role.ADMIN])

    def with_last_seen(self) -> "MembershipQuerySet":
        """With the user and what `last_seen_at` needs."""
        seen = models.Max("user__usersession__last_seen_at")
        return self.select_related("user").annotate(seen_at=seen)

    def named_like(self, words: str, *, by_address: bool) -> "MembershipQuerySet":
        """Whose name holds these words; by address too only for who may see addresses."""
        like = models.Q(user__name__icontains=words)
        return self.filter(like | models.Q(user__email__icontains=words) if by_address else like)

    def with_team_sizes(self) -> "MembershipQuerySet":
        """With `team_size`, the number of members of the membership's team."""
        size = models.Count("team__memberships")
        return (
            self.select_related("team").annotate(team_size=size).order_by("-team__is_personal", "joined_at")
        )


class Membership(models.Model):
    """One user in one team. Tokens are counted per membership; its key outlives the person's name."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=8, choices=Role, default=Role.MEMBER)
    joined_at = models.DateTimeField(default=timezone.now)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_membership_a_team")]
        indexes = [models.Index(fields=["user", "team"], name="membership_user")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team} as {self.role}"

    @property
    def last_seen_at(self) -> dt.datetime | None:
        """When the user was last here; only of rows that were fetched `with_last_seen`."""
        moments = [each for each in (self.user.last_login, getattr(self, "seen_at", None)) if each]
        return max(moments, default=None)

    @property
    def is_steering(self) -> bool:
        return self.role in {Role.OWNER, Role.ADMIN}
