"""Which provider judges: the one that a profile or its team has chosen, its team's own key, the instance's.

The local judge judges where nobody offers a model. Reads only, but for the rows that follow the settings.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, Value

from profiles.models import Profile, Team
from scoring import local_judge
from scoring.models import ModelChoice, Provider
from scoring.models.providers import is_allowed_to

from .keys import key_of, set_key

LOCAL_NAME = "local"
INSTANCE_NAME = "instance"
LOCAL_SIZES = {"block_size": 500, "concurrency": 1}
# What a simulated server's address and model look like: its scores are labelled wherever they appear.
SIMULATED_MODEL = "simulated"


class Why(StrEnum):
    """Why this one reads and no other; the order is the order in which they are asked."""

    BOUND = "bound"
    CHOSEN_FOR_PROFILE = "chosen_for_profile"
    CHOSEN_FOR_TEAM = "chosen_for_team"
    OWN_KEY = "own_key"
    INSTANCE = "instance"
    OFFERED = "offered"
    LOCAL = "local"


_ORDER = list(Why)


def prices_of_settings() -> list[str]:
    """The names of the prices that the settings say: nobody changes them on a page."""
    return [f"price_{kind}" for kind in settings.LLM_PRICES_MICROUSD]


@dataclass(frozen=True)
class Reading:
    """Who reads, and why."""

    provider: Provider
    why: Why


def provider_of(profile: Profile) -> Provider:
    """Who judges for this profile. One query."""
    return reading_for(profile).provider


def provider_of_team(team: Team) -> Provider:
    """Who judges for a profile of the team that has chosen nothing, or is not there yet. One query."""
    return reading_for_team(team).provider


def reading_for(profile: Profile) -> Reading:
    bound = Q(profile=profile, is_active=True)
    return _reading(profile.team_id, bound, Exists(_choices().filter(profile=profile)))


def reading_for_team(team: Team) -> Reading:
    return _reading(team.pk, Q(pk=None), Value(False))


def allowed(team: Team) -> list[Provider]:
    """The models that the team, or a profile of it, may choose among; the oldest first."""
    found = list(Provider.objects.allowed_to(team.pk))
    return [each for each in found if _is_offered(each)]


def _choices() -> Any:
    return ModelChoice.objects.filter(provider=OuterRef("pk"))


def _is_offered(provider: Provider) -> bool:
    """The row of the settings stays when they are taken away, for its calls; it is no offer then."""
    return bool(settings.LLM_BASE_URL) or not is_of_settings(provider)


def is_of_settings(provider: Provider) -> bool:
    """Whether it follows LLM_BASE_URL, LLM_API_KEY and LLM_MODEL."""
    return provider.team_id is None and provider.name == INSTANCE_NAME


def _reading(team_id: int, bound: Q, is_of_profile: Any) -> Reading:
    is_allowed, of_settings = is_allowed_to(team_id), Q(team=None, name=INSTANCE_NAME)
    known = (
        Provider.objects.filter(bound | of_settings | is_allowed)
        .annotate(
            is_allowed=ExpressionWrapper(is_allowed, BooleanField()),
            is_of_profile=is_of_profile,
            is_of_team=Exists(_choices().filter(team=team_id)),
        )
        .order_by("created_at", "pk")
    )
    rows = list(known)
    if settings.LLM_BASE_URL and not any(is_of_settings(each) for each in rows):
        instance_provider()
        rows = list(known)
    return _first(rows)


def _first(rows: Iterable[Any]) -> Reading:
    """The first of them by the order of reasons; of a team's own keys the newest, of the others the oldest."""
    best: tuple[int, Reading] | None = None
    for each in rows:
        why = _why(each)
        if why is None:
            continue
        place = _ORDER.index(why)
        is_newer = why in {Why.OWN_KEY, Why.BOUND}
        if best is None or place < best[0] or (place == best[0] and is_newer):
            best = place, Reading(each, why)
    if best is None:
        return Reading(local_provider(), Why.LOCAL)
    reading = best[1]
    if is_of_settings(reading.provider):
        _follow_settings(reading.provider)
    return reading


def _why(row: Any) -> Why | None:
    if row.profile_id is not None:
        return Why.BOUND
    if not row.is_allowed or not _is_offered(row):
        return None
    if row.is_of_profile:
        return Why.CHOSEN_FOR_PROFILE
    if row.is_of_team:
        return Why.CHOSEN_FOR_TEAM
    if row.team_id is not None:
        return Why.OWN_KEY
    return Why.INSTANCE if is_of_settings(row) else Why.OFFERED


# --- the rows that the settings make ---------------------------------------------------------------


def instance_provider() -> Provider:
    """The operator's provider from LLM_BASE_URL, LLM_API_KEY and LLM_MODEL, or the local judge. Safe to repeat."""
    if not settings.LLM_BASE_URL:
        return local_provider()
    provider = Provider.objects.filter(team=None, name=INSTANCE_NAME).first()
    if provider is None:
        provider = _get_or_create(INSTANCE_NAME, kind=Provider.Kind.OPENAI, **_wanted(), **_wanted_prices())
        set_key(provider, settings.LLM_API_KEY)
        return provider
    _follow_settings(provider)
    return provider


def _wanted() -> dict[str, Any]:
    return {"base_url": settings.LLM_BASE_URL, "model": settings.LLM_MODEL, "is_active": True}


def _wanted_prices() -> dict[str, int]:
    """Only those that the settings name: the others are a person's to set."""
    return {f"price_{kind}_microusd": price for kind, price in settings.LLM_PRICES_MICROUSD.items()}


def _follow_settings(provider: Provider) -> None:
    """Where the operator has changed something, what was learned and why it was stopped no longer holds."""
    prices = _changed(provider, _wanted_prices())
    if prices:
        provider.save(update_fields=prices)
    changed = _changed(provider, _wanted())
    if changed or key_of(provider, unreadable="") != settings.LLM_API_KEY:
        forget_what_was_learned(provider)
        provider.is_simulated = provider.model == SIMULATED_MODEL
        with transaction.atomic():
            provider.save(update_fields=[*changed, *LEARNED, "is_simulated"])
            set_key(provider, settings.LLM_API_KEY)


def _changed(provider: Provider, wanted: dict[str, Any]) -> list[str]:
    """The fields that had another value; they have the wanted one now."""
    names = [name for name, value in wanted.items() if getattr(provider, name) != value]
    for name in names:
        setattr(provider, name, wanted[name])
    return names


LEARNED = (
    "abilities",
    "paused_at",
    "paused_reason",
    "failures",
    "open_until",
    "opened_at",
    "allowed_at_once",
    "answers_since_growth",
    "shrunk_at",
    "grown_at",
    "retries_spent_at",
    "is_cap_honoured",
    "last_check",
)


def forget_what_was_learned(provider: Provider) -> None:
    """Of a server that is another now; the caller saves the fields LEARNED."""
    provider.abilities, provider.paused_at, provider.paused_reason = {}, None, ""
    provider.failures, provider.open_until, provider.is_cap_honoured = 0, None, True
    provider.opened_at = provider.allowed_at_once = provider.retries_spent_at = None
    provider.answers_since_growth, provider.shrunk_at, provider.grown_at = 0, None, None
    provider.last_check = {}


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
