"""A profile's day: the edition with its packed list, and the working set that the model is meant to read."""

import datetime as dt
import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from papers.models import Paper
from profiles.models import Profile, Revision, User


class EditionQuerySet(models.QuerySet["Edition"]):
    def visible_to(self, user: User) -> "EditionQuerySet":
        return self.filter(profile__in=Profile.objects.visible_to(user))

    def on(self, day: dt.date) -> "EditionQuerySet":
        return self.filter(day=day)

    def unscreened(self) -> "EditionQuerySet":
        return self.filter(state=Edition.State.OPEN)

    def opened_late(self) -> "EditionQuerySet":
        return self.filter(late_until__isnull=False)

    def unweighed(self) -> "EditionQuerySet":
        return self.filter(is_weighed=False)

    def unclosed(self) -> "EditionQuerySet":
        return self.exclude(state=Edition.State.CLOSED)

    def claimable(self, now: dt.datetime) -> "EditionQuerySet":
        """Screened or reopened, not stopped by its reader, and not blocked by a budget at this instant."""
        free = self.filter(Q(blocked_until=None) | Q(blocked_until__lte=now))
        return free.filter(state=Edition.State.SCREENED, stopped_at=None)


class Edition(models.Model):
    """One profile's day.

    `packed` is the whole day: every paper announced to the profile with its state code and estimate
    (`scoring.packed`). Candidate rows are its working set; whoever changes one writes the other in the
    same transaction. *Closed* is not final: a late paper reopens the edition as a further batch.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        SCREENED = "screened", _("being read")
        CLOSED = "closed", _("closed")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="editions")
    day = models.DateField()
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    batch = models.PositiveSmallIntegerField(default=1, help_text=_("How often the day was opened."))
    packed = models.BinaryField(default=b"")
    # What of arXiv it holds, as the profile asked for when it was opened: the account counts by these.
    categories = models.JSONField(default=list)
    cross_lists = models.BooleanField(default=False)

    # What screening decided, written once by compare-and-swap on `state`.
    revision = models.ForeignKey(Revision, null=True, on_delete=models.SET_NULL, related_name="+")
    snapshot = models.CharField(
        max_length=64, default="", help_text=_("The learner's snapshot; empty: the prior.")
    )
    seed = models.CharField(max_length=64, default="")
    cut_rank = models.PositiveIntegerField(default=0, help_text=_("How many the model is meant to read."))
    target_recall = models.FloatField(default=0.9)
    expected_recall = models.FloatField(null=True)
    # {"weak": bool, "unknown": [interest positions without a known word], "audited": n, "strengths": [...],
    # "threshold": the lowest estimate above the cut, "revision": the hash of the words it was estimated by,
    # "calibration": [offset, slope, bend, knee], "missed": the ratio of the audits, "doubted": whether they contradict,
    # "heights": what was expected, by height (`scoring.screening.heights`), "constancy": [at even, slope, pairs] of the
    # model where it is known}
    screening = models.JSONField(default=dict)
    # {"seen": the sums of `scoring.screening.recall.Seen`, "stated": [recall, low, high, editions], "own": the same of
    # this edition alone}, written at closing.
    recall = models.JSONField(default=dict)

    # When a budget is full: {"scope", "subject_id", "period", "limit", "used", "held"}, and its reset.
    blocked_by = models.JSONField(default=dict)
    blocked_until = models.DateTimeField(null=True)
    # Its reader said "stop": nothing more is claimed until they say "go on"; what is in flight finishes.
    stopped_at = models.DateTimeField(null=True)
    # When its reader last said "go on": they wait for it, so its next calls go first.
    asked_at = models.DateTimeField(null=True)

    # False after a change of weights, until a tick has written this day's values anew.
    is_weighed = models.BooleanField(default=True)

    # The account as it was at closing: counts by the words of `scoring.packed`, plus tokens and cost.
    account = models.JSONField(default=dict)
    opened_at = models.DateTimeField(default=timezone.now)
    # Until when arXiv was out of reach, where that made the day open late; empty for any other.
    late_until = models.DateTimeField(null=True, blank=True)
    screened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = EditionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "day"], name="one_edition_a_day")]
        indexes = [
            models.Index(fields=["state", "day"], name="edition_state"),
            models.Index(fields=["profile", "-day"], name="edition_newest"),
            models.Index(fields=["day"], name="edition_unweighed", condition=Q(is_weighed=False)),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} {self.day} {self.state}"


class FirstSeen(models.Model):
    """A paper enters a profile's editions once; a later cross-list is "seen before" and links back here."""

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "paper"], name="a_paper_enters_once")]

    def __str__(self) -> str:
        return f"{self.profile_id} {self.paper_id} {self.day}"


class CandidateQuerySet(models.QuerySet["Candidate"]):
    def waiting(self) -> "CandidateQuerySet":
        return self.filter(state=Candidate.State.WAITING)

    def ready(self, now: dt.datetime) -> "CandidateQuerySet":
        """Not told to wait beyond that instant."""
        return self.filter(Q(not_before=None) | Q(not_before__lte=now))

    def claimed_by(self, token: uuid.UUID) -> "CandidateQuerySet":
        return self.filter(state=Candidate.State.CLAIMED, claim_token=token)

    def to_teach(self) -> "CandidateQuerySet":
        """Read by a model, and not part of what the profile has learned."""
        return self.filter(state=Candidate.State.JUDGED, is_taught=False)

    def abandoned(self, now: dt.datetime) -> "CandidateQuerySet":
        """Claimed, and the lease has run out."""
        return self.filter(state=Candidate.State.CLAIMED, lease_until__lt=now)

    def best_first(self) -> "CandidateQuerySet":
        """The order of the page: value, then the second-best contribution, then the estimate, then the id."""
        return self.order_by(
            F("value").desc(nulls_last=True),
            F("second_value").desc(nulls_last=True),
            "-estimate",
            "paper__arxiv_id",
        )


class Candidate(models.Model):
    """A paper of an edition that the model is meant to read, or a reader touched.

    `day` stands in every key so that monthly partitions stay possible; no table has a foreign key to this
    one. The effective score is named by `score_id` (a plain number for the same reason): a model's score
    over the local judge's; the second look's over the first reading's where they differ by more than noise
    (`judging.values.effective`).
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        CLAIMED = "claimed", _("being read")
        JUDGED = "judged", _("read by the model")
        ESTIMATED = "estimated", _("estimated only")
        FAILED = "failed", _("failed")
        WITHDRAWN = "withdrawn", _("withdrawn")
        EXPIRED = "expired", _("expired")

    class Waits(models.TextChoices):
        TURN = "turn", _("its turn")
        BUDGET = "budget", _("the budget")
        PROVIDER = "provider", _("the model's provider")
        LATE = "late", _("announced late")

    day = models.DateField()
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="candidates")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveSmallIntegerField()
    batch = models.PositiveSmallIntegerField(default=1)
    rank = models.PositiveIntegerField(help_text=_("Place by estimate within the edition, from 1."))
    estimate = models.PositiveSmallIntegerField(help_text=_("The local estimate, 0 to 10000."))
    estimate_interest = models.PositiveSmallIntegerField(default=0)
    interest_estimates = models.BinaryField(
        default=b"", help_text=_("The estimate for each interest: `scoring.packed.unpack_estimates`.")
    )
    is_audit = models.BooleanField(default=False, help_text=_("Drawn at random from below the cut."))
    audit_chance = models.PositiveSmallIntegerField(
        default=0, help_text=_("How probably it was drawn, of 10,000; 0 above the cut.")
    )
    is_taught = models.BooleanField(default=False, help_text=_("Its score is part of what was learned."))
    # Where a second look changed the value after that: the value that was learned, until the learner is corrected.
    taught_value = models.PositiveSmallIntegerField(null=True)

    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    waits_for = models.CharField(max_length=8, choices=Waits, default=Waits.TURN)
    not_before = models.DateTimeField(null=True, help_text=_("Not claimed before this instant."))
    claim_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    misreads = models.PositiveSmallIntegerField(
        default=0, help_text=_("Answers in a row without a usable row for it, at this size of block.")
    )
    solo_crashes = models.PositiveSmallIntegerField(default=0)
    largest_block = models.PositiveSmallIntegerField(
        default=20, help_text=_("Halved after a garbled answer.")
    )
    failure = models.CharField(max_length=40, default="", blank=True)
    is_repeat = models.BooleanField(
        default=False, help_text=_("Its last call brought nothing: the next one is a repeat.")
    )

    score_id = models.BigIntegerField(null=True)
    value = models.PositiveSmallIntegerField(null=True, help_text=_("0 to 100, from the effective score."))
    second_value = models.PositiveSmallIntegerField(null=True)
    interest = models.PositiveSmallIntegerField(null=True, help_text=_("Position of the section's interest."))
    # Why it is read a second time, alone (`scoring.looks`), and whether that is still to be done.
    look = models.CharField(max_length=9, default="", blank=True)
    is_look_due = models.BooleanField(default=False)
    changed_at = models.DateTimeField(default=timezone.now)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "edition", "paper"], name="one_candidate_a_paper"),
            models.CheckConstraint(
                name="a_claim_has_token_and_lease",
                condition=~Q(state="claimed") | Q(claim_token__isnull=False, lease_until__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["edition", "state", "rank"], name="candidate_claim"),
            models.Index(fields=["edition", "-value", "-second_value", "-estimate"], name="candidate_feed"),
            models.Index(fields=["claim_token"], name="candidate_token"),
            models.Index(fields=["day"], name="candidate_look_due", condition=Q(is_look_due=True)),
            models.Index(fields=["state", "lease_until"], name="candidate_lease"),
            models.Index(
                fields=["profile"], name="candidate_to_teach", condition=Q(state="judged", is_taught=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.edition_id} {self.paper_id} {self.state}"
