"""Doors for Celery: each takes little, calls one verb, and may run twice, in any order, or never.

What is to be done stands in rows. A task that fails is not retried: the next tick finds what it left.
"""

import contextlib
import threading

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from profiles.models import Profile

from . import doorbell, editions, harvesting, judging, tick

JUDGE = "scoring.judge"
HARVEST = "scoring.harvest"
MAIL = "scoring.mail"

_stopping = threading.Event()
# One drain a process: it has sixteen calls in flight by itself. A ring during a drain asks for one more look.
_draining = threading.Lock()
_rung = threading.Event()


@worker_shutting_down.connect
def _claim_nothing_more(**_: object) -> None:
    _stopping.set()


@shared_task(name="scoring.tick")
def run_tick() -> None:
    """Keep house, then wake whoever harvests, reads and mails."""
    tick.housekeep(timezone.now())
    for task in (HARVEST, JUDGE, MAIL):
        doorbell.ring(task)


@shared_task(name=HARVEST)
def harvest() -> int:
    """Ask arXiv for what is due. Waits for the pace, in a thread of its own."""
    return harvesting.ask_arxiv(timezone.now())


@shared_task(name=JUDGE)
def judge() -> int:
    """Read whatever can be read now; returns how many scores came of it."""
    scores = 0
    _rung.set()
    while _rung.is_set() and not _stopping.is_set() and _draining.acquire(blocking=False):
        try:
            _rung.clear()
            scores += judging.drain(patience_seconds=0, stop=_stopping).scores
        finally:
            _draining.release()
    tick.close_due(timezone.now())
    return scores


@shared_task(name=MAIL)
def mail() -> int:
    """Send the mails that are due; a mail server that hangs holds up only this."""
    return tick.mail_due(timezone.now())


@shared_task(name="scoring.open_profile")
def open_profile(profile_id: int) -> None:
    """Open and screen the newest day of a profile that was just saved, by its new words, and have it read."""
    profile = Profile.objects.active().filter(pk=profile_id).first()
    if profile is not None:
        with contextlib.suppress(Profile.DoesNotExist):
            editions.open_newest(profile, timezone.now())
        tick.rescreen_due(timezone.now())
        doorbell.ring(JUDGE)
