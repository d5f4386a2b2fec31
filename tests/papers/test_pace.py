"""One request at a time over all workers, and a pause after each."""

import datetime as dt
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from papers.models import Pace
from papers.pace import NAME, SharedPace

WORKERS, TURNS, PAUSE_SECONDS = 4, 3, 0.02


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 2, 3, 5, 30, tzinfo=dt.UTC)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += dt.timedelta(seconds=seconds)

    def pace(self, seconds: float = 3.0) -> SharedPace:
        return SharedPace(seconds, now=lambda: self.now, sleep=self.sleep)


@pytest.mark.django_db
def test_the_first_turn_is_free_and_the_next_waits_after_the_end_of_it() -> None:
    clock = Clock()

    with clock.pace().turn(60):
        assert clock.slept == []
        clock.now += dt.timedelta(seconds=10)
    ended_at = clock.now
    with clock.pace().turn(60):
        pass

    assert clock.now - ended_at == dt.timedelta(seconds=3)


@pytest.mark.django_db
def test_a_turn_that_is_never_given_back_ends_with_its_lease() -> None:
    clock = Clock()
    begun_at = clock.now
    Pace.objects.create(name=NAME, next_at=begun_at + dt.timedelta(seconds=60))

    with clock.pace().turn(60):
        assert clock.now - begun_at == dt.timedelta(seconds=60)


@pytest.mark.django_db
def test_a_late_finisher_takes_no_turn_from_another() -> None:
    clock = Clock()

    with clock.pace().turn(5):
        clock.now += dt.timedelta(seconds=6)
        other = clock.pace().turn(60)
        other.__enter__()
        held_until = Pace.objects.get().next_at

    assert Pace.objects.get().next_at == held_until


@pytest.mark.django_db
def test_a_time_that_arxiv_names_holds_everybody_off_and_is_never_shortened() -> None:
    clock = Clock()
    begun_at = clock.now

    clock.pace().hold_off(120)
    clock.pace().hold_off(10)
    with clock.pace().turn(60):
        assert clock.now - begun_at == dt.timedelta(seconds=120)


@pytest.mark.django_db
def test_the_turn_is_given_back_when_the_work_fails() -> None:
    clock = Clock()

    with pytest.raises(ZeroDivisionError), clock.pace().turn(60):
        raise ZeroDivisionError

    assert Pace.objects.get().next_at == clock.now + dt.timedelta(seconds=3)


def closest_spans(ask: Callable[[list[tuple[float, float]]], None]) -> list[float]:
    """Let many workers ask at once; the gaps between one's end and the next one's start, in seconds."""
    spans: list[tuple[float, float]] = []
    barrier = threading.Barrier(WORKERS, timeout=30)

    def work() -> None:
        try:
            barrier.wait()
            for _ in range(TURNS):
                ask(spans)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(work) for _ in range(WORKERS)]:
            done.result()
    spans.sort()
    assert len(spans) == WORKERS * TURNS
    return [start - end for (_, end), (start, _) in itertools.pairwise(spans)]


@pytest.mark.django_db(transaction=True)
def test_many_workers_ask_one_at_a_time() -> None:
    def ask(spans: list[tuple[float, float]]) -> None:
        with SharedPace(PAUSE_SECONDS).turn(60):
            begun = time.time()
            spans.append((begun, time.time()))

    gaps = closest_spans(ask)

    assert min(gaps) >= PAUSE_SECONDS * 0.9  # the row keeps microseconds, the clocks are two


@pytest.mark.django_db(transaction=True)
def test_reading_before_writing_would_let_two_ask_at_once() -> None:
    """The control: the obvious way breaks the rule under the same load."""
    Pace.objects.create(name=NAME, next_at=timezone.now())
    everybody_has_read = threading.Barrier(WORKERS, timeout=30)

    def ask(spans: list[tuple[float, float]]) -> None:
        row = Pace.objects.get()
        everybody_has_read.wait()
        time.sleep(max(0.0, (row.next_at - timezone.now()).total_seconds()))
        begun = time.time()
        row.next_at = timezone.now() + dt.timedelta(seconds=PAUSE_SECONDS)
        row.save(update_fields=["next_at"])
        spans.append((begun, time.time()))

    gaps = closest_spans(ask)

    assert min(gaps) < PAUSE_SECONDS * 0.9
