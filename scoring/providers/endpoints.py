"""How to ask a provider: its row as the edge needs it."""

from django.conf import settings

from scoring.addresses import AddressPolicy
from scoring.endpoint import Endpoint
from scoring.ladder import Abilities
from scoring.models import Provider

from .keys import key_of


def endpoint_of(provider: Provider) -> Endpoint:
    """What the edge needs to know. The operator's own provider may stand on this machine. Raises KeyUnreadable."""
    is_operators = provider.team_id is None
    return Endpoint(
        base_url=provider.base_url,
        model=provider.model,
        api_key=key_of(provider),
        abilities=Abilities.from_json(provider.abilities),
        extra_params=provider.extra_params,
        policy=AddressPolicy(networks=tuple(settings.LLM_PRIVATE_ADDRESSES), allows_loopback=is_operators),
    )
