"""Pages about people: one's own settings and tokens, and teams."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from . import teams, tokens
from .access import Deed, ReaderRequest, may, membership_for, require
from .accounts import keep_keys
from .forms import MemberForm, SettingsForm, TeamForm, TokenForm, roles_to_give
from .models import ApiToken, Membership, Role, Team
from .teams import RANK, TeamError


@require_http_methods(["GET", "POST"])
def account_settings(request: ReaderRequest) -> HttpResponse:
    form = SettingsForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your settings are saved."))
        response = redirect("account_settings")
        keep_keys(response, request.user)
        return response
    return render(request, "profiles/settings.html", {"form": form})


@require_http_methods(["GET", "POST"])
def api_tokens(request: ReaderRequest) -> HttpResponse:
    """List one's tokens; a new one's secret is on the answer to the POST and nowhere else."""
    form = TokenForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        _token, secret = tokens.issue(
            request.user, form.cleaned_data["name"], can_write=form.cleaned_data["can_write"]
        )
        form = TokenForm()
    context = {"form": form, "secret": secret, "tokens": tokens.live(request.user)}
    response = render(request, "profiles/tokens.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def revoke_token(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    token = get_object_or_404(ApiToken, user=request.user, public_id=public_id)
    tokens.revoke(token)
    messages.success(request, _("The token %(name)s is revoked.") % {"name": token.name})
    return redirect("api_tokens")


@require_http_methods(["GET", "POST"])
def team_list(request: ReaderRequest) -> HttpResponse:
    """One's teams, and a form for another one."""
    form = TeamForm(request.POST or None, initial={"time_zone": request.user.time_zone})
    if request.method == "POST" and form.is_valid():
        team = teams.create_team(request.user, form.cleaned_data["name"], form.cleaned_data["time_zone"])
        return redirect("team", team.slug)
    memberships = Membership.objects.with_team_sizes().filter(user=request.user)
    context = {"form": form, "memberships": memberships, "section": "teams"}
    return render(request, "profiles/teams.html", context)


@require_GET
def team_page(request: ReaderRequest, slug: str) -> HttpResponse:
    """People and roles; figures stand on scoring's quota page."""
    mine = membership_for(request.user, slug)
    return render(request, "profiles/team.html", _team_context(mine, MemberForm(mine=mine)))


@require_POST
def add_member(request: ReaderRequest, slug: str) -> HttpResponse:
    mine = membership_for(request.user, slug)
    require(mine, Deed.INVITE)
    form = MemberForm(request.POST, mine=mine)
    if form.is_valid():
        try:
            added = teams.add_member(
                request.user, mine.team, form.cleaned_data["email"], form.cleaned_data["role"]
            )
        except TeamError as error:
            form.add_error("email", str(error))
        else:
            messages.success(
                request, _("%(name)s belongs to the team now.") % {"name": added.user.display_name}
            )
            return redirect("team", slug)
    return render(request, "profiles/team.html", _team_context(mine, form), status=422)


@require_POST
def change_role(request: ReaderRequest, slug: str, public_id: uuid.UUID) -> HttpResponse:
    membership = _member_of(membership_for(request.user, slug).team, public_id)
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


@require_POST
def remove_member(request: ReaderRequest, slug: str, public_id: uuid.UUID) -> HttpResponse:
    membership = _member_of(membership_for(request.user, slug).team, public_id)
    try:
        teams.remove_member(request.user, membership)
    except TeamError as error:
        messages.error(request, str(error))
    else:
        name = membership.user.display_name
        messages.success(request, _("%(name)s no longer belongs to the team.") % {"name": name})
    return redirect("team", slug)


@require_POST
def leave_team(request: ReaderRequest, slug: str) -> HttpResponse:
    membership = membership_for(request.user, slug)
    try:
        teams.leave(membership)
    except TeamError as error:
        messages.error(request, str(error))
        return redirect("team", slug)
    messages.success(request, _("You left %(team)s.") % {"team": membership.team.name})
    return redirect("teams")


def _member_of(team: Team, public_id: uuid.UUID) -> Membership:
    """The membership of that id in this team, or a 404."""
    membership = (
        Membership.objects.select_related("team", "user").filter(team=team, public_id=public_id).first()
    )
    if membership is None:
        raise Http404
    return membership


def _team_context(mine: Membership, form: MemberForm) -> dict[str, object]:
    members = list(
        Membership.objects.filter(team=mine.team).select_related("user").order_by("joined_at", "id")
    )
    sets_roles = may(mine, Deed.SET_ROLES)
    own_rank = RANK[Role(mine.role)]
    in_reach = {
        member.pk
        for member in members
        if sets_roles and member.pk != mine.pk and RANK[Role(member.role)] <= own_rank
    }
    return {
        "team": mine.team,
        "mine": mine,
        "members": members,
        "in_reach": in_reach,
        "may_invite": may(mine, Deed.INVITE) and not mine.team.is_personal,
        "may_see_quotas": may(mine, Deed.SEE_QUOTAS),
        "roles": roles_to_give(mine),
        "form": form,
        "section": "teams",
    }
