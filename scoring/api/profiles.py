"""Read and write profiles."""

import uuid

from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from profiles import teams
from profiles.access import Deed, editable_profile_for, may, membership_for, profile_for
from profiles.models import Membership, Profile, Team, User
from scoring import profile_changes

from .doors import Door, Pages
from .serializers import (
    ForkSerializer,
    NewProfileSerializer,
    ProfileSerializer,
    ReaderSerializer,
    TeamSerializer,
    page_of,
)

PAGE_PARAMETERS = [OpenApiParameter("limit", int), OpenApiParameter("offset", int)]


class Reader(Door):
    @extend_schema(operation_id="reader", responses=ReaderSerializer)
    def get(self, request: Request) -> Response:
        """Who is asking."""
        return Response(ReaderSerializer(self.reader).data)


class Teams(Door):
    @extend_schema(operation_id="teams", responses=TeamSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The teams that you belong to."""
        memberships = Membership.objects.filter(user=self.reader).select_related("team").order_by("joined_at")
        return Response(TeamSerializer(memberships, many=True).data)


class Profiles(Door):
    @extend_schema(operation_id="profiles", parameters=PAGE_PARAMETERS, responses=page_of(ProfileSerializer))
    def get(self, request: Request) -> Response:
        """Your profiles, and those of your teams."""
        visible = Profile.objects.visible_to(self.reader).select_related("team").prefetch_related("interests")
        pages = Pages()
        page = pages.paginate_queryset(visible, request, self)
        return pages.get_paginated_response(ProfileSerializer(page, many=True).data)

    @extend_schema(
        operation_id="profile_create", request=NewProfileSerializer, responses={201: ProfileSerializer}
    )
    def post(self, request: Request) -> Response:
        """Make a profile. Its newest announced day is opened and ranked at once."""
        form = NewProfileSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        team, owner = self._payer(form.validated_data.get("team", ""), form.validated_data["together"])
        profile = profile_changes.create(form.draft(), owner=owner, team=team, actor=self.reader)
        return Response(ProfileSerializer(profile).data, status=status.HTTP_201_CREATED)

    def _payer(self, slug: str, together: bool) -> tuple[Team, User | None]:
        if not slug:
            return teams.personal_team_of(self.reader), self.reader
        membership = membership_for(self.reader, slug)
        if not may(membership, Deed.EDIT_TEAM_PROFILES if together else Deed.SPEND):
            raise PermissionDenied
        return membership.team, None if together and not membership.team.is_personal else self.reader


class Fork(Door):
    @extend_schema(operation_id="profile_fork", request=ForkSerializer, responses={201: ProfileSerializer})
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Copy a profile that you can read: yours to change, with your own votes and without its scores."""
        profile = profile_for(self.reader, public_id)
        form = ForkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        slug = form.validated_data.get("team", "")
        team = profile_changes.forking_team(self.reader, profile)
        if slug:
            membership = membership_for(self.reader, slug)
            if not may(membership, Deed.SPEND):
                raise PermissionDenied
            team = membership.team
        copy = profile_changes.fork(self.reader, profile, team)
        return Response(ProfileSerializer(copy).data, status=status.HTTP_201_CREATED)


class OneProfile(Door):
    @extend_schema(operation_id="profile", responses=ProfileSerializer)
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        return Response(ProfileSerializer(profile_for(self.reader, public_id)).data)

    @extend_schema(operation_id="profile_replace", request=ProfileSerializer, responses=ProfileSerializer)
    def put(self, request: Request, public_id: uuid.UUID) -> Response:
        """Replace the words of a profile. What was judged stays; the rest is read with the new words."""
        return self._change(request, public_id, partial=False)

    @extend_schema(operation_id="profile_change", request=ProfileSerializer, responses=ProfileSerializer)
    def patch(self, request: Request, public_id: uuid.UUID) -> Response:
        """Change what is sent. A change of weights or bar ranks again at once and costs no token."""
        return self._change(request, public_id, partial=True)

    @extend_schema(operation_id="profile_delete", responses={204: None})
    def delete(self, request: Request, public_id: uuid.UUID) -> Response:
        profile_changes.archive(self.reader, editable_profile_for(self.reader, public_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _change(self, request: Request, public_id: uuid.UUID, *, partial: bool) -> Response:
        profile = editable_profile_for(self.reader, public_id)
        form = ProfileSerializer(data=request.data, partial=partial)
        form.is_valid(raise_exception=True)
        profile_changes.store(form.draft(profile), profile, self.reader)
        return Response(ProfileSerializer(profile).data)
