"""The world outside, faked at its transport: a simulated model on a loopback port."""

from collections.abc import Iterator

import pytest

from scoring.addresses import AddressPolicy
from scoring.endpoint import Endpoint
from scoring.simulated.server import Settings, SimulatedModel, running

LOOPBACK = AddressPolicy(allows_loopback=True)


@pytest.fixture
def fake_model() -> Iterator[SimulatedModel]:
    """An honest simulated model; a test changes `fake_model.settings` and adds faults to its plan."""
    with running(Settings()) as model:
        yield model


def endpoint_of(model: SimulatedModel, **fields: object) -> Endpoint:
    return Endpoint(**{"base_url": model.base_url, "model": "simulated", "policy": LOOPBACK, **fields})
