"""What is said of a request: to who decides it, and to who asked."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from profiles.models import Period, QuotaRequest, Scope
from profiles.tidings import Params, Words

from . import asking

State = QuotaRequest.State


def about(asked: QuotaRequest) -> str:
    """Whose limit it is about, and how much more."""
    given = {
        "tokens": f"{asked.tokens:,}",
        "period": Period(asked.period).label,
        "team": asked.asked_by.team.name,
        "name": asked.membership.user.display_name if asked.membership is not None else "",
        "profile": asked.profile.name if asked.profile is not None else "",
    }
    texts = {
        Scope.INSTANCE: _("%(tokens)s tokens more for this instance (a %(period)s)."),
        Scope.TEAM: _("%(tokens)s tokens more for the pool of %(team)s (a %(period)s)."),
        Scope.MEMBER: _("%(tokens)s tokens more for %(name)s in %(team)s (a %(period)s)."),
        Scope.SHARE: _("%(tokens)s tokens more for the team profile “%(profile)s” (a %(period)s)."),
    }
    return texts[Scope(asked.scope)] % given


def until(asked: QuotaRequest) -> str:
    return date_format(timezone.localtime(asked.window_ends_at), "Y-m-d H:i")


def words_of_requests(rows: Sequence[Params]) -> list[Words | None]:
    """`budget.asked`: who asks for what, with the way to a page that has the button."""
    found = _found(rows)
    return [_asked(row, found.get(row["request"])) for row in rows]


def _asked(row: Params, asked: QuotaRequest | None) -> Words | None:
    if asked is None:
        return None
    paragraphs = [
        about(asked),
        _("They would end at %(at)s; the papers that wait are read at once.") % {"at": until(asked)},
    ]
    return Words(
        _("%(name)s asks for more tokens") % {"name": asked.asked_by.user.display_name},
        paragraphs,
        path=reverse("request_by_letter", args=[asking.token_of(row["request"], row["to"])]),
        action=_("Grant or decline"),
        why=_("You get this because you can grant it."),
    )


def words_of_decisions(rows: Sequence[Params]) -> list[Words | None]:
    """`budget.decided`: what became of one's own request."""
    found = _found(rows)
    return [_decided(found.get(row["request"])) for row in rows]


def _decided(asked: QuotaRequest | None) -> Words | None:
    if asked is None or asked.state == State.OPEN:
        return None
    is_granted = asked.state == State.GRANTED
    return Words(
        _("Your request is granted") if is_granted else _("Your request is declined"),
        [
            about(asked),
            _("They end at %(at)s. The papers that waited are read now.") % {"at": until(asked)}
            if is_granted
            else _("Papers that wait are read when a new count starts, at %(at)s.") % {"at": until(asked)},
        ],
        path=reverse("today"),
        action=_("To the newest paper"),
        why=_("You get this because you asked."),
    )


def _found(rows: Sequence[Params]) -> dict[str, QuotaRequest]:
    wanted = QuotaRequest.objects.filter(public_id__in=[row["request"] for row in rows])
    wanted = wanted.select_related("asked_by__user", "asked_by__team", "membership__user", "profile")
    return {str(each.public_id): each for each in wanted}
