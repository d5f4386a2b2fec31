"""VERB. A reader stops the reading of a day, and lets it go on. No numpy: pages call this at once."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from . import doorbell
from .models import Edition


def stop(edition: Edition, now: dt.datetime) -> bool:
    """Claim nothing more of this edition; what is in flight finishes and is booked. False: nothing to stop.

    Safe to repeat. A claim checks under the edition's lock, so that none is won after this has committed.
    """
    unstopped = Edition.objects.unclosed().filter(pk=edition.pk, stopped_at=None)
    return unstopped.update(stopped_at=now) == 1


@transaction.atomic
def go_on(edition: Edition) -> bool:
    """Let it be claimed again, ahead of others for its next calls, and wake a worker.

    False: it was not stopped. Safe to repeat.
    """
    stopped = Edition.objects.filter(pk=edition.pk).exclude(stopped_at=None)
    freed = stopped.update(stopped_at=None, asked_at=timezone.now()) == 1
    if freed:
        doorbell.ring("scoring.judge")
    return freed
