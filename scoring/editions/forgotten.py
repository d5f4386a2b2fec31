"""A reader may be forgotten, and their editions with them, between the look at an edition and its turn."""

import functools
from collections.abc import Callable
from typing import Concatenate

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError

from scoring.models import Edition


def unless_forgotten[**P](
    verb: Callable[Concatenate[Edition, P], int],
) -> Callable[Concatenate[Edition, P], int]:
    """Let the verb do nothing, and say 0, for an edition that is gone when it fails; any other failure is one."""

    @functools.wraps(verb)
    def wrapper(edition: Edition, *args: P.args, **kwargs: P.kwargs) -> int:
        try:
            return verb(edition, *args, **kwargs)
        except (ObjectDoesNotExist, IntegrityError):
            if Edition.objects.filter(pk=edition.pk).exists():
                raise
            return 0

    return wrapper
