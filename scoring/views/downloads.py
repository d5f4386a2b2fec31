"""What a reader takes along: the report of a day, and papers as citations."""

import datetime as dt

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from papers.models import SEARCHED_OF_PAPER, Paper, PaperVersion
from profiles.access import ReaderRequest
from profiles.models import Mark
from scoring import feed, report


@require_GET
def report_of_day(request: ReaderRequest, day: dt.date, form: str) -> HttpResponse:
    """The day as `md`, `json`, `csv`, `bib` or `ris`, in the profile's language and the reader's zone."""
    chosen = feed.of(request.user).in_profile(request.GET.get("profile", "")).on(day)
    if chosen.edition is None or form not in report.MEDIA_TYPES:
        raise Http404
    profile = chosen.edition.profile
    text = report.written(profile, day, request.user.time_zone, profile.reason_language, form)
    return _file(text, form, f"broadsheet-{day.isoformat()}")


@require_GET
def cite(request: ReaderRequest, arxiv_id: str, form: str) -> HttpResponse:
    if form not in report.CITATIONS:
        raise Http404
    paper = get_object_or_404(Paper, arxiv_id=arxiv_id)
    text = PaperVersion.objects.filter(paper=paper).order_by("-number").first()
    abstract = text.abstract if text and not text.is_sample else ""
    return _file(report.CITATIONS[form]([report.work_of(paper, abstract)]), form, arxiv_id.replace("/", "-"))


@require_GET
def saved(request: ReaderRequest, form: str) -> HttpResponse:
    if form not in report.CITATIONS:
        raise Http404
    marks = Mark.objects.of(request.user).filter(kind=Mark.Kind.SAVED).select_related("paper")
    marks = marks.defer(*SEARCHED_OF_PAPER).order_by("pk")
    return _file(
        report.CITATIONS[form](report.work_of(mark.paper) for mark in marks), form, "broadsheet-saved"
    )


def _file(text: str, form: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return HttpResponse(text.encode(), content_type=report.MEDIA_TYPES[form], headers=headers)
