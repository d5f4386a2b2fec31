"""What is to be read, in its owner's words."""

import hashlib
import json
import uuid
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .people import User
from .teams import Team

REASON_LANGUAGES = [("en", "English"), ("zh-Hans", "简体中文")]


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
        """Not the name, which is its owner's own words: logs and the operator's lists print this."""
        return str(self.public_id)

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
    # The model that suggested them; empty where the owner typed them, or where there are none.
    suggested_by = models.CharField(max_length=161, blank=True, default="")
    terms_at = models.DateTimeField(null=True)

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
