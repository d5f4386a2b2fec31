"""VERB. What people do with providers: add, edit, pause, retire, offer, choose. Each writes its line of audit.

Of a key the audit says only that it was changed. Who may do what is asked by the doors (`profiles.access`).
"""

from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from profiles import audit
from profiles.models import Profile, Team, User
from scoring.models import ModelChoice, Provider

from .choosing import (
    INSTANCE_NAME,
    LEARNED,
    LOCAL_NAME,
    SIMULATED_MODEL,
    allowed,
    forget_what_was_learned,
    is_of_settings,
)
from .facts import Facts, facts_of, origin_of
from .health import BY_HAND, resume
from .keys import set_key


@transaction.atomic
def add(actor: User | None, team: Team | None, facts: Facts, api_key: str) -> Provider:
    """A team's own provider, or without a team one of the operator's. Raises ValidationError by field."""
    facts.check(is_operators=team is None)
    _check_name(facts.name, team, None)
    _check_key(api_key)
    provider = Provider(team=team, kind=Provider.Kind.OPENAI, **asdict(facts))
    provider.is_simulated = facts.model == SIMULATED_MODEL
    provider.save(force_insert=True)
    set_key(provider, api_key)
    _record(actor, "provider.added", provider, after={**_told(facts), "has_key": bool(api_key)})
    return provider


@transaction.atomic
def edit(
    actor: User | None, provider: Provider, facts: Facts, api_key: str, *, drops_key: bool = False
) -> Provider:
    """New facts, and a new key where one is given. What was booked keeps its price. Raises ValidationError.

    A key stays with the address that it was given for: whoever names another server types it again.
    """
    locked = Provider.objects.select_for_update().get(pk=provider.pk)
    if is_of_settings(locked):
        facts, api_key, drops_key = _without_what_is_set(locked, facts), "", False
    facts.check(is_operators=locked.team_id is None)
    _check_name(facts.name, locked.team, locked)
    _check_key(api_key)
    moves = origin_of(facts.base_url) != origin_of(locked.base_url)
    if moves and locked.api_key_encrypted and not api_key and not drops_key:
        message = _("The key was given for another server: type it again, or take it away.")
        raise ValidationError({"api_key": [message]})
    before = facts_of(locked)
    changed = [name for name, value in asdict(facts).items() if getattr(before, name) != value]
    for name in changed:
        setattr(locked, name, getattr(facts, name))
    fields = list(changed)
    if {"base_url", "model"} & set(changed):
        forget_what_was_learned(locked)
        locked.is_simulated = locked.model == SIMULATED_MODEL
        fields += [*LEARNED, "is_simulated"]
    locked.save(update_fields=fields)
    if changed:
        _record(
            actor,
            "provider.edited",
            locked,
            before=_told(before, changed),
            after=_told(facts, changed),
        )
    if api_key or (drops_key and locked.api_key_encrypted):
        _change_key(actor, locked, api_key)
    return locked


def _without_what_is_set(provider: Provider, facts: Facts) -> Facts:
    """Address, model, key and maybe prices follow the settings; the rest is for a person to say."""
    now = asdict(facts_of(provider))
    names = {"name", "base_url", "model"} | {
        f"price_{kind}_microusd" for kind in settings.LLM_PRICES_MICROUSD
    }
    return replace(facts, **{name: now[name] for name in names})


def _change_key(actor: User | None, provider: Provider, api_key: str) -> None:
    """Another key: why the old one was refused no longer holds."""
    set_key(provider, api_key)
    resume(provider)
    _record(actor, "provider.key_changed", provider, after={"has_key": bool(api_key)})


@transaction.atomic
def pause_by_hand(actor: User, provider: Provider) -> None:
    """No more calls until somebody resumes it; its papers wait. Safe to repeat."""
    stopped = Provider.objects.filter(pk=provider.pk, paused_at=None)
    if stopped.update(paused_at=timezone.now(), paused_reason=BY_HAND):
        _record(actor, "provider.paused", provider)


@transaction.atomic
def resume_by_hand(actor: User, provider: Provider) -> None:
    """Calls may be made again. Safe to repeat."""
    provider.paused_reason = ""
    resume(provider)
    _record(actor, "provider.resumed", provider)


@transaction.atomic
def retire(actor: User, provider: Provider) -> None:
    """Take it out of use: whoever was read by it falls back. Its key is forgotten, its books stay. Safe to repeat."""
    if Provider.objects.filter(pk=provider.pk, is_active=True).update(is_active=False):
        set_key(provider, "")
        _record(actor, "provider.retired", provider)


@transaction.atomic
def bring_back(actor: User, provider: Provider) -> None:
    """Into use again, without the key that was forgotten. Safe to repeat."""
    if Provider.objects.filter(pk=provider.pk, is_active=False).update(is_active=True):
        _record(actor, "provider.brought_back", provider)


@transaction.atomic
def offer(actor: User, provider: Provider, teams: Collection[Team] | None) -> None:
    """Allow the operator's model to all teams (None) or to these; others fall back. Safe to repeat."""
    before = {
        "for_all": provider.is_for_all_teams,
        "teams": sorted(str(each.public_id) for each in provider.allowed_teams.all()),
    }
    provider.is_for_all_teams = teams is None
    provider.save(update_fields=["is_for_all_teams"])
    provider.allowed_teams.set(teams or [])
    after = {"for_all": teams is None, "teams": sorted(str(each.public_id) for each in teams or [])}
    if before != after:
        _record(actor, "provider.offered", provider, before=before, after=after)


@transaction.atomic
def choose_for_team(actor: User, team: Team, provider: Provider | None) -> None:
    """Let one of the allowed models read for the team; None: by the usual order. Raises ValidationError."""
    _choose(actor, team, {"team": team}, provider, team.public_id)


@transaction.atomic
def choose_for_profile(actor: User, profile: Profile, provider: Provider | None) -> None:
    """Let one of its team's allowed models read for the profile; None: the team's. Raises ValidationError."""
    _choose(actor, profile.team, {"profile": profile}, provider, profile.public_id)


def _choose(actor: User, team: Team, subject: dict[str, Any], provider: Provider | None, key: Any) -> None:
    if provider is not None and provider not in allowed(team):
        raise ValidationError({"provider": [_("This model is not among those that the team may choose.")]})
    old = ModelChoice.objects.select_related("provider").filter(**subject).first()
    if (old.provider if old else None) == provider:
        return
    if provider is None:
        ModelChoice.objects.filter(**subject).delete()
    else:
        ModelChoice.objects.update_or_create(
            **subject, defaults={"provider": provider, "chosen_at": timezone.now()}
        )
    told = [str(each.public_id) if each else "" for each in (old.provider if old else None, provider)]
    audit.record(
        actor,
        "model.chosen",
        team=team,
        subject=key,
        before={"provider": told[0]},
        after={"provider": told[1]},
    )


def _check_key(api_key: str) -> None:
    if api_key and (not api_key.isascii() or not api_key.isprintable() or " " in api_key):
        message = _("A key has no blanks and no signs but letters, digits and punctuation.")
        raise ValidationError({"api_key": [message]})


def _check_name(name: str, team: Team | None, provider: Provider | None) -> None:
    """One name, one judge: scores are kept under name and model, and must not be another's."""
    if provider is not None and provider.name == name:
        return
    is_reserved = name.lower() in {LOCAL_NAME, INSTANCE_NAME} or name.lower().startswith(f"{LOCAL_NAME}-")
    others = Provider.objects.filter(name__iexact=name)
    if team is not None:
        others = others.filter(Q(team=team) | Q(team=None))
    taken = others.exclude(pk=provider.pk if provider else 0).first()
    if taken is not None and taken.team_id == (team.pk if team else None) and not taken.is_active:
        raise ValidationError({"name": [_("A retired provider has this name: bring it back instead.")]})
    if is_reserved or taken is not None:
        raise ValidationError({"name": [_("This name is taken. Choose another one.")]})


def _told(facts: Facts, names: Collection[str] | None = None) -> dict[str, Any]:
    """Figures and codes for the audit; of free words only that they are others."""
    free = {"name", "extra_params"}
    told = asdict(facts) if names is None else {name: asdict(facts)[name] for name in names}
    return {name: value for name, value in told.items() if name not in free} | {
        "words": sorted(free & set(told))
    }


def _record(
    actor: User | None,
    code: str,
    provider: Provider,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        actor, code, team=provider.team, subject=provider.public_id, before=before or {}, after=after or {}
    )
