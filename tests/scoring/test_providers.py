"""Who judges, and what is kept of a key."""

import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone

from profiles import letters
from profiles.models import Role
from scoring import providers
from scoring.ladder import Abilities
from scoring.models import Provider
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 30, 12, tzinfo=dt.UTC)


@pytest.fixture
def instance(settings):
    settings.LLM_BASE_URL, settings.LLM_API_KEY, settings.LLM_MODEL = (
        "https://llm.example/v1",
        "sk-1234567890ab",
        "m",
    )
    return providers.instance_provider()


def test_without_settings_the_local_judge_judges():
    provider = providers.provider_of(factories.profile(factories.user()))

    assert provider.is_local
    assert providers.instance_provider() == provider


def test_three_settings_make_the_instances_provider(instance):
    assert (instance.base_url, instance.model, instance.is_simulated) == (
        "https://llm.example/v1",
        "m",
        False,
    )
    assert providers.instance_provider() == instance
    assert providers.key_of(instance) == "sk-1234567890ab"


def test_a_changed_setting_forgets_what_was_learned(instance, settings):
    providers.learn(instance, Abilities("text"))
    providers.stop(instance, "unauthorized", NOW)
    settings.LLM_API_KEY = "sk-another-key-99"

    again = providers.instance_provider()

    assert (again.pk, again.abilities, again.paused_at) == (instance.pk, {}, None)
    assert providers.key_of(again) == "sk-another-key-99"


def test_a_teams_provider_comes_before_the_instances_and_a_profiles_before_both(instance):
    profile = factories.profile(factories.user())
    other = factories.profile(factories.user())
    own = factories.team_provider(profile.team)

    assert providers.provider_of(profile) == own
    assert providers.provider_of(other) == instance

    local = providers.local_for(profile)

    assert providers.provider_of(profile) == local
    assert providers.local_for(profile) == local


def test_a_key_is_stored_so_that_it_means_nothing_in_another_row(instance):
    stolen = factories.provider("https://b.example/v1", api_key_encrypted=instance.api_key_encrypted)

    assert "sk-1234567890ab" not in instance.api_key_encrypted
    assert instance.api_key_last_four == "90ab"
    with pytest.raises(providers.KeyUnreadable):
        providers.key_of(stolen)


def test_an_old_field_key_still_reads_after_a_rotation(settings):
    settings.FIELD_KEYS = ["old secret"]
    provider = factories.provider("https://b.example/v1")
    providers.set_key(provider, "sk-1234567890ab")

    settings.FIELD_KEYS = ["new secret", "old secret"]
    assert providers.key_of(provider) == "sk-1234567890ab"

    settings.FIELD_KEYS = ["new secret"]
    with pytest.raises(providers.KeyUnreadable):
        providers.key_of(provider)


def test_a_stopped_provider_tells_the_operator_once(settings):
    settings.ADMINS = ["operator@example.org"]
    provider = factories.provider("https://b.example/v1")

    providers.stop(provider, "unauthorized", NOW)
    providers.stop(provider, "unauthorized", NOW)

    provider.refresh_from_db()
    assert (provider.paused_reason, len(mail.outbox)) == ("unauthorized", 1)
    assert provider not in Provider.objects.usable(timezone.now())


def test_a_teams_own_provider_that_is_stopped_tells_its_owners_and_admins_and_not_the_operator(settings):
    settings.ADMINS = ["operator@example.org"]
    owner, admin, member = (factories.user(f"{name}@example.org") for name in ("owner", "admin", "member"))
    team = factories.team(owner, member)
    factories.membership(team, admin, Role.ADMIN)
    provider = factories.team_provider(team, name="ours")

    providers.stop(provider, "unauthorized", NOW)
    providers.stop(provider, "unauthorized", NOW)

    assert letters.send_due(timezone.now()) == 2
    assert {address for sent in mail.outbox for address in sent.to} == {owner.email, admin.email}
    assert len(mail.outbox) == 2
    assert "does not accept the key" in mail.outbox[0].body
    assert f"/teams/{team.slug}/providers/" in mail.outbox[0].body


def test_the_breaker_opens_at_the_third_failure_and_closes_with_an_answer():
    provider = factories.provider("https://b.example/v1")

    for _ in range(2):
        providers.note_failure(provider, NOW, NOW)
    assert provider in Provider.objects.usable(NOW)

    providers.note_failure(provider, NOW, NOW)
    assert provider not in Provider.objects.usable(NOW)
    assert provider in Provider.objects.usable(NOW + dt.timedelta(seconds=21))

    providers.note_failure(provider, NOW, NOW)
    assert provider in Provider.objects.usable(NOW + dt.timedelta(seconds=21))
    later = NOW + dt.timedelta(seconds=21)
    providers.note_failure(provider, later, later)
    assert provider not in Provider.objects.usable(NOW + dt.timedelta(seconds=60))

    providers.note_success(provider, later)
    provider.refresh_from_db()
    assert (provider.failures, provider.open_until) == (0, None)


def test_only_the_operators_provider_may_stand_on_this_machine(instance):
    team = factories.team(factories.user())
    own = factories.team_provider(team, "http://127.0.0.1/v1")

    assert providers.endpoint_of(instance).policy.allows("127.0.0.1")
    assert not providers.endpoint_of(own).policy.allows("127.0.0.1")
    assert "sk-1234567890ab" not in repr(providers.endpoint_of(instance))
