"""A reader asks for the reason of a score that came without one."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from papers.models import Paper
from profiles.access import Deed, ReaderRequest, membership_of, require
from scoring import blocked, explaining, feed
from scoring.access import edition_by_id
from scoring.blocked import Blocked
from scoring.budget import NoPayer, Refusal
from scoring.models import Edition
from scoring.views.returning import way_back


@require_http_methods(["GET", "POST"])
def reason(request: ReaderRequest, arxiv_id: str) -> HttpResponse:
    """POST asks once, at the price that the page shows; GET is the answer, or that it is still awaited."""
    paper = get_object_or_404(Paper, arxiv_id=arxiv_id)
    public_id = (request.POST if request.method == "POST" else request.GET).get("edition", "")
    if not public_id:
        return HttpResponseBadRequest()
    edition = edition_by_id(request.user, public_id)
    refused = _ask(request, edition, paper) if request.method == "POST" else None
    if not request.htmx:
        if request.method == "GET":
            return redirect("paper", arxiv_id)
        return redirect(way_back(request))
    chosen = feed.of(request.user).in_profile(str(edition.profile.public_id)).on(edition.day)
    entry = chosen.entry(paper)
    if entry is None:
        raise Http404
    context = {"entry": entry, "edition": edition, "refused": refused}
    return render(request, "components/reason.html", context)


def _ask(request: ReaderRequest, edition: Edition, paper: Paper) -> Blocked | None:
    """Leave the question; whose limit refuses it, if one does. Without JavaScript a message says the same."""
    if edition.profile.is_team_profile:
        require(membership_of(request.user, edition.profile.team), Deed.SPEND)
    refused = None
    try:
        answer = explaining.ask(edition, paper, timezone.now())
        if isinstance(answer, Refusal):
            refused = blocked.of_refusal(answer, request.user.zone)
    except NoPayer:
        refused = blocked.NOBODY_PAYS
    except explaining.NothingToAsk:
        if not request.htmx:
            messages.info(request, _("There is nothing to ask of this paper now."))
        return None
    if not request.htmx:
        _say(request, refused)
    return refused


def _say(request: ReaderRequest, refused: Blocked | None) -> None:
    if refused is not None:
        messages.error(request, f"{refused.heading} {refused.text} {refused.help}")
    else:
        messages.success(
            request, _("The model is asked for its reason. Load the page again in a few seconds.")
        )
