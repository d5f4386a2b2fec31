"""What all teams spent, for the operator: sums and addresses, and nothing of what anybody reads."""

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from profiles.models import Membership, Period, Profile, QuotaRequest, Scope, Team
from profiles.quotas import INSTANCE, Leg, Policy
from scoring import charts
from scoring.budget import words
from scoring.budget.figures import Figure, figures_of
from scoring.models import BudgetWindow, Provider, Spending

from .spans import Span
from .team import told

TOP = 8
TOP_PROFILES = 10


@dataclass(frozen=True)
class Row:
    """A team, or all that are no more, and what it spent."""

    name: str
    slug: str = ""
    pk: int = 0
    is_personal: bool = False
    members: int = 0
    limit: int | None = None
    used: int = 0
    before: int = 0
    cost_microusd: int = 0
    requests: int = 0
    stopped: int = 0

    @property
    def cost(self) -> str:
        return words.dollars(self.cost_microusd)

    @property
    def difference(self) -> int:
        return self.used - self.before


@dataclass(frozen=True)
class TopProfile:
    """A profile among the dearest, by its public id alone: what it reads is its reader's."""

    public_id: str
    team: str
    used: int
    papers: int
    cost_microusd: int

    @property
    def cost(self) -> str:
        return words.dollars(self.cost_microusd)


@dataclass(frozen=True)
class HouseSpending:
    span: Span
    instance: list[Figure]
    rows: list[Row]
    chart: charts.Chart
    profiles: list[TopProfile]

    @property
    def used(self) -> int:
        return sum(row.used for row in self.rows)

    @property
    def before(self) -> int:
        return sum(row.before for row in self.rows)

    @property
    def cost_microusd(self) -> int:
        return sum(row.cost_microusd for row in self.rows)

    @property
    def cost(self) -> str:
        return words.dollars(self.cost_microusd)

    @property
    def is_priced(self) -> bool:
        return self.cost_microusd > 0


def zone() -> dt.tzinfo:
    return zoneinfo.ZoneInfo(settings.INSTANCE_TIME_ZONE)


def of_all(span: Span, now: dt.datetime) -> HouseSpending:
    """In nine queries, whatever the number of teams. Personal teams appear where they spent or ask."""
    sums = {row["subject_id"]: row for row in _sums(span)}
    requests = _counts(QuotaRequest.objects.filter(state=QuotaRequest.State.OPEN))
    stopped = _counts(Provider.objects.filter(is_active=True).exclude(paused_at=None))
    members = _counts(Membership.objects.all())
    teams = [
        each
        for each in Team.objects.only("pk", "name", "slug", "is_personal", "public_id").order_by("name", "pk")
        if not each.is_personal or each.pk in sums or each.pk in requests or each.pk in stopped
    ]
    policy = Policy([Leg(Scope.TEAM, each.pk, each.pk) for each in teams])
    rows = [
        Row(
            name=each.name,
            slug=each.slug,
            pk=each.pk,
            is_personal=each.is_personal,
            members=members.get(each.pk, 0),
            limit=policy.limits(Leg(Scope.TEAM, each.pk, each.pk))[Period.DAY],
            requests=requests.get(each.pk, 0),
            stopped=stopped.get(each.pk, 0),
            **_figures([sums[each.pk]] if each.pk in sums else []),
        )
        for each in teams
    ]
    known = {each.pk for each in teams}
    gone = [row for subject, row in sums.items() if subject not in known]
    if gone:
        rows.append(Row(name=_("Teams that are no more"), **_figures(gone)))
    return HouseSpending(
        span=span,
        instance=figures_of([INSTANCE], now)[INSTANCE],
        rows=rows,
        chart=_chart(span, rows),
        profiles=_top_profiles(span),
    )


def _windows(span: Span) -> Any:
    return BudgetWindow.objects.filter(
        scope=Scope.TEAM, period=Period.DAY, starts_at__gte=span.starts_at, starts_at__lt=span.ends_at
    )


def _sums(span: Span) -> Any:
    both = BudgetWindow.objects.filter(
        scope=Scope.TEAM, period=Period.DAY, starts_at__gte=span.before.starts_at, starts_at__lt=span.ends_at
    )
    now = Q(starts_at__gte=span.starts_at)
    before = Q(starts_at__lt=span.before.ends_at)
    return (
        both.values("subject_id")
        .annotate(
            used=Sum("used_tokens", filter=now, default=0),
            before=Sum("used_tokens", filter=before, default=0),
            cost=Sum("cost_microusd", filter=now, default=0),
        )
        .filter(Q(used__gt=0) | Q(before__gt=0))
        .order_by()
    )


def _figures(sums: Iterable[Any]) -> dict[str, Any]:
    sums = list(sums)
    return {
        "used": sum(row["used"] for row in sums),
        "before": sum(row["before"] for row in sums),
        "cost_microusd": sum(row["cost"] for row in sums),
    }


def _counts(rows: Any) -> dict[int, int]:
    of_teams = rows.exclude(team=None).values_list("team_id")
    return dict(of_teams.annotate(n=Count("pk")).order_by())


def _chart(span: Span, rows: list[Row]) -> charts.Chart:
    """Stacked by team: those who spent most by name, all others together."""
    top = sorted((row for row in rows if row.pk and row.used), key=lambda row: -row.used)[:TOP]
    places = {row.pk: number for number, row in enumerate(top)}
    found: dict[int, dict[dt.date, int]] = {}
    spent = _windows(span).filter(used_tokens__gt=0).values_list("subject_id", "starts_at", "used_tokens")
    for subject, starts_at, used in spent:
        days = found.setdefault(places.get(subject, TOP), {})
        day = span.day_of(starts_at)
        days[day] = days.get(day, 0) + used
    series = [
        charts.Series(row.name, charts.by_day(span.days, found.get(number, {})), charts.colour(number))
        for number, row in enumerate(top)
    ]
    if TOP in found:
        series.append(charts.Series(_("Others"), charts.by_day(span.days, found[TOP]), "series-others"))
    return charts.stacked(span.days, series, told)


def _top_profiles(span: Span) -> list[TopProfile]:
    of_span = BudgetWindow.objects.filter(
        scope__in=[Scope.MEMBER, Scope.SHARE],
        period=Period.DAY,
        starts_at__gte=span.starts_at,
        starts_at__lt=span.ends_at,
    )
    sums = (
        Spending.objects.filter(window__in=of_span, profile_id__isnull=False)
        .values("profile_id")
        .annotate(used=Sum("used_tokens"), cost=Sum("cost_microusd"), read=Sum("papers"))
        .order_by("-cost", "-used", "profile_id")[:TOP_PROFILES]
    )
    by_id: dict[int, Any] = {row["profile_id"]: row for row in sums if row["profile_id"]}
    known = Profile.objects.filter(pk__in=by_id).values_list("pk", "public_id", "team__slug")
    found = {pk: (str(public_id), slug) for pk, public_id, slug in known}
    return [
        TopProfile(*found[pk], used=row["used"], papers=row["read"], cost_microusd=row["cost"])
        for pk, row in by_id.items()
        if pk in found
    ]


SORTS: dict[str, Any] = {
    "name": lambda row: row.name.casefold(),
    "members": lambda row: row.members,
    "limit": lambda row: row.limit or 0,
    "used": lambda row: row.used,
    "difference": lambda row: row.difference,
    "cost": lambda row: row.cost_microusd,
    "requests": lambda row: row.requests,
    "stopped": lambda row: row.stopped,
}


def sorted_by(rows: Iterable[Row], sort: str) -> list[Row]:
    key = SORTS.get(sort.removeprefix("-"))
    if key is None:
        sort, key = "-used", SORTS["used"]
    return sorted(sorted(rows, key=SORTS["name"]), key=key, reverse=sort.startswith("-"))
