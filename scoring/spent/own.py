"""What one reader's memberships spent, on which of their profiles, by which judge, and what it bought."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Sum
from django.utils.translation import gettext as _

from profiles.models import Membership, Period, Profile, Scope, User
from scoring import charts
from scoring.budget import words
from scoring.models import BudgetWindow, Call, Candidate, Edition, Spending
from scoring.models.judging import judge_name

from .spans import Span
from .team import told

TOP = 7


@dataclass(frozen=True)
class Part:
    """What one profile, one judge or one kind of call cost."""

    name: str
    used: int
    papers: int
    cost_microusd: int
    key: Any = None

    @property
    def tokens_a_paper(self) -> int | None:
        return round(self.used / self.papers) if self.papers else None

    @property
    def cost(self) -> str:
        return words.dollars(self.cost_microusd)


@dataclass(frozen=True)
class OwnSpending:
    """Tokens and micro-dollars of a span. Papers: read by a model, recommended, screened out."""

    span: Span
    chart: charts.Chart
    profiles: list[Part]
    judges: list[Part]
    kinds: list[Part]
    assumed: int
    recommended: int
    screened: int

    @property
    def used(self) -> int:
        return sum(part.used for part in self.judges)

    @property
    def papers(self) -> int:
        return sum(part.papers for part in self.judges)

    @property
    def cost_microusd(self) -> int:
        return sum(part.cost_microusd for part in self.judges)

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
    def tokens_a_pick(self) -> int | None:
        return round(self.used / self.recommended) if self.recommended else None

    @property
    def saved_tokens(self) -> int:
        """What reading the papers that were screened out would have cost, at the same price a paper."""
        return round(self.screened * self.used / self.papers) if self.papers else 0

    @property
    def saved(self) -> str:
        return words.dollars(round(self.screened * self.cost_microusd / self.papers) if self.papers else 0)


def of_reader(user: User, span: Span) -> OwnSpending:
    """In five queries, whatever was spent."""
    rows = list(_rows(user, span))
    own = Profile.objects.filter(owner=user)
    names: dict[int, str] = dict(own.values_list("pk", "name"))
    profiles = _parts(rows, "profile_id", lambda key: names.get(key, _("A profile that is no more")))
    # Those that were opened on these days: a day of arXiv's that was caught up with is paid for when it is read.
    account = Edition.objects.filter(
        profile__owner=user, opened_at__gte=span.starts_at, opened_at__lt=span.ends_at
    )
    picks = Candidate.objects.filter(
        edition__in=account, state=Candidate.State.JUDGED, value__gte=F("edition__profile__bar")
    )
    return OwnSpending(
        span=span,
        chart=_chart(span, rows, profiles),
        profiles=profiles,
        judges=_parts(rows, "provider_model", lambda key: str(judge_name(key))),
        kinds=_parts(rows, "kind", lambda key: str(Call.Kind(key).label)),
        assumed=sum(row["assumed"] for row in rows),
        recommended=picks.count(),
        screened=sum(each.get("screened", 0) for each in account.values_list("account", flat=True)),
    )


def _rows(user: User, span: Span) -> Any:
    windows = BudgetWindow.objects.filter(
        scope=Scope.MEMBER,
        subject_id__in=Membership.objects.filter(user=user).values("pk"),
        period=Period.DAY,
        starts_at__gte=span.starts_at,
        starts_at__lt=span.ends_at,
    )
    return (
        Spending.objects.filter(window__in=windows)
        .values("window__starts_at", "profile_id", "provider_model", "kind")
        .annotate(
            used=Sum("used_tokens"),
            assumed=Sum("assumed_tokens"),
            read=Sum("papers"),
            cost=Sum("cost_microusd"),
        )
        .order_by()
    )


def _parts(rows: Iterable[Any], by: str, name: Any) -> list[Part]:
    """The rows' sums by one of their columns, the dearest first; what has one name is one part."""
    sums: dict[str, Part] = {}
    for row in rows:
        label = name(row[by])
        so_far = sums.get(label, Part(label, 0, 0, 0, row[by]))
        sums[label] = Part(
            label,
            so_far.used + row["used"],
            so_far.papers + row["read"],
            so_far.cost_microusd + row["cost"],
            row[by],
        )
    return sorted(sums.values(), key=lambda part: (-part.used, part.name))


def _chart(span: Span, rows: Iterable[Any], profiles: list[Part]) -> charts.Chart:
    places = {part.key: min(number, TOP) for number, part in enumerate(profiles)}
    found: dict[int, dict[dt.date, int]] = {}
    for row in rows:
        days = found.setdefault(places.get(row["profile_id"], TOP), {})
        day = span.day_of(row["window__starts_at"])
        days[day] = days.get(day, 0) + row["used"]
    series = [
        charts.Series(part.name, charts.by_day(span.days, found.get(number, {})), charts.colour(number))
        for number, part in enumerate(profiles[:TOP])
    ]
    if TOP in found:
        series.append(charts.Series(_("Others"), charts.by_day(span.days, found[TOP]), "series-others"))
    return charts.stacked(span.days, series, told)
