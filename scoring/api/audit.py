"""Read the audit trail: one's own, and a team's by its owners and admins."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from profiles.access import Deed, membership_for, require
from scoring import trail

from .doors import Door

FILTERS = [
    OpenApiParameter("person", str, description="who did it or to whom: a mail address or an id"),
    OpenApiParameter("code", str, description="of the deed, as quota.set"),
    OpenApiParameter("first", str, description="the first day, as 2026-01-30, in your time zone"),
    OpenApiParameter("last", str, description="the last day"),
    OpenApiParameter("before", str, description="what `older` said: the lines after those of that answer"),
]


class LineSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    code = serializers.CharField()
    what = serializers.CharField(help_text="the deed in your language")
    who = serializers.CharField()
    who_id = serializers.UUIDField(source="who_key")
    whom = serializers.CharField()
    whom_id = serializers.UUIDField(source="whom_key", allow_null=True)
    before = serializers.DictField()
    after = serializers.DictField()
    door = serializers.CharField()
    ip = serializers.CharField(help_text="of your own deeds only")


class TrailSerializer(serializers.Serializer):
    older = serializers.CharField(allow_null=True, help_text="for `before`; null at the end")
    lines = LineSerializer(many=True)


class OwnAudit(Door):
    @extend_schema(operation_id="audit", parameters=FILTERS, responses=TrailSerializer)
    def get(self, request: Request) -> Response:
        """What was done in your name, newest first."""
        return Response(_data(request, trail.of_person(self.reader), self.reader.zone))


class TeamAudit(Door):
    @extend_schema(operation_id="team_audit", parameters=FILTERS, responses=TrailSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Who did what in a team, newest first, for its owners and admins."""
        mine = membership_for(self.reader, slug)
        require(mine, Deed.SEE_AUDIT)
        return Response(_data(request, trail.of_team(mine.team), self.reader.zone))


def _data(request: Request, scope: trail.Scope, zone: Any) -> Any:
    asked = trail.Asked.read(request.query_params, zone)
    page = trail.page(scope, asked, trail.Place.read(request.query_params.get("before", "")))
    older = str(page.older) if page.older else None
    return TrailSerializer({"older": older, "lines": page.lines}).data
