"""What a call costs: four prices, one rounding, figures computed by hand."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from profiles.models import Scope
from scoring import budget, price, providers
from scoring.budget import Leg
from scoring.models import BudgetWindow, Call, LedgerEntry
from scoring.usage import Prices, Usage
from tests import factories

NOW = dt.datetime(2026, 1, 30, 12, tzinfo=dt.UTC)
# $0.15, $0.075, $0.60 and $0.90 per million tokens.
ALL_FOUR = Prices(150_000, 75_000, 600_000, 900_000)


@pytest.mark.parametrize(
    ("usage", "microusd"),
    [
        # 1000 x 0.15 + 100 x 0.60 = 150 + 60
        (Usage(1000, 100), 210),
        # 360 x 0.15 + 640 x 0.075 + 100 x 0.60 = 54 + 48 + 60
        (Usage(1000, 100, cached_tokens=640), 162),
        # 1000 x 0.15 + 70 x 0.60 + 30 x 0.90 = 150 + 42 + 27
        (Usage(1000, 100, reasoning_tokens=30), 219),
        # 360 x 0.15 + 640 x 0.075 + 70 x 0.60 + 30 x 0.90 = 54 + 48 + 42 + 27
        (Usage(1000, 100, 640, 30), 171),
        (Usage(0, 0), 0),
    ],
)
def test_cached_is_part_of_the_input_and_reasoning_of_the_output(usage, microusd):
    assert ALL_FOUR.of(usage) == microusd


@pytest.mark.parametrize(
    ("tokens", "microusd"),
    [
        # 3 x 0.15 = 0.45; 10 x 0.15 = 1.5; 23 x 0.15 = 3.45
        (3, 0),
        (10, 2),
        (23, 3),
    ],
)
def test_a_call_is_rounded_half_up_once(tokens, microusd):
    assert ALL_FOUR.of(Usage(tokens, 0)) == microusd


def test_parts_are_added_before_they_are_rounded():
    # 3 x 0.15 + 1 x 0.60 = 0.45 + 0.60 = 1.05, where each rounded alone would be 0 + 1, and 2 + 2: 0.30 + 1.20
    assert ALL_FOUR.of(Usage(3, 1)) == 1
    assert ALL_FOUR.of(Usage(2, 2)) == 2


def test_a_price_that_is_not_named_is_that_of_the_other_kind_and_nought_is_free():
    unnamed, free = Prices(150_000, None, 600_000, None), Prices(150_000, 0, 600_000, 0)

    # 1000 x 0.15 + 100 x 0.60; 360 x 0.15 + 70 x 0.60 = 54 + 42
    assert unnamed.of(Usage(1000, 100, 640, 30)) == 210
    assert free.of(Usage(1000, 100, 640, 30)) == 96
    assert Prices(0, None, 0, None).is_known is False
    assert Prices(0, 0, 0, 900_000).is_known


def test_what_a_call_did_not_say_is_booked_at_the_dearest_price():
    assert ALL_FOUR.at_most(1000) == 900
    assert Prices(150_000, None, 600_000, None).at_most(1000) == 600


@pytest.mark.parametrize(
    ("typed", "microusd"),
    [
        ("0.15", 150_000),
        ("$2.50", 2_500_000),
        (" 0 ", 0),
        ("", None),
        (None, None),
        ("0.000001", 1),
        (1, 10**6),
    ],
)
def test_a_price_is_typed_as_money(typed, microusd):
    assert providers.parse_dollars(typed) == microusd
    assert providers.parse_dollars(providers.dollars_typed(microusd)) == microusd


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("-0.15", "not negative"),
        ("0.0000001", "six decimals"),
        ("5000", "More than 1000 dollars"),
        ("1e30", "More than 1000 dollars"),
        ("cheap", "in dollars"),
        ("0,15", "in dollars"),
        ("nan", "in dollars"),
        ("Infinity", "in dollars"),
    ],
)
def test_each_bad_price_has_a_message_of_its_own(typed, message):
    with pytest.raises(ValidationError, match=message):
        providers.parse_dollars(typed)


@pytest.mark.django_db
def test_a_new_price_holds_from_then_on_and_booked_lines_keep_theirs():
    alice = factories.user()
    profile = factories.profile(alice)
    provider = factories.team_provider(profile.team, price_input_microusd=150_000)

    _spend(profile, provider)
    facts = providers.Facts("dear", provider.base_url, "m", price_input_microusd=300_000)
    providers.edit(alice, provider, facts, "")
    provider.refresh_from_db()
    _spend(profile, provider)

    lines = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.SETTLE).order_by("pk")
    assert [line.cost_microusd for line in lines] == [150, 300]
    assert [call.cost_microusd for call in Call.objects.order_by("pk")] == [150, 300]
    assert BudgetWindow.objects.get().cost_microusd == 450
    assert list(budget.audit()) == []


def _spend(profile, provider):
    call = factories.call(profile, provider, outcome="useless")
    team = Leg(Scope.TEAM, profile.team_id, profile.team_id)
    held = budget.hold(call, 2000, [team], now=NOW)
    budget.mark_sent(held, now=NOW)
    budget.settle(held, Usage(1000, 10), now=NOW)


def test_the_price_of_a_profile_is_told_in_money_too():
    # 10 papers of 285 tokens: 2550 input x 0.15 = 382.5, and 300 output x 0.60 = 180
    told = price.Price(
        is_new=True,
        words_changed=True,
        weights_changed=False,
        reach_changed=False,
        day=None,
        papers=10,
        judged=0,
        tokens_a_paper=285,
        is_local=False,
        model="m",
        prices=Prices(150_000, None, 600_000),
    )

    assert told.money == "$0.0006"
