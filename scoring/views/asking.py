"""More tokens: asked for with one click, granted with one click, from the page or from a letter."""

import datetime as dt
import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from profiles import access, quotas
from profiles.access import Deed, ReaderRequest
from profiles.models import Membership, QuotaRequest, TopUp
from scoring import asking, asking_words, budget
from scoring.access import edition_by_id

from .quotas import subject_of_form
from .returning import way_back

DEEDS = {"grant": asking.grant, "decline": asking.decline}


@require_POST
def ask_for_more(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask for more of the limit that stops this edition. A repeat changes nothing."""
    edition = edition_by_id(request.user, public_id)
    try:
        asking.ask(request.user, edition)
    except asking.NothingToAsk:
        messages.info(request, _("No limit stops this day any more."))
    else:
        messages.success(request, _("You have asked. You are told as soon as it is decided."))
    return redirect(way_back(request))


@require_POST
def request_decide(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """Grant or decline, from a team's quotas or the operator's page."""
    asked = QuotaRequest.objects.select_related("asked_by__team", "asked_by__user").filter(
        public_id=public_id
    )
    found = asked.first()
    if found is None:
        raise Http404
    if not request.user.is_staff:
        access.require(access.membership_of(request.user, found.asked_by.team), Deed.SET_QUOTAS)
    verb = DEEDS.get(request.POST.get("do", ""))
    if verb is None:
        return HttpResponseBadRequest()
    try:
        is_done = verb(request.user, found)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        found.refresh_from_db()
        say = messages.success if is_done else messages.info
        say(
            request,
            _told(found)
            if is_done
            else _("It was decided before: %(state)s.") % {"state": found.get_state_display()},
        )
    return redirect(way_back(request))


def _told(asked: QuotaRequest) -> str:
    if asked.state == QuotaRequest.State.GRANTED:
        return _("Granted. The papers that waited are read now.")
    return _("Declined.")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def request_by_letter(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a letter's link: it asks, and only its button does. A GET spends nothing: scanners come."""
    found = asking.of_token(token)
    if found is None:
        raise Http404
    asked, judge = found
    problem, status = "", 200
    if request.method == "POST":
        verb = DEEDS.get(request.POST.get("do", ""), asking.grant)
        try:
            verb(judge, asked)
        except (PermissionDenied, Http404):
            problem, status = _("You may not decide this any more."), 403
        except ValidationError as error:
            problem, status = error.messages[0], 422
        asked.refresh_from_db()
    context = {
        "asked": asked,
        "about": asking_words.about(asked),
        "until": asked.window_ends_at.astimezone(judge.zone),
        "is_over": asked.window_ends_at <= timezone.now(),
        "problem": problem,
        "judge": judge,
    }
    return render(request, "scoring/request.html", context, status=status)


# --- top-ups -------------------------------------------------------------------------------------------


@require_POST
def team_top_ups(request: ReaderRequest, slug: str) -> HttpResponse:
    """Give a member or a team profile tokens once, or take back what is left of such a gift."""
    mine = access.membership_for(request.user, slug)
    access.require(mine, Deed.SET_QUOTAS)
    try:
        said = _revoke(request, mine) if "revoke" in request.POST else _give(request, mine)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, said)
    return redirect("team_quotas", slug)


def _give(request: ReaderRequest, mine: Membership) -> str:
    of, _colon, public_id = request.POST.get("whom", "").partition(":")
    subject = subject_of_form(mine.team, of, public_id)
    tokens = quotas.parse_tokens(request.POST.get("tokens", ""))
    budget.give_top_up(request.user, subject, tokens, _end(request.POST.get("until", ""), mine))
    return _("The top-up is given; what waited for it is read now.")


def _end(typed: str, mine: Membership) -> dt.datetime:
    """The end of that day in the team's zone."""
    try:
        day = parse_date(typed)
    except ValueError:
        day = None
    if day is None:
        raise ValidationError(_("Say until which day, such as 2026-02-28."))
    try:
        return dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min, tzinfo=mine.team.zone)
    except OverflowError as error:
        raise ValidationError(_("A top-up ends within a year.")) from error


def _revoke(request: ReaderRequest, mine: Membership) -> str:
    try:
        given = TopUp.objects.get(team=mine.team, public_id=request.POST.get("revoke", ""))
    except (TopUp.DoesNotExist, ValidationError) as error:
        raise Http404 from error
    budget.revoke_top_up(request.user, given)
    return _("What was left of the top-up is taken back.")
