"""Who may spend what: a team's quotas for its owner and admins, and a reader's own budget."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from profiles import access, quotas
from profiles.access import Deed
from profiles.models import Membership, Period, Profile, QuotaRequest, Scope, Team, TopUp, User
from scoring import asking, asking_words, budget
from scoring.spent import own, spans


@require_http_methods(["GET", "POST"])
def team_quotas(request: HttpRequest, slug: str) -> HttpResponse:
    """The team's limits and what is gone of them; a POST sets one. A member gets 403, a stranger 404."""
    assert isinstance(request.user, User)
    mine = access.membership_for(request.user, slug)
    access.require(mine, Deed.SEE_QUOTAS)
    if request.method == "GET":
        return _page(request, mine)
    try:
        freed = _set(request, mine)
    except ValidationError as error:
        return _page(request, mine, problem=error)
    messages.success(request, _told(freed))
    return redirect("team_quotas", slug)


def _page(request: HttpRequest, mine: Membership, problem: ValidationError | None = None) -> HttpResponse:
    now = timezone.now()
    context = {
        "section": "teams",
        "mine": mine,
        "sheet": budget.sheet_of(mine.team, now),
        "periods": Period.choices,
        "requests": requests_shown(mine.user, asking.open_of([mine.team], now)),
        "top_ups": _top_ups(mine.team, now),
        "here": request.path,
        "may_raise_pool": access.may(mine, Deed.RAISE_POOL),
        "zone": mine.user.zone,
        "problem": problem.messages[0] if problem is not None else "",
        "wrong": request.POST if problem is not None else {},
    }
    return render(request, "scoring/quotas.html", context, status=200 if problem is None else 422)


@dataclass(frozen=True)
class Shown:
    """An open request as a page lists it."""

    asked: QuotaRequest
    about: str
    until: dt.datetime
    may_decide: bool


def requests_shown(reader: User, found: Iterable[QuotaRequest]) -> list[Shown]:
    return [
        Shown(
            each,
            asking_words.about(each),
            each.window_ends_at.astimezone(reader.zone),
            reader.is_staff or each.scope not in asking.OPERATORS,
        )
        for each in found
    ]


def _top_ups(team: Team, now: dt.datetime) -> list[tuple[TopUp, int]]:
    """The team's top-ups in force, each with what is left of it."""
    active = TopUp.objects.filter(team=team).active(now).select_related("membership__user", "profile")
    given = list(active.order_by("ends_at", "pk"))
    left = budget.left_of(given, now) if given else {}
    return [(each, left[each.pk]) for each in given]


def _set(request: HttpRequest, mine: Membership) -> int:
    """Do what the form asks; how many editions may go on."""
    access.require(mine, Deed.SET_QUOTAS)
    assert isinstance(request.user, User)
    subject = subject_of_form(mine.team, request.POST.get("of", ""), request.POST.get("public_id", ""))
    period = request.POST.get("period", "")
    if period not in Period.values:
        raise ValidationError(_("Choose a day, a week or a month."))
    is_removal = "remove" in request.POST
    tokens = None if is_removal else quotas.parse_tokens(request.POST.get("tokens", ""))
    freed = budget.change_quota(request.user, subject, Period(period), tokens)
    return len(freed)


def subject_of_form(team: Team, of: str, public_id: str) -> quotas.Subject:
    """Whose limit is meant; a foreign or missing id is a 404."""
    try:
        if of == "pool":
            return quotas.pool(team)
        if of == "default":
            return quotas.member_default(team)
        if of == "member":
            return quotas.member(
                Membership.objects.select_related("team").get(team=team, public_id=public_id)
            )
        if of == "share":
            shared = Profile.objects.select_related("team").filter(team=team, owner=None, archived_at=None)
            return quotas.share(shared.get(public_id=public_id))
    except (Membership.DoesNotExist, Profile.DoesNotExist, ValidationError) as error:
        raise Http404 from error
    raise Http404


def _told(freed: int) -> str:
    if not freed:
        return _("The limit is set.")
    return ngettext(
        "The limit is set. %(n)s edition that waited for it is read on now.",
        "The limit is set. %(n)s editions that waited for it are read on now.",
        freed,
    ) % {"n": freed}


@require_GET
def budget_page(request: HttpRequest) -> HttpResponse:
    """A reader's own budget: the limits that hold for them with a forecast, and what was spent on what."""
    assert isinstance(request.user, User)
    now, zone = timezone.now(), request.user.zone
    purses = budget.purses_of(request.user, now)
    span = spans.span_of(request.GET, now, zone)
    context = {
        "purses": [(purse, _with_forecasts(purse, now, zone)) for purse in purses],
        "zone": zone,
        "seen": own.of_reader(request.user, span) if purses else None,
        "span": span,
        "choices": spans.CHOICES,
        "months": spans.months(now, zone),
        "asked": request.GET,
    }
    return render(request, "scoring/budget.html", context)


def _with_forecasts(
    purse: budget.Purse, now: dt.datetime, zone: dt.tzinfo
) -> list[tuple[budget.Figure, budget.Forecast | None, str]]:
    """Each figure; the reader's own with how long it lasts, for of the others' days they know nothing."""
    team_zone = purse.membership.team.zone
    past = {budget.day_of(day.starts_at, team_zone): day.used for day in purse.days}
    found = []
    for figure in purse.figures:
        is_own = figure.leg.scope == Scope.MEMBER
        ahead = budget.forecast_of(figure, past, now, team_zone) if is_own else None
        found.append((figure, ahead, ahead.told(zone, now) if ahead is not None else ""))
    return found
