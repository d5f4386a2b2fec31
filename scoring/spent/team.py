"""What a team spent, by member: for its owners and admins. Of a member's own profiles it knows the number."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.utils.translation import gettext as _

from profiles.models import Membership, Period, Profile, Scope, Team
from profiles.quotas import Leg, Policy
from scoring import charts
from scoring.budget import words
from scoring.models import BudgetWindow, Spending

from .spans import Span

TOP = 8
PEOPLE, SHARES, LEFT = "member", "share", "former"
_FORMER_BUCKET = -1


@dataclass(frozen=True)
class Row:
    """A member, a team profile by its share, or all who are no longer here, and what they spent.

    Tokens, and micro-dollars where priced. `share` is of everything the team spent, 0 to 100.
    """

    kind: str
    name: str
    email: str = ""
    role: str = ""
    role_label: str = ""
    is_you: bool = False
    public_id: str = ""
    limit: int | None = None
    used: int = 0
    before: int = 0
    share: float = 0.0
    profiles: int | None = None
    papers: int = 0
    cost_microusd: int = 0
    last_active: dt.date | None = None

    @property
    def tokens_a_paper(self) -> int | None:
        return round(self.used / self.papers) if self.papers else None

    @property
    def difference(self) -> int:
        return self.used - self.before

    @property
    def cost(self) -> str:
        return words.dollars(self.cost_microusd)


@dataclass(frozen=True)
class TeamSpending:
    """A team's spending over a span, with the one before. `rows` are all; a page filters and sorts them."""

    team: Team
    span: Span
    rows: list[Row]
    chart: charts.Chart
    used: int
    before: int
    papers: int
    cost_microusd: int

    @property
    def is_priced(self) -> bool:
        return self.cost_microusd > 0

    @property
    def cost(self) -> str:
        return words.dollars(self.cost_microusd)

    @property
    def tokens_a_paper(self) -> int | None:
        return round(self.used / self.papers) if self.papers else None

    @property
    def percent(self) -> int | None:
        """How much more or less than before, in percent; None where there is nothing to compare with."""
        return round((self.used - self.before) * 100 / self.before) if self.before else None


@dataclass
class _Sums:
    """The sums of one payer; `_add` gathers those of payers that are no more."""

    used: int = 0
    before: int = 0
    cost: int = 0
    papers: int = 0
    last: dt.datetime | None = None
    subjects: set[int] = field(default_factory=set)

    def add(self, other: "_Sums") -> None:
        self.used += other.used
        self.before += other.before
        self.cost += other.cost
        self.papers += other.papers
        self.last = max(filter(None, (self.last, other.last)), default=None)
        self.subjects |= other.subjects


Key = tuple[int, int]


def of_team(team: Team, span: Span, viewer: Membership | None = None) -> TeamSpending:
    """The whole of it in seven queries, whatever the team's size and the ledger's length."""
    memberships = list(
        Membership.objects.filter(team=team).select_related("user").order_by("joined_at", "pk")
    )
    shared = list(Profile.objects.filter(team=team, owner=None).order_by("created_at", "pk"))
    sums = _sums(team, span)
    rows = _rows(team, memberships, shared, sums, viewer, span)
    papers = sum(row.papers for row in rows)
    return TeamSpending(
        team=team,
        span=span,
        rows=rows,
        chart=_chart(team, span, memberships, shared, sums),
        used=sum(row.used for row in rows),
        before=sum(row.before for row in rows),
        papers=papers,
        cost_microusd=sum(row.cost_microusd for row in rows),
    )


# --- the sums --------------------------------------------------------------------------------------


def _windows(team: Team) -> Any:
    return BudgetWindow.objects.filter(
        team_id=team.pk, period=Period.DAY, scope__in=[Scope.MEMBER, Scope.SHARE]
    )


def _sums(team: Team, span: Span) -> dict[Key, _Sums]:
    """By payer (scope, subject), those among them whose subject is no more."""
    now = Q(starts_at__gte=span.starts_at, starts_at__lt=span.ends_at)
    before = Q(starts_at__gte=span.before.starts_at, starts_at__lt=span.before.ends_at)
    rows = (
        _windows(team)
        .filter(now | before)
        .values("scope", "subject_id")
        .annotate(
            used=Sum("used_tokens", filter=now, default=0),
            before=Sum("used_tokens", filter=before, default=0),
            cost=Sum("cost_microusd", filter=now, default=0),
            last=Max("starts_at", filter=now & Q(used_tokens__gt=0)),
        )
        .order_by()
    )
    sums = {
        (row["scope"], row["subject_id"]): _Sums(
            row["used"], row["before"], row["cost"], 0, row["last"], {row["subject_id"]}
        )
        for row in rows
    }
    read = (
        Spending.objects.filter(window__in=_windows(team).filter(now), papers__gt=0)
        .values("window__scope", "window__subject_id")
        .annotate(read=Sum("papers"))
        .order_by()
    )
    for row in read:
        sums[row["window__scope"], row["window__subject_id"]].papers = row["read"]
    return sums


def _rows(
    team: Team,
    memberships: Iterable[Membership],
    shared: Iterable[Profile],
    sums: Mapping[Key, _Sums],
    viewer: Membership | None,
    span: Span,
) -> list[Row]:
    memberships, shared = list(memberships), [each for each in shared if _is_shown(each, sums)]
    people = {each: Leg(Scope.MEMBER, each.pk, team.pk) for each in memberships}
    shares = {each: Leg(Scope.SHARE, each.pk, team.pk) for each in shared}
    policy = Policy([*people.values(), *shares.values()])
    own = Profile.objects.filter(team=team, archived_at=None).exclude(owner=None)
    counts = dict(own.values_list("owner").annotate(n=Count("pk")).order_by())
    total = sum(each.used for each in sums.values())
    rows = [
        Row(
            kind=PEOPLE,
            name=each.user.display_name,
            email=each.user.email,
            role=each.role,
            role_label=str(each.get_role_display()),
            is_you=viewer is not None and each.pk == viewer.pk,
            public_id=str(each.public_id),
            limit=policy.limits(leg)[Period.DAY],
            profiles=counts.get(each.user_id, 0),
            **_figures(sums.get((Scope.MEMBER, each.pk)), total, span),
        )
        for each, leg in people.items()
    ]
    rows += [
        Row(
            kind=SHARES,
            name=each.name,
            role_label=_("team profile"),
            public_id=str(each.public_id),
            limit=policy.limits(leg)[Period.DAY],
            **_figures(sums.get((Scope.SHARE, each.pk)), total, span),
        )
        for each, leg in shares.items()
    ]
    known = {(Scope.MEMBER, each.pk) for each in memberships} | {(Scope.SHARE, each.pk) for each in shared}
    return rows + _former(known, sums, total, span)


def _is_shown(profile: Profile, sums: Mapping[Key, _Sums]) -> bool:
    return profile.archived_at is None or (Scope.SHARE, profile.pk) in sums


def _former(known: set[Any], sums: Mapping[Key, _Sums], total: int, span: Span) -> list[Row]:
    """One row for all members who left, and one for all team profiles that are no more: sums, no names."""
    rows = []
    for scope, name in ((Scope.MEMBER, _("Former members")), (Scope.SHARE, _("Former team profiles"))):
        gone = _Sums()
        for key, each in sums.items():
            if key[0] == scope and key not in known:
                gone.add(each)
        if gone.used or gone.before:
            rows.append(Row(kind=LEFT, name=name, **_figures(gone, total, span)))
    return rows


def _figures(sums: _Sums | None, total: int, span: Span) -> dict[str, Any]:
    sums = sums or _Sums()
    return {
        "used": sums.used,
        "before": sums.before,
        "share": sums.used * 100 / total if total else 0.0,
        "papers": sums.papers,
        "cost_microusd": sums.cost,
        "last_active": span.day_of(sums.last) if sums.last is not None else None,
    }


# --- the chart -------------------------------------------------------------------------------------


def _chart(
    team: Team,
    span: Span,
    memberships: Iterable[Membership],
    shared: Iterable[Profile],
    sums: Mapping[Key, _Sums],
) -> charts.Chart:
    """Stacked by payer: those who spent most by name, the other ones together, and who is no longer here."""
    names: dict[Key, str] = {(Scope.MEMBER, each.pk): each.user.display_name for each in memberships}
    names |= {(Scope.SHARE, each.pk): each.name for each in shared}
    spenders = sorted(
        (key for key in names if key in sums and sums[key].used), key=lambda key: -sums[key].used
    )
    top = spenders[:TOP]
    former = [key for key in sums if key not in names and sums[key].used]
    by_bucket = _by_day(team, span, top, former)
    days = span.days
    series = [
        charts.Series(names[key], charts.by_day(days, by_bucket.get(number, {})), charts.colour(number))
        for number, key in enumerate(top)
    ]
    if len(spenders) > TOP:
        series.append(
            charts.Series(_("Others"), charts.by_day(days, by_bucket.get(TOP, {})), "series-others")
        )
    if _FORMER_BUCKET in by_bucket:
        left = charts.by_day(days, by_bucket[_FORMER_BUCKET])
        series.append(charts.Series(_("Former members"), left, "series-former"))
    return charts.stacked(days, series, told)


def _by_day(team: Team, span: Span, top: list[Key], former: list[Key]) -> dict[int, dict[dt.date, int]]:
    """Tokens by bucket and day: a bucket for each of the top, one for who is gone, one for all others.

    The others are what is left of the team's own windows, so that a day of many members reads few rows.
    """
    bucket = {key: number for number, key in enumerate(top)} | dict.fromkeys(former, _FORMER_BUCKET)
    wanted = Q(scope=Scope.TEAM, subject_id=team.pk)
    for payer in (Scope.MEMBER, Scope.SHARE):
        subjects = [subject for of, subject in bucket if of == payer]
        wanted |= Q(scope=payer, subject_id__in=subjects)
    rows = BudgetWindow.objects.filter(
        wanted,
        team_id=team.pk,
        period=Period.DAY,
        starts_at__gte=span.starts_at,
        starts_at__lt=span.ends_at,
        used_tokens__gt=0,
    ).values_list("scope", "subject_id", "starts_at", "used_tokens")
    found: dict[int, dict[dt.date, int]] = {}
    for scope, subject, starts_at, used in rows:
        day = span.day_of(starts_at)
        # What has a bucket of its own is taken from what the whole team used.
        parts = {TOP: used} if scope == Scope.TEAM else {bucket[scope, subject]: used, TOP: -used}
        for number, part in parts.items():
            days = found.setdefault(number, {})
            days[day] = days.get(day, 0) + part
    return found


def told(name: str, day: dt.date, tokens: int) -> str:
    """What a part of a bar says when one rests on it."""
    return _("%(name)s, %(day)s: %(tokens)s tokens") % {
        "name": name,
        "day": day.isoformat(),
        "tokens": f"{tokens:,}",
    }


# --- sorted, filtered ------------------------------------------------------------------------------

SORTS: dict[str, Any] = {
    "name": lambda row: row.name.casefold(),
    "role": lambda row: (row.kind, row.role),
    "limit": lambda row: row.limit if row.limit is not None else -1,
    "used": lambda row: row.used,
    "share": lambda row: row.used,
    "profiles": lambda row: row.profiles if row.profiles is not None else -1,
    "papers": lambda row: row.papers,
    "a_paper": lambda row: row.tokens_a_paper or 0,
    "cost": lambda row: row.cost_microusd,
    "difference": lambda row: row.difference,
    "last": lambda row: row.last_active or dt.date.min,
}


def sorted_by(rows: Iterable[Row], sort: str) -> list[Row]:
    """By a column of `SORTS`, downwards with a leading minus; by what was used where the word is unknown."""
    key = SORTS.get(sort.removeprefix("-"))
    if key is None:
        sort, key = "-used", SORTS["used"]
    by_name = sorted(rows, key=SORTS["name"])
    return sorted(by_name, key=key, reverse=sort.startswith("-"))


def filtered(rows: Iterable[Row], text: str, role: str) -> list[Row]:
    """Those whose name or address holds the text, in that role; who is gone has neither."""
    wanted = text.strip().casefold()
    return [
        row
        for row in rows
        if (not wanted or wanted in row.name.casefold() or wanted in row.email.casefold())
        and (not role or row.role == role)
    ]
