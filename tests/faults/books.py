"""What a run over real processes starts from, and what must be true after it."""

from collections import Counter

from django.core.management import call_command

from portal.celery import app
from scoring import budget
from scoring.accounts import account
from scoring.models import Candidate, Edition, Hold, Score
from tests import factories
from tests.faults.processes import OwnRedis


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


def assert_the_books_agree_with_the_bill(bill: list[dict], papers: int, *, poisoned_at_most: int = 0) -> None:
    """0 lost, 0 charged twice: every call of the model's own bill has one ended hold that covers it.

    Whoever kills workers again and again from outside may hit one paper alone three times: it has then failed,
    visibly, as poison.
    """
    for edition in Edition.objects.all():
        counted = account(edition)
        assert counted.judged + counted.failed == papers, counted
        assert counted.failed <= poisoned_at_most, counted
        assert account(edition).is_true
    assert Score.objects.count() == sum(account(edition).judged for edition in Edition.objects.all())
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
