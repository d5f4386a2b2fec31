"""Where and how to ask a model: what the verb hands to the edge. Pure, so that whoever only names a provider does
not load a client for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scoring.addresses import AddressPolicy
from scoring.ladder import Abilities

READ_SECONDS = 120.0
TOTAL_SECONDS = 150.0


@dataclass(frozen=True)
class Endpoint:
    """Where and how to ask. `extra_params` go into every request's body as the operator wrote them."""

    base_url: str
    model: str
    api_key: str = field(default="", repr=False)
    abilities: Abilities = field(default_factory=Abilities)
    extra_params: Mapping[str, Any] = field(default_factory=dict)
    policy: AddressPolicy = field(default_factory=AddressPolicy)
    read_seconds: float = READ_SECONDS
    total_seconds: float = TOTAL_SECONDS
