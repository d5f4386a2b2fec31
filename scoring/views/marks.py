"""What a reader does with a paper. Each answer carries its undo; a repeat changes nothing."""

import datetime as dt
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from papers.models import Paper
from profiles import marks
from profiles.access import ReaderRequest
from profiles.models import Mark
from scoring import feed
from scoring.access import edition_by_id
from scoring.views.returning import way_back

# What a button posts: (kind of mark, is it set), the words of the toast, and what takes it back.
MARKS = {
    "save": (Mark.Kind.SAVED, True, _("Saved."), "unsave"),
    "unsave": (Mark.Kind.SAVED, False, _("No longer saved."), "save"),
    "dismiss": (Mark.Kind.DISMISSED, True, _("Dismissed."), "restore"),
    "restore": (Mark.Kind.DISMISSED, False, _("Back in the feed."), "dismiss"),
    "read": (Mark.Kind.READ, True, _("Marked as read."), "unread"),
    "unread": (Mark.Kind.READ, False, _("Marked as unread."), "read"),
}
VOTES = {
    "up": (1, _("More like this, from the next day on.")),
    "down": (-1, _("Less like this, from the next day on.")),
    "novote": (0, _("Your vote is taken back.")),
}
VOTE_NAMES = {1: "up", -1: "down", 0: "novote"}


@require_POST
def mark(request: ReaderRequest, arxiv_id: str) -> HttpResponse:
    """Do one thing with one paper; with htmx the card comes back, else the page it came from."""
    paper = get_object_or_404(Paper, arxiv_id=arxiv_id)
    edition = edition_by_id(request.user, request.POST["edition"]) if request.POST.get("edition") else None
    done = request.POST.get("do", "")
    if done in MARKS:
        kind, is_set, said, undo = MARKS[done]
        (marks.set_mark if is_set else marks.clear_mark)(request.user, paper, kind)
    elif done in VOTES and edition is not None:
        direction, said = VOTES[done]
        undo = VOTE_NAMES[marks.vote_of(request.user, edition.profile, paper)]
        marks.vote(request.user, edition.profile, paper, direction)
    else:
        return HttpResponseBadRequest()
    if not request.htmx or edition is None:
        messages.success(request, said)
        return redirect(way_back(request))
    chosen = feed.of(request.user).in_profile(str(edition.profile.public_id)).on(edition.day)
    entry = chosen.entry(paper)
    if entry is None:
        return HttpResponseBadRequest()
    place = request.POST.get("place", "")
    entry.place = int(place[:5]) if place.isdecimal() else 0
    context = {
        "entry": entry,
        "edition": chosen.edition,
        "said": said,
        "undo": undo,
        "is_gone": done == "dismiss",
    }
    return render(request, "scoring/marked.html", context)


@require_POST
def read_all(request: ReaderRequest, day: dt.date) -> HttpResponse:
    """Mark the day's recommended papers as read; `undo` (an instant) takes exactly that back."""
    chosen = feed.of(request.user).in_profile(request.POST.get("profile", "")).on(day)
    address = reverse("day", args=[day])
    query = {"profile": request.POST.get("profile", "")}
    undo_at = instant_of(request.POST.get("undo", ""))
    if request.POST.get("undo") and undo_at is None:
        return HttpResponseBadRequest()
    if undo_at is not None:
        count = marks.clear_marked_at(request.user, Mark.Kind.READ, undo_at)
        messages.success(
            request,
            ngettext("%(n)d paper is unread again.", "%(n)d papers are unread again.", count) % {"n": count},
        )
    else:
        now = timezone.now()
        unread = [entry.paper for entry in chosen.best_first() if not entry.is_read]
        marks.mark_many(request.user, unread, Mark.Kind.READ, now)
        query["undo"] = now.isoformat()
        messages.success(
            request,
            ngettext("%(n)d paper marked as read.", "%(n)d papers marked as read.", len(unread))
            % {"n": len(unread)},
        )
    return HttpResponseRedirect(f"{address}?{urlencode({k: v for k, v in query.items() if v})}")


def instant_of(text: str) -> dt.datetime | None:
    """An aware instant as `isoformat` writes it; None for anything else."""
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else None
