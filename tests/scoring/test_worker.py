"""A worker over a broker in memory judges a day: the doors, the doorbell and the rows together."""

from collections.abc import Iterator

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.test import Client

from portal.celery import app as portal_app
from profiles.models import Scope
from scoring import budget, doorbell, tasks
from scoring.accounts import account
from scoring.models import Call, Edition, Score
from tests import factories
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker(settings) -> Iterator[Celery]:
    """A worker in a thread of this process. The tasks are the real ones; only the broker is not."""
    settings.OFFLINE = True
    settings.CELERY_BROKER_URL = "memory://"
    app = Celery("test", broker="memory://", set_as_current=False)
    app.conf.update(
        broker_transport_options={"polling_interval": 0.02},
        task_default_queue="doorbell",
        task_ignore_result=True,
    )
    app.set_current()
    try:
        with start_worker(app, pool="threads", concurrency=4, perform_ping_check=False, shutdown_timeout=30):
            yield app
    finally:
        portal_app.set_current()


def a_day(base_url: str, papers: int = 45) -> None:
    reader = factories.profile(factories.user(), categories=["cs.LG"], target_recall=1.0)
    factories.provider(base_url, profile=reader)
    factories.announced_papers(papers)


def is_closed() -> bool:
    return Edition.objects.filter(state=Edition.State.CLOSED).exists()


def test_a_worker_judges_a_day(worker, fake_model):
    a_day(fake_model.base_url)

    doorbell.ring("scoring.tick")
    wait_until(is_closed, "the edition is closed")

    assert account(Edition.objects.get()).judged == 45
    assert Score.objects.count() == 45
    assert budget.audit() == []


def test_every_message_twice_and_in_any_order_ends_in_the_same_state(worker, fake_model):
    """F11: a message only says that there may be something to do."""
    a_day(fake_model.base_url)

    for _ in range(3):
        for task in (tasks.JUDGE, tasks.HARVEST, "scoring.tick", tasks.JUDGE, "scoring.tick"):
            doorbell.ring(task)
    wait_until(is_closed, "the edition is closed")

    assert Score.objects.count() == 45
    assert Call.objects.exclude(outcome="judged").count() == 0
    assert len(fake_model.bill.lines) == Call.objects.count()
    assert budget.audit() == []


def test_a_new_profile_is_opened_and_read_at_once(worker, fake_model):
    factories.announced_papers(7)
    reader = factories.profile(factories.user(), categories=["cs.LG"])

    doorbell.ring("scoring.open_profile", reader.pk)
    wait_until(lambda: Score.objects.count() == 7, "all are estimated")

    assert Edition.objects.get().profile == reader


@pytest.mark.parametrize("door", ["page", "api"])
def test_a_raised_limit_has_the_stopped_papers_read_at_once(worker, fake_model, door):
    """By the doorbell, whoever sets it: no tick comes in this test."""
    bob, ada = factories.user(), factories.user()
    lab = factories.team(ada, bob, slug="lab")
    reader = factories.profile(bob, team=lab, categories=["cs.LG"], target_recall=1.0)
    factories.provider(fake_model.base_url, profile=reader)
    factories.quota(Scope.MEMBER, 100, team=lab)
    factories.announced_papers(12)
    doorbell.ring("scoring.open_profile", reader.pk)
    wait_until(lambda: Edition.objects.exclude(blocked_by={}).exists(), "the edition is stopped")
    assert not fake_model.requests

    client = Client()
    client.force_login(ada)
    if door == "page":
        client.post("/teams/lab/quotas/", {"of": "default", "period": "day", "tokens": "200k"})
    else:
        body = {"subject": "member_default", "period": "day", "limit_tokens": 200_000}
        client.put("/api/v1/teams/lab/quotas/", body, content_type="application/json")

    wait_until(is_closed, "the stopped papers are read")
    assert account(Edition.objects.get()).judged == 12
    assert budget.audit() == []
