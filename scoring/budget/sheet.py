"""What a team's page of quotas shows: everybody's limits and how much of them is gone."""

import datetime as dt
from dataclasses import dataclass, field

from profiles.access import MAY, Deed
from profiles.models import Membership, Period, Profile, Scope, Team, User
from profiles.quotas import INSTANCE, Leg, Limits, Policy
from scoring.models import BudgetWindow

from .figures import Figure, figures_of, of_window

SPENDERS = [role for role, deeds in MAY.items() if Deed.SPEND in deeds]
DAYS_SHOWN = dt.timedelta(days=30)


@dataclass(frozen=True)
class Row:
    """One who spends: a member, or a team profile by its share. `own` are the limits set for just them."""

    leg: Leg
    subject: Membership | Profile
    own: Limits
    figures: list[Figure]

    @property
    def days(self) -> Figure:
        """The day's figure, which always exists."""
        return self.figures[0]


@dataclass(frozen=True)
class Sheet:
    """A team's quotas in use at one instant. Tokens only: what a member reads is not here."""

    team: Team
    pool: list[Figure]
    members: list[Row]
    shares: list[Row]
    default: Limits
    ceilings: dict[Period, int | None] = field(default_factory=dict)

    @property
    def is_priced(self) -> bool:
        everybody = [*self.pool, *(figure for row in self.members + self.shares for figure in row.figures)]
        return any(figure.cost_microusd for figure in everybody)


def sheet_of(team: Team, now: dt.datetime) -> Sheet:
    """The whole sheet, in four queries (a fifth where a window is not open yet), whatever the team's size."""
    memberships = list(
        Membership.objects.filter(team=team).select_related("user").order_by("joined_at", "pk")
    )
    profiles = list(Profile.objects.filter(team=team, owner=None, archived_at=None))
    pool = Leg(Scope.TEAM, team.pk, team.pk)
    subjects: dict[Leg, Membership | Profile] = {
        **{Leg(Scope.MEMBER, each.pk, team.pk): each for each in memberships},
        **{Leg(Scope.SHARE, each.pk, team.pk): each for each in profiles},
    }
    policy = Policy([pool, *subjects])
    limits = {leg: policy.limits(leg) for leg in [pool, *subjects]}
    figures = figures_of([pool, *subjects], now, limits)
    rows = [Row(leg, each, policy.own(leg), figures[leg]) for leg, each in subjects.items()]
    return Sheet(
        team=team,
        pool=figures[pool],
        members=[row for row in rows if row.leg.scope == Scope.MEMBER],
        shares=[row for row in rows if row.leg.scope == Scope.SHARE],
        default=policy.member_default(team.pk),
        ceilings={period: policy.ceiling(team.pk, period) for period in Period},
    )


@dataclass(frozen=True)
class Purse:
    """What one reader's membership may spend and has spent, with the levels above it."""

    membership: Membership
    figures: list[Figure]
    days: list[Figure]


def purses_of(user: User, now: dt.datetime) -> list[Purse]:
    """A purse for each team of the reader that pays for them, personal ones last: four queries."""
    memberships = list(
        Membership.objects.filter(user=user, role__in=SPENDERS)
        .select_related("team")
        .order_by("team__is_personal", "joined_at", "pk")
    )
    legs = {each: _legs_above(each) for each in memberships}
    figures = figures_of(sorted({leg for chain in legs.values() for leg in chain}), now)
    days: dict[Leg, list[Figure]] = {}
    since = now - DAYS_SHOWN
    spent = BudgetWindow.objects.filter(
        scope=Scope.MEMBER,
        subject_id__in=[each.pk for each in memberships],
        period=Period.DAY,
        ends_at__gt=since,
        starts_at__lte=now,
    )
    own = {chain[0].subject_id: chain[0] for chain in legs.values()}
    for window in spent.order_by("-starts_at"):
        leg = own[window.subject_id]
        days.setdefault(leg, []).append(of_window(leg, window))
    return [
        Purse(each, [figure for leg in chain for figure in figures[leg]], days.get(chain[0], []))
        for each, chain in legs.items()
    ]


def _legs_above(membership: Membership) -> list[Leg]:
    team_id = membership.team_id
    return [Leg(Scope.MEMBER, membership.pk, team_id), Leg(Scope.TEAM, team_id, team_id), INSTANCE]
