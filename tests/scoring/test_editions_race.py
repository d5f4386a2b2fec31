"""Several workers at one edition: one wins. Threads on a real database, with the naive way as control."""

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from scoring import editions, providers
from scoring.models import Candidate, Edition, FirstSeen
from scoring.packed import Code
from tests import factories
from tests.factories import DAY

pytestmark = pytest.mark.django_db(transaction=True)

NOW = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)
WORKERS = 4


@pytest.fixture
def profile():
    providers.instance_provider()
    factories.announced_papers(40)
    return factories.profile(factories.user("alice@example.org"))


def race[T](work: Callable[[], T], workers: int = WORKERS) -> list[T]:
    """What each worker got, all of them let go at once."""
    start = threading.Barrier(workers)

    def run(_: int) -> T:
        try:
            start.wait()
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers)))


def test_many_workers_open_one_edition(profile):
    opened = race(lambda: editions.open_edition(profile, DAY).pk)

    assert len(set(opened)) == 1
    assert FirstSeen.objects.count() == 40


def test_many_workers_screen_an_edition_once(profile):
    pk = editions.open_edition(profile, DAY).pk

    won = race(lambda: editions.screen(Edition.objects.get(pk=pk), NOW))

    assert sorted(won) == [False] * (WORKERS - 1) + [True]
    assert Candidate.objects.count() == 40
    assert editions.audit() == []


def test_without_the_swap_all_of_them_would_have_won(profile):
    """The control: looking first and writing after lets every worker through."""
    pk = editions.open_edition(profile, DAY).pk
    looked = threading.Barrier(WORKERS)

    def naively() -> bool:
        edition = Edition.objects.get(pk=pk)
        is_mine = edition.state == Edition.State.OPEN
        looked.wait()
        if is_mine:
            edition.state = Edition.State.SCREENED
            edition.save(update_fields=["state"])
        return is_mine

    assert race(naively) == [True] * WORKERS


def test_moves_of_different_papers_do_not_undo_each_other(profile):
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)
    papers = iter(list(edition.candidates.values_list("paper_id", flat=True)))
    lock = threading.Lock()

    def one_by_one() -> None:
        for _ in range(5):
            with lock:
                paper = next(papers)
            editions.move(Edition.objects.get(pk=edition.pk), {paper: Code.FAILED})
            Candidate.objects.filter(edition=edition, paper=paper).update(state=Candidate.State.FAILED)

    race(one_by_one)

    edition.refresh_from_db()
    assert editions.account(edition).failed == 5 * WORKERS
    assert editions.audit() == []


def test_late_papers_are_taken_in_once(profile):
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)
    factories.announced_papers(3)

    taken = race(lambda: editions.reopen(Edition.objects.get(pk=edition.pk), NOW))

    assert sorted(taken) == [0] * (WORKERS - 1) + [3]
    assert editions.audit() == []


def test_one_of_many_closes_the_day(profile):
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)
    papers = list(edition.candidates.values_list("paper_id", flat=True))
    edition.candidates.update(state=Candidate.State.FAILED)
    editions.move(edition, dict.fromkeys(papers, Code.FAILED))

    closed = race(lambda: editions.close(Edition.objects.get(pk=edition.pk), NOW))

    assert sorted(closed) == [False] * (WORKERS - 1) + [True]
