"""Pages about teams: who belongs, in which role, and who is asked in. Figures stand on scoring's pages."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from profiles import invitations, teams
from profiles.access import Deed, ReaderRequest, may, membership_for, require, rights_table
from profiles.forms import InvitationForm, TeamForm, TeamSettingsForm, roles_to_give
from profiles.models import Invitation, Membership, Role, Team
from profiles.once import once
from profiles.teams import RANK, TeamError

MEMBERS_A_PAGE = 50


@require_http_methods(["GET", "POST"])
def team_list(request: ReaderRequest) -> HttpResponse:
    """One's teams, the invitations that wait, and a form for another team where one may make it."""
    may_create = teams.may_create(request.user)
    form = TeamForm(request.POST or None, initial={"time_zone": request.user.time_zone})
    if request.method == "POST":
        if not may_create:
            raise PermissionDenied
        if form.is_valid():
            name, time_zone = form.cleaned_data["name"], form.cleaned_data["time_zone"]
            done = once(
                request.user,
                form.cleaned_data["once"],
                lambda: teams.create_team(request.user, name, time_zone).slug,
            )
            return redirect("team", done.outcome)
    waiting = invitations.waiting_for(request.user, timezone.now())
    context = {
        "form": form if may_create else None,
        "memberships": Membership.objects.with_team_sizes().filter(user=request.user),
        "waiting": [(each, invitations.path_of(each)) for each in waiting if invitations.link_of(each)],
        "section": "teams",
    }
    return _private(render(request, "profiles/teams.html", context))


@require_GET
def team_page(request: ReaderRequest, slug: str) -> HttpResponse:
    mine = membership_for(request.user, slug)
    return team_answer(request, mine, InvitationForm(mine=mine))


@require_POST
def change_role(request: ReaderRequest, slug: str, public_id: uuid.UUID) -> HttpResponse:
    membership = member_of(membership_for(request.user, slug).team, public_id)
    try:
        teams.change_role(request.user, membership, request.POST.get("role", ""))
    except TeamError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request,
            _("%(name)s is now %(role)s.")
            % {"name": membership.user.display_name, "role": membership.get_role_display()},
        )
    return redirect("team", slug)


@require_http_methods(["GET", "POST"])
def remove_member(request: ReaderRequest, slug: str, public_id: uuid.UUID) -> HttpResponse:
    """A question, then the deed. Their own profiles go with them; what was spent stays in the books."""
    mine = membership_for(request.user, slug)
    membership = member_of(mine.team, public_id)
    if request.method == "GET":
        teams.require_reach(mine, membership)
        context = {"team": mine.team, "member": membership, "section": "teams"}
        return render(request, "profiles/team_remove.html", context)
    try:
        teams.remove_member(request.user, membership)
    except TeamError as error:
        messages.error(request, str(error))
    else:
        name = membership.user.display_name
        messages.success(request, _("%(name)s no longer belongs to the team.") % {"name": name})
    return redirect("team", slug)


@require_http_methods(["GET", "POST"])
def team_settings(request: ReaderRequest, slug: str) -> HttpResponse:
    """Name and time zone; for an owner the ways out of owning: handing over, deleting."""
    mine = membership_for(request.user, slug)
    require(mine, Deed.SET_TEAM)
    form = TeamSettingsForm(request.POST if request.method == "POST" else None, team=mine.team)
    if request.method == "POST" and form.is_valid():
        teams.change_team(request.user, mine.team, form.cleaned_data["name"], form.cleaned_data["time_zone"])
        messages.success(request, _("The team's settings are saved."))
        return redirect("team_settings", slug)
    others = Membership.objects.filter(team=mine.team).exclude(pk=mine.pk).select_related("user")
    context = {
        "team": mine.team,
        "form": form,
        "others": others.order_by("joined_at", "id") if may(mine, Deed.MAKE_OWNERS) else [],
        "may_delete": may(mine, Deed.DELETE_TEAM) and not mine.team.is_personal,
        "section": "teams",
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "profiles/team_settings.html", context, status=status)


@require_POST
def hand_over(request: ReaderRequest, slug: str) -> HttpResponse:
    """Somebody else owns the team, and the actor is its admin from then on."""
    mine = membership_for(request.user, slug)
    require(mine, Deed.MAKE_OWNERS)
    try:
        chosen = member_of(mine.team, uuid.UUID(request.POST.get("member", "")))
    except ValueError as error:
        raise Http404 from error
    try:
        teams.hand_over(request.user, chosen)
    except TeamError as error:
        messages.error(request, str(error))
        return redirect("team_settings", slug)
    messages.success(
        request, _("%(name)s owns the team now; you are its admin.") % {"name": chosen.user.display_name}
    )
    return redirect("team", slug)


@require_http_methods(["GET", "POST"])
def leave_team(request: ReaderRequest, slug: str) -> HttpResponse:
    """A question, then the deed."""
    membership = membership_for(request.user, slug)
    if request.method == "GET":
        return render(request, "profiles/team_leave.html", {"team": membership.team, "section": "teams"})
    try:
        teams.leave(membership)
    except TeamError as error:
        messages.error(request, str(error))
        return redirect("team", slug)
    messages.success(request, _("You left %(team)s.") % {"team": membership.team.name})
    return redirect("teams")


def member_of(team: Team, public_id: uuid.UUID) -> Membership:
    """The membership of that id in this team, or a 404."""
    membership = (
        Membership.objects.select_related("team", "user").filter(team=team, public_id=public_id).first()
    )
    if membership is None:
        raise Http404
    return membership


def team_answer(
    request: ReaderRequest,
    mine: Membership,
    form: InvitationForm,
    *,
    made: Invitation | None = None,
    status: int = 200,
) -> HttpResponse:
    """The team's page; with the link of an invitation that was just made, which is on this answer only."""
    everybody = Membership.objects.filter(team=mine.team)
    wanted = request.GET.get("q", "").strip()[:100]
    found = everybody.named_like(wanted, by_address=mine.is_steering) if wanted else everybody
    page = Paginator(found.with_last_seen().order_by("joined_at", "id"), MEMBERS_A_PAGE).get_page(
        request.GET.get("page")
    )
    members = list(page.object_list)
    count = everybody.count()
    may_invite = may(mine, Deed.INVITE) and not mine.team.is_personal
    pending = invitations.pending(mine.team) if may_invite else []
    senders = everybody.filter(user__in={each.invited_by_id for each in pending})
    roles = dict(senders.values_list("user_id", "role")) if pending else {}
    context = {
        "team": mine.team,
        "mine": mine,
        "members": members,
        "page": page,
        "count": count,
        "wanted": wanted,
        "is_long": count > MEMBERS_A_PAGE,
        "in_reach": {each.pk for each in members if teams.is_in_reach(mine, each)},
        "may_invite": may_invite,
        "may_see_quotas": may(mine, Deed.SEE_QUOTAS),
        "may_set_team": may(mine, Deed.SET_TEAM),
        "roles": roles_to_give(mine),
        "form": form,
        "pending": pending,
        "void": {each.pk for each in pending if invitations.is_void(each, roles)},
        "in_rank": {role.value for role in Role if RANK[role] <= RANK[Role(mine.role)]},
        "now": timezone.now(),
        "made": made,
        "link": invitations.link_of(made) if made is not None else "",
        "sends_mail": settings.HAS_MAILER,
        "rights": rights_table(),
        "role_names": [role.label for role in Role],
        "section": "teams",
    }
    response = render(request, "profiles/team.html", context, status=status)
    return _private(response) if made is not None else response


def _private(response: HttpResponse) -> HttpResponse:
    """A page with the address of an invitation: no cache keeps it."""
    response["Cache-Control"] = "no-store"
    return response
