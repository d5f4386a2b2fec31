"""A worker that dies at each step of a call (F1-F4, F14): nothing is lost, and nothing is paid twice unsaid.

The worker is a process of its own that kills itself with SIGKILL at the point; the model's bill is the truth.
"""

import datetime as dt
import signal
import subprocess
import sys

import pytest
from django.db import connection, connections
from django.utils import timezone

from papers import crash_points
from scoring import budget, judging, llm, providers
from scoring.accounts import account
from scoring.models import Candidate, Hold, Score
from tests import factories
from tests.faults.processes import REPO, surroundings
from tests.scoring.reading import TOPIC, papers, read_all

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("processes")]

LEASES_OVER = dt.timedelta(seconds=judging.CLAIM_SECONDS + 1)


@pytest.fixture
def alice(fake_model):
    """A reader whose judge is the simulated model."""
    reader = factories.profile(factories.user("alice@example.org"))
    factories.provider(fake_model.base_url, profile=reader)
    return reader


READ = "import django; django.setup(); from scoring import judging; judging.drain(1, patience_seconds=0)"


def worker_that_dies(folder, crash_at):
    """A process that reads what can be read and ends at that point."""
    ended = subprocess.run(
        [sys.executable, "-c", READ],
        cwd=REPO,
        env=surroundings(folder, BROADSHEET_CRASH_AT=crash_at, DJANGO_SETTINGS_MODULE="portal.settings"),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


@pytest.mark.parametrize(
    ("point", "state", "billed_calls", "attempts"),
    [
        ("after_hold", Hold.State.RELEASED, 0, 2),
        ("after_sent", Hold.State.ASSUMED, 0, 2),
        ("after_http", Hold.State.ASSUMED, 1, 2),
        ("before_commit", Hold.State.ASSUMED, 1, 2),
        ("after_commit", Hold.State.SETTLED, 1, 1),
    ],
)
def test_a_worker_killed_at_any_step_loses_nothing(
    alice, fake_model, tmp_path, point, state, billed_calls, attempts
):
    edition = factories.edition_to_read(alice, papers(1))
    worker_that_dies(tmp_path, point)
    assert len(fake_model.bill.billed()) == billed_calls
    assert Score.objects.count() == (point == "after_commit")
    later = timezone.now() + LEASES_OVER

    judging.reap(later)
    read_all(later)

    assert Hold.objects.order_by("pk").first().state == state
    candidate = Candidate.objects.get()
    assert (candidate.state, candidate.attempts) == (Candidate.State.JUDGED, attempts)
    assert Score.objects.count() == 1
    settled = Hold.objects.filter(state=Hold.State.SETTLED)
    by_key = {line["request_id"]: line["usage"]["total_tokens"] for line in fake_model.bill.billed()}
    assert all(hold.used_tokens == by_key[str(hold.key)] for hold in settled)
    assert set(by_key) <= {str(hold.key) for hold in Hold.objects.exclude(state=Hold.State.RELEASED)}
    assert budget.audit() == []
    edition.refresh_from_db()
    assert account(edition).judged == 1


@pytest.mark.postgres
def test_a_paper_that_kills_its_process_has_failed_after_three_crashes_alone(alice, fake_model, tmp_path):
    """F14. The same without real kills is in `tests/scoring/test_judging.py`."""
    poison = factories.paper(title="Poison", abstract=TOPIC)
    factories.edition_to_read(alice, [poison, *papers(1)])

    for _ in range(4):
        worker_that_dies(tmp_path, "after_hold=Poison")
        judging.reap(timezone.now() + LEASES_OVER)

    failed = Candidate.objects.get(paper=poison)
    assert (failed.state, failed.failure, failed.solo_crashes) == (Candidate.State.FAILED, "poison", 3)
    read_all(timezone.now() + LEASES_OVER)
    assert Candidate.objects.filter(state=Candidate.State.JUDGED).count() == 1
    assert budget.audit() == []


@pytest.fixture
def cut_the_connection():
    """Kill our own backend at `before_commit`, once, from another connection."""

    def cut(_titles: str) -> None:
        crash_points.actions.pop("before_commit")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        other = connections.create_connection("default")
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        other.close()

    crash_points.actions["before_commit"] = cut
    yield
    crash_points.actions.pop("before_commit", None)


@pytest.mark.postgres
def test_a_backend_killed_before_its_commit_leaves_all_or_nothing(alice, fake_model, cut_the_connection):
    """F4: the first transaction is gone whole; replaying the answer gives one result, however often."""
    factories.edition_to_read(alice, papers(3))
    block = judging.claim(timezone.now())
    assert budget.mark_sent(block.hold)
    answer = llm.judge(block.prompt, providers.endpoint_of(block.provider), request_id=str(block.hold.key))

    scores = judging.book(block, answer)
    again = judging.book(block, answer)

    assert (len(scores), again) == (3, [])
    assert Score.objects.count() == 3
    assert Hold.objects.get().used_tokens == fake_model.bill.total_tokens
    assert budget.audit() == []
