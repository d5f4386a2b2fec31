"""Tokens on top of a limit: at once, until an instant, once."""

import datetime as dt
import threading

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import Http404

from profiles import quotas, top_ups
from profiles.models import AuditEvent, Period, Role, Scope, TopUp
from scoring import budget
from scoring.budget import limits, windows
from scoring.models import BudgetWindow, Call, Hold
from scoring.usage import Usage
from tests import factories

NOW = dt.datetime(2026, 1, 28, 10, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
pytestmark = pytest.mark.django_db


class Lab:
    """Bob may spend 100 a day; the pool and the instance have plenty."""

    def __init__(self):
        self.alice, self.bob = factories.user("alice@example.org"), factories.user("bob@example.org")
        self.team = factories.team(self.alice, self.bob, slug="lab")
        self.bobs = self.bob.memberships.get()
        self.subject = quotas.member(self.bobs)
        factories.quota(Scope.MEMBER, 100, team=self.team, membership=self.bobs)
        self.profile = factories.profile(self.bob, team=self.team)
        self.judge = factories.provider("http://127.0.0.1:9/v1")

    def hold(self, tokens, now=NOW):
        call = factories.call(self.profile, self.judge, kind="explain", outcome="answered")
        return budget.hold(call, tokens, budget.legs_of(self.profile, self.judge), now=now)

    def spend(self, tokens, now=NOW):
        held = self.hold(tokens, now)
        assert isinstance(held, Hold), held
        return budget.settle(held, Usage(tokens, 0), now=now)

    def give(self, tokens, ends_at, now=NOW, by=None):
        budget.give_top_up(by or self.alice, self.subject, tokens, ends_at, now=now)
        return TopUp.objects.latest("pk")

    def window(self, now=NOW, period="day"):
        return BudgetWindow.objects.get(
            scope=Scope.MEMBER, subject_id=self.bobs.pk, period=period, starts_at__lte=now, ends_at__gt=now
        )

    def most(self, now=NOW):
        """The most that a hold can take now, by trying."""
        for tokens in range(400, 0, -10):
            held = self.hold(tokens, now)
            if isinstance(held, Hold):
                budget.release(held, now=now)
                return tokens
        return 0


def audited(now):
    """The audit, without the calls of refused holds: a worker's transaction takes those back."""
    Call.objects.filter(hold=None).delete()
    return budget.audit(now)


@pytest.fixture
def lab():
    return Lab()


def test_a_top_up_raises_every_open_window_at_once(lab):
    for period in (Period.WEEK, Period.MONTH):
        budget.change_quota(None, lab.subject, period, 500, now=NOW)
    lab.spend(100)

    lab.give(50, NOW + 3 * HOUR)

    assert [lab.window(period=period).limit_tokens for period in Period] == [150, 550, 550]
    lab.spend(50)
    assert lab.hold(1).limit == 150
    assert audited(NOW) == []


def test_a_new_day_has_only_what_is_left_of_it(lab):
    lab.give(50, NOW + 5 * DAY)
    lab.spend(130)

    lab.spend(10, NOW + DAY)
    assert lab.window(NOW + DAY).limit_tokens == 120
    lab.spend(105, NOW + DAY)

    assert lab.most(NOW + 2 * DAY) == 100
    assert lab.window(NOW).topped_up_by == {str(TopUp.objects.get().pk): 30}
    assert lab.window(NOW + DAY).topped_up_by == {str(TopUp.objects.get().pk): 15}
    assert lab.window(NOW + 2 * DAY).limit_tokens == 105
    assert audited(NOW + 2 * DAY) == []


def test_an_unused_top_up_is_there_on_each_day_until_it_is_used(lab):
    lab.give(50, NOW + 9 * DAY)

    assert [lab.most(NOW + n * DAY) for n in range(3)] == [150, 150, 150]
    lab.spend(150, NOW + 3 * DAY)
    assert lab.most(NOW + 4 * DAY) == 100


def test_a_spent_top_up_is_not_renewed_by_a_week_of_new_days(lab):
    budget.change_quota(None, lab.subject, Period.WEEK, 10_000, now=NOW)
    lab.give(50, NOW + 20 * DAY)
    lab.spend(150)

    spent = [lab.most(NOW + n * DAY) for n in range(1, 15)]

    assert spent == [100] * 14
    assert audited(NOW + 15 * DAY) == []


def test_at_its_end_the_rest_is_gone_without_a_tick(lab):
    end = NOW + 3 * HOUR
    lab.give(50, end)
    lab.spend(100)

    assert isinstance(lab.hold(40, end - dt.timedelta(microseconds=1)), Hold)
    refused = lab.hold(1, end)

    assert (refused.limit, refused.used, refused.held) == (100, 100, 40)
    assert lab.window().revise_at is None
    assert audited(end) == []


def test_what_a_running_call_holds_of_an_ended_top_up_is_still_booked(lab):
    end = NOW + HOUR
    lab.give(50, end)
    held = lab.hold(150, NOW)
    assert lab.hold(1, end).limit == 100

    budget.settle(held, Usage(140, 0), now=end)

    assert (lab.window().used_tokens, lab.window().limit_tokens) == (140, 100)
    assert audited(end) == []


def test_what_was_used_of_an_ended_top_up_is_not_taken_from_the_next(lab):
    lab.give(50, NOW + HOUR)
    lab.spend(130)
    after = NOW + 2 * HOUR
    assert lab.most(after) == 0

    lab.give(70, NOW + 9 * HOUR, now=after)

    assert lab.most(after) == 70
    assert audited(after) == []


def test_of_several_the_one_that_ends_first_is_used_first(lab):
    late = lab.give(100, NOW + 5 * DAY)
    early = lab.give(50, NOW + 3 * HOUR)
    lab.spend(140)

    lab.hold(0, NOW + 4 * HOUR)

    assert lab.window().topped_up_by == {str(early.pk): 40, str(late.pk): 100}
    assert lab.most(NOW + DAY) == 200


def test_a_call_with_a_late_clock_cannot_spend_what_has_moved_to_the_new_day(lab):
    lab.give(50, NOW + 5 * DAY)
    midnight = NOW.replace(hour=0) + DAY
    lab.spend(100)

    lab.hold(0, midnight)
    late = lab.hold(50, midnight - dt.timedelta(seconds=1))

    assert not isinstance(late, Hold)
    assert lab.most(midnight) == 150
    assert audited(midnight) == []


def test_a_clock_that_is_set_back_finds_the_top_up_once(lab):
    lab.give(50, NOW + 5 * DAY)
    lab.spend(120, NOW + DAY)
    budget.change_quota(None, lab.subject, Period.DAY, 90, now=NOW)

    assert lab.most(NOW) == 120
    lab.spend(120, NOW)

    assert lab.hold(1, NOW + DAY).limit == 110
    assert audited(NOW + DAY) == []


def test_a_revoked_top_up_blocks_new_holds_and_lets_running_ones_settle(lab):
    given = lab.give(50, NOW + DAY)
    lab.spend(100)
    running = lab.hold(30)

    assert budget.revoke_top_up(lab.alice, given, now=NOW)
    assert not budget.revoke_top_up(lab.alice, given, now=NOW)

    assert lab.hold(1).limit == 100
    budget.settle(running, Usage(30, 0), now=NOW)
    assert audited(NOW) == []
    assert list(AuditEvent.objects.values_list("code", flat=True)) == ["top_up.given", "top_up.revoked"]


def test_a_top_up_unblocks_the_edition_that_waited(lab):
    lab.spend(100)
    edition = factories.edition(lab.profile, state="screened")
    assert budget.block(edition, lab.hold(10))

    assert budget.give_top_up(lab.alice, lab.subject, 10, NOW + HOUR, now=NOW) == [edition]

    edition.refresh_from_db()
    assert edition.blocked_until is None


def test_looking_shows_what_a_hold_would_find(lab):
    lab.give(50, NOW + HOUR)
    lab.spend(100)
    [leg] = [leg for leg in budget.legs_of(lab.profile, lab.judge) if leg.scope == Scope.MEMBER]

    limit = lambda now: budget.figures_of([leg], now)[leg][0].limit  # noqa: E731

    assert (limit(NOW), limit(NOW + HOUR), limit(NOW + DAY)) == (150, 100, 100)
    assert lab.window().limit_tokens == 150
    assert budget.revise_due(NOW + HOUR) == 1
    assert lab.window().limit_tokens == 100


def test_reconcile_knows_top_ups(lab):
    lab.give(50, NOW + DAY)
    lab.spend(10)
    assert budget.reconcile(NOW) == []
    BudgetWindow.objects.filter(pk=lab.window().pk).update(
        limit_tokens=7, topped_up_tokens=0, topped_up_by={}
    )

    [repair] = budget.reconcile(NOW)

    assert (repair.before["limit_tokens"], repair.after["limit_tokens"]) == (7, 150)


def test_audit_finds_a_top_up_that_was_given_twice(lab):
    given = lab.give(50, NOW + 5 * DAY)
    lab.spend(150)
    lab.spend(10, NOW + DAY)
    BudgetWindow.objects.filter(pk=lab.window(NOW + DAY).pk).update(
        limit_tokens=150, topped_up_tokens=50, topped_up_by={str(given.pk): 50}
    )

    assert [each.invariant for each in audited(NOW + DAY)] == ["a top-up was given more than once"]


@pytest.mark.parametrize(
    ("tokens", "ends", "words"),
    [
        (0, DAY, "at least one"),
        (-5, DAY, "at least one"),
        (10**12 + 1, DAY, "at most"),
        (2.5, DAY, "whole number"),
        (5, -HOUR, "in the past"),
        (5, 367 * DAY, "within a year"),
    ],
)
def test_a_wrong_top_up_has_its_own_message_and_gives_nothing(lab, tokens, ends, words):
    with pytest.raises(ValidationError, match=words):
        lab.give(tokens, NOW + ends)

    assert not TopUp.objects.exists()


def test_who_may_give(lab):
    admin, rival, staff = factories.user(), factories.user(), factories.user(is_staff=True)
    factories.membership(lab.team, admin, Role.ADMIN)
    end = NOW + DAY

    lab.give(1, end, by=admin)
    for nobody, refusal in ((lab.bob, PermissionDenied), (rival, Http404)):
        with pytest.raises(refusal):
            lab.give(1, end, by=nobody)
    with pytest.raises(ValidationError, match="Only the operator"):
        budget.give_top_up(lab.alice, quotas.pool(lab.team), 1, end, now=NOW)
    with pytest.raises(PermissionDenied):
        budget.give_top_up(lab.alice, quotas.instance(), 1, end, now=NOW)
    with pytest.raises(ValidationError, match="default"):
        budget.give_top_up(staff, quotas.member_default(lab.team), 1, end, now=NOW)
    budget.give_top_up(staff, quotas.pool(lab.team), 1, end, now=NOW)
    budget.give_top_up(staff, quotas.instance(), 1, end, now=NOW)

    assert TopUp.objects.count() == 3


def test_a_foreign_subject_is_not_topped_up_by_another_team(lab):
    theirs = factories.team(factories.user("eve@example.org"))
    eve = theirs.memberships.get().user

    with pytest.raises(Http404):
        top_ups.give(eve, lab.subject, 5, NOW + DAY, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_no_thread_gets_past_the_limit_at_the_end_of_a_top_up(lab):
    end = NOW + HOUR
    lab.give(100, end)
    lab.spend(95)

    admitted = _race(lab, [end - dt.timedelta(seconds=1), end], threads=12)

    before = sum(1 for now, held in admitted if held and now < end)
    after = sum(1 for now, held in admitted if held and now >= end)
    assert before + after <= 10
    assert after == 0 or lab.window().used_tokens + lab.window().held_tokens <= 100
    assert lab.window().limit_tokens == 100
    assert audited(end) == []
    assert not isinstance(lab.hold(10, end), Hold)


@pytest.mark.django_db(transaction=True)
def test_without_the_revision_a_thread_gets_past_the_limit(lab, monkeypatch):
    """The control: windows that are never computed anew admit after the end."""
    end = NOW + HOUR
    lab.give(100, end)
    lab.spend(95)
    monkeypatch.setattr(limits, "is_stale", lambda window, now: False)

    admitted = _race(lab, [end], threads=4)

    assert [held for _, held in admitted] == [True] * 4
    assert windows.in_force.is_stale(lab.window(), end) is False


@pytest.mark.django_db(transaction=True)
def test_many_threads_open_a_new_day_with_what_is_left_once(lab):
    lab.give(100, NOW + 5 * DAY)
    lab.spend(150)
    midnight = NOW.replace(hour=0) + DAY

    admitted = _race(lab, [midnight - dt.timedelta(seconds=1), midnight], threads=24)

    day_before = lab.window(NOW)
    today = lab.window(midnight)
    assert sum(tokens for row in (day_before, today) for tokens in row.topped_up_by.values()) <= 100
    gone = day_before.used_tokens + day_before.held_tokens + today.used_tokens + today.held_tokens
    assert gone <= 300
    assert any(held for _, held in admitted)
    assert audited(midnight) == []


def _race(lab, instants, threads):
    """Holds of 10 tokens at once, at these instants by turns; whether each was admitted."""
    barrier, admitted, lock = threading.Barrier(threads), [], threading.Lock()
    calls = [
        factories.call(lab.profile, lab.judge, kind="explain", outcome="answered") for _ in range(threads)
    ]
    legs = budget.legs_of(lab.profile, lab.judge)

    def run(number):
        now = instants[number % len(instants)]
        try:
            barrier.wait()
            held = budget.hold(calls[number], 10, legs, now=now)
            with lock:
                admitted.append((now, isinstance(held, Hold)))
        finally:
            connection.close()

    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(admitted) == threads
    return admitted
