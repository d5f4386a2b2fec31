"""Read what was spent: by oneself, and in a team by its owners and admins."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from profiles.access import Deed, membership_for, require
from scoring.spent import own, spans, team

from .doors import Door

SPAN = [
    OpenApiParameter("days", int, enum=list(spans.CHOICES), description="so many days up to today"),
    OpenApiParameter("month", str, description="a month, as 2026-01, in place of days"),
]


class PartSerializer(serializers.Serializer):
    name = serializers.CharField()
    used_tokens = serializers.IntegerField(source="used")
    papers_read = serializers.IntegerField(source="papers")
    cost_microusd = serializers.IntegerField()


class DaySerializer(serializers.Serializer):
    day = serializers.DateField()
    used_tokens = serializers.IntegerField(source="total")


class OwnSpendingSerializer(serializers.Serializer):
    """What your memberships spent on your own profiles, and what it bought."""

    first_day = serializers.DateField(source="span.first")
    last_day = serializers.DateField(source="span.last")
    used_tokens = serializers.IntegerField(source="used")
    assumed_tokens = serializers.IntegerField(source="assumed", help_text="of these: booked without a bill")
    cost_microusd = serializers.IntegerField()
    papers_read = serializers.IntegerField(source="papers")
    papers_recommended = serializers.IntegerField(source="recommended")
    papers_screened_out = serializers.IntegerField(source="screened")
    days = DaySerializer(many=True, source="chart.days")
    profiles = PartSerializer(many=True)
    models = PartSerializer(many=True, source="judges")


class SpenderSerializer(serializers.Serializer):
    """A member, a team profile, or all that are no longer here. Of a member's profiles only the number."""

    kind = serializers.ChoiceField(choices=[team.PEOPLE, team.SHARES, team.LEFT])
    id = serializers.CharField(source="public_id", help_text="of the membership or team profile, or empty")
    name = serializers.CharField()
    role = serializers.CharField()
    limit_tokens_a_day = serializers.IntegerField(source="limit", allow_null=True)
    used_tokens = serializers.IntegerField(source="used")
    used_tokens_before = serializers.IntegerField(source="before")
    papers_read = serializers.IntegerField(source="papers")
    cost_microusd = serializers.IntegerField()
    profiles = serializers.IntegerField(allow_null=True)
    last_active = serializers.DateField(allow_null=True)


class TeamSpendingSerializer(serializers.Serializer):
    team = serializers.SlugField(source="team.slug")
    first_day = serializers.DateField(source="span.first")
    last_day = serializers.DateField(source="span.last")
    used_tokens = serializers.IntegerField(source="used")
    used_tokens_before = serializers.IntegerField(source="before", help_text="as many days just before")
    cost_microusd = serializers.IntegerField()
    papers_read = serializers.IntegerField(source="papers")
    days = DaySerializer(many=True, source="chart.days")
    spenders = SpenderSerializer(many=True, source="rows")


class OwnSpending(Door):
    @extend_schema(operation_id="spending", parameters=SPAN, responses=OwnSpendingSerializer)
    def get(self, request: Request) -> Response:
        """What you spent on your own profiles, by day, profile and model."""
        span = spans.span_of(request.query_params, timezone.now(), self.reader.zone)
        return Response(OwnSpendingSerializer(own.of_reader(self.reader, span)).data)


class TeamSpending(Door):
    @extend_schema(operation_id="team_spending", parameters=SPAN, responses=TeamSpendingSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Who in a team spent what, for its owners and admins: sums, never what a member reads."""
        mine = membership_for(self.reader, slug)
        require(mine, Deed.SEE_QUOTAS)
        span = spans.span_of(request.query_params, timezone.now(), mine.team.zone)
        return Response(TeamSpendingSerializer(team.of_team(mine.team, span, mine)).data)
