"""VERB. The clock of one process, for as long as it runs: four threads, so that none holds up another.

arXiv is asked at its pace, a model thinks, a mail server may hang; a new reader waits for none of them.
"""

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import structlog
from django.conf import settings
from django.db import OperationalError, close_old_connections
from django.utils import timezone

from . import harvesting, judging, tick

log = structlog.get_logger(__name__)


class Clock:
    """`run` returns after `stop`, or raises the first error that is not a database gone for a while."""

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = settings.EMBEDDED_TICK_SECONDS if seconds is None else seconds
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Claim nothing more; what is in flight is finished."""
        self._stopping.set()

    def run(self) -> None:
        steps = (harvesting.ask_arxiv, tick.housekeep, self._read, tick.mail_due)
        with ThreadPoolExecutor(len(steps), thread_name_prefix="clock") as pool:
            threads = [pool.submit(self._repeat, step) for step in steps]
            done, _ = wait(threads, return_when=FIRST_COMPLETED)
            self.stop()
        for thread in done:
            thread.result()

    def _repeat(self, step: Callable[[dt.datetime], object]) -> None:
        while not self._stopping.is_set():
            close_old_connections()
            try:
                step(timezone.now())
            except OperationalError as error:
                log.warning("clock_without_database", step=step.__name__, problem=str(error))
            self._stopping.wait(self._seconds)
        close_old_connections()

    def _read(self, now: dt.datetime) -> None:
        judging.drain(patience_seconds=0, stop=self._stopping)
