"""Who reads, for what, on whose money.

Addresses carry `public_id`s. Names of people stand on User and Membership only; the audit trail names an
actor key, and what identifies a person stands in an erasable side row.
"""

import hashlib
import json
import secrets
import uuid
import zoneinfo
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from papers.models import Paper

LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
REASON_LANGUAGES = [("en", "English"), ("zh-Hans", "简体中文")]


def random_slug() -> str:
    return secrets.token_hex(4)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("a user needs a mail address")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A reader. The mail address is the identity; there is no username."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("mail address"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=10, choices=LANGUAGES, default="en")
    digest_hour = models.PositiveSmallIntegerField(
        _("hour of the digest"), default=8, validators=[MaxValueValidator(23)]
    )
    wants_digest = models.BooleanField(_("daily digest by mail"), default=False)
    wants_keys = models.BooleanField(_("keyboard shortcuts"), default=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_user_a_mail_address"),
            models.CheckConstraint(condition=Q(digest_hour__lte=23), name="digest_hour_is_an_hour"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def display_name(self) -> str:
        return self.name or self.email.partition("@")[0]


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
    def is_steering(self) -> bool:
        return self.role in {Role.OWNER, Role.ADMIN}


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
    profile = models.ForeignKey("Profile", null=True, on_delete=models.CASCADE, related_name="quotas")
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


class ProfileQuerySet(models.QuerySet["Profile"]):
    def visible_to(self, user: User) -> "ProfileQuerySet":
        """One's own, and the team profiles of one's teams. A member's private profile is nobody else's."""
        return self.filter(
            Q(owner=user) | Q(owner=None, team__memberships__user=user), archived_at=None
        ).distinct()

    def active(self) -> "ProfileQuerySet":
        return self.filter(archived_at=None, is_paused=False)


class Profile(models.Model):
    """What one reader wants read, or a team together (no owner). The team pays.

    What the judge reads (texts, exclusions, weighting prompt, reason language) is frozen into a Revision;
    weights, bar, target recall and categories are the profile's own and act without a new judgement.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="profiles")
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="profiles")
    name = models.CharField(_("name"), max_length=100)
    categories = models.JSONField(_("categories"), default=list)
    cross_lists = models.BooleanField(_("cross-lists too"), default=False)
    reason_language = models.CharField(
        _("language of the reasons"), max_length=10, choices=REASON_LANGUAGES, default="en"
    )
    bar = models.PositiveSmallIntegerField(
        _("bar"),
        default=60,
        validators=[MaxValueValidator(100)],
        help_text=_("The value from which a paper is recommended, 0 to 100."),
    )
    target_recall = models.FloatField(
        _("target recall"), default=0.9, validators=[MinValueValidator(0.5), MaxValueValidator(1.0)]
    )
    weighting_prompt = models.TextField(_("weighting prompt"), blank=True, default="", max_length=4000)
    # Texts such as "medical imaging, unless central to an interest", in the owner's order.
    exclusions = models.JSONField(_("exclusions"), default=list)
    is_paused = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = ProfileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(bar__lte=100), name="bar_is_a_value"),
            models.CheckConstraint(
                condition=Q(target_recall__gte=0.5, target_recall__lte=1.0), name="target_recall_is_a_share"
            ),
        ]
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_team_profile(self) -> bool:
        return self.owner_id is None


class Interest(models.Model):
    """One research field of a profile, in its owner's words. The order is the owner's and breaks ties."""

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="interests")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True, default="", max_length=4000)
    weight = models.FloatField(
        _("weight"), default=1.0, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    # English terms that stand for the interest in screening; filled in once, the owner's to edit.
    terms = models.JSONField(_("terms"), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "position"], name="one_interest_a_position"),
            models.CheckConstraint(condition=Q(weight__gte=0, weight__lte=1), name="weight_is_a_share"),
        ]
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name


class Revision(models.Model):
    """What the judge reads, frozen. Made by `profiles.revisions`, never changed.

    `content`: {"interests": [{"name", "description"}…], "exclusions": […], "weighting_prompt": …,
    "reason_language": …, "rubric_version": …}. Interest scores are in this order. Equal content of one
    profile is one row, so an edit that is taken back costs nothing.
    """

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="revisions")
    content_hash = models.CharField(max_length=64)
    content = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "content_hash"], name="equal_words_are_one_revision"),
        ]

    def __str__(self) -> str:
        return self.content_hash[:12]

    @staticmethod
    def hash_of(content: dict[str, Any]) -> str:
        """SHA-256 of the canonical JSON."""
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


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


class ApiToken(models.Model):
    """A key to the API: 256 bits, stored as SHA-256 only, revocable, with its last use."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    can_write = models.BooleanField(_("may write"), default=False)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class AuditEvent(models.Model):
    """Who did what, append-only. Holds keys and codes; what names a person stands in AuditPerson."""

    at = models.DateTimeField(default=timezone.now)
    actor_key = models.UUIDField(help_text=_("The user's public_id, or the nil UUID for the system."))
    team_key = models.UUIDField(null=True)
    subject_key = models.UUIDField(null=True)
    code = models.CharField(max_length=40)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["team_key", "-at"], name="audit_team")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.code}"


class AuditPerson(models.Model):
    """The erasable side of the audit trail: who a key was. Deleted with the person."""

    key = models.UUIDField(unique=True)
    name = models.CharField(max_length=254)

    def __str__(self) -> str:
        return self.name
