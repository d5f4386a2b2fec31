"""Celery is the engine, the database is the queue: it nudges and ticks, and any message may be lost.

What it is told stands in the settings (`CELERY_*`) and in `portal.schedule`.
"""

import os
import threading

from celery import Celery
from celery.signals import worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

# A call to a model may take minutes; a deployment does not wait for it. What was in flight leases out.
SECONDS_TO_STOP = 25

app = Celery("broadsheet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["scoring"])


@worker_shutting_down.connect
def stop_in_time(**_: object) -> None:
    """After SIGTERM what is in flight may finish, but not for ever: threads cannot be interrupted."""
    last_word = threading.Timer(SECONDS_TO_STOP, os._exit, args=[0])
    last_word.daemon = True
    last_word.start()
