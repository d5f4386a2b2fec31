"""Workers and a Redis that die over PostgreSQL: nothing is lost, and nothing is charged twice.

The model is another process with a bill of its own, which is the truth that our books are compared with.
"""

import datetime as dt
import random
from pathlib import Path

import pytest
from django.utils import timezone

from scoring import judging
from scoring.models import Call, Candidate, Hold
from tests.faults.books import assert_the_books_agree_with_the_bill, is_all_read, ring, two_readers
from tests.faults.processes import OwnRedis, model, worker
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("processes"),
]

LEASES_OVER = dt.timedelta(seconds=judging.CLAIM_SECONDS + 1)


def run_until_killed(folder: Path, broker: OwnRedis, calls: int) -> None:
    """A worker that is killed -9 in the middle of its calls, once so many more were made."""
    enough = Call.objects.count() + calls
    with worker(folder, broker.url):
        ring(broker, "scoring.tick")
        wait_until(lambda: Call.objects.count() >= enough or is_all_read(), "calls are made")


def test_ten_kills_lose_nothing_and_charge_nothing_twice(tmp_path, broker):
    papers, seed = 500, random.randrange(10**6)
    chance = random.Random(seed)
    print(f"seed {seed}")
    with model(tmp_path, "--latency", "0.15") as simulated:
        two_readers(simulated.base_url, papers)

        for _ in range(10):
            run_until_killed(tmp_path, broker, calls=chance.randint(6, 12))
            judging.reap(timezone.now() + LEASES_OVER)
        left_over = Candidate.objects.waiting().count()
        with worker(tmp_path, broker.url):
            ring(broker, "scoring.tick")
            wait_until(is_all_read, "every paper is read")

        assert left_over > 0
        assert_the_books_agree_with_the_bill(simulated.bill(), papers, poisoned_at_most=3)


def test_a_redis_that_forgets_its_queue_loses_no_work(tmp_path, broker):
    """F9: messages that nobody had taken are gone; so is the connection of a worker in the middle of its work."""
    with model(tmp_path, "--latency", "0.2") as simulated:
        two_readers(simulated.base_url, 60)
        ring(broker, "scoring.tick", "scoring.judge")
        broker.restart_empty()
        assert broker.waiting_messages() == 0

        with worker(tmp_path, broker.url):
            ring(broker, "scoring.tick")
            wait_until(lambda: Call.objects.count() >= 2, "reading has begun")
            broker.restart_empty()
            wait_until(broker.answers, "redis is back")
            ring(broker, "scoring.tick")
            wait_until(is_all_read, "every paper is read")

        assert_the_books_agree_with_the_bill(simulated.bill(), 60)


def test_a_message_that_comes_again_before_its_task_has_ended_finds_nothing_to_claim(tmp_path, broker):
    """F12: Redis gives a message out again after a second; a call takes three."""
    with model(tmp_path, "--latency", "3") as simulated:
        two_readers(simulated.base_url, 40)

        with (
            worker(tmp_path, broker.url, VISIBILITY_SECONDS="1"),
            worker(tmp_path, broker.url, VISIBILITY_SECONDS="1"),
        ):
            ring(broker, "scoring.tick")
            wait_until(is_all_read, "every paper is read")

        assert Call.objects.count() == len(simulated.bill()) == 4
        assert_the_books_agree_with_the_bill(simulated.bill(), 40)


def test_sigterm_ends_a_worker_in_time_and_loses_nothing(tmp_path, broker):
    """F16: a deployment. What is in flight is finished, nothing more is claimed."""
    with model(tmp_path, "--latency", "1") as simulated:
        two_readers(simulated.base_url, 200)
        with worker(tmp_path, broker.url) as first:
            ring(broker, "scoring.tick")
            wait_until(lambda: Call.objects.filter(sent_at__isnull=False).exists(), "a call is in flight")

            code = first.stop()

        assert code == 0
        assert not Hold.objects.open().exists()
        assert Candidate.objects.waiting().exists()
        with worker(tmp_path, broker.url):
            ring(broker, "scoring.tick")
            wait_until(is_all_read, "every paper is read")
        assert_the_books_agree_with_the_bill(simulated.bill(), 200)
