"""What is remembered of a provider: what it can do, whether it is down, and why it was stopped."""

import datetime as dt

import structlog
from django.conf import settings
from django.core.mail import mail_admins, send_mail
from django.db.models import F
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from profiles.models import Membership, Team
from scoring.ladder import Abilities
from scoring.models import Provider
from scoring.outcomes import problem_told

log = structlog.get_logger(__name__)

# Failures in a row after which the breaker opens, and for how long at first and at most.
FAILURES_TO_OPEN = 3
FIRST_PAUSE_SECONDS = 20
LONGEST_PAUSE_SECONDS = 900
# Why a provider stands still because a person wanted it so; an answer does not resume it.
BY_HAND = "by_hand"


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
    """Stop it until somebody acts, and tell once whose key it is. Safe to repeat."""
    stopped = Provider.objects.filter(pk=provider.pk, paused_at=None).update(
        paused_at=now, paused_reason=code[:40]
    )
    if not stopped:
        return
    log.error("provider_stopped", provider=str(provider.public_id), code=code)
    try:
        if provider.team is None:
            _tell_the_operator(provider, code)
        else:
            _tell_the_team(provider, provider.team, code)
    except OSError as error:
        log.warning("nobody_was_told", problem=type(error).__name__)


def _tell_the_operator(provider: Provider, code: str) -> None:
    mail_admins(
        _("Broadsheet stopped a model's provider"),
        _(
            "Provider %(name)s answered with “%(code)s”. No more calls are made to it. "
            "Check its key, model and address, then run: manage.py doctor --llm"
        )
        % {"name": provider.name, "code": code},
    )


def _tell_the_team(provider: Provider, team: Team, code: str) -> None:
    """Its owners and admins, each in their language; the operator has nothing to do with their key."""
    page = settings.PORTAL_URL + reverse("team_providers", args=[team.slug])
    for steering in (
        Membership.objects.steering().filter(team=team, user__is_active=True).select_related("user")
    ):
        with translation.override(steering.user.language):
            text = _(
                "%(name)s, the model of %(team)s, is stopped. %(problem)s Papers wait until somebody mends it here: "
                "%(page)s"
            ) % {"name": provider.name, "team": team.name, "problem": problem_told(code), "page": page}
            subject = _("Broadsheet stopped a model of your team")
            send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [steering.user.email])


def resume(provider: Provider) -> None:
    """It answers, or somebody acted: calls may be made again, unless a person has paused it. Safe to repeat."""
    if provider.paused_reason == BY_HAND:
        return
    provider.paused_at, provider.paused_reason, provider.failures, provider.open_until = None, "", 0, None
    provider.save(update_fields=["paused_at", "paused_reason", "failures", "open_until"])
