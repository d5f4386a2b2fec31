"""The books against a model in a dict, over every order of events that Hypothesis can think of.

The same machine must notice books that are wrong: each mutant below replaces one statement of
`scoring.budget.moves`, and a test asserts that it is caught.
"""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from profiles import quotas
from profiles.models import Period, Scope
from scoring import budget
from scoring.budget import moves
from scoring.models import BudgetWindow, Hold
from scoring.usage import Usage
from tests import factories

START = dt.datetime(2026, 1, 30, 20, 0, tzinfo=dt.UTC)
LEASE = dt.timedelta(seconds=budget.LEASE_SECONDS)
LIMITS = {"instance": 120, "team": 90, "alice": 60, "bob": 60}
# Round figures, so that sums meet limits exactly.
TOKENS = st.sampled_from([10, 20, 30, 60, 0])

pytestmark = pytest.mark.django_db


class Model:
    """What must be true, in twenty lines: windows by (name, day) as [limit, used, held, overrun]."""

    def __init__(self):
        self.limits, self.windows, self.holds = dict(LIMITS), {}, {}

    def window(self, name, day):
        return self.windows.setdefault((name, day), [self.limits[name], 0, 0, 0])

    def hold(self, key, who, day, tokens):
        legs = [self.window(name, day) for name in ("instance", "team", who)]
        if tokens and any(used + held + tokens > limit for limit, used, held, _ in legs):
            return False
        for leg in legs:
            leg[2] += tokens
        self.holds[key] = {"state": "open", "tokens": tokens, "legs": legs, "sent": False, "trued": False}
        return True

    def end(self, key, state, used):
        hold = self.holds[key]
        if hold["state"] != "open":
            return False
        hold["state"], hold["used"] = state, used
        for leg in hold["legs"]:
            leg[1], leg[2] = leg[1] + used, leg[2] - hold["tokens"]
            leg[3] += max(0, used - hold["tokens"]) if state != "released" else 0
        return True


class Books(RuleBasedStateMachine):
    """Two members of one team, over some days, doing everything at any time."""

    holds = Bundle("holds")

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.model, self.now, self.leases = Model(), START, {}

    def teardown(self):
        # A broken database transaction cannot answer; whatever broke it was raised already.
        try:
            if not transaction.get_connection().needs_rollback:
                budget.reap(self.now)
                assert budget.audit(self.now) == []
        finally:
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    @initialize()
    def people(self):
        alice, bob = factories.user(), factories.user()
        team = factories.team(alice, bob)
        self.provider = factories.provider("http://127.0.0.1:9/v1")
        self.profiles = {
            "alice": factories.profile(alice, team=team),
            "bob": factories.profile(bob, team=team),
        }
        self.subjects = {
            "instance": quotas.instance(),
            "team": quotas.pool(team),
            "alice": quotas.member(alice.memberships.select_related("team").get()),
            "bob": quotas.member(bob.memberships.select_related("team").get()),
        }
        for name, tokens in LIMITS.items():
            quotas.set_quota(None, self.subjects[name], Period.DAY, tokens)

    @property
    def day(self):
        return self.now.date()

    @rule(target=holds, who=st.sampled_from(["alice", "bob"]), tokens=TOKENS)
    def hold(self, who, tokens):
        call = factories.call(self.profiles[who], self.provider, outcome="garbled")
        legs = budget.legs_of(self.profiles[who], self.provider)
        answer = budget.hold(call, tokens, legs, now=self.now)
        admitted = self.model.hold(call.pk, who, self.day, tokens)
        assert isinstance(answer, Hold) is admitted
        if not admitted:
            assert answer.free < tokens
            call.delete()
            return multiple()
        self.leases[call.pk] = self.now + LEASE
        return answer

    @rule(hold=holds)
    def mark_sent(self, hold):
        known = self.model.holds[hold.call_id]
        may = known["state"] == "open" and not known["sent"] and self.leases[hold.call_id] > self.now
        assert budget.mark_sent(hold, now=self.now) is may
        if may:
            known["sent"], self.leases[hold.call_id] = True, self.now + LEASE

    @rule(hold=holds, used=st.none() | st.sampled_from([10, 30, 1, 120]))
    def settle(self, hold, used):
        usage = None if used is None else Usage(used, 0)
        expected = hold.held_tokens if used is None else used
        if self.model.end(hold.call_id, "settled", expected):
            budget.settle(hold, usage, now=self.now)
            return
        with pytest.raises(budget.HoldEnded):
            budget.settle(hold, usage, now=self.now)

    @rule(hold=holds)
    def release(self, hold):
        assert budget.release(hold, now=self.now) is self.model.end(hold.call_id, "released", 0)

    @rule(hold=holds)
    def assume(self, hold):
        expected = self.model.end(hold.call_id, "assumed", hold.held_tokens)
        assert budget.assume(hold, now=self.now) is expected

    @rule(hold=holds, used=st.sampled_from([10, 30, 1, 120]))
    def true_up(self, hold, used):
        known = self.model.holds[hold.call_id]
        may = known["state"] == "assumed" and not known["trued"]
        assert budget.true_up(hold, Usage(used, 0), now=self.now) is may
        if may:
            known["trued"] = True
            for leg in known["legs"]:
                leg[1] += used - known["tokens"]
                leg[3] += max(0, used - known["tokens"])

    @rule()
    def reap(self):
        reaped = budget.reap(self.now)
        ended = {hold.call_id for hold in reaped.released + reaped.assumed}
        due = {key for key, hold in self.model.holds.items() if hold["state"] == "open"}
        assert ended == {key for key in due if self.leases[key] < self.now}
        for key in ended:
            hold = self.model.holds[key]
            self.model.end(key, *(("assumed", hold["tokens"]) if hold["sent"] else ("released", 0)))

    @rule(minutes=st.sampled_from([5, 1, 300]))
    def time_passes(self, minutes):
        self.now += dt.timedelta(minutes=minutes)

    @rule(name=st.sampled_from(sorted(LIMITS)), tokens=st.sampled_from([60, 0, 20, 30, 90, 150]))
    def change_quota(self, name, tokens):
        budget.change_quota(None, self.subjects[name], Period.DAY, tokens, now=self.now)
        self.model.limits[name] = tokens
        if (name, self.day) in self.model.windows:
            self.model.windows[name, self.day][0] = tokens

    @invariant()
    def the_rows_are_the_model(self):
        ids = {
            (name, subject.leg.scope, subject.leg.subject_id)
            for name, subject in getattr(self, "subjects", {}).items()
        }
        rows = {
            (name, row.starts_at.date()): [
                row.limit_tokens, row.used_tokens, row.held_tokens, row.overrun_tokens
            ]
            for row in BudgetWindow.objects.all()
            for name, scope, subject_id in ids
            if (row.scope, row.subject_id) == (scope, subject_id)
        }  # fmt: skip
        for key, expected in self.model.windows.items():
            assert rows[key] == expected, key


PROVE = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
CATCH = settings(PROVE, max_examples=200, phases=[Phase.generate], report_multiple_bugs=False)


def test_the_books_agree_with_the_model_whatever_happens():
    run_state_machine_as_test(Books, settings=PROVE)


# --- mutants ---------------------------------------------------------------------------------------


def without_compare_and_swap(hold_id, state, used, now, *, flagged, **where):
    Hold.objects.filter(pk=hold_id).update(state=state, used_tokens=used, ended_at=now)
    return True


def releasing_the_wrong_amount(window_ids, tokens):
    BudgetWindow.objects.filter(pk__in=window_ids).update(held_tokens=F("held_tokens") - tokens // 2)


def with_the_second_level_unchecked(window_ids, tokens):
    windows = BudgetWindow.objects.filter(pk__in=window_ids)
    if tokens:
        fits = Q(limit_tokens__gte=F("used_tokens") + F("held_tokens") + tokens)
        windows = windows.filter(fits | Q(scope=Scope.TEAM))
    return windows.update(held_tokens=F("held_tokens") + tokens)


def forgetting_what_is_held(window_ids, tokens):
    windows = BudgetWindow.objects.filter(pk__in=window_ids)
    if tokens:
        windows = windows.filter(limit_tokens__gte=F("used_tokens") + tokens)
    return windows.update(held_tokens=F("held_tokens") + tokens)


def stopping_one_token_short(window_ids, tokens):
    windows = BudgetWindow.objects.filter(pk__in=window_ids)
    if tokens:
        windows = windows.filter(limit_tokens__gt=F("used_tokens") + F("held_tokens") + tokens)
    return windows.update(held_tokens=F("held_tokens") + tokens)


def booking_no_more_than_was_held(window_ids, held, used, cost_microusd):
    BudgetWindow.objects.filter(pk__in=window_ids).update(
        held_tokens=F("held_tokens") - held, used_tokens=F("used_tokens") + min(held, used)
    )


def sending_what_has_lapsed(hold_id, now, lease_until):
    return (
        Hold.objects.open().filter(pk=hold_id, sent_at=None).update(sent_at=now, lease_until=lease_until) == 1
    )


def sending_twice(hold_id, now, lease_until):
    return Hold.objects.open().filter(pk=hold_id).update(sent_at=now, lease_until=lease_until) == 1


def truing_up_again_and_again(hold_id, used):
    row = Hold.objects.filter(pk=hold_id, state=Hold.State.ASSUMED)
    return row.update(is_trued_up=True, used_tokens=used) == 1


MUTANTS = [
    ("end", without_compare_and_swap),
    ("give_back", releasing_the_wrong_amount),
    ("take", with_the_second_level_unchecked),
    ("take", forgetting_what_is_held),
    ("take", stopping_one_token_short),
    ("book", booking_no_more_than_was_held),
    ("send", sending_twice),
    ("send", sending_what_has_lapsed),
    ("true_up", truing_up_again_and_again),
]


@pytest.mark.once
@pytest.mark.parametrize(("move", "mutant"), MUTANTS, ids=[mutant.__name__ for _, mutant in MUTANTS])
def test_the_machine_catches_books_that_go_wrong(monkeypatch, move, mutant):
    monkeypatch.setattr(moves, move, mutant)

    with pytest.raises((AssertionError, IntegrityError, pytest.fail.Exception)):
        run_state_machine_as_test(Books, settings=CATCH)
