"""The end of a team: a page of scoring's, which has most of what goes with it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from profiles.access import Deed, ReaderRequest, membership_for, require
from profiles.models import Profile
from profiles.teams import PersonalTeam
from scoring import leaving


@require_http_methods(["GET", "POST"])
def team_delete(request: ReaderRequest, slug: str) -> HttpResponse:
    """A question that is answered by typing the team's name, then the deed."""
    mine = membership_for(request.user, slug)
    require(mine, Deed.DELETE_TEAM)
    team = mine.team
    if team.is_personal:
        messages.error(request, str(PersonalTeam()))
        return redirect("team", slug)
    typed = request.POST.get("name", "").strip()
    if request.method == "POST" and typed == team.name.strip():
        leaving.delete_team(request.user, team)
        messages.success(request, _("The team %(team)s is deleted.") % {"team": team.name})
        return redirect("teams")
    shared = Profile.objects.filter(team=team, owner=None, archived_at=None).count()
    context = {"team": team, "shared": shared, "typed": typed, "section": "teams"}
    context["is_wrong"] = request.method == "POST"
    return render(request, "scoring/team_delete.html", context, status=422 if context["is_wrong"] else 200)
