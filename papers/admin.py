"""What the operator may look at. arXiv's facts are not edited by hand."""

from django.contrib import admin

from papers.browsing import ReadOnlyAdmin
from papers.models import Announcement, ArxivCount, Gap, Harvest, Pace, Paper, Quarantine, Surge


@admin.register(Paper)
class PaperAdmin(ReadOnlyAdmin):
    list_display = ("arxiv_id", "title", "primary_category", "latest_version", "is_withdrawn", "stored_at")
    list_filter = ("is_withdrawn",)
    search_fields = ("arxiv_id", "title", "author_names")


@admin.register(Announcement)
class AnnouncementAdmin(ReadOnlyAdmin):
    list_display = ("day", "category", "kind", "source", "paper", "version", "is_parked")
    list_filter = ("kind", "source", "is_parked")
    list_select_related = ("paper",)
    date_hierarchy = "day"


@admin.register(Harvest)
class HarvestAdmin(ReadOnlyAdmin):
    list_display = (
        "started_at",
        "category",
        "day",
        "source",
        "state",
        "announced",
        "stored",
        "without_text",
        "skipped",
        "quarantined",
        "problem",
    )
    list_filter = ("state", "source")


@admin.register(ArxivCount)
class ArxivCountAdmin(ReadOnlyAdmin):
    list_display = ("day", "category", "kind", "source", "count", "is_cut", "counted_at")
    list_filter = ("kind", "source")


@admin.register(Gap)
class GapAdmin(ReadOnlyAdmin):
    list_display = ("day", "category", "arxiv_id", "reason", "since", "asked", "answer", "filled_at")
    list_filter = ("reason", "answer")
    search_fields = ("arxiv_id",)


@admin.register(Surge)
class SurgeAdmin(ReadOnlyAdmin):
    list_display = ("day", "category", "about", "state", "usual", "found", "noticed_at", "decided_at")
    list_filter = ("about", "state")


@admin.register(Quarantine)
class QuarantineAdmin(ReadOnlyAdmin):
    list_display = ("stored_at", "place", "reason", "harvest")
    exclude = ("raw",)


@admin.register(Pace)
class PaceAdmin(ReadOnlyAdmin):
    list_display = ("name", "next_at")
