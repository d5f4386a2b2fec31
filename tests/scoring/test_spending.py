"""What a payer's day bought: sums that are written with each end, proved by the audit, and made true again."""

import datetime as dt
import importlib

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models import F, Sum

from profiles.models import Membership, Period, Scope
from scoring import budget, leaving
from scoring.models import BudgetWindow, Call, Spending
from scoring.usage import Usage
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 30, 12, 0, tzinfo=dt.UTC)
LEASE = dt.timedelta(seconds=budget.LEASE_SECONDS)
FILLING = "scoring.migrations.0011_fill_spending"
WRONG = "spending is not what the ledger says"


@pytest.fixture
def alice():
    return factories.user("alice@example.org")


@pytest.fixture
def team(alice):
    return factories.team(alice)


@pytest.fixture
def profile(alice, team):
    return factories.profile(alice, team=team)


@pytest.fixture
def provider():
    return factories.provider("http://127.0.0.1:9/v1", price_input_microusd=1_000_000)


@pytest.fixture
def hold(profile, provider):
    def make(tokens=1_000, of=profile, by=provider, now=NOW, **call):
        made = factories.call(of, by, **call)
        return budget.hold(made, tokens, budget.legs_of(of, by), now=now)

    return make


def figures(**where):
    return Spending.objects.filter(**where).values_list("calls", "used_tokens", "assumed_tokens").get()


def found():
    return [each for each in budget.audit(NOW) if each.invariant == WRONG]


def test_what_settles_adds_up_in_one_row_a_profile_judge_and_kind(hold, profile, provider):
    budget.settle(hold(), Usage(700, 100, cached_tokens=300, reasoning_tokens=40), now=NOW)
    budget.settle(hold(), Usage(200, 50), now=NOW)
    budget.settle(hold(kind=Call.Kind.EXPLAIN, outcome="explained"), Usage(10, 5), now=NOW)

    judged = Spending.objects.get(kind=Call.Kind.JUDGE)
    assert (judged.profile_id, judged.provider_model) == (profile.pk, provider.provider_model)
    assert (judged.calls, judged.used_tokens, judged.assumed_tokens) == (2, 1_050, 0)
    assert (judged.input_tokens, judged.cached_tokens) == (900, 300)
    assert (judged.output_tokens, judged.reasoning_tokens) == (150, 40)
    assert judged.window.scope == Scope.MEMBER
    assert figures(kind=Call.Kind.EXPLAIN) == (1, 15, 0)


def test_the_sums_of_a_day_are_those_of_its_window(hold):
    for tokens in (100, 250, 999):
        budget.settle(hold(), Usage(tokens, 1), now=NOW)

    (day,) = BudgetWindow.objects.filter(scope=Scope.MEMBER, period=Period.DAY)
    sums = day.spending.aggregate(tokens=Sum("used_tokens"), cost=Sum("cost_microusd"))
    assert sums == {"tokens": day.used_tokens, "cost": day.cost_microusd}


def test_a_bill_that_cannot_be_one_is_said_to_be_assumed(hold):
    budget.settle(hold(), None, now=NOW)

    assert figures() == (1, 1_000, 1_000)


def test_an_assumed_call_that_answers_late_is_counted_once_at_its_true_usage(hold):
    late = hold()
    budget.mark_sent(late, now=NOW)
    budget.reap(NOW + LEASE + dt.timedelta(seconds=1))
    assert figures() == (1, 1_000, 1_000)

    budget.true_up(late, Usage(600, 10), now=NOW + LEASE)

    assert figures() == (1, 610, 0)
    assert Spending.objects.get().input_tokens == 600
    assert found() == []


def test_a_released_hold_bought_nothing(hold):
    budget.release(hold(), now=NOW)

    assert not Spending.objects.exists()


def test_the_local_judge_writes_none(profile):
    local = factories.provider()
    held = budget.hold(factories.call(profile, local), 0, budget.legs_of(profile, local), now=NOW)

    budget.settle(held, None, papers=20, now=NOW)

    assert not Spending.objects.exists()


def test_a_team_profile_spends_in_its_share(hold, team):
    shared = factories.profile(None, team=team)

    budget.settle(hold(of=shared), Usage(500, 0), now=NOW)

    assert Spending.objects.get().window.scope == Scope.SHARE
    assert found() == []


def test_weeks_and_months_beside_the_day_count_nothing_twice(hold, alice, team):
    mine = Membership.objects.get(team=team, user=alice)
    factories.quota(Scope.MEMBER, 10_000, "week", team=team, membership=mine)

    budget.settle(hold(), Usage(500, 0), now=NOW)

    assert figures() == (1, 500, 0)


def test_a_settling_that_is_undone_leaves_no_sum(hold):
    held = hold()
    budget.settle(held, Usage(500, 0), papers=3, now=NOW)

    with pytest.raises(budget.HoldEnded):
        budget.settle(held, Usage(500, 0), papers=3, now=NOW)

    assert figures() == (1, 500, 0)


# --- proof and repair ------------------------------------------------------------------------------

FAULTS = {
    "tokens": lambda: Spending.objects.update(used_tokens=F("used_tokens") + 1),
    "money": lambda: Spending.objects.update(cost_microusd=F("cost_microusd") - 1),
    "calls": lambda: Spending.objects.update(calls=7),
    "papers that nobody read": lambda: Spending.objects.update(papers=5),
    "cached tokens": lambda: Spending.objects.update(cached_tokens=9),
    "assumed tokens": lambda: Spending.objects.update(assumed_tokens=0),
    "a row gone": lambda: Spending.objects.all().delete(),
    "another judge": lambda: Spending.objects.update(provider_model="other/model"),
    "another profile": lambda: Spending.objects.update(profile_id=987_654),
    "a row too many": lambda: Spending.objects.create(
        window=BudgetWindow.objects.filter(scope=Scope.MEMBER).get(),
        provider_model="other/model",
        kind=Call.Kind.JUDGE,
        used_tokens=4,
    ),
    "a row in another window": lambda: Spending.objects.update(
        window=BudgetWindow.objects.get(scope=Scope.TEAM)
    ),
}


@pytest.mark.parametrize("plant", FAULTS.values(), ids=FAULTS)
def test_each_planted_fault_is_found_and_repaired(hold, plant):
    budget.settle(hold(outcome="garbled"), Usage(700, 100), now=NOW)
    budget.settle(hold(outcome="garbled"), None, now=NOW)
    right = list(Spending.objects.values("window", "profile_id", "calls", "used_tokens", "assumed_tokens"))
    assert found() == []

    plant()

    assert found()
    assert budget.reconcile(NOW)
    assert found() == []
    assert (
        list(Spending.objects.values("window", "profile_id", "calls", "used_tokens", "assumed_tokens"))
        == right
    )
    assert budget.reconcile(NOW) == []


def test_a_filled_house_is_what_was_written_as_it_went(hold):
    budget.settle(hold(outcome="garbled"), Usage(700, 100), now=NOW)
    budget.settle(hold(outcome="garbled"), None, now=NOW)
    late = hold()
    budget.mark_sent(late, now=NOW)
    budget.reap(NOW + LEASE + dt.timedelta(seconds=1))
    budget.true_up(late, Usage(600, 10), now=NOW + LEASE)
    written = list(Spending.objects.values().order_by("pk"))
    Spending.objects.all().delete()

    migration = importlib.import_module(FILLING)
    migration.fill(apps, connection.schema_editor())

    filled = list(Spending.objects.values().order_by("pk"))
    assert [row | {"id": 0} for row in filled] == [row | {"id": 0} for row in written]


# --- leaving ---------------------------------------------------------------------------------------


def test_a_forgotten_reader_leaves_sums_that_name_nobody(hold, alice):
    budget.settle(hold(outcome="garbled"), Usage(700, 100), now=NOW)

    with transaction.atomic():
        leaving.forget(alice)

    assert Spending.objects.get().profile_id is None
    assert found() == []


def test_a_bill_that_comes_after_its_reader_was_forgotten_names_nobody(hold, alice):
    held = hold(outcome="forgotten")
    with transaction.atomic():
        leaving.forget(alice)

    budget.settle(held, Usage(700, 100), now=NOW)

    assert Spending.objects.get().profile_id is None
    assert found() == []
