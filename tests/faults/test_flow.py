"""F23, F24, F30: how much a provider is asked that is busy, down or no longer ours; each beside its control."""

import datetime as dt
import threading

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.utils import timezone

from scoring import judging, providers
from scoring.judging import room
from scoring.models import Candidate, Hold, Provider, Score
from scoring.providers import health
from scoring.simulated import faults
from scoring.simulated.faults import Fault
from tests import factories
from tests.scoring.reading import assert_books_are_right, papers, read_all, states

NOW = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)
State = Candidate.State
# Seconds: for so long the server is down.
OUTAGE = 180
# F24: so many calls at most may an outage of three minutes cost.
MOST_CALLS_OF_AN_OUTAGE = 12
WORKERS = 6
LOOKS = 10


@pytest.fixture
def judge(settings, fake_model):
    """The instance's provider, at the simulated model's address; the operator has an address for mail."""
    settings.LLM_BASE_URL, settings.LLM_API_KEY, settings.LLM_MODEL = fake_model.base_url, "", "simulated"
    settings.ADMINS = ["operator@example.org"]
    return factories.provider(fake_model.base_url, name=providers.INSTANCE_NAME, concurrency=WORKERS)


def to_read(count):
    return factories.edition_to_read(factories.profile(factories.user()), papers(count))


def in_threads(work):
    """The same by several threads at one instant, each with a connection of its own; what each returned."""
    barrier, found = threading.Barrier(WORKERS), []

    def run():
        barrier.wait(timeout=30)
        found.append(work())
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


# --- a server that is down (F24) -------------------------------------------------------------------


def calls_of_an_outage(fake_model, seconds=OUTAGE):
    """How many calls a server gets that answers 500 for so long, by a clock that looks every second."""
    fake_model.settings.faults.add(*[Fault(status=500)] * 2000)
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(seconds):
            read_all(timezone.now())
            clock.shift(1)
    return len(fake_model.requests)


@pytest.mark.django_db
def test_three_minutes_of_500_cost_few_calls_and_no_paper(judge, fake_model):
    edition = to_read(100)

    asked = calls_of_an_outage(fake_model)

    assert providers.FAILURES_TO_OPEN <= asked <= MOST_CALLS_OF_AN_OUTAGE
    assert set(states(edition)) == {State.WAITING}
    assert not Hold.objects.exclude(state=Hold.State.RELEASED).exists()

    fake_model.settings.faults = faults.FaultPlan()
    with time_machine.travel(NOW + dt.timedelta(seconds=OUTAGE + providers.LONGEST_PAUSE_SECONDS)):
        read_all()
    judge.refresh_from_db()
    assert (judge.failures, judge.open_until) == (0, None)
    assert set(states(edition)) == {State.JUDGED}
    assert Score.objects.count() == 100
    assert_books_are_right(fake_model)


@pytest.mark.django_db
@pytest.mark.once
def test_the_control_without_a_breaker_calls_on(judge, fake_model, monkeypatch):
    monkeypatch.setattr(health, "FAILURES_TO_OPEN", 10_000)
    to_read(100)

    assert calls_of_an_outage(fake_model, seconds=OUTAGE // 6) > 2 * MOST_CALLS_OF_AN_OUTAGE


# --- one probe -------------------------------------------------------------------------------------


def probes(monkeypatch):
    """How many of several workers go ahead after a pause, when all have looked before any has claimed."""
    after = NOW + dt.timedelta(seconds=60)
    Provider.objects.update(failures=providers.FAILURES_TO_OPEN, open_until=NOW)
    for _ in range(3):
        to_read(60)
    all_have_looked, looked, is_busy = threading.Barrier(WORKERS), threading.local(), room.is_busy

    def look_together(provider):
        answer = is_busy(provider)
        if not getattr(looked, "once", False):
            looked.once = True
            all_have_looked.wait(timeout=30)
        return answer

    monkeypatch.setattr(room, "is_busy", look_together)
    return sum(block is not None for block in in_threads(lambda: judging.claim(after)))


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_sends_the_probe(judge, monkeypatch):
    assert probes(monkeypatch) == 1
    assert Hold.objects.open().count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_control_without_the_lock_sends_several_probes(judge, monkeypatch):
    monkeypatch.setattr(room, "may_probe", lambda provider, now: True)

    assert probes(monkeypatch) > 1


# --- a key or an account that is no longer good (F30) ----------------------------------------------

QUOTA = '{"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}'
REFUSALS = [
    pytest.param(Fault(status=401), "unauthorized", id="401"),
    pytest.param(Fault(status=402), "quota", id="402"),
    pytest.param(Fault(status=429, body=QUOTA, headers={"Retry-After": "1"}), "quota", id="429"),
]


def refused_together(fake_model, refusal):
    """Several calls are in flight when the server refuses; then an hour of looking, every six minutes."""
    fake_model.settings.faults.add(*[refusal] * 2000)
    with time_machine.travel(NOW, tick=False) as clock:
        for block in [judging.claim(timezone.now()) for _ in range(3)]:
            judging.judge_block(block)
        for _ in range(LOOKS):
            clock.shift(360)
            judging.run_once(timezone.now())
    return len(fake_model.requests)


@pytest.mark.django_db
@pytest.mark.parametrize(("refusal", "code"), REFUSALS)
def test_a_refused_key_stops_the_provider_and_the_operator_is_told_once(judge, fake_model, refusal, code):
    edition = to_read(100)

    assert refused_together(fake_model, refusal) == 3

    judge.refresh_from_db()
    assert judge.paused_reason == code
    assert [sent.to for sent in mail.outbox] == [["operator@example.org"]]
    assert set(states(edition)) == {State.WAITING}
    assert set(Candidate.objects.values_list("attempts", flat=True)) == {0}
    assert_books_are_right(fake_model)


@pytest.mark.django_db
@pytest.mark.parametrize(("refusal", "code"), REFUSALS)
def test_the_control_without_the_stop_asks_for_ever(judge, fake_model, monkeypatch, refusal, code):
    monkeypatch.setattr(providers, "stop", lambda provider, code, now: None)
    to_read(100)

    assert refused_together(fake_model, refusal) == 3 + LOOKS


# --- a server that is busy (F23) -------------------------------------------------------------------


def refused_as_busy(fake_model):
    """Six calls in flight are answered 429 at one instant; how many calls at once are allowed then."""
    fake_model.settings.faults.add(*[faults.rate_limited("2")] * WORKERS)
    with time_machine.travel(NOW, tick=False):
        for block in [judging.claim(timezone.now()) for _ in range(WORKERS)]:
            judging.judge_block(block)
    return Provider.objects.get().calls_at_once


@pytest.mark.django_db
def test_calls_that_are_refused_together_halve_once(judge, fake_model):
    to_read(200)

    assert refused_as_busy(fake_model) == WORKERS // 2

    later = NOW + dt.timedelta(seconds=10)
    claimed = [judging.claim(later) for _ in range(WORKERS)]
    assert sum(block is not None for block in claimed) == WORKERS // 2


@pytest.mark.django_db
def test_the_control_that_halves_at_each_refusal_is_left_with_one(judge, fake_model, monkeypatch):
    known = providers.note_throttled
    a_day = dt.timedelta(days=1)
    monkeypatch.setattr(
        providers, "note_throttled", lambda provider, sent_at, now: known(provider, now + a_day, now)
    )
    to_read(200)

    assert refused_as_busy(fake_model) == 1


@pytest.mark.django_db
def test_refusals_one_after_the_other_never_leave_less_than_one(judge):
    for minute in range(5):
        at = NOW + dt.timedelta(minutes=minute)
        assert providers.note_throttled(judge, at, at)

    judge.refresh_from_db()
    assert judge.calls_at_once == 1


@pytest.mark.django_db(transaction=True)
def test_answers_at_one_instant_are_all_counted_and_grow_it_slowly(judge):
    Provider.objects.update(concurrency=16)
    providers.note_throttled(judge, NOW, NOW)

    in_threads(lambda: [providers.note_success(judge, NOW) for _ in range(providers.ANSWERS_TO_GROW)])

    judge.refresh_from_db()
    assert (judge.calls_at_once, judge.answers_since_growth) == (8 + WORKERS, 0)


@pytest.mark.django_db
def test_what_was_withheld_is_given_back_whole_and_never_more(judge):
    providers.note_throttled(judge, NOW, NOW)

    for _ in range(10 * providers.ANSWERS_TO_GROW):
        providers.note_success(judge, NOW)

    judge.refresh_from_db()
    assert (judge.allowed_at_once, judge.calls_at_once) == (None, WORKERS)


@pytest.mark.django_db
def test_a_lower_limit_by_hand_holds_at_once(judge):
    providers.note_throttled(judge, NOW, NOW)
    Provider.objects.update(concurrency=2)

    judge.refresh_from_db()
    assert judge.calls_at_once == 2
