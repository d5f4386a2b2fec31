"""EDGE. Wake a worker, on commit, by a task's name. Rows are the queue: a ring that is lost costs only time.

Embedded there is no broker and a ring does nothing; the ticker in the same process looks at the rows.
"""

import functools
from collections import Counter

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import KombuError

log = structlog.get_logger(__name__)

# "sent" and "failed" since this process began.
counts: Counter[str] = Counter()


def ring(task: str, *args: str | int, expires: float | None = None) -> None:
    """Send the task's name once the transaction has committed; at once where none is open.

    Never raises for a broker that is down. `expires` (seconds) drops a message that waited so long that
    another has been sent since.
    """
    if settings.CELERY_BROKER_URL:
        transaction.on_commit(functools.partial(_send, task, args, expires))


def _send(task: str, args: tuple[str | int, ...], expires: float | None) -> None:
    try:
        current_app.send_task(task, args=args, expires=expires, retry=False)
    except (KombuError, OSError) as error:
        counts["failed"] += 1
        log.warning("the doorbell did not ring", task=task, problem=type(error).__name__)
    else:
        counts["sent"] += 1
