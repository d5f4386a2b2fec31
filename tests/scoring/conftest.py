"""Alice, and the simulated model as the instance's provider."""

import pytest

from scoring import providers
from tests import factories


@pytest.fixture
def alice():
    return factories.profile(factories.user("alice@example.org"))


@pytest.fixture
def judge(settings, fake_model):
    """The instance's provider, at the simulated model's address."""
    settings.LLM_BASE_URL, settings.LLM_API_KEY, settings.LLM_MODEL = fake_model.base_url, "", "simulated"
    return factories.provider(fake_model.base_url, name=providers.INSTANCE_NAME, concurrency=4)
