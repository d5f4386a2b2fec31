"""What arXiv announced. Knows no user.

A paper's row is its newest metadata; its texts are kept one row a version, because quotes and receipts
rest on the words that were judged. Announcements are facts: they are added and their source is made
stronger, never guessed away.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import cast

from django.db import connections, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Columns of Paper that are looked through and never shown: lists leave them in the database.
SEARCHED = ("folded_text", "folded_names")
SEARCHED_OF_PAPER = tuple(f"paper__{name}" for name in SEARCHED)


class PaperQuerySet(models.QuerySet["Paper"]):
    def without_words(self) -> "PaperQuerySet":
        """Without what only the search looks through."""
        return self.defer(*SEARCHED)

    def announced_on(self, day: dt.date) -> "PaperQuerySet":
        return self.filter(announcements__day=day).distinct()


class Paper(models.Model):
    """One arXiv work. `arxiv_id` never carries a version: `2601.21821`, `hep-th/9901001`."""

    # Unique by a constraint: `unique=True` would make a second index, for patterns, on PostgreSQL.
    arxiv_id = models.CharField(max_length=32)
    title = models.TextField()
    # [{"name": "Ada Lovelace", "affiliations": ["…"]}]; affiliations only where arXiv sent them.
    authors = models.JSONField(default=list)
    author_names = models.TextField(default="", help_text=_("The names in one line, for the search box."))
    # What the search box looks through (`papers.names`): title, abstract and names as they are typed. A default of the database's own, for a process of an
    # older version that still stores papers while this one is installed.
    folded_text = models.TextField(default="", db_default="", blank=True)
    folded_names = models.TextField(default="", db_default="", blank=True)
    categories = models.JSONField(default=list, help_text=_("All categories, the primary one first."))
    primary_category = models.CharField(max_length=32)
    comment = models.TextField(default="", blank=True)
    journal_ref = models.TextField(default="", blank=True)
    doi = models.TextField(default="", blank=True)
    license = models.TextField(default="", blank=True)
    msc_class = models.TextField(default="", blank=True)
    acm_class = models.TextField(default="", blank=True)
    latest_version = models.PositiveSmallIntegerField(default=1)
    submitted_at = models.DateTimeField(null=True, help_text=_("The instant of version 1, where known."))
    updated_at = models.DateTimeField(null=True, help_text=_("The instant of the latest version."))
    is_withdrawn = models.BooleanField(default=False)
    stored_at = models.DateTimeField(default=timezone.now)

    objects = PaperQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["arxiv_id"], name="one_paper_an_arxiv_id")]

    def __str__(self) -> str:
        return f"{self.arxiv_id} {self.title}"

    @property
    def abs_url(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv_id}"

    @property
    def pdf_url(self) -> str:
        return f"https://arxiv.org/pdf/{self.arxiv_id}"

    @property
    def html_url(self) -> str:
        return f"https://arxiv.org/html/{self.arxiv_id}"


class PaperVersionQuerySet(models.QuerySet["PaperVersion"]):
    def without_features(self) -> "PaperVersionQuerySet":
        """Those whose vector nobody computed yet, by the index that holds only them."""
        # Spelled out: SQLite takes a partial index only where the condition stands in the statement itself.
        empty = "X''" if connections[self.db].vendor == "sqlite" else "''::bytea"
        return cast("PaperVersionQuerySet", self.extra(where=[f"papers_paperversion.features = {empty}"]))


class PaperVersion(models.Model):
    """The title and abstract of one version, as they were when it was judged.

    `features` is the packed vector of `papers.features`, empty until `papers.filling` computed it; the web
    process reads it and never computes one. `is_sample` marks a text that the project wrote itself for its sample
    day: every screen then says "Sample text, not the authors' abstract".
    """

    # No index of its own: the constraint's begins with it.
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveSmallIntegerField()
    title = models.TextField()
    abstract = models.TextField(default="", blank=True)
    is_sample = models.BooleanField(default=False)
    features = models.BinaryField(default=b"")
    stored_at = models.DateTimeField(default=timezone.now)

    objects = PaperVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["paper", "number"], name="one_text_a_version"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(features=b""), name="text_without_features"),
        ]

    def __str__(self) -> str:
        return f"{self.paper_id}v{self.number}"


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def on(self, day: dt.date) -> "AnnouncementQuerySet":
        return self.filter(day=day)

    def in_categories(self, categories: Iterable[str]) -> "AnnouncementQuerySet":
        return self.filter(category__in=list(categories))

    def announced_to(
        self, categories: Iterable[str], day: dt.date, *, cross_lists: bool
    ) -> "AnnouncementQuerySet":
        """What a reader of these categories is owed that day; replacements are counted beside it."""
        return self.on(day).entering(categories, cross_lists=cross_lists)

    def entering(self, categories: Iterable[str], *, cross_lists: bool) -> "AnnouncementQuerySet":
        """What comes into an edition of these categories on any day: new, or cross-listed where wanted."""
        kinds = [Announcement.Kind.NEW]
        if cross_lists:
            kinds.append(Announcement.Kind.CROSS)
        return self.in_categories(categories).filter(kind__in=kinds)

    def replacements(self) -> "AnnouncementQuerySet":
        return self.filter(kind=Announcement.Kind.REPLACEMENT)

    def paper_count(self) -> int:
        return self.aggregate(count=models.Count("paper", distinct=True))["count"]


class Announcement(models.Model):
    """arXiv named a paper, in one category, on one day.

    `day` is the date on arXiv's list (the day after the mailing), never a reader's local date. A stronger
    source (rss and listing over derived) may correct a derived row in place.
    """

    class Kind(models.TextChoices):
        NEW = "new", _("new")
        CROSS = "cross", _("cross-list")
        REPLACEMENT = "replacement", _("replacement")

    class Source(models.TextChoices):
        RSS = "rss", "RSS"
        LISTING = "listing", _("list page")
        DERIVED = "derived", _("derived from the first version's date")

    # No index of its own: the constraint's begins with it.
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="announcements", db_index=False)
    category = models.CharField(max_length=32)
    day = models.DateField()
    kind = models.CharField(max_length=12, choices=Kind)
    source = models.CharField(max_length=8, choices=Source)
    version = models.PositiveSmallIntegerField(default=1)
    stored_at = models.DateTimeField(default=timezone.now)
    is_parked = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Surplus of a surge: nothing is spent on it until released."),
    )

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["paper", "category", "day"], name="named_once_a_category_and_day"
            ),
        ]
        indexes = [models.Index(fields=["day", "category", "kind", "paper"], name="announcement_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.category} {self.kind} {self.paper_id}"


class Correction(models.Model):
    """A derived announcement that arXiv's own list took back: the list names another day, or another kind.

    Kept, because a reader may have been given the paper on the day that was derived: what was read there stays.
    """

    # No index of its own: the constraint's begins with it.
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="corrections", db_index=False)
    category = models.CharField(max_length=32)
    day = models.DateField()
    kind = models.CharField(max_length=12, choices=Announcement.Kind)
    corrected_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["paper", "category", "day"], name="corrected_once_a_category_and_day"
            ),
        ]
        indexes = [models.Index(fields=["day", "category"], name="correction_day")]

    def __str__(self) -> str:
        return f"not {self.day} {self.category} {self.kind} {self.paper_id}"


class HarvestQuerySet(models.QuerySet["Harvest"]):
    def unbalanced(self) -> "HarvestQuerySet":
        """Runs whose counts do not add up, which is a fault."""
        return self.exclude(announced=models.F("stored") + models.F("without_text") + models.F("skipped"))


class Harvest(models.Model):
    """One run that brought a day of a category in, with its counts.

    announced = stored + without_text + skipped, counted in records of this run; `quarantined` records
    could not be read at all and are beside it. `cursor` is committed with each page's records, so that a
    killed run resumes.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    category = models.CharField(max_length=32, help_text=_("Empty for an import from files."))
    day = models.DateField(null=True)
    source = models.CharField(max_length=16)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    cursor = models.JSONField(default=dict)
    announced = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    without_text = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)
    # A code and its parameters, rendered in the viewer's language.
    problem = models.CharField(max_length=40, default="", blank=True)
    problem_params = models.JSONField(default=dict)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    objects = HarvestQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["day", "category"], name="harvest_day")]
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.day} {self.category or self.source} {self.state}"


class ArxivCount(models.Model):
    """How many papers arXiv itself counted, to be compared with what was stored.

    OAI-PMH knows no kinds: its count is of records that bear the day's date, changed ones among them.
    `is_cut` says that the feed stopped at its limit: more were announced than were counted.
    """

    class Kind(models.TextChoices):
        NEW = "new", _("new")
        CROSS = "cross", _("cross-list")
        REPLACEMENT = "replacement", _("replacement")
        RECORD = "record", _("record of OAI-PMH")

    class Source(models.TextChoices):
        RSS = "rss", "RSS"
        OAI = "oai", "OAI-PMH"
        LISTING = "listing", _("list page")

    category = models.CharField(max_length=32)
    day = models.DateField()
    kind = models.CharField(max_length=12, choices=Kind)
    source = models.CharField(max_length=8, choices=Source)
    count = models.PositiveIntegerField()
    is_cut = models.BooleanField(default=False, db_default=False)
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["category", "day", "kind", "source"], name="one_count_a_source"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.category} {self.kind}: {self.count}"


class GapQuerySet(models.QuerySet["Gap"]):
    def open(self) -> "GapQuerySet":
        return self.filter(filled_at=None)


class Gap(models.Model):
    """A paper that arXiv named on a day and of which something is still missing: kept until it came.

    `answer` is what the API said when it was last asked for the id: a word for machines, empty before.
    """

    class Reason(models.TextChoices):
        NO_TEXT = "no_text", _("no abstract")
        NO_RECORD = "no_record", _("named by the feed, never sent by OAI-PMH")
        UNREADABLE = "unreadable", _("named in a way that could not be read")
        NOT_IN_FEED = "not_in_feed", _("on the list page, not in the feed")

    arxiv_id = models.CharField(max_length=32)
    category = models.CharField(max_length=32)
    day = models.DateField()
    reason = models.CharField(max_length=12, choices=Reason)
    kind = models.CharField(
        max_length=12,
        choices=Announcement.Kind,
        default="",
        db_default="",
        blank=True,
        help_text=_("As what arXiv named it, where that could be read."),
    )
    since = models.DateTimeField(default=timezone.now)
    asked = models.PositiveSmallIntegerField(default=0, help_text=_("How often the API was asked for it."))
    asked_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=12, default="", blank=True)
    filled_at = models.DateTimeField(null=True)

    objects = GapQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["arxiv_id", "category", "day"], name="one_gap_a_paper_category_and_day"
            ),
        ]
        indexes = [
            models.Index(fields=["day", "category"], name="gap_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.category} {self.arxiv_id}: {self.reason}"


class Surge(models.Model):
    """A day on which a category had more than three times the usual, and what an operator decided about it.

    Of papers, the surplus is parked (`Announcement.is_parked`) until somebody decides. Of records, nothing is: a
    changed record is no news, and it is only told.
    """

    class About(models.TextChoices):
        PAPERS = "papers", _("announced papers")
        RECORDS = "records", _("changed records")

    class State(models.TextChoices):
        PARKED = "parked", _("the surplus waits for a decision")
        RELEASED = "released", _("released")
        KEPT = "kept", _("left parked")
        TOLD = "told", _("told")

    category = models.CharField(max_length=32)
    day = models.DateField()
    about = models.CharField(max_length=8, choices=About)
    state = models.CharField(max_length=8, choices=State)
    usual = models.PositiveIntegerField()
    found = models.PositiveIntegerField()
    noticed_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["category", "day", "about"], name="one_surge_a_category_and_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.category}: {self.found} {self.about}, usual {self.usual}"


class Pace(models.Model):
    """The next instant at which anybody may ask arXiv: one row for all processes and endpoints."""

    name = models.CharField(max_length=16, unique=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} from {self.next_at:%H:%M:%S.%f}"


class QuarantineQuerySet(models.QuerySet["Quarantine"]):
    def open(self) -> "QuarantineQuerySet":
        """Those that could not be read yet."""
        return self.filter(resolved_at=None)


class Quarantine(models.Model):
    """A record that could not be read, with its bytes, so that nothing is lost in silence. Kept for 90 days.

    `problem` is what the last retry said, for developers; empty before the first and after one that read it.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    harvest = models.ForeignKey(Harvest, on_delete=models.CASCADE, related_name="quarantine")
    place = models.TextField(help_text=_("File or address, and the record's position or id."))
    reason = models.CharField(max_length=40)
    raw = models.BinaryField()
    stored_at = models.DateTimeField(default=timezone.now, db_index=True)
    retried_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    problem = models.TextField(default="", db_default="", blank=True)

    objects = QuarantineQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"
