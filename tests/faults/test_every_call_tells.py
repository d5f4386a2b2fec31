"""Whatever a call is about, it tells how its provider is, and waits where a reading waits; each beside its control."""

import datetime as dt

import pytest
import time_machine
from django.db.models import Q
from django.utils import timezone

from scoring import budget, checking, explaining, judging, llm, providers
from scoring.judging import checkup, explanations, room, second_looks, telling
from scoring.models import Call, Candidate, Provider, Score
from scoring.providers import health
from scoring.simulated import faults
from scoring.simulated.faults import Fault
from tests import factories
from tests.scoring.reading import OTHER, assert_books_are_right, papers, read_all

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)
KINDS = ["repair", "explain", "second_look", "check"]
BROKEN = Fault(status=500)


@pytest.fixture
def judge(settings, fake_model):
    settings.LLM_BASE_URL, settings.LLM_API_KEY, settings.LLM_MODEL = fake_model.base_url, "", "simulated"
    return factories.provider(fake_model.base_url, name=providers.INSTANCE_NAME, concurrency=8)


@pytest.fixture
def alice():
    return factories.profile(factories.user("alice@example.org"))


class Asker:
    """Makes one call of a kind, if it may be made now; the readings before it are answered well."""

    def __init__(self, kind, alice, fake_model):
        self.kind, self.alice, self.fake = kind, alice, fake_model
        if kind == "repair":
            fake_model.settings.personality = "foreign"
            self.alice = factories.profile(factories.user("eve@example.org"), reason_language="zh-Hans")
        elif kind == "second_look":
            self.edition = factories.edition_to_read(alice, papers(30))
            read_all(timezone.now())
        elif kind == "explain":
            salt = [factories.paper(title=f"Salt in the sea, part {n}", abstract=OTHER) for n in range(8)]
            self.edition = factories.edition_to_read(alice, salt)
            read_all(timezone.now())

    def ask(self, fault=None):
        """Whether the call was made; with that fate."""
        getattr(self, f"_{self.kind}")(fault)
        before = len(self.fake.requests)
        self.go()
        return len(self.fake.requests) > before

    def _repair(self, fault):
        factories.edition_to_read(self.alice, papers(1))
        self.block = judging.claim(timezone.now())
        assert self.block is not None
        self.fake.settings.faults.add(None, fault)

    def _explain(self, fault):
        unread = Score.objects.filter(reason="", explain_call=None).first()
        explaining.ask(self.edition, unread.paper, timezone.now())
        self.fake.settings.faults.add(fault)

    def _second_look(self, fault):
        due = Candidate.objects.filter(edition=self.edition, is_look_due=False, look="").first()
        Candidate.objects.filter(pk=due.pk).update(
            look="far", is_look_due=True, not_before=None, changed_at=timezone.now()
        )
        self.fake.settings.faults.add(fault)

    def _check(self, fault):
        checking.ask(Provider.objects.get(), None, timezone.now())
        self.fake.settings.faults.add(fault)

    def go(self):
        now = timezone.now()
        if self.kind == "repair":
            judging.judge_block(self.block)
        elif self.kind == "explain":
            if held := explanations.claim(now):
                explanations.answer(held)
        elif self.kind == "second_look":
            if look := second_looks.claim(now):
                second_looks.take(look)
        elif held := checkup.claim(now):
            checkup.answer(held)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture(params=KINDS)
def asker(request, judge, alice, fake_model, clock):
    return Asker(request.param, alice, fake_model)


def test_a_429_halves_and_pauses_for_everybody(asker, judge, fake_model):
    assert asker.ask(faults.rate_limited("60"))

    judge.refresh_from_db()
    assert judge.calls_at_once == 4
    assert judge.open_until == NOW + dt.timedelta(seconds=60)
    factories.edition_to_read(factories.profile(factories.user()), papers(1))
    assert judging.claim(NOW + dt.timedelta(seconds=59)) is None
    assert judging.claim(NOW + dt.timedelta(seconds=61)) is not None
    assert_books_are_right(fake_model)


def test_the_control_that_tells_nothing_lets_the_others_run_into_it(asker, judge, monkeypatch):
    monkeypatch.setattr(telling, "of_unavailable", lambda provider, held, error, now: None)

    asker.ask(faults.rate_limited("60"))

    judge.refresh_from_db()
    assert (judge.calls_at_once, judge.open_until) == (8, None)


def test_three_breakdowns_open_the_breaker(asker, judge, clock, fake_model):
    for number in range(3):
        if asker.kind == "repair":
            # Each repair follows an answer, which ends the row of failures: the third in a row is it.
            Provider.objects.update(failures=number)
        clock.shift(5)
        assert asker.ask(BROKEN)
        if asker.kind == "repair":
            judge.refresh_from_db()
            assert judge.failures == 1
            return

    judge.refresh_from_db()
    assert judge.failures == providers.FAILURES_TO_OPEN
    assert judge not in Provider.objects.usable(timezone.now())
    assert_books_are_right(fake_model)


@pytest.mark.parametrize("kind", ["explain", "second_look", "check"])
def test_an_answer_closes_the_breaker_whatever_was_asked(kind, judge, alice, fake_model, clock):
    asker = Asker(kind, alice, fake_model)
    providers.note_throttled(judge, NOW, NOW)
    Provider.objects.update(failures=3, opened_at=NOW, open_until=NOW + dt.timedelta(seconds=20))
    clock.shift(21)

    assert asker.ask()

    judge.refresh_from_db()
    assert (judge.failures, judge.open_until, judge.opened_at) == (0, None, None)
    assert (judge.calls_at_once, judge.answers_since_growth) == (4, 1)


# --- obeying ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["explain", "second_look"])
def test_a_question_waits_while_the_provider_is_paused(kind, judge, alice, fake_model, clock):
    asker = Asker(kind, alice, fake_model)
    getattr(asker, f"_{kind}")(None)
    asked = len(fake_model.requests)
    providers.pause(judge, NOW, 60)

    asker.go()
    assert len(fake_model.requests) == asked
    clock.shift(61)
    asker.go()

    assert len(fake_model.requests) == asked + 1
    assert_books_are_right(fake_model)


def test_no_repair_is_made_of_a_provider_that_was_paused_meanwhile(judge, alice, fake_model, clock):
    asker = Asker("repair", alice, fake_model)
    asker._repair(None)
    # Another call, sent before, is refused while this one is answered.
    providers.pause(judge, NOW + dt.timedelta(seconds=1), 60)

    asker.go()

    assert len(fake_model.requests) == 1
    score = Score.objects.get()
    assert score.reason and not score.is_language_right
    assert not Call.objects.filter(kind=Call.Kind.REPAIR).exists()


@pytest.mark.parametrize("kind", ["explain", "second_look", "check"])
def test_no_question_is_sent_beyond_what_may_be_in_flight(kind, judge, alice, fake_model, clock):
    asker = Asker(kind, alice, fake_model)
    Provider.objects.update(concurrency=1)
    getattr(asker, f"_{kind}")(None)
    asked = len(fake_model.requests)
    factories.edition_to_read(factories.profile(factories.user()), papers(1))
    block = judging.claim(timezone.now())
    assert block is not None, "a question that nobody has sent is not in flight"

    asker.go()
    assert len(fake_model.requests) == asked
    judging.judge_block(block)
    asker.go()

    assert len(fake_model.requests) == asked + 2


def test_a_check_asks_a_server_behind_our_breaker_but_none_that_asked_to_wait(judge, fake_model, clock):
    checking.ask(judge, None, NOW)
    providers.pause(judge, NOW, 60)
    assert checkup.claim(NOW) is None
    assert checkup.check_up(Provider.objects.get()).problem == "rate_limited"
    assert not fake_model.requests

    Provider.objects.update(failures=providers.FAILURES_TO_OPEN)
    checkup.answer(checkup.claim(NOW))

    judge.refresh_from_db()
    assert (judge.failures, judge.open_until) == (0, None)
    assert room.ready(judge.pk, NOW)


def test_a_check_that_is_answered_lifts_a_stop_and_keeps_what_a_429_taught(judge, fake_model, clock):
    providers.note_throttled(judge, NOW, NOW)
    providers.stop(judge, "unauthorized", NOW)

    checkup.check_up(Provider.objects.get())

    judge.refresh_from_db()
    assert (judge.paused_at, judge.calls_at_once) == (None, 4)


# --- an answer that comes late ---------------------------------------------------------------------


def a_late_answer(clock):
    """One call is sent, then three others break down; then the first is answered after all."""
    factories.edition_to_read(factories.profile(factories.user()), papers(80))
    late, *others = [judging.claim(timezone.now()) for _ in range(4)]
    assert budget.mark_sent(late.hold)
    answer = llm.judge(late.prompt, providers.endpoint_of(late.provider))
    clock.shift(5)
    return late, others, answer


def books_it_late(judge, fake_model, clock):
    late, others, answer = a_late_answer(clock)
    fake_model.settings.faults.add(*[BROKEN] * 3)
    for block in others:
        judging.judge_block(block)
    clock.shift(2)
    judging.book(late, answer)
    judge.refresh_from_db()
    return judge


def test_a_late_answer_does_not_end_a_pause_that_began_after_its_call(judge, fake_model, clock):
    provider = books_it_late(judge, fake_model, clock)

    assert provider.failures == providers.FAILURES_TO_OPEN
    assert provider.open_until == NOW + dt.timedelta(seconds=5 + providers.FIRST_PAUSE_SECONDS)
    assert Score.objects.exists(), "the answer itself is good"

    clock.shift(providers.FIRST_PAUSE_SECONDS)
    judging.judge_block(judging.claim(timezone.now()))
    provider.refresh_from_db()
    assert (provider.failures, provider.open_until, provider.opened_at) == (0, None, None)


def test_the_control_that_takes_any_answer_ends_the_pause(judge, fake_model, clock, monkeypatch):
    monkeypatch.setattr(health, "_knew_of_pause", lambda sent_at: Q())

    assert books_it_late(judge, fake_model, clock).open_until is None


def test_a_late_answer_does_not_end_what_a_429_asked_for_nor_grows_what_it_took(judge, clock):
    providers.note_throttled(judge, NOW, NOW)
    providers.pause(judge, NOW, 60)

    providers.note_success(judge, NOW - dt.timedelta(seconds=3))

    judge.refresh_from_db()
    assert judge.open_until == NOW + dt.timedelta(seconds=60)
    assert judge.answers_since_growth == 0


def test_a_late_breakdown_does_not_lengthen_the_pause_after_it(judge):
    for _ in range(3):
        providers.note_failure(judge, NOW, NOW)
    after = NOW + dt.timedelta(seconds=providers.FIRST_PAUSE_SECONDS + 1)

    providers.note_failure(judge, NOW - dt.timedelta(seconds=60), after)

    judge.refresh_from_db()
    assert judge.failures == providers.FAILURES_TO_OPEN
    assert judge in Provider.objects.usable(after)
