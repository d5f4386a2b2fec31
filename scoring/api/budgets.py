"""Read what may be spent and was; set a team's quotas."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from profiles import quotas
from profiles.access import Deed, may, membership_for, require
from profiles.models import Membership, Period, Scope, Team
from profiles.quotas import INSTANCE, Leg, Subject
from scoring import budget
from scoring.budget import Figure

from .doors import Door
from .serializers import BudgetSerializer, QuotaChangeSerializer, TeamQuotasSerializer


class Budgets(Door):
    @extend_schema(operation_id="budgets", responses=BudgetSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What you may spend in each of your teams, level by level, and what is gone of it."""
        memberships = [
            each
            for each in Membership.objects.filter(user=self.reader)
            .select_related("team")
            .order_by("joined_at")
            if may(each, Deed.SPEND)
        ]
        chains = {each.pk: [_own(each), _pool(each.team), INSTANCE] for each in memberships}
        figures = budget.figures_of(
            sorted({leg for chain in chains.values() for leg in chain}), timezone.now()
        )
        data = [
            {
                "team": each.team.slug,
                "team_name": each.team.name,
                "role": each.role,
                "figures": [_figure(one) for leg in chains[each.pk] for one in figures[leg]],
            }
            for each in memberships
        ]
        return Response(BudgetSerializer(data, many=True).data)


class TeamQuotas(Door):
    @extend_schema(operation_id="team_quotas", responses=TeamQuotasSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """A team's limits and their use, for its owners and admins: tokens only, never what a member reads."""
        mine = membership_for(self.reader, slug)
        require(mine, Deed.SEE_QUOTAS)
        return Response(_quotas_data(mine.team, timezone.now()))

    @extend_schema(
        operation_id="team_quota_set", request=QuotaChangeSerializer, responses=TeamQuotasSerializer
    )
    def put(self, request: Request, slug: str) -> Response:
        """Set one limit. It acts at once: what was used stays, what waited for budget goes on."""
        mine = membership_for(self.reader, slug)
        require(mine, Deed.SET_QUOTAS)
        form = QuotaChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        change = form.validated_data
        subject = _subject(mine.team, change["subject"], change.get("member"))
        budget.change_quota(self.reader, subject, Period(change["period"]), change["limit_tokens"])
        return Response(_quotas_data(mine.team, timezone.now()))


def _subject(team: Team, name: str, member: uuid.UUID | None) -> Subject:
    if name == "pool":
        return quotas.pool(team)
    if name == "member_default":
        return quotas.member_default(team)
    if member is None:
        raise ValidationError({"member": [_("Name the member by their id.")]})
    membership = Membership.objects.select_related("team").filter(team=team, public_id=member).first()
    if membership is None:
        raise Http404
    return quotas.member(membership)


def _quotas_data(team: Team, now: dt.datetime) -> dict[str, Any]:
    members = list(Membership.objects.filter(team=team).select_related("user").order_by("joined_at", "pk"))
    policy = quotas.Policy([_pool(team), *map(_own, members)])
    figures = budget.figures_of([_pool(team), *map(_own, members)], now)
    data = {
        "team": team.slug,
        "pool": _figures(figures[_pool(team)]),
        "member_default": {str(period): tokens for period, tokens in policy.member_default(team.pk).items()},
        "members": [
            {
                "member": each.public_id,
                "name": each.user.display_name,
                "role": each.role,
                "figures": _figures(figures[_own(each)]),
            }
            for each in members
        ],
    }
    return TeamQuotasSerializer(data).data


def _own(membership: Membership) -> Leg:
    return Leg(Scope.MEMBER, membership.pk, membership.team_id)


def _pool(team: Team) -> Leg:
    return Leg(Scope.TEAM, team.pk, team.pk)


def _figures(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    return [_figure(figure) for figure in figures]


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "scope": figure.leg.scope.name.lower(),
        "period": str(figure.period),
        "limit": figure.limit,
        "used": figure.used,
        "held": figure.held,
        "free": figure.free,
        "resets_at": figure.resets_at,
    }
