"""Read everything that can be read now: one thread claims, up to sixteen wait for a model."""

import datetime as dt
import functools
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from scoring.models import Candidate, Edition, Provider

from . import checkup, explanations, second_looks, suggestions
from .calling import judge_block
from .claims import claim

CONCURRENCY = 16
# For how long in all a drain waits for a paused provider or a paper's next attempt.
PATIENCE_SECONDS = 30.0
LONGEST_NAP_SECONDS = 5.0


@dataclass
class Drained:
    """How many calls were made, and how many scores came of them."""

    calls: int = 0
    scores: int = 0


def drain(
    concurrency: int = CONCURRENCY,
    *,
    edition_ids: Collection[int] | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    stop: threading.Event | None = None,
    after_each: Callable[[Drained], None] | None = None,
) -> Drained:
    """Claim and read until nothing can be read; calls in flight are threads, not processes.

    When `stop` is set no further block is claimed and those in flight are finished. An error of ours ends it; what
    was claimed then comes back when its lease runs out. Safe to run twice at once.
    """
    stop = stop or threading.Event()
    drained = Drained()
    patience_ends = time.monotonic() + patience_seconds
    with ThreadPoolExecutor(concurrency, thread_name_prefix="judge") as pool:
        running: set[Future[int]] = set()
        while True:
            looked_at = timezone.now()
            while len(running) < concurrency and not stop.is_set():
                work = _next_work(edition_ids)
                if work is None:
                    break
                running.add(pool.submit(_do_and_disconnect, work))
            if running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    drained.calls += 1
                    drained.scores += each.result()
                    if after_each is not None:
                        after_each(drained)
            elif not _nap(stop, patience_ends, edition_ids, looked_at):
                return drained


def run_once(now: dt.datetime | None = None) -> bool:
    """Claim and read one block, or take one second look; False when nothing can be read now."""
    block = claim(now or timezone.now())
    if block is not None:
        judge_block(block)
        return True
    look = second_looks.claim(now or timezone.now())
    if look is None:
        return False
    second_looks.take(look)
    return True


def _next_work(edition_ids: Collection[int] | None) -> Callable[[], int] | None:
    """A reader's question first: somebody waits for it; then terms, which make the next days cheaper; then the next block, then a
    second look. None when nothing can be done now.
    """
    now = timezone.now()
    question = explanations.claim(now)
    if question is not None:
        return functools.partial(explanations.answer, question)
    check = checkup.claim(now)
    if check is not None:
        return functools.partial(checkup.answer, check)
    asked = suggestions.claim(now)
    if asked is not None:
        return functools.partial(suggestions.answer, asked)
    block = claim(now, edition_ids=edition_ids)
    if block is not None:
        return lambda: len(judge_block(block))
    look = second_looks.claim(now, edition_ids)
    return None if look is None else functools.partial(second_looks.take, look)


def _do_and_disconnect(work: Callable[[], int]) -> int:
    """Do it; how many scores came of it. Gives the thread's own connection back."""
    try:
        return work()
    finally:
        connection.close()


def _nap(
    stop: threading.Event, patience_ends: float, edition_ids: Collection[int] | None, looked_at: dt.datetime
) -> bool:
    """Wait for what is due soon; False when nothing is, or the patience would end before.

    What has become due since the last look counts: a pause that ended between the two is no reason to go.
    """
    seconds = seconds_until_due(looked_at, edition_ids)
    if seconds is None or stop.is_set() or time.monotonic() + seconds > patience_ends:
        return False
    return not stop.wait(min(max(seconds, 0.05), LONGEST_NAP_SECONDS))


def seconds_until_due(now: dt.datetime, edition_ids: Collection[int] | None = None) -> float | None:
    """How long until a waiting paper may be claimed that may not be now; None when none is."""
    editions = Edition.objects.claimable(now)
    if edition_ids is not None:
        editions = editions.filter(pk__in=list(edition_ids))
    waiting = Candidate.objects.waiting().filter(edition__in=editions)
    if not waiting.exists():
        return None
    paper = waiting.filter(not_before__gt=now).aggregate(at=Min("not_before"))["at"]
    pause = Provider.objects.filter(open_until__gt=now, is_active=True, paused_at=None).aggregate(
        at=Min("open_until")
    )["at"]
    due = [at for at in (paper, pause) if at is not None]
    return (min(due) - now).total_seconds() if due else None
