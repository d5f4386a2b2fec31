"""A reader's lasting lists, saved and dismissed, and the search box."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from papers import search as paper_search
from papers.models import SEARCHED_OF_PAPER
from profiles.access import ReaderRequest
from profiles.models import Mark

PAGE_SIZE = 100
SAVED = {
    "title": _("Saved"),
    "nothing": _("Nothing is saved yet. “Save” on a paper keeps it here for good."),
    "undo": "unsave",
    "undo_label": _("Remove"),
}
DISMISSED = {
    "title": _("Dismissed"),
    "nothing": _("Nothing is dismissed. “Dismiss” puts a paper out of sight, and it waits here."),
    "undo": "restore",
    "undo_label": _("Bring back"),
}


@require_GET
def saved(request: ReaderRequest) -> HttpResponse:
    return _marked(request, Mark.Kind.SAVED, {"section": "saved", "words": SAVED, "exports": True})


@require_GET
def dismissed(request: ReaderRequest) -> HttpResponse:
    return _marked(request, Mark.Kind.DISMISSED, {"section": "dismissed", "words": DISMISSED})


@require_GET
def search(request: ReaderRequest) -> HttpResponse:
    """Papers by words of title, authors or abstract, or by id; an empty question asks nothing."""
    question = " ".join(request.GET.get("q", "").split())[:200]
    found = paper_search.find(question)
    context = {"section": "search", "question": question, "papers": found, "most": paper_search.MOST_FOUND}
    return render(request, "scoring/search.html", context)


def _marked(request: ReaderRequest, kind: str, context: dict[str, Any]) -> HttpResponse:
    marks = Mark.objects.of(request.user).filter(kind=kind).select_related("paper")
    marks = marks.defer(*SEARCHED_OF_PAPER).order_by("-marked_at", "-pk")
    page = Paginator(marks, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "scoring/marked_list.html", {**context, "marks": page})
