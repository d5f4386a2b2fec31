"""F24: a server that fails half of its calls is not asked twice as often; beside its control."""

import datetime as dt
import threading

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from profiles import letters
from profiles.models import Notice
from scoring import failing, judging, providers
from scoring.judging import room
from scoring.models import Call, Candidate, Hold, Provider, Score
from scoring.providers import health, retries
from scoring.simulated.faults import Fault, FaultPlan
from tests import factories
from tests.scoring.reading import assert_books_are_right, papers, read_all, states

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)
State = Candidate.State
BROKEN = Fault(status=500)
WORKERS = 6


@pytest.fixture
def judge(settings, fake_model, monkeypatch):
    """Two papers a call, and no breaker in the way but where a test wants one."""
    settings.LLM_BASE_URL, settings.LLM_API_KEY, settings.LLM_MODEL = fake_model.base_url, "", "simulated"
    monkeypatch.setattr(health, "FAILURES_TO_OPEN", 10_000)
    monkeypatch.setattr(providers, "FAILURES_TO_OPEN", 10_000)
    monkeypatch.setattr(retries, "LEAST", 2)
    return factories.provider(fake_model.base_url, name=providers.INSTANCE_NAME, concurrency=8, block_size=2)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def editions_to_read(count=2, size=20):
    return [
        factories.edition_to_read(factories.profile(factories.user()), papers(size)) for _ in range(count)
    ]


def read_for(clock, seconds, step=15):
    for _ in range(seconds // step):
        read_all(timezone.now())
        clock.shift(step)


def repeats():
    return Call.objects.filter(is_repeat=True).count()


# --- the bound -------------------------------------------------------------------------------------


def calls_of_a_server_that_fails_by_halves(fake_model, clock):
    """Twenty first calls, of which half fail, and five minutes in which what failed comes back again and again."""
    fake_model.settings.faults.add(*[BROKEN, None] * 200)
    editions_to_read()
    read_for(clock, 300)
    return len(fake_model.requests)


def test_a_server_that_fails_half_gets_few_calls_more_and_no_paper_is_lost(
    judge, fake_model, clock, monkeypatch
):
    asked = calls_of_a_server_that_fails_by_halves(fake_model, clock)

    # Two, and a tenth of twenty.
    assert (asked, repeats()) == (24, 4)
    put_off = Candidate.objects.filter(is_repeat=True)
    assert set(put_off.values_list("state", "waits_for")) == {(State.WAITING, "provider")}
    assert not Hold.objects.open().exists()
    assert_books_are_right(fake_model)

    fake_model.settings.faults = FaultPlan()
    monkeypatch.setattr(retries, "LEAST", 20)
    read_for(clock, 600, step=100)
    assert set(Candidate.objects.values_list("state", flat=True)) == {State.JUDGED}
    assert Score.objects.count() == 40
    assert_books_are_right(fake_model)


@pytest.mark.once
def test_the_control_without_the_budget_makes_far_more(judge, fake_model, clock, monkeypatch):
    monkeypatch.setattr(room, "may_repeat", lambda provider, now: True)

    assert calls_of_a_server_that_fails_by_halves(fake_model, clock) > 20 + 3 * 4


def test_the_share_is_the_operators(judge, fake_model, clock, settings):
    settings.RETRY_PERCENT = 0

    calls_of_a_server_that_fails_by_halves(fake_model, clock)

    assert repeats() == 2


def test_first_calls_go_on_while_repeats_are_put_off(judge, fake_model, clock):
    fake_model.settings.faults.add(*[BROKEN] * 5)
    (edition,) = editions_to_read(1, 20)
    made = [Call(provider=judge, is_repeat=True, day=NOW.date(), created_at=NOW) for _ in range(3)]
    Call.objects.bulk_create(made)

    read_for(clock, 45)

    assert states(edition).count(State.JUDGED) == 10
    assert repeats() == 3
    assert set(Candidate.objects.filter(state=State.WAITING).values_list("waits_for", "is_repeat")) == {
        ("provider", True)
    }


def test_a_provider_that_is_well_again_reads_what_was_put_off_without_a_bound(judge, fake_model, clock):
    fake_model.settings.faults.add(*[BROKEN] * 14)
    editions_to_read(1, 20)
    read_for(clock, 60)
    assert repeats() == 3

    editions_to_read(2, 20)
    read_for(clock, 120)

    assert set(Candidate.objects.values_list("state", flat=True)) == {State.JUDGED}
    assert repeats() > providers.budget_of(judge, timezone.now()).allowed


def test_the_probe_after_a_pause_needs_no_budget(judge, fake_model, clock, monkeypatch):
    for each in (health, providers):
        monkeypatch.setattr(each, "FAILURES_TO_OPEN", 3)
    monkeypatch.setattr(retries, "LEAST", 0)
    fake_model.settings.faults.add(*[BROKEN] * 3)
    (edition,) = editions_to_read(1, 6)
    read_for(clock, 15, step=5)
    assert Provider.objects.get().failures == 3

    clock.shift(providers.FIRST_PAUSE_SECONDS)
    assert judging.run_once(timezone.now())

    assert states(edition).count(State.JUDGED) == 2
    assert repeats() == 1


# --- repairs ---------------------------------------------------------------------------------------


def repairs_of_a_model_with_the_wrong_language(fake_model):
    fake_model.settings.personality = "foreign"
    reader = factories.profile(factories.user(), reason_language="zh-Hans")
    factories.edition_to_read(reader, papers(40))
    read_all(timezone.now())
    return Call.objects.filter(kind=Call.Kind.REPAIR).count()


def test_repairs_are_repeats_however_well_the_model_answers(judge, fake_model, clock):
    # Two, and a tenth of the twenty first calls.
    assert repairs_of_a_model_with_the_wrong_language(fake_model) == 4
    assert Score.objects.filter(is_language_right=False).count() == 40 - 2 * 4
    assert set(Candidate.objects.values_list("state", flat=True)) == {State.JUDGED}


@pytest.mark.once
def test_the_control_repairs_after_each_reading(judge, fake_model, clock, monkeypatch):
    monkeypatch.setattr(providers, "may_repair", lambda provider, now: True)

    assert repairs_of_a_model_with_the_wrong_language(fake_model) == 20


# --- over all processes ----------------------------------------------------------------------------


def claims_at_one_instant():
    """How many of several workers claim a repeat at one instant, when one is left."""
    Call.objects.all().update(created_at=NOW, ended_at=NOW, outcome="server_error")
    barrier, claimed = threading.Barrier(WORKERS), []

    def run():
        barrier.wait(timeout=30)
        claimed.append(judging.claim(NOW))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(block is not None for block in claimed)


@pytest.fixture
def one_is_left(judge, monkeypatch):
    editions = editions_to_read(WORKERS, 2)
    Candidate.objects.update(is_repeat=True)
    monkeypatch.setattr(retries, "LEAST", 1)
    return editions


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_takes_the_last_repeat(one_is_left):
    assert claims_at_one_instant() == 1
    assert repeats() == 1
    assert Hold.objects.open().count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_control_that_looks_before_it_claims_takes_several(one_is_left, judge, monkeypatch):
    seen_before = providers.budget_of(judge, NOW)
    monkeypatch.setattr(retries, "budget_of", lambda provider, now: seen_before)

    assert claims_at_one_instant() > 1


# --- the alarm -------------------------------------------------------------------------------------


def test_who_runs_the_instance_is_told_once_a_day(judge, fake_model, clock, settings):
    settings.ADMINS = ["operator@example.org"]
    staff = factories.user("staff@example.org", is_staff=True)
    calls_of_a_server_that_fails_by_halves(fake_model, clock)

    assert failing.tell_due(timezone.now()) == 1
    failing.tell_due(timezone.now())

    notice = Notice.objects.get(user=staff)
    (words,) = failing.words_of_repeats([notice.params])
    assert "instance" in words.title and "No paper is lost" in words.paragraphs[1]
    assert words.path == "/operator/providers/"
    assert letters.send_due(timezone.now()) == 2


def test_a_teams_own_model_tells_who_steers_the_team_and_not_the_operator(judge):
    staff = factories.user("staff@example.org", is_staff=True)
    owner, member = factories.user("owner@example.org"), factories.user("member@example.org")
    team = factories.team(owner, member)
    own = factories.team_provider(team, name="ours")
    Provider.objects.filter(pk=own.pk).update(retries_spent_at=NOW)

    assert failing.tell_due(NOW + dt.timedelta(seconds=60)) == 1
    assert failing.tell_due(NOW + dt.timedelta(seconds=601)) == 0

    assert [each.user for each in Notice.objects.all()] == [owner]
    assert staff not in [each.user for each in Notice.objects.all()]
