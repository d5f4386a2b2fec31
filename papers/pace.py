"""Who may ask arXiv when: one row for all processes, machines and endpoints."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.utils import timezone

from papers.models import Pace

NAME = "arxiv"
_LONGEST_NAP_SECONDS = 0.5  # a turn may be given back long before its lease ends
_LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class SharedPace:
    """`papers.arxiv.transport.Pace` over the row: one request at a time, and a pause after each.

    Taking a turn moves `next_at` to the end of the lease in one conditional UPDATE; giving it back moves it to
    the pause's end. Slow: no transaction may be open while it waits.
    """

    def __init__(
        self,
        seconds: float,
        *,
        now: Callable[[], dt.datetime] = timezone.now,
        sleep: Callable[[float], None] = time.sleep,
        longest_nap_seconds: float = _LONGEST_NAP_SECONDS,
    ) -> None:
        self._pause = dt.timedelta(seconds=seconds)
        self._now = now
        self._sleep = sleep
        self._longest_nap_seconds = longest_nap_seconds

    @contextmanager
    def turn(self, lease_seconds: float) -> Iterator[None]:
        mine = self._take(dt.timedelta(seconds=lease_seconds))
        try:
            yield
        finally:
            # No row where the lease ran out and somebody else has the turn: then there is nothing to give back.
            Pace.objects.filter(name=NAME, next_at=mine).update(next_at=self._now() + self._pause)

    def hold_off(self, seconds: float) -> None:
        """Nobody asks before that; a shorter wait never takes back a longer one."""
        until = self._now() + dt.timedelta(seconds=seconds)
        Pace.objects.get_or_create(name=NAME, defaults={"next_at": until})
        Pace.objects.filter(name=NAME, next_at__lt=until).update(next_at=until)

    def _take(self, lease: dt.timedelta) -> dt.datetime:
        Pace.objects.get_or_create(name=NAME, defaults={"next_at": _LONG_AGO})
        while True:
            now = self._now()
            if Pace.objects.filter(name=NAME, next_at__lte=now).update(next_at=now + lease):
                return now + lease
            free_at = Pace.objects.values_list("next_at", flat=True).get(name=NAME)
            self._sleep(min(max((free_at - now).total_seconds(), 0.01), self._longest_nap_seconds))
