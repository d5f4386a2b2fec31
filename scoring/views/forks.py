"""A team profile becomes a reader's own: asked with its price, then copied."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
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


def _payer(request: ReaderRequest) -> Team:
    slug = request.POST.get("team", "")
    if not slug:
        return teams.personal_team_of(request.user)
    membership = membership_for(request.user, slug)
    if not may(membership, Deed.SPEND):
        raise PermissionDenied
    return membership.team
