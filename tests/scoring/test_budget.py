"""Tokens are held before a call and settled after it, on every level at once."""

import datetime as dt

import pytest

from profiles import quotas
from profiles.models import Period, Role, Scope
from scoring import budget
from scoring.models import BudgetWindow, Call, Hold, LedgerEntry
from scoring.usage import Usage
from tests import factories

NOW = dt.datetime(2026, 1, 30, 12, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(seconds=budget.LEASE_SECONDS + 1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab():
    """Alice owns, Bob belongs; Bob reads by a provider that costs 1 dollar in, 4 dollars out a million."""
    return Lab()


class Lab:
    def __init__(self):
        self.alice, self.bob = factories.user("alice@example.org"), factories.user("bob@example.org")
        self.team = factories.team(self.alice, self.bob)
        self.profile = factories.profile(self.bob, team=self.team)
        self.provider = factories.provider(
            "http://127.0.0.1:9/v1", price_input_microusd=1_000_000, price_output_microusd=4_000_000
        )
        self.bobs = self.bob.memberships.get()
        self.legs = budget.legs_of(self.profile, self.provider)

    def limit(self, subject, tokens, period=Period.DAY):
        return budget.change_quota(None, subject, period, tokens, now=NOW)

    def call(self, **fields):
        return factories.call(self.profile, self.provider, **fields)

    def hold(self, tokens, now=NOW):
        """As a claim does: a refusal leaves no call behind."""
        call = self.call()
        answer = budget.hold(call, tokens, self.legs, now=now)
        if isinstance(answer, budget.Refusal):
            call.delete()
        return answer


def windows():
    return {(Scope(row.scope), row.period): row for row in BudgetWindow.objects.all()}


def figures():
    return {
        Scope(row.scope): (row.used_tokens, row.held_tokens, row.overrun_tokens)
        for row in BudgetWindow.objects.filter(period="day")
    }


def test_a_hold_takes_on_every_level(lab):
    held = lab.hold(1_000)

    assert isinstance(held, Hold)
    assert figures() == {
        Scope.INSTANCE: (0, 1_000, 0),
        Scope.TEAM: (0, 1_000, 0),
        Scope.MEMBER: (0, 1_000, 0),
    }
    lines = LedgerEntry.objects.filter(hold=held).order_by("window__scope")
    assert [(line.kind, line.tokens, line.limit_tokens, line.sum_before) for line in lines] == [
        ("hold", 1_000, 2_000_000, 0),
        ("hold", 1_000, 1_000_000, 0),
        ("hold", 1_000, 250_000, 0),
    ]
    assert budget.audit(NOW) == []


def test_a_refusal_names_the_first_full_window_and_takes_nothing(lab):
    lab.limit(quotas.pool(lab.team), 2_500)
    lab.hold(2_000)

    refused = lab.hold(501)

    assert isinstance(refused, budget.Refusal)
    assert (refused.scope, refused.subject_id, refused.period) == (Scope.TEAM, lab.team.pk, Period.DAY)
    assert (refused.limit, refused.used, refused.held, refused.free) == (2_500, 0, 2_000, 500)
    assert refused.resets_at == dt.datetime(2026, 1, 31, tzinfo=dt.UTC)
    assert set(figures().values()) == {(0, 2_000, 0)}
    assert isinstance(lab.hold(500), Hold)


def test_settling_books_the_real_usage_and_its_cost(lab):
    held = lab.hold(1_000)
    assert budget.mark_sent(held, now=NOW)

    settled = budget.settle(held, Usage(600, 100, cached_tokens=200, reasoning_tokens=40), now=NOW)

    assert (settled.state, settled.used_tokens) == ("settled", 700)
    assert set(figures().values()) == {(700, 0, 0)}
    assert {row.cost_microusd for row in windows().values()} == {1_000}
    call = Call.objects.get(pk=held.call_id)
    assert (call.input_tokens, call.cached_tokens, call.reasoning_tokens) == (600, 200, 40)
    assert call.cost_microusd == 1_000


def test_a_bill_above_the_limit_is_booked_and_closes_the_window(lab):
    lab.limit(quotas.member(lab.bobs), 1_000)
    held = lab.hold(1_000)

    budget.settle(held, Usage(1_500, 100), now=NOW)

    assert figures()[Scope.MEMBER] == (1_600, 0, 600)
    assert isinstance(lab.hold(1), budget.Refusal)
    assert isinstance(lab.hold(0), Hold)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        Usage(0, 0),
        Usage(-5, 10),
        Usage(10**12, 1),
        Usage("600", 1),
        Usage(True, 1),
        Usage(10, 1, cached_tokens=11),
        Usage(float("nan"), 1),
    ],
)
def test_a_bill_that_cannot_be_books_the_hold_in_full_and_is_flagged(lab, usage):
    held = lab.hold(1_000)

    settled = budget.settle(held, usage, now=NOW)

    assert (settled.used_tokens, settled.is_flagged) == (1_000, True)
    assert Call.objects.get(pk=held.call_id).is_usage_flagged
    assert set(figures().values()) == {(1_000, 0, 0)}


def test_a_hold_ends_once(lab):
    held = lab.hold(1_000)
    budget.settle(held, Usage(500, 0), now=NOW)

    with pytest.raises(budget.HoldEnded):
        budget.settle(held, Usage(500, 0), now=NOW)

    assert not budget.release(held, now=NOW)
    assert not budget.assume(held, now=NOW)
    assert not budget.true_up(held, Usage(1, 1), now=NOW)
    assert set(figures().values()) == {(500, 0, 0)}


def test_a_repeated_hold_of_one_call_is_the_same_hold(lab):
    call = lab.call()

    first = budget.hold(call, 1_000, lab.legs, now=NOW)
    second = budget.hold(call, 1_000, lab.legs, now=NOW)

    assert first == second
    assert set(figures().values()) == {(0, 1_000, 0)}


def test_an_unsent_hold_is_released_by_the_reaper_and_a_sent_one_assumed(lab):
    unsent, sent = lab.hold(1_000), lab.hold(300)
    budget.mark_sent(sent, now=NOW)

    assert budget.reap(NOW).released == []
    reaped = budget.reap(LATER)

    assert (reaped.released, reaped.assumed) == ([unsent], [sent])
    assert set(figures().values()) == {(300, 0, 0)}
    assert Call.objects.get(pk=sent.call_id).outcome == "assumed"
    assert not budget.mark_sent(unsent, now=LATER)
    assert budget.audit(LATER) == []


def test_a_late_finisher_trues_up_once_in_the_windows_of_its_hold(lab):
    held = lab.hold(1_000)
    budget.mark_sent(held, now=NOW)
    tomorrow = NOW + dt.timedelta(days=1)
    budget.reap(tomorrow)

    assert budget.true_up(held, Usage(1_200, 0), now=tomorrow)
    assert not budget.true_up(held, Usage(5, 0), now=tomorrow)

    assert set(figures().values()) == {(1_200, 0, 200)}
    assert {row.cost_microusd for row in windows().values()} == {1_200}
    assert budget.audit(tomorrow) == []


def test_true_up_gives_back_what_was_assumed_too_much(lab):
    held = lab.hold(1_000)
    budget.mark_sent(held, now=NOW)
    budget.reap(LATER)

    assert budget.true_up(held, Usage(200, 10), now=LATER)

    assert set(figures().values()) == {(210, 0, 0)}
    assert {row.cost_microusd for row in windows().values()} == {240}
    assert budget.audit(LATER) == []


def test_a_sent_mark_finds_an_open_hold_within_its_lease(lab):
    ended, lapsed = lab.hold(10), lab.hold(10)
    budget.release(ended, now=NOW)

    assert not budget.mark_sent(ended, now=NOW)
    assert not budget.mark_sent(lapsed, now=LATER)


def test_a_limit_lowered_below_use_refuses_new_holds_and_lets_running_ones_settle(lab):
    running = lab.hold(1_000)

    lab.limit(quotas.member(lab.bobs), 400)

    assert isinstance(lab.hold(1), budget.Refusal)
    budget.settle(running, Usage(900, 0), now=NOW)
    Call.objects.filter(pk=running.call_id).update(outcome="garbled")
    assert figures()[Scope.MEMBER] == (900, 0, 0)
    assert budget.audit(NOW) == []


def test_a_call_held_before_midnight_is_charged_to_that_day(lab):
    late = dt.datetime(2026, 1, 30, 23, 59, 59, tzinfo=dt.UTC)
    held = lab.hold(1_000, now=late)

    budget.settle(held, Usage(700, 0), now=late + dt.timedelta(seconds=6))
    lab.hold(10, now=late + dt.timedelta(seconds=6))

    days = BudgetWindow.objects.filter(scope=Scope.TEAM).order_by("starts_at")
    assert [(day.used_tokens, day.held_tokens) for day in days] == [(700, 0), (0, 10)]


def test_a_team_with_its_own_key_touches_no_instance_window(lab):
    own = factories.provider("http://127.0.0.1:9/v1", team=lab.team)

    assert [leg.scope for leg in budget.legs_of(lab.profile, own)] == [Scope.TEAM, Scope.MEMBER]


def test_the_local_judge_holds_nothing_and_settles(lab):
    local = factories.provider()
    legs = budget.legs_of(lab.profile, local)

    held = budget.hold(factories.call(lab.profile, local), 0, legs, now=NOW)
    settled = budget.settle(held, None, now=NOW)

    assert (settled.state, settled.is_flagged) == ("settled", False)
    assert not BudgetWindow.objects.exists()


def test_a_team_profile_is_paid_by_its_share(lab):
    shared = factories.profile(None, team=lab.team)

    legs = budget.legs_of(shared, lab.provider)

    assert [(leg.scope, leg.subject_id) for leg in legs] == [
        (Scope.INSTANCE, 0),
        (Scope.TEAM, lab.team.pk),
        (Scope.SHARE, shared.pk),
    ]


def test_nobody_pays_for_who_left_or_only_looks(lab):
    lab.bobs.role = Role.VIEWER
    lab.bobs.save(update_fields=["role"])
    with pytest.raises(budget.NoPayer):
        budget.legs_of(lab.profile, lab.provider)

    lab.bobs.delete()
    with pytest.raises(budget.NoPayer):
        budget.legs_of(lab.profile, lab.provider)


def test_week_and_month_count_beside_the_day(lab):
    lab.limit(quotas.member(lab.bobs), 1_500, Period.WEEK)
    lab.hold(1_000)

    refused = lab.hold(600)

    assert (refused.scope, refused.period) == (Scope.MEMBER, Period.WEEK)
    assert refused.resets_at == dt.datetime(2026, 2, 2, tzinfo=dt.UTC)
    assert (Scope.MEMBER, "week") in windows()
    assert (Scope.TEAM, "week") not in windows()
