"""A team profile becomes a reader's own, or an own one a team's: asked with its price, then copied."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from profiles import teams
from profiles.access import Deed, ReaderRequest, may, membership_for, profile_for
from profiles.drafts import draft_of
from profiles.models import Membership, Team
from scoring import price, profile_changes, providers


@require_http_methods(["GET", "POST"])
def profile_fork(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """Whoever reads a profile may copy it, at the cost of a team in which they may spend, or their own."""
    profile = profile_for(request.user, public_id)
    if request.method == "POST":
        copy = profile_changes.fork(request.user, profile, _payer(request))
        messages.success(request, _("%(name)s is yours to change.") % {"name": copy.name})
        return redirect("profile_first", copy.public_id)
    paying = Membership.objects.filter(user=request.user, team__is_personal=False).select_related("team")
    choices = [each.team for each in paying if may(each, Deed.SPEND)]
    context = {
        "profile": profile,
        "teams": choices,
        "chosen": profile.team if profile.team in choices else None,
        "price": price.of_new(draft_of(profile), providers.provider_of(profile)),
        "section": "profiles",
    }
    return render(request, "scoring/profiles/fork.html", context)


@require_http_methods(["GET", "POST"])
def profile_share(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """The owner of a profile gives a team a copy of it: read together from then on, paid by its share."""
    profile = profile_for(request.user, public_id)
    if profile.is_team_profile:
        raise Http404
    choices = [
        each.team
        for each in Membership.objects.filter(user=request.user, team__is_personal=False).select_related(
            "team"
        )
        if may(each, Deed.EDIT_TEAM_PROFILES)
    ]
    if request.method == "POST":
        team = _team_to_share_with(request)
        copy = profile_changes.share(request.user, profile, team)
        messages.success(
            request, _("%(team)s reads %(name)s together now.") % {"team": team.name, "name": copy.name}
        )
        return redirect("profile_first", copy.public_id)
    context = {
        "profile": profile,
        "teams": choices,
        "chosen": profile.team if profile.team in choices else None,
        "price": price.of_new(draft_of(profile), providers.provider_of(profile)),
        "section": "profiles",
    }
    return render(request, "scoring/profiles/share.html", context)


def _team_to_share_with(request: ReaderRequest) -> Team:
    membership = membership_for(request.user, request.POST.get("team", ""))
    if membership.team.is_personal or not may(membership, Deed.EDIT_TEAM_PROFILES):
        raise PermissionDenied
    return membership.team


def _payer(request: ReaderRequest) -> Team:
    slug = request.POST.get("team", "")
    if not slug:
        return teams.personal_team_of(request.user)
    membership = membership_for(request.user, slug)
    if not may(membership, Deed.SPEND):
        raise PermissionDenied
    return membership.team
