"""Who asks the API: a session of the portal, or a token that was made for it."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from . import origins, tokens
from .models import ApiToken, User
from .second_factor import lacks_second_factor, request_for_one

KEYWORD = "Bearer"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer bs_…`. A token that is wrong or revoked is refused, whatever else was sent."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _blank, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.casefold() != KEYWORD.casefold():
            return None
        token = tokens.find(secret.strip(), timezone.now())
        if token is None:
            raise AuthenticationFailed(
                _("This token is unknown or revoked. Make another on the settings page.")
            )
        origins.by_token(token.public_id)
        if lacks_second_factor(token.user):
            raise PermissionDenied(request_for_one(), code="second_factor_required")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return KEYWORD


class TokenMayWrite(BasePermission):
    """A token without the right to write reads only; a session may do what its reader may."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in SAFE_METHODS or not isinstance(request.auth, ApiToken):
            return True
        self.message = _("This token only reads. Make one that may write on the settings page.")
        return request.auth.can_write


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "profiles.api.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from the settings page."}
