"""What is remembered of a provider: what it can do, whether it is down, and why it was stopped."""

import datetime as dt
from collections.abc import Sequence

import structlog
from django.core.mail import mail_admins
from django.db.models import Case, DateTimeField, F, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce, Greatest, Least
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from profiles import notices
from profiles.models import Membership, Team
from profiles.tidings import Params, Words
from scoring.ladder import Abilities
from scoring.models import Provider
from scoring.outcomes import problem_told

log = structlog.get_logger(__name__)

# Failures in a row after which the breaker opens, and for how long at first and at most.
FAILURES_TO_OPEN = 3
FIRST_PAUSE_SECONDS = 20
LONGEST_PAUSE_SECONDS = 900
# After a 429: so many answers in a row let it have one more call at once.
ANSWERS_TO_GROW = 10
# Why a provider stands still because a person wanted it so; an answer does not resume it.
BY_HAND = "by_hand"
# In settings.TIDINGS.
STOPPED = "provider.stopped"


def learn(provider: Provider, abilities: Abilities) -> None:
    """Remember what the server can do; written only when it is news."""
    if abilities != Abilities.from_json(provider.abilities):
        provider.abilities = abilities.as_json()
        Provider.objects.filter(pk=provider.pk).update(abilities=provider.abilities)


def note_success(provider: Provider, sent_at: dt.datetime) -> None:
    """An answer came: the breaker closes, and what a 429 took is given back slowly.

    Only by a call that was sent after the pause had begun: the answer of one that was in flight before says nothing
    of the server as it is now.
    """
    Provider.objects.filter(_knew_of_pause(sent_at), pk=provider.pk).exclude(
        failures=0, open_until=None
    ).update(failures=0, open_until=None, opened_at=None)
    _grow(provider, sent_at)


def _knew_of_pause(sent_at: dt.datetime) -> Q:
    return Q(opened_at=None) | Q(opened_at__lte=sent_at)


def _grow(provider: Provider, sent_at: dt.datetime) -> None:
    """Count the answer; every tenth allows one call more, until nothing is withheld. One UPDATE, so none is lost."""
    is_due = Q(answers_since_growth__gte=ANSWERS_TO_GROW - 1)
    is_last = is_due & Q(allowed_at_once__gte=F("concurrency") - 1)
    halved = Provider.objects.filter(pk=provider.pk, allowed_at_once__isnull=False)
    halved.exclude(shrunk_at__gt=sent_at).update(
        answers_since_growth=Case(
            When(is_due, then=Value(0)), default=F("answers_since_growth") + 1, output_field=IntegerField()
        ),
        allowed_at_once=Case(
            When(is_last, then=Value(None)),
            When(is_due, then=F("allowed_at_once") + 1),
            default=F("allowed_at_once"),
            output_field=IntegerField(),
        ),
        grown_at=Case(
            When(is_due, then=Value(timezone.now())), default=F("grown_at"), output_field=DateTimeField()
        ),
    )


def note_throttled(provider: Provider, sent_at: dt.datetime, now: dt.datetime) -> bool:
    """A 429: half as many calls at once, at least one. False where it was halved since that call was sent.

    Of sixteen calls that are refused together one halves; the others were sent before anybody knew.
    """
    unknown = Provider.objects.filter(Q(shrunk_at=None) | Q(shrunk_at__lt=sent_at), pk=provider.pk)
    now_allowed = Least(Coalesce("allowed_at_once", "concurrency"), F("concurrency"))
    halved = unknown.update(
        allowed_at_once=Greatest(now_allowed / 2, Value(1)), answers_since_growth=0, shrunk_at=now
    )
    return halved == 1


def note_cap_ignored(provider: Provider) -> None:
    """It wrote more than its cap: from now on its holds are wider."""
    Provider.objects.filter(pk=provider.pk, is_cap_honoured=True).update(is_cap_honoured=False)


def note_failure(provider: Provider, sent_at: dt.datetime, now: dt.datetime) -> None:
    """It could not be reached or broke down. The third time in a row opens the breaker, longer each time.

    What was in flight when it opened says nothing new, however late it comes: of sixteen calls that fail together
    three are counted.
    """
    known = Provider.objects.filter(_knew_of_pause(sent_at), pk=provider.pk).exclude(open_until__gt=now)
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
    note_failure(provider, now, now)


def pause(provider: Provider, now: dt.datetime, seconds: float) -> None:
    """No hold is taken for it before that; a longer pause that is set already stays."""
    until = now + dt.timedelta(seconds=seconds)
    shorter = Provider.objects.filter(pk=provider.pk).exclude(open_until__gte=until)
    shorter.update(open_until=until, opened_at=now)


def stop(provider: Provider, code: str, now: dt.datetime) -> None:
    """Stop it until somebody acts, and tell once whose key it is. Safe to repeat."""
    stopped = Provider.objects.filter(pk=provider.pk, paused_at=None).update(
        paused_at=now, paused_reason=code[:40]
    )
    if not stopped:
        return
    log.error("provider_stopped", provider=str(provider.public_id), code=code)
    if provider.team is not None:
        _tell_the_team(provider, provider.team, code, now)
        return
    try:
        _tell_the_operator(provider, code)
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


def _tell_the_team(provider: Provider, team: Team, code: str, now: dt.datetime) -> None:
    """Its owners and admins, in the app and by mail; the operator has nothing to do with their key."""
    steering = Membership.objects.steering().filter(team=team).select_related("user")
    params = {"provider": provider.pk, "code": code}
    key = f"provider.stopped:{provider.pk}:{now.isoformat()}"
    notices.tell([each.user for each in steering], key, STOPPED, params, now=now)


def words_of_stops(rows: Sequence[Params]) -> list[Words | None]:
    """What is told of a team's stopped models (`settings.TIDINGS`); None for one that is gone."""
    found = Provider.objects.select_related("team").in_bulk([row["provider"] for row in rows])
    return [_words(found.get(row["provider"]), row["code"]) for row in rows]


def _words(provider: Provider | None, code: str) -> Words | None:
    if provider is None or provider.team is None:
        return None
    return Words(
        _("%(name)s, the model of %(team)s, is stopped")
        % {"name": provider.name, "team": provider.team.name},
        [str(problem_told(code)), _("Papers wait until somebody mends it.")],
        path=reverse("team_providers", args=[provider.team.slug]),
        action=_("The team's models"),
        why=_("You get this because you steer %(team)s.") % {"team": provider.team.name},
        is_urgent=True,
    )


def reinstate(provider: Provider) -> None:
    """It answers: why it was stopped no longer holds, unless a person has paused it. Safe to repeat."""
    stopped = Provider.objects.filter(pk=provider.pk, paused_at__isnull=False)
    stopped.exclude(paused_reason=BY_HAND).update(paused_at=None, paused_reason="")


def resume(provider: Provider) -> None:
    """Somebody acted: calls may be made again as if nothing had been, unless a person has paused it. Safe to repeat."""
    if provider.paused_reason == BY_HAND:
        return
    provider.paused_at, provider.paused_reason, provider.failures, provider.open_until = None, "", 0, None
    provider.allowed_at_once = provider.opened_at = None
    provider.save(
        update_fields=["paused_at", "paused_reason", "failures", "open_until", "opened_at", "allowed_at_once"]
    )
