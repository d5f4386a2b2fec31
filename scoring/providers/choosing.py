"""Which provider judges: a profile's own, its team's, the instance's, or the local judge."""

from typing import Any

from django.conf import settings

from profiles.models import Profile, Team
from scoring import local_judge
from scoring.models import Provider

from .keys import key_of, set_key

LOCAL_NAME = "local"
INSTANCE_NAME = "instance"
LOCAL_SIZES = {"block_size": 500, "concurrency": 1}
# What a simulated server's address and model look like: its scores are labelled wherever they appear.
SIMULATED_MODEL = "simulated"


def provider_of(profile: Profile) -> Provider:
    """Who judges for this profile: its own provider, else its team's, else the instance's."""
    own = Provider.objects.filter(is_active=True, profile=profile).order_by("created_at").last()
    return own or provider_of_team(profile.team)


def provider_of_team(team: Team) -> Provider:
    """Who judges for a profile of the team that has no provider of its own, or is not there yet."""
    active = Provider.objects.filter(is_active=True, team=team, profile=None)
    return active.order_by("created_at").last() or instance_provider()


def instance_provider() -> Provider:
    """The operator's provider from LLM_BASE_URL, LLM_API_KEY and LLM_MODEL, or the local judge. Safe to repeat."""
    if not settings.LLM_BASE_URL:
        return local_provider()
    provider = Provider.objects.filter(team=None, name=INSTANCE_NAME).first()
    wanted = {"base_url": settings.LLM_BASE_URL, "model": settings.LLM_MODEL, "is_active": True}
    if provider is None:
        provider = _get_or_create(INSTANCE_NAME, kind=Provider.Kind.OPENAI, **wanted)
        set_key(provider, settings.LLM_API_KEY)
        return provider
    changed = [name for name, value in wanted.items() if getattr(provider, name) != value]
    if changed or key_of(provider, unreadable="") != settings.LLM_API_KEY:
        _follow_settings(provider, wanted)
    return provider


def _follow_settings(provider: Provider, wanted: dict[str, Any]) -> None:
    """The operator has changed something: what was learned and why it was stopped no longer holds."""
    for name, value in wanted.items():
        setattr(provider, name, value)
    provider.abilities, provider.paused_at, provider.paused_reason = {}, None, ""
    provider.failures, provider.open_until, provider.is_cap_honoured = 0, None, True
    provider.is_simulated = wanted["model"] == SIMULATED_MODEL
    provider.save(
        update_fields=[
            *wanted,
            "abilities",
            "paused_at",
            "paused_reason",
            "failures",
            "open_until",
            "is_cap_honoured",
            "is_simulated",
        ]
    )
    set_key(provider, settings.LLM_API_KEY)


def local_provider() -> Provider:
    """The judge without network or cost. Safe to repeat."""
    provider = Provider.objects.filter(team=None, name=LOCAL_NAME).first()
    if provider is not None:
        return provider
    return _get_or_create(LOCAL_NAME, kind=Provider.Kind.LOCAL, model=local_judge.MODEL, **LOCAL_SIZES)


def _get_or_create(name: str, **fields: Any) -> Provider:
    is_simulated = fields.get("model") == SIMULATED_MODEL
    provider, _made = Provider.objects.get_or_create(
        team=None, name=name, defaults={**fields, "is_simulated": is_simulated}
    )
    return provider


def local_for(profile: Profile) -> Provider:
    """Let the local judge, and no other, judge this profile. Safe to repeat."""
    provider, _made = Provider.objects.update_or_create(
        team=None,
        name=f"{LOCAL_NAME}-{profile.public_id.hex[:12]}",
        defaults={"profile": profile, "kind": Provider.Kind.LOCAL, "model": local_judge.MODEL, **LOCAL_SIZES},
    )
    return provider


def add_for_team(
    team: Team, *, name: str, base_url: str, model: str, api_key: str, **fields: Any
) -> Provider:
    """A team's own provider, or new facts for the one of that name. What it costs is the team's."""
    provider, _made = Provider.objects.update_or_create(
        team=team,
        name=name,
        defaults={
            "kind": Provider.Kind.OPENAI,
            "base_url": base_url,
            "model": model,
            "is_simulated": model == SIMULATED_MODEL,
            **fields,
        },
    )
    set_key(provider, api_key)
    return provider
