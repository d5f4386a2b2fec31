"""VERB. A reader asks for more of the limit that stopped them, once a window; who may, grants it or declines.

A grant is a top-up until the window's end (`budget.give_top_up`), so what waited is read at once. A team's pool
and the instance are the operator's to raise; the rest is for who steers the team.
"""

import datetime as dt
from collections.abc import Iterable

import structlog
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import mail_admins
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from profiles import audit, notices, top_ups
from profiles.access import Deed, membership_of, require
from profiles.drafts import draft_of
from profiles.models import Membership, Period, Profile, QuotaRequest, Scope, Team, User
from profiles.quotas import INSTANCE, MOST_TOKENS, Leg, Subject

from . import budget, price, providers
from .models import Candidate, Edition
from .transactions import retried

log = structlog.get_logger(__name__)

SALT = "requests.letter"
ASKED, DECIDED = "budget.asked", "budget.decided"
OPERATORS = {Scope.INSTANCE, Scope.TEAM}
# A call is held at its largest possible cost, which is more than its bill: room for that, in tokens.
ROOM_FOR_A_CALL = 10_000
ROUND_TO = 1_000
State = QuotaRequest.State


class NothingToAsk(Exception):
    """No limit stops this edition now."""


def figure_of(edition: Edition, now: dt.datetime) -> tuple[Subject, budget.Figure] | None:
    """Whose limit stops the edition now, and what its window says; None where none does."""
    by, team = edition.blocked_by, edition.profile.team
    if "scope" not in by or (edition.blocked_until is not None and edition.blocked_until <= now):
        return None
    scope, subject_id = Scope(by["scope"]), by["subject_id"]
    subject: Subject | None = None
    if scope == Scope.INSTANCE:
        subject = Subject(scope)
    elif scope == Scope.TEAM:
        subject = Subject(scope, team)
    elif scope == Scope.MEMBER:
        member = Membership.objects.filter(pk=subject_id, team=team).first()
        subject = Subject(scope, team, membership=member) if member is not None else None
    else:
        profile = Profile.objects.filter(pk=subject_id, team=team, owner=None).first()
        subject = Subject(scope, team, profile=profile) if profile is not None else None
    if subject is None:
        return None
    leg = INSTANCE if scope == Scope.INSTANCE else Leg(scope, subject_id, team.pk)
    figures = budget.figures_of([leg], now)[leg]
    figure = next((each for each in figures if each.period == by["period"]), None)
    return (subject, figure) if figure is not None else None


def asked_by(reader: User, edition: Edition, subject: Subject, figure: budget.Figure) -> QuotaRequest | None:
    """The reader's request about this window, if they made one."""
    return QuotaRequest.objects.filter(
        asked_by__user=reader,
        asked_by__team=edition.profile.team,
        **subject.fields,
        period=figure.period,
        window_starts_at=figure.starts_at,
    ).first()


def ask(reader: User, edition: Edition, now: dt.datetime | None = None) -> QuotaRequest:
    """Ask for what would let the waiting papers be read, and tell who can grant it. A repeat is the same request.

    NothingToAsk where no limit stops the edition; PermissionDenied for a viewer.
    """
    now = now or timezone.now()
    mine = membership_of(reader, edition.profile.team)
    require(mine, Deed.ASK_FOR_MORE)
    found = figure_of(edition, now)
    if found is None:
        raise NothingToAsk
    subject, figure = found
    asked, is_new = _written(mine, subject, figure, _wanted(edition, figure), now)
    if is_new and asked.scope in OPERATORS:
        _mail_the_operator(asked)
    return asked


@retried
@transaction.atomic
def _written(
    mine: Membership, subject: Subject, figure: budget.Figure, tokens: int, now: dt.datetime
) -> tuple[QuotaRequest, bool]:
    asked, is_new = QuotaRequest.objects.get_or_create(
        asked_by=mine,
        **subject.fields,
        period=figure.period,
        window_starts_at=figure.starts_at,
        defaults={"window_ends_at": figure.resets_at, "tokens": tokens, "asked_at": now},
    )
    if is_new:
        _record(mine.user, "request.asked", asked)
        for judge in sorted(who_decides(asked), key=lambda user: user.pk):
            params = {"request": str(asked.public_id), "to": str(judge.public_id)}
            notices.tell([judge], f"request:{asked.pk}", ASKED, params, now=now)
    return asked, is_new


def _wanted(edition: Edition, figure: budget.Figure) -> int:
    """Tokens that bring the window from where it is to the end of what waits, in round thousands."""
    waiting = Candidate.objects.filter(edition=edition).waiting().count()
    profile = edition.profile
    a_paper = price.tokens_a_paper(draft_of(profile), profile, providers.provider_of(profile))
    wanted = max(0, figure.gone - figure.limit) + waiting * a_paper + ROOM_FOR_A_CALL
    return min(MOST_TOKENS, -(-wanted // ROUND_TO) * ROUND_TO)


def who_decides(asked: QuotaRequest) -> list[User]:
    """Whom to ask: the team's owners and admins, or the operators; never who asks."""
    if asked.scope in OPERATORS:
        return list(User.objects.filter(is_staff=True, is_active=True).exclude(pk=asked.asked_by.user_id))
    return steering(asked.asked_by.team, but=asked.asked_by.user)


def steering(team: Team, but: User | None = None) -> list[User]:
    found = Membership.objects.steering().filter(team=team, user__is_active=True).select_related("user")
    return [each.user for each in found.order_by("joined_at", "pk") if but is None or each.user_id != but.pk]


def _mail_the_operator(asked: QuotaRequest) -> None:
    team = asked.asked_by.team
    title = _("%(team)s asks for more tokens") % {"team": team.name}
    text = _("%(tokens)s tokens on top of a limit (%(scope)s, %(period)s). Grant or decline it here:") % {
        "tokens": f"{asked.tokens:,}",
        "scope": Scope(asked.scope).label,
        "period": Period(asked.period).label,
    }
    try:
        mail_admins(" ".join(title.split()), f"{text}\n{reverse('operator_spending')}")
    except OSError as error:
        log.warning("operator_not_told", problem=type(error).__name__)


# --- deciding ------------------------------------------------------------------------------------------


def open_of(teams: Iterable[Team] | None, now: dt.datetime) -> QuerySet[QuotaRequest]:
    """Open requests whose window still runs: of these teams; with None those that the operator decides."""
    found = QuotaRequest.objects.filter(state=State.OPEN, window_ends_at__gt=now)
    found = found.filter(scope__in=OPERATORS) if teams is None else found.filter(asked_by__team__in=teams)
    return found.select_related("asked_by__user", "asked_by__team", "membership__user", "profile").order_by(
        "asked_at", "pk"
    )


def require_right(actor: User | None, asked: QuotaRequest) -> None:
    """Refuse who may not decide: Http404 for a stranger, PermissionDenied, or a ValidationError for a pool."""
    if actor is not None and not actor.is_staff:
        require(membership_of(actor, asked.asked_by.team), Deed.SET_QUOTAS)
    top_ups.require_right(actor, top_ups.subject_of(asked))


@retried
def grant(actor: User | None, asked: QuotaRequest, now: dt.datetime | None = None) -> bool:
    """Give what was asked for, until the window ends; what waited goes on. False: it was decided before.

    Decide and take are one UPDATE, so that two admins at once have one effect.
    """
    now = now or timezone.now()
    with transaction.atomic():
        require_right(actor, asked)
        if not _decide(actor, asked, State.GRANTED, now):
            return False
        subject = top_ups.subject_of(asked)
        budget.give_top_up(actor, subject, asked.tokens, asked.window_ends_at, now=now, request=asked)
        _tell_the_asker(asked, now)
    return True


@retried
def decline(actor: User | None, asked: QuotaRequest, now: dt.datetime | None = None) -> bool:
    """Say no; False where it was decided before."""
    now = now or timezone.now()
    with transaction.atomic():
        require_right(actor, asked)
        if not _decide(actor, asked, State.DECLINED, now):
            return False
        _tell_the_asker(asked, now)
    return True


def _decide(actor: User | None, asked: QuotaRequest, state: QuotaRequest.State, now: dt.datetime) -> bool:
    if asked.window_ends_at <= now:
        raise ValidationError(_("Its window is over: a new count has started."), code="over")
    open_one = QuotaRequest.objects.filter(pk=asked.pk, state=State.OPEN)
    if not open_one.update(state=state, decided_at=now, decided_by=actor):
        return False
    _record(actor, "request.granted" if state == State.GRANTED else "request.declined", asked)
    return True


def _record(actor: User | None, code: str, asked: QuotaRequest) -> None:
    about = {
        "scope": Scope(asked.scope).name.lower(),
        "period": str(asked.period),
        "tokens": asked.tokens,
        "request": str(asked.public_id),
    }
    subject = top_ups.subject_of(asked)
    audit.record(actor, code, team=asked.asked_by.team, subject=subject.key, after=about)


def _tell_the_asker(asked: QuotaRequest, now: dt.datetime) -> None:
    params = {"request": str(asked.public_id)}
    notices.tell([asked.asked_by.user], f"request:{asked.pk}:decided", DECIDED, params, now=now)


# --- from a letter -------------------------------------------------------------------------------------


def token_of(request_id: str, user_id: str) -> str:
    """The signed token with which this person decides this request, once, without signing in."""
    return signing.dumps([request_id, user_id], salt=SALT)


def of_token(token: str) -> tuple[QuotaRequest, User] | None:
    """What the token is about and whose it is; None for one that we did not sign or where either is gone."""
    try:
        request_id, user_id = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    asked = QuotaRequest.objects.select_related(
        "asked_by__user", "asked_by__team", "team", "membership__user"
    )
    found = asked.filter(public_id=request_id).first()
    user = User.objects.filter(public_id=user_id, is_active=True).first()
    return (found, user) if found is not None and user is not None else None
