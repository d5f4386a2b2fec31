"""Workers that die over Redis and PostgreSQL: nothing is lost, and nothing is charged twice.

The model is another process with a bill of its own, which is the truth that our books are compared with.
"""

import datetime as dt
import random
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from portal.celery import app
from scoring import budget, judging
from scoring.accounts import account
from scoring.models import Call, Candidate, Edition, Hold, Score
from tests import factories
from tests.faults.processes import OwnRedis, model, own_redis, worker
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("processes"),
]

LEASES_OVER = dt.timedelta(seconds=judging.CLAIM_SECONDS + 1)


@pytest.fixture
def broker(tmp_path, settings):
    """A Redis of this test's own, to which the doorbell of this process rings too."""
    with own_redis(tmp_path) as server:
        settings.CELERY_BROKER_URL = server.url
        yield server


def ring(broker: OwnRedis, *tasks: str) -> None:
    """As beat does, by name."""
    with app.connection_for_write(broker.url) as connection:
        for task in tasks:
            app.send_task(task, connection=connection)


def two_readers(base_url: str, papers: int) -> None:
    for _ in range(2):
        reader = factories.profile(factories.user(), categories=["cs.LG"], target_recall=1.0)
        factories.provider(base_url, profile=reader, concurrency=4)
    factories.announced_papers(papers)


def is_all_read() -> bool:
    unfinished = [Candidate.State.WAITING, Candidate.State.CLAIMED]
    return Candidate.objects.exists() and not Candidate.objects.filter(state__in=unfinished).exists()


def assert_the_books_agree_with_the_bill(bill: list[dict], papers: int) -> None:
    """0 lost, 0 charged twice: every call of the model's own bill has one ended hold that covers it."""
    for edition in Edition.objects.all():
        assert account(edition).judged == papers
        assert account(edition).is_true
    assert Score.objects.count() == papers * Edition.objects.count()
    holds = {str(hold.key): hold for hold in Hold.objects.all()}
    billed = Counter(line["request_id"] for line in bill if line["status"] == 200)
    assert set(billed) <= set(holds)
    assert set(billed.values()) <= {1}
    for key in billed:
        assert holds[key].state in {Hold.State.SETTLED, Hold.State.ASSUMED}
    settled = Hold.objects.filter(state=Hold.State.SETTLED)
    assert sum(hold.used_tokens for hold in settled) == sum(
        line["usage"]["total_tokens"]
        for line in bill
        if holds[line["request_id"]].state == Hold.State.SETTLED
    )
    assert budget.audit() == []
    call_command("audit")


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
            run_until_killed(tmp_path, broker, calls=chance.randint(1, 5))
            judging.reap(timezone.now() + LEASES_OVER)
        left_over = Candidate.objects.waiting().count()
        with worker(tmp_path, broker.url):
            ring(broker, "scoring.tick")
            wait_until(is_all_read, "every paper is read")

        assert left_over > 0
        assert_the_books_agree_with_the_bill(simulated.bill(), papers)
