"""Who belongs to a team, in which role, and who is asked in."""

import uuid

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from profiles import invitations, teams
from profiles.access import Deed, membership_for, require
from profiles.models import Invitation, Membership, Team

from .doors import Door, Pages
from .profiles import PAGE_PARAMETERS
from .serializers import (
    InvitationSerializer,
    MemberSerializer,
    NewInvitationSerializer,
    NewLinkSerializer,
    RoleSerializer,
    page_of,
)


class Members(Door):
    @extend_schema(operation_id="members", parameters=PAGE_PARAMETERS, responses=page_of(MemberSerializer))
    def get(self, request: Request, slug: str) -> Response:
        """Who belongs to the team. Addresses and when somebody was last here only for owners and admins."""
        mine = membership_for(self.reader, slug)
        rows = Membership.objects.with_last_seen().filter(team=mine.team).order_by("joined_at", "id")
        pages = Pages()
        page = pages.paginate_queryset(rows, request, self)
        shown = MemberSerializer(page, many=True, context={"is_steering": mine.is_steering})
        return pages.get_paginated_response(shown.data)


class OneMember(Door):
    @extend_schema(operation_id="member_change", request=RoleSerializer, responses=MemberSerializer)
    def patch(self, request: Request, slug: str, public_id: uuid.UUID) -> Response:
        """Give another role: never one above your own, never away from the last owner."""
        mine = membership_for(self.reader, slug)
        member = _member(mine.team, public_id)
        teams.require_reach(mine, member)
        form = RoleSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        teams.change_role(self.reader, member, form.validated_data["role"])
        return Response(MemberSerializer(member, context={"is_steering": mine.is_steering}).data)

    @extend_schema(operation_id="member_remove", responses={204: None})
    def delete(self, request: Request, slug: str, public_id: uuid.UUID) -> Response:
        """Let a member go, or leave yourself. What was spent stays in the books."""
        mine = membership_for(self.reader, slug)
        member = _member(mine.team, public_id)
        if member.pk == mine.pk:
            teams.leave(member)
        else:
            teams.remove_member(self.reader, member)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Invitations(Door):
    @extend_schema(
        operation_id="invitations", parameters=PAGE_PARAMETERS, responses=page_of(InvitationSerializer)
    )
    def get(self, request: Request, slug: str) -> Response:
        """Invitations that are neither accepted nor revoked; never with their links."""
        mine = membership_for(self.reader, slug)
        require(mine, Deed.INVITE)
        pages = Pages()
        page = pages.paginate_queryset(invitations.pending(mine.team), request, self)
        return pages.get_paginated_response(InvitationSerializer(page, many=True).data)

    @extend_schema(
        operation_id="invitation_create", request=NewInvitationSerializer, responses={201: NewLinkSerializer}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Ask an address in. The link is in this answer only."""
        mine = membership_for(self.reader, slug)
        require(mine, Deed.INVITE)
        form = NewInvitationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = invitations.invite(
            self.reader, mine.team, form.validated_data["email"], form.validated_data["role"]
        )
        return _with_link(made, status.HTTP_201_CREATED)


class OneInvitation(Door):
    @extend_schema(operation_id="invitation_revoke", responses={204: None})
    def delete(self, request: Request, slug: str, public_id: uuid.UUID) -> Response:
        """Take it back: its link is dead at once."""
        mine = membership_for(self.reader, slug)
        invitations.revoke(self.reader, _invitation(mine.team, public_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class RenewedInvitation(Door):
    @extend_schema(operation_id="invitation_renew", request=None, responses=NewLinkSerializer)
    def post(self, request: Request, slug: str, public_id: uuid.UUID) -> Response:
        """Seven days anew with another link, which is in this answer only; the old one is dead."""
        mine = membership_for(self.reader, slug)
        found = _invitation(mine.team, public_id)
        return _with_link(invitations.renew(self.reader, found, found.token_sha256), status.HTTP_200_OK)


def _with_link(made: Invitation, code: int) -> Response:
    answer = Response(NewLinkSerializer(made).data, status=code)
    answer["Cache-Control"] = "no-store"
    return answer


def _member(team: Team, public_id: uuid.UUID) -> Membership:
    rows = Membership.objects.with_last_seen().select_related("team")
    member = rows.filter(team=team, public_id=public_id).first()
    if member is None:
        raise Http404
    return member


def _invitation(team: Team, public_id: uuid.UUID) -> Invitation:
    found = invitations.by_id(team, public_id)
    if found is None:
        raise Http404
    return found
