"""Read and steer who judges for a team."""

import uuid
from typing import Any

from django.core.exceptions import ValidationError as Refused
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from profiles.access import Deed, may, membership_for, require
from profiles.models import Membership
from scoring import providers
from scoring.models import Provider

from .doors import Door
from .serializers import ChoiceSerializer, ProviderFactsSerializer, TeamProvidersSerializer

PRICES = ("price_input", "price_cached", "price_output", "price_reasoning")


class TeamProviders(Door):
    @extend_schema(operation_id="team_providers", responses=TeamProvidersSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Which model reads for the team and why; for owners and admins also its own providers. Never a key."""
        return Response(_data(membership_for(self.reader, slug)))

    @extend_schema(
        operation_id="team_provider_add",
        request=ProviderFactsSerializer,
        responses={201: TeamProvidersSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Add a provider with the team's own key. Its address is checked whenever it is connected to."""
        mine = membership_for(self.reader, slug)
        require(mine, Deed.MANAGE_PROVIDERS)
        form = ProviderFactsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        facts = _facts({}, form.validated_data)
        _verb(providers.add, self.reader, mine.team, facts, form.validated_data.get("api_key", ""))
        return Response(_data(mine), status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="team_model_choose", request=ChoiceSerializer, responses=TeamProvidersSerializer
    )
    def put(self, request: Request, slug: str) -> Response:
        """Choose the team's model among those that are allowed to it; null: the usual order."""
        mine = membership_for(self.reader, slug)
        require(mine, Deed.MANAGE_PROVIDERS)
        form = ChoiceSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data["provider"]
        found = {each.public_id: each for each in providers.allowed(mine.team)}
        if wanted is not None and wanted not in found:
            raise Http404
        _verb(providers.choose_for_team, self.reader, mine.team, found.get(wanted))
        return Response(_data(membership_for(self.reader, slug)))


class TeamProvider(Door):
    @extend_schema(
        operation_id="team_provider_edit",
        request=ProviderFactsSerializer(partial=True),
        responses=TeamProvidersSerializer,
    )
    def patch(self, request: Request, slug: str, public_id: uuid.UUID) -> Response:
        """Change what is named; a key that is not named stays, and an empty one is taken away."""
        mine, provider = self._own(slug, public_id)
        form = ProviderFactsSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        facts = _facts(vars(providers.facts_of(provider)), sent)
        key = sent.get("api_key", "")
        drops = "api_key" in sent and not key
        _verb(providers.edit, self.reader, provider, facts, key, drops_key=drops)
        return Response(_data(mine))

    @extend_schema(operation_id="team_provider_retire", responses={204: None})
    def delete(self, request: Request, slug: str, public_id: uuid.UUID) -> Response:
        """Retire it: its key is forgotten, and the team falls back to what is allowed."""
        _mine, provider = self._own(slug, public_id)
        providers.retire(self.reader, provider)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _own(self, slug: str, public_id: uuid.UUID) -> tuple[Membership, Provider]:
        mine = membership_for(self.reader, slug)
        require(mine, Deed.MANAGE_PROVIDERS)
        provider = Provider.objects.filter(team=mine.team, profile=None, public_id=public_id).first()
        if provider is None:
            raise Http404
        return mine, provider


def _facts(known: dict[str, Any], sent: dict[str, Any]) -> providers.Facts:
    fields = {name: value for name, value in sent.items() if name not in {*PRICES, "api_key"}}
    problems = {}
    for name in PRICES:
        if name in sent:
            try:
                fields[f"{name}_microusd"] = providers.parse_dollars(sent[name])
            except Refused as error:
                problems[name] = error.messages
    if problems:
        raise ValidationError(problems)
    for name in ("price_input_microusd", "price_output_microusd"):
        if name in fields:
            fields[name] = fields[name] or 0
    return providers.Facts(**{**known, **fields})


def _verb(deed: Any, *args: Any, **named: Any) -> None:
    """Do it; a refusal is a 400 that names each field."""
    try:
        deed(*args, **named)
    except Refused as error:
        raise ValidationError(error.message_dict) from error


def _data(mine: Membership) -> dict[str, Any]:
    reading = providers.reading_for_team(mine.team)
    own = Provider.objects.filter(team=mine.team, profile=None).order_by("created_at", "pk")
    manages = may(mine, Deed.MANAGE_PROVIDERS)
    return {
        "team": mine.team.slug,
        "reads": _open_facts(reading.provider),
        "why": reading.why.value,
        "allowed": [_open_facts(each) for each in providers.allowed(mine.team)],
        "own": [_stewards_facts(each) for each in own] if manages else [],
    }


def _open_facts(provider: Provider) -> dict[str, Any]:
    """What every member may know: name, model and prices."""
    prices = provider.prices
    return {
        "id": str(provider.public_id),
        "name": provider.name,
        "model": provider.model,
        "price_input": providers.dollars_typed(prices.input_microusd),
        "price_cached": providers.dollars_typed(prices.cached),
        "price_output": providers.dollars_typed(prices.output_microusd),
        "price_reasoning": providers.dollars_typed(prices.reasoning),
    }


def _stewards_facts(provider: Provider) -> dict[str, Any]:
    return {
        **_open_facts(provider),
        "base_url": provider.base_url,
        "key_ends_in": provider.api_key_last_four,
        "context_tokens": provider.context_tokens,
        "concurrency": provider.concurrency,
        "block_size": provider.block_size,
        "extra_params": provider.extra_params,
        "is_active": provider.is_active,
        "stopped": provider.paused_reason,
        "last_check": provider.last_check,
    }
