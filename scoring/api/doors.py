"""What all views of the API share: who may come in, and how an error reads."""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import exceptions, pagination, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from profiles.api import TokenAuthentication, TokenMayWrite
from profiles.drafts import BadDraft
from profiles.models import User
from profiles.teams import TeamError


class Door(APIView):
    """A view for a signed-in reader or their token, through the same `access` as the pages."""

    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated, TokenMayWrite]

    @property
    def reader(self) -> User:
        user = self.request.user
        assert isinstance(user, User)
        return user


class Pages(pagination.LimitOffsetPagination):
    default_limit = 50
    max_limit = 200


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """A verb's refusal becomes a 400 that names each field; the rest is the framework's."""
    if isinstance(error, BadDraft):
        by_field: dict[str, list[str]] = {}
        for problem in error.problems:
            by_field.setdefault(problem.where or "non_field_errors", []).append(problem.message)
        return Response(by_field, status=status.HTTP_400_BAD_REQUEST)
    if isinstance(error, TeamError):
        return Response({"non_field_errors": [str(error)]}, status=status.HTTP_400_BAD_REQUEST)
    if isinstance(error, ValidationError):
        error = exceptions.ValidationError({"non_field_errors": error.messages})
    return exception_handler(error, context)
