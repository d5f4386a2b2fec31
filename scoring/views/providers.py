"""Who judges for a team: its own keys, the operator's models that are allowed to it, and which of them reads."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from profiles.access import Deed, ReaderRequest, may, membership_for, require
from profiles.models import Membership, Team
from scoring import blocked, checking, providers
from scoring.budget import Refusal
from scoring.budget.words import dollars
from scoring.forms import OfferForm, ProviderForm
from scoring.models import Provider
from scoring.outcomes import problem_told
from scoring.providers import Why

WHY: dict[str, Any] = {
    Why.CHOSEN_FOR_TEAM: gettext_lazy("It was chosen for the team."),
    Why.OWN_KEY: gettext_lazy("The team's own key is used; the operator's models are not."),
    Why.INSTANCE: gettext_lazy("The team has no key of its own: the operator's model is used."),
    Why.OFFERED: gettext_lazy("The team has no key of its own: the operator's model is used."),
    Why.LOCAL: gettext_lazy("No model is set up: papers are estimated on this machine, for nothing."),
}


def shown(provider: Provider, checked: Collection[int] = ()) -> dict[str, Any]:
    """A provider as the pages show it; of its key no more than its end."""
    prices, check = provider.prices, provider.last_check
    return {
        "row": provider,
        "is_of_settings": providers.is_of_settings(provider),
        "stopped": problem_told(provider.paused_reason) if provider.paused_at else "",
        "is_key_lost": not providers.is_key_readable(provider),
        "is_priced": prices.is_known,
        "prices": [
            (gettext_lazy("Input"), _a_million(prices.input_microusd)),
            (gettext_lazy("Cached input"), _a_million(prices.cached)),
            (gettext_lazy("Output"), _a_million(prices.output_microusd)),
            (gettext_lazy("Reasoning"), _a_million(prices.reasoning)),
        ],
        "is_checking": provider.pk in checked,
        "check": check,
        "check_problem": problem_told(check["problem"]) if check.get("problem") else "",
        "check_tokens": check.get("input_tokens", 0) + check.get("output_tokens", 0),
        "check_cost": dollars(check["cost_microusd"]) if check.get("cost_microusd") else "",
    }


def _with_flow(own: Sequence[Provider], checked: Collection[int]) -> list[dict[str, Any]]:
    """As their steward sees them: those in use also with how they are asked just now."""
    flows = providers.flows_of([each for each in own if each.is_active], timezone.now())
    return [shown(each, checked) | {"flow": flows.get(each.pk)} for each in own]


def _a_million(microusd: int) -> str:
    """A price as money: `$0.15`, `$1.50`, `$0.075`."""
    whole, _point, parts = providers.dollars_typed(microusd).partition(".")
    return f"${whole}.{parts:0<2}"


# --- a team's --------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def team_providers(request: ReaderRequest, slug: str) -> HttpResponse:
    """Members see who reads and at what price; owners and admins steer. A POST chooses the team's model."""
    mine = membership_for(request.user, slug)
    if request.method == "POST":
        require(mine, Deed.MANAGE_PROVIDERS)
        return _choose(request, mine)
    manages = may(mine, Deed.MANAGE_PROVIDERS)
    reading = providers.reading_for_team(mine.team)
    own = list(
        Provider.objects.filter(team=mine.team, profile=None).order_by("-is_active", "created_at", "pk")
    )
    offered = providers.allowed(mine.team)
    checked = checking.being_checked(mine.team_id, timezone.now())
    choice = getattr(mine.team, "model_choice", None)
    context = {
        "mine": mine,
        "team": mine.team,
        "manages": manages,
        "reading": shown(reading.provider) if not reading.provider.is_local else None,
        "why": WHY.get(reading.why, ""),
        "own": _with_flow(own, checked) if manages else [],
        "offered": [shown(each) for each in offered if each.team_id is None],
        "choices": offered,
        "chosen": choice.provider_id if choice else None,
        "section": "teams",
    }
    return render(request, "scoring/providers/team.html", context)


def _choose(request: ReaderRequest, mine: Membership) -> HttpResponse:
    public_id = request.POST.get("provider")
    if public_id is None:
        return HttpResponseBadRequest()
    provider = provider_by_id(mine.team, public_id) if public_id else None
    providers.choose_for_team(request.user, mine.team, provider)
    messages.success(
        request,
        _("The choice is saved. It holds from the next paper on; what was read stays as it is."),
    )
    return redirect("team_providers", mine.team.slug)


def provider_by_id(team: Team, public_id: str) -> Provider:
    """One of those that the team may choose, or a 404: another team's is as if it were not there."""
    for each in providers.allowed(team):
        if str(each.public_id) == public_id:
            return each
    raise Http404


@require_http_methods(["GET", "POST"])
def team_provider_new(request: ReaderRequest, slug: str) -> HttpResponse:
    mine = membership_for(request.user, slug)
    require(mine, Deed.MANAGE_PROVIDERS)
    return _edit(request, mine.team, None)


@require_http_methods(["GET", "POST"])
def team_provider(request: ReaderRequest, slug: str, public_id: uuid.UUID) -> HttpResponse:
    mine = membership_for(request.user, slug)
    require(mine, Deed.MANAGE_PROVIDERS)
    return _edit(request, mine.team, _own(mine.team, public_id))


@require_POST
def team_provider_deed(request: ReaderRequest, slug: str, public_id: uuid.UUID) -> HttpResponse:
    mine = membership_for(request.user, slug)
    require(mine, Deed.MANAGE_PROVIDERS)
    provider = _own(mine.team, public_id)
    if not _do(request, provider, mine):
        return HttpResponseBadRequest()
    return redirect("team_providers", slug)


def _own(team: Team, public_id: uuid.UUID) -> Provider:
    return get_object_or_404(Provider, team=team, profile=None, public_id=public_id)


# --- the operator's --------------------------------------------------------------------------------


def _require_staff(request: ReaderRequest) -> None:
    """To everybody else the operator's pages do not exist."""
    if not request.user.is_staff:
        raise Http404


@require_GET
def operator_providers(request: ReaderRequest) -> HttpResponse:
    """The models for all: the one of the settings, and what the operator adds here, each with who may choose it."""
    _require_staff(request)
    found = Provider.objects.of_the_operator().prefetch_related("allowed_teams")
    checked = checking.being_checked(None, timezone.now())
    context = {
        "own": _with_flow(list(found), checked),
        "manages": True,
        "is_operator": True,
        "section": "operator",
    }
    return render(request, "scoring/providers/operator.html", context)


@require_http_methods(["GET", "POST"])
def operator_provider_new(request: ReaderRequest) -> HttpResponse:
    _require_staff(request)
    return _edit(request, None, None)


@require_http_methods(["GET", "POST"])
def operator_provider(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    _require_staff(request)
    return _edit(request, None, _operators(public_id))


@require_POST
def operator_provider_deed(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    _require_staff(request)
    if not _do(request, _operators(public_id), None):
        return HttpResponseBadRequest()
    return redirect("operator_providers")


def _operators(public_id: uuid.UUID) -> Provider:
    return get_object_or_404(Provider.objects.of_the_operator(), public_id=public_id)


# --- what both do ----------------------------------------------------------------------------------


def _edit(request: ReaderRequest, team: Team | None, provider: Provider | None) -> HttpResponse:
    """The form; of the operator's with who may choose it. Nothing changes unless all of it is right."""
    form = ProviderForm(_typed(request), provider=provider)
    offer = _offer_form(request, provider) if team is None else None
    if request.method == "POST":
        is_right = form.is_valid() and (offer is None or offer.is_valid())
        saved = _save(request, team, provider, form) if is_right else None
        if saved is not None:
            if offer is not None:
                is_for_all = offer.cleaned_data["is_for_all"]
                providers.offer(request.user, saved, None if is_for_all else offer.cleaned_data["teams"])
            messages.success(request, _("%(name)s is saved.") % {"name": saved.name})
            return redirect("team_providers", team.slug) if team else redirect("operator_providers")
    context = {
        "form": form,
        "offer": offer,
        "team": team,
        "provider": provider,
        "section": "teams" if team else "operator",
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "scoring/providers/edit.html", context, status=status)


def _save(
    request: ReaderRequest, team: Team | None, provider: Provider | None, form: ProviderForm
) -> Provider | None:
    key = form.cleaned_data.get("api_key", "")
    try:
        if provider is None:
            return providers.add(request.user, team, form.facts(), key)
        drops = form.cleaned_data.get("drops_key", False)
        return providers.edit(request.user, provider, form.facts(), key, drops_key=drops)
    except ValidationError as error:
        form.add_problems(error)
        return None


def _typed(request: ReaderRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _offer_form(request: ReaderRequest, provider: Provider | None) -> OfferForm:
    slugs = [team.slug for team in provider.allowed_teams.all()] if provider else []
    initial = {"is_for_all": provider is None or provider.is_for_all_teams, "teams": ", ".join(slugs)}
    return OfferForm(_typed(request), initial=initial)


def _do(request: ReaderRequest, provider: Provider, mine: Membership | None) -> bool:
    """What a button of the row says; False for a deed that is none."""
    deed = request.POST.get("deed", "")
    if deed == "check" and provider.is_active:
        _check(request, provider, mine)
    elif deed == "pause":
        providers.pause_by_hand(request.user, provider)
    elif deed == "resume":
        providers.resume_by_hand(request.user, provider)
    elif deed == "retire" and not providers.is_of_settings(provider):
        providers.retire(request.user, provider)
    elif deed == "back":
        providers.bring_back(request.user, provider)
    else:
        return False
    return True


def _check(request: ReaderRequest, provider: Provider, mine: Membership | None) -> None:
    held = checking.ask(provider, mine, timezone.now())
    if isinstance(held, Refusal):
        told = blocked.of_refusal(held, request.user.zone)
        messages.error(request, f"{told.heading} {told.text} {told.help}")
    else:
        messages.success(
            request, _("One small question is on its way. Load the page again in a few seconds.")
        )
