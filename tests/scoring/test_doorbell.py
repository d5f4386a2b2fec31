"""A ring wakes a worker after the commit, and a ring that fails hurts nobody."""

import socket

import pytest
from celery import Celery
from django.db import transaction

from portal.celery import app
from scoring import doorbell


@pytest.fixture
def broker(settings):
    """Rings go to another broker for one test."""

    def use(address: str) -> Celery:
        settings.CELERY_BROKER_URL = address
        other = Celery("test", broker=address, set_as_current=False)
        other.conf.task_default_queue = "doorbell"
        other.set_current()
        return other

    yield use
    app.set_current()


@pytest.fixture
def waiting(broker):
    """A broker in memory, and the names of the tasks that wait in it."""
    with broker("memory://").connection_for_read() as connection:
        queue = connection.SimpleQueue("doorbell")
        queue.clear()

        def names() -> list[str]:
            return [queue.get_nowait().headers["task"] for _ in range(queue.qsize())]

        yield names
        queue.close()


@pytest.mark.django_db(transaction=True)
def test_a_ring_waits_for_the_commit(waiting):
    with transaction.atomic():
        doorbell.ring("scoring.judge")
        before = waiting()

    assert before == []
    assert waiting() == ["scoring.judge"]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_never_rings(waiting):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        doorbell.ring("scoring.judge")
        raise ZeroDivisionError

    assert waiting() == []


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_is_counted_and_hurts_nobody(broker):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        broker(f"redis://127.0.0.1:{closed.getsockname()[1]}/0")
        failed = doorbell.counts["failed"]

        doorbell.ring("scoring.judge")

    assert doorbell.counts["failed"] == failed + 1


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_nothing_is_sent(broker):
    broker("")
    before = doorbell.counts.copy()

    doorbell.ring("scoring.judge")

    assert doorbell.counts == before
