"""Pages of an invitation: for whoever sends it, and for whoever follows its link.

The token of a link is a secret: these pages are kept by no cache, name no referrer to anybody else, and no log
line holds their address (`portal.masking`).
"""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from profiles import invitations
from profiles.access import Deed, ReaderRequest, membership_for, require
from profiles.accounts import INVITATION_KEY
from profiles.forms import InvitationForm
from profiles.invitations import InvitationError
from profiles.models import Invitation, Team, User
from profiles.teams import TeamError

from .teams import team_answer


@require_POST
def invite(request: ReaderRequest, slug: str) -> HttpResponse:
    """Ask an address in; the answer shows the link, once."""
    mine = membership_for(request.user, slug)
    require(mine, Deed.INVITE)
    form = InvitationForm(request.POST, mine=mine)
    if not form.is_valid():
        return team_answer(request, mine, form, status=422)
    try:
        made = invitations.invite(
            request.user, mine.team, form.cleaned_data["email"], form.cleaned_data["role"]
        )
    except TeamError as error:
        form.add_error("email", str(error))
        return team_answer(request, mine, form, status=422)
    return team_answer(request, mine, InvitationForm(mine=mine), made=made)


@require_POST
def renew(request: ReaderRequest, slug: str, public_id: uuid.UUID) -> HttpResponse:
    """Another link for another seven days; the answer shows it, once."""
    mine = membership_for(request.user, slug)
    invitation = invitation_of(mine.team, public_id)
    try:
        made = invitations.renew(request.user, invitation, request.POST.get("seen", ""))
    except TeamError as error:
        messages.error(request, str(error))
        return redirect("team", slug)
    return team_answer(request, mine, InvitationForm(mine=mine), made=made)


@require_POST
def revoke(request: ReaderRequest, slug: str, public_id: uuid.UUID) -> HttpResponse:
    mine = membership_for(request.user, slug)
    invitation = invitation_of(mine.team, public_id)
    try:
        invitations.revoke(request.user, invitation)
    except TeamError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request,
            _("The invitation of %(email)s is revoked; its link is dead.") % {"email": invitation.email},
        )
    return redirect("team", slug)


@login_not_required
@never_cache
@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Where a link leads: what it offers, or why it does not hold. A POST accepts it, or goes to an account."""
    found = invitations.find(token)
    if found is None:
        return _closed(render(request, "profiles/invitation_unknown.html", status=404))
    if isinstance(request.user, User):
        return _closed(_answer_reader(request, request.user, found))
    problem = _problem(found, None)
    if request.method == "POST" and problem is None:
        # Signing up by invitation looks for it there, and signing in returns to it.
        request.session[INVITATION_KEY] = token
        door = "account_login" if request.POST.get("door") == "login" else "account_signup"
        return _closed(redirect(reverse(door, query={"next": request.path})))
    return _closed(_page(request, found, problem, status=200 if problem is None else 410))


def _answer_reader(request: HttpRequest, reader: User, found: Invitation) -> HttpResponse:
    if found.accepted_by_id == reader.pk:
        return _welcome(request, found)
    if request.method != "POST":
        return _page(request, found, _problem(found, reader))
    try:
        invitations.accept(reader, found)
    except InvitationError as error:
        return _page(request, found, error, status=409)
    request.session.pop(INVITATION_KEY, None)
    if found.team is not None:
        messages.success(
            request,
            _("Welcome to %(team)s: you are %(role)s there.")
            % {"team": found.team.name, "role": found.get_role_display()},
        )
    return _welcome(request, found)


def _welcome(request: HttpRequest, found: Invitation) -> HttpResponse:
    return redirect("team", found.team.slug) if found.team is not None else redirect("today")


def _problem(found: Invitation, reader: User | None) -> InvitationError | None:
    try:
        if reader is None:
            invitations.refuse_anybody(found, timezone.now())
        else:
            invitations.refuse(found, reader, timezone.now())
    except InvitationError as error:
        return error
    return None


def _page(
    request: HttpRequest, found: Invitation, problem: InvitationError | None, status: int = 200
) -> HttpResponse:
    context = {"invitation": found, "masked": invitations.masked(found.email), "problem": problem}
    return render(request, "profiles/invitation.html", context, status=status)


def _closed(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def invitation_of(team: Team, public_id: uuid.UUID) -> Invitation:
    """The team's invitation of that id, or a 404."""
    found = invitations.by_id(team, public_id)
    if found is None:
        raise Http404
    return found
