"""Who judges: the rows of the providers, their keys, and what is remembered of them.

Addresses are checked when connecting (`guarded_transport`), never when saving. A key is stored encrypted with
its owner inside, so that a row's key means nothing in another row, and is shown never again but for its end.
"""

import base64
import datetime as dt
import hashlib
import json
from typing import Any

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.mail import mail_admins
from django.db.models import F
from django.utils.translation import gettext as _

from profiles.models import Profile, Team

from . import local_judge
from .addresses import AddressPolicy
from .endpoint import Endpoint
from .ladder import Abilities
from .models import Provider

log = structlog.get_logger(__name__)

LOCAL_NAME = "local"
INSTANCE_NAME = "instance"
LOCAL_SIZES = {"block_size": 500, "concurrency": 1}
# What a simulated server's address and model look like: its scores are labelled wherever they appear.
SIMULATED_MODEL = "simulated"
# Failures in a row after which the breaker opens, and for how long at first and at most.
FAILURES_TO_OPEN = 3
FIRST_PAUSE_SECONDS = 20
LONGEST_PAUSE_SECONDS = 900


class KeyUnreadable(Exception):
    """A stored key was written for another owner, or with a FIELD_KEY that is gone."""


# --- which one -------------------------------------------------------------------------------------


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


# --- its key ---------------------------------------------------------------------------------------


def set_key(provider: Provider, api_key: str) -> None:
    """Store the key, encrypted for this row. An empty one is stored as none."""
    provider.api_key_encrypted, provider.api_key_last_four = "", ""
    if api_key:
        plain = json.dumps({"owner": str(provider.public_id), "key": api_key})
        provider.api_key_encrypted = _ring().encrypt(plain.encode()).decode()
        provider.api_key_last_four = api_key[-4:] if len(api_key) >= 12 else ""
    provider.save(update_fields=["api_key_encrypted", "api_key_last_four"])


def key_of(provider: Provider, *, unreadable: str | None = None) -> str:
    """The key in clear, to be used and never shown. Raises KeyUnreadable, or returns `unreadable` if given."""
    if not provider.api_key_encrypted:
        return ""
    try:
        plain = json.loads(_ring().decrypt(provider.api_key_encrypted.encode()))
    except InvalidToken:
        plain = {}
    if plain.get("owner") == str(provider.public_id):
        return str(plain["key"])
    if unreadable is not None:
        return unreadable
    raise KeyUnreadable(f"the key of provider {provider.public_id} cannot be read")


def _ring() -> MultiFernet:
    """The first of FIELD_KEYS encrypts, all decrypt; a key that is no Fernet key is made one by hashing."""
    return MultiFernet([Fernet(_fernet_key(text)) for text in settings.FIELD_KEYS])


def _fernet_key(text: str) -> bytes:
    try:
        if len(base64.urlsafe_b64decode(text)) == 32:
            return text.encode()
    except ValueError:
        pass
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())


# --- how to ask it ---------------------------------------------------------------------------------


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


# --- what is remembered ----------------------------------------------------------------------------


def learn(provider: Provider, abilities: Abilities) -> None:
    """Remember what the server can do; written only when it is news."""
    if abilities != Abilities.from_json(provider.abilities):
        provider.abilities = abilities.as_json()
        Provider.objects.filter(pk=provider.pk).update(abilities=provider.abilities)


def note_success(provider: Provider) -> None:
    """An answer came: the breaker closes."""
    Provider.objects.filter(pk=provider.pk).exclude(failures=0, open_until=None).update(
        failures=0, open_until=None
    )


def note_cap_ignored(provider: Provider) -> None:
    """It wrote more than its cap: from now on its holds are wider."""
    Provider.objects.filter(pk=provider.pk, is_cap_honoured=True).update(is_cap_honoured=False)


def note_failure(provider: Provider, now: dt.datetime) -> None:
    """It could not be reached or broke down. The third time in a row opens the breaker, longer each time.

    What was in flight when it opened says nothing new: of sixteen calls that fail together three are counted.
    """
    known = Provider.objects.filter(pk=provider.pk).exclude(open_until__gt=now)
    if not known.update(failures=F("failures") + 1):
        return
    failures = Provider.objects.values_list("failures", flat=True).get(pk=provider.pk)
    beyond = failures - FAILURES_TO_OPEN
    if beyond >= 0:
        pause(provider, now, min(FIRST_PAUSE_SECONDS * 2 ** min(beyond, 10), LONGEST_PAUSE_SECONDS))


def note_rubbish(provider: Provider, now: dt.datetime) -> None:
    """It answers, at a cost, and nothing of it can be read: the breaker opens, as if it were down."""
    few = Provider.objects.filter(pk=provider.pk, failures__lt=FAILURES_TO_OPEN - 1)
    few.update(failures=FAILURES_TO_OPEN - 1)
    note_failure(provider, now)


def pause(provider: Provider, now: dt.datetime, seconds: float) -> None:
    """No hold is taken for it before that; a longer pause that is set already stays."""
    until = now + dt.timedelta(seconds=seconds)
    Provider.objects.filter(pk=provider.pk).exclude(open_until__gte=until).update(open_until=until)


def stop(provider: Provider, code: str, now: dt.datetime) -> None:
    """Stop it until somebody acts, and tell the operator once. Safe to repeat."""
    stopped = Provider.objects.filter(pk=provider.pk, paused_at=None).update(
        paused_at=now, paused_reason=code[:40]
    )
    if not stopped:
        return
    log.error("provider_stopped", provider=str(provider.public_id), code=code)
    try:
        _tell_the_operator(provider, code)
    except OSError as error:
        log.warning("operator_not_told", problem=type(error).__name__)


def _tell_the_operator(provider: Provider, code: str) -> None:
    mail_admins(
        _("Broadsheet stopped a model's provider"),
        _(
            "Provider %(name)s answered with “%(code)s”. No more calls are made to it. "
            "Check its key, model and address, then run: manage.py doctor --llm"
        )
        % {"name": provider.name, "code": code},
    )


def resume(provider: Provider) -> None:
    """Somebody acted: calls may be made again."""
    provider.paused_at, provider.paused_reason, provider.failures, provider.open_until = None, "", 0, None
    provider.save(update_fields=["paused_at", "paused_reason", "failures", "open_until"])
