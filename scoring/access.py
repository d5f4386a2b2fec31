"""The row of scoring that a user may see, or a 404."""

import datetime as dt
import uuid

from django.core.exceptions import ValidationError
from django.http import Http404

from profiles.access import profile_for
from profiles.models import User

from .models import Edition


def edition_for(user: User, profile_public_id: uuid.UUID | str, day: dt.date) -> Edition:
    """The edition of that profile and day; Http404 where the user may not see it or there is none."""
    profile = profile_for(user, profile_public_id)
    try:
        return Edition.objects.select_related("profile").get(profile=profile, day=day)
    except Edition.DoesNotExist as error:
        raise Http404 from error


def edition_by_id(user: User, public_id: uuid.UUID | str) -> Edition:
    """The edition of that address, if its profile is visible to the user; else Http404."""
    try:
        return Edition.objects.visible_to(user).select_related("profile__team").get(public_id=public_id)
    except (Edition.DoesNotExist, ValueError, ValidationError) as error:
        raise Http404 from error
