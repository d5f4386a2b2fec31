"""Two beats are harmless: each slot is a row, inserted once."""

import datetime as dt
import threading

import pytest
from django.db import connection

from scoring import slots
from scoring.models import Slot

NOW = dt.datetime(2026, 1, 30, 5, 31, tzinfo=dt.UTC)
DUE = dt.datetime(2026, 1, 30, 5, 30, tzinfo=dt.UTC)


@pytest.mark.django_db
def test_a_slot_is_taken_once():
    assert slots.take("harvest-rss", DUE, NOW)
    assert not slots.take("harvest-rss", DUE, NOW)
    assert slots.take("harvest-rss", DUE + dt.timedelta(days=1), NOW)


@pytest.mark.django_db(transaction=True)
def test_many_beats_take_a_slot_once():
    start, won = threading.Barrier(8), []

    def beat() -> None:
        start.wait()
        won.append(slots.take("harvest-rss", DUE, NOW))
        connection.close()

    beats = [threading.Thread(target=beat) for _ in range(8)]
    for each in beats:
        each.start()
    for each in beats:
        each.join()

    assert sorted(won) == [False] * 7 + [True]
    assert Slot.objects.count() == 1


@pytest.mark.django_db
def test_the_heartbeat_is_one_row():
    assert slots.last_beat() is None

    slots.beat(NOW)
    slots.beat(NOW + dt.timedelta(seconds=1))
    first = slots.last_beat()
    slots.beat(NOW + dt.timedelta(seconds=30))

    assert first == NOW
    assert slots.last_beat() == NOW + dt.timedelta(seconds=30)
    assert Slot.objects.count() == 1
