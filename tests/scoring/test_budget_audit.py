"""The audit finds a clean house clean, and each row that is made wrong, one at a time."""

import datetime as dt
import io
import json

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.models import F

from papers.models import Harvest
from profiles import quotas
from profiles.models import Period, Quota, Scope
from scoring import budget
from scoring.models import BudgetWindow, Call, Hold, LedgerEntry, Score
from scoring.usage import Usage
from tests import factories, loosened

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 30, 12, 0, tzinfo=dt.UTC)
LEASE = dt.timedelta(seconds=budget.LEASE_SECONDS)


class House:
    """One hold of each fate: open, settled with a score, overrun, released, assumed, trued up."""

    def __init__(self):
        alice = factories.user()
        self.team = factories.team(alice)
        self.profile = factories.profile(alice, team=self.team)
        self.provider = factories.provider("http://127.0.0.1:9/v1", price_input_microusd=1_000_000)
        self.legs = budget.legs_of(self.profile, self.provider)
        self.open = self.hold(10, now=NOW + 2 * LEASE)
        self.settled = self.hold(1_000, outcome="judged")
        budget.settle(self.settled, Usage(800, 100), papers=1, now=NOW)
        self.score = score_of(self.settled.call, self.profile)
        self.overrun = self.hold(100, outcome="garbled")
        budget.settle(self.overrun, Usage(150, 0), now=NOW)
        self.released = self.hold(50)
        budget.release(self.released, now=NOW)
        self.assumed, self.trued = self.hold(40), self.hold(60)
        for each in (self.assumed, self.trued):
            budget.mark_sent(each, now=NOW)
        budget.reap(NOW + LEASE + dt.timedelta(seconds=1))
        budget.true_up(self.trued, Usage(20, 10), now=NOW)

    def hold(self, tokens, now=NOW, **call):
        return budget.hold(factories.call(self.profile, self.provider, **call), tokens, self.legs, now=now)


def score_of(call, profile):
    revision = profile.revisions.create(content_hash="x", content={})
    return Score.objects.create(
        day=call.day,
        profile=profile,
        revision=revision,
        paper=factories.paper(),
        version=1,
        provider_model=call.provider_model,
        call=call,
        interest_scores=[80],
    )


@pytest.fixture
def house():
    return House()


def found(now=NOW + LEASE):
    return {violation.invariant for violation in budget.audit(now)}


def test_a_clean_house_is_clean(house, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        assert budget.audit(NOW + LEASE) == []


def window(scope):
    return BudgetWindow.objects.filter(scope=scope)


CORRUPTIONS = [
    ("held is not what the ledger says", lambda h: window(Scope.TEAM).update(held_tokens=F("held_tokens") + 1)),
    ("used is not what the ledger says", lambda h: window(Scope.MEMBER).update(used_tokens=F("used_tokens") - 1)),
    (
        "overrun is not what the ledger says",
        lambda h: window(Scope.INSTANCE).update(overrun_tokens=0),
    ),
    ("cost is not what the ledger says", lambda h: window(Scope.TEAM).update(cost_microusd=F("cost_microusd") + 1)),
    ("windows overlap", lambda h: shifted(h, -dt.timedelta(hours=1))),
    ("windows leave a gap", lambda h: shifted(h, dt.timedelta(hours=1))),
    (
        "a hold was admitted over the limit",
        lambda h: LedgerEntry.objects.filter(hold=h.settled, kind="hold").update(limit_tokens=999),
    ),
    (
        "a ledger line found another sum than the lines before it give",
        lambda h: LedgerEntry.objects.filter(hold=h.overrun, kind="settle").update(sum_before=3),
    ),
    (
        "a ledger line found another sum than the lines before it give",
        lambda h: LedgerEntry.objects.filter(hold=h.released, kind="hold").delete(),
    ),
    ("a hold and its ledger lines disagree", lambda h: Hold.objects.filter(pk=h.settled.pk).update(state="assumed")),
    ("a hold and its ledger lines disagree", lambda h: Hold.objects.filter(pk=h.settled.pk).update(used_tokens=901)),
    ("a hold and its ledger lines disagree", lambda h: Hold.objects.filter(pk=h.released.pk).update(held_tokens=49)),
    ("a hold and its ledger lines disagree", lambda h: second_end(h)),
    (
        "a hold and its ledger lines disagree",
        lambda h: LedgerEntry.objects.filter(hold=h.trued, kind="true_up", window__scope=Scope.TEAM).delete(),
    ),
    (
        "a hold and its ledger lines disagree",
        lambda h: Hold.objects.filter(pk=h.settled.pk).update(state="open", ended_at=None),
    ),
    (
        "a hold is older than its lease and two sweeps",
        lambda h: Hold.objects.filter(pk=h.open.pk).update(lease_until=NOW - LEASE),
    ),
    ("a score's call is not settled", lambda h: Score.objects.update(call=h.assumed.call)),
    ("a score's call is not settled", lambda h: Score.objects.update(call=h.open.call)),
    ("a settled call has neither scores nor a failure", lambda h: h.score.delete()),
    ("a settled call has neither scores nor a failure", lambda h: Call.objects.filter(pk=h.overrun.call_id).update(outcome="")),
    ("a call has no hold", lambda h: factories.call(h.profile, h.provider)),
    ("a call's usage is not its hold's", lambda h: Call.objects.filter(pk=h.settled.call_id).update(input_tokens=1)),
    ("a call's usage is not its hold's", lambda h: Call.objects.filter(pk=h.trued.call_id).update(output_tokens=11)),
]  # fmt: skip


def shifted(house, by):
    today = window(Scope.TEAM).get()
    BudgetWindow.objects.create(
        scope=Scope.TEAM,
        subject_id=house.team.pk,
        period="day",
        starts_at=today.ends_at + by,
        ends_at=today.ends_at + dt.timedelta(days=1),
        limit_tokens=1,
    )


def second_end(house):
    for line in LedgerEntry.objects.filter(hold=house.settled, kind="settle"):
        line.pk, line.kind, line.tokens = None, "release", 1_000
        line.save()


@pytest.mark.parametrize(
    ("invariant", "corrupt"), CORRUPTIONS, ids=[f"{n}-{c[0]}" for n, c in enumerate(CORRUPTIONS)]
)
def test_each_corrupted_row_is_caught(house, invariant, corrupt):
    with loosened.tables():
        corrupt(house)

    assert invariant in found()


def test_a_lowered_limit_makes_no_legal_row_illegal(house):
    budget.change_quota(None, quotas.pool(house.team), Period.DAY, 1, now=NOW)

    assert budget.audit(NOW + LEASE) == []


# --- repair ----------------------------------------------------------------------------------------


def test_reconciling_makes_the_windows_agree_with_the_ledger_and_the_limits(house, settings):
    true = {row.pk: (row.used_tokens, row.held_tokens) for row in BudgetWindow.objects.all()}
    BudgetWindow.objects.update(used_tokens=7, held_tokens=3, overrun_tokens=1, cost_microusd=2)
    settings.INSTANCE_DAILY_TOKENS = 123

    repairs = budget.reconcile(NOW)

    assert {row.pk: (row.used_tokens, row.held_tokens) for row in BudgetWindow.objects.all()} == true
    assert window(Scope.INSTANCE).get().limit_tokens == 123
    assert len(repairs) == 3
    assert budget.reconcile(NOW) == []
    assert budget.audit(NOW + LEASE) == []


# --- commands --------------------------------------------------------------------------------------


def run(*words):
    out = io.StringIO()
    with time_machine.travel(NOW + LEASE, tick=False):
        call_command(*words, stdout=out)
    return out.getvalue()


def test_the_audit_command_is_silent_about_a_clean_house_and_fails_with_the_rows(house):
    assert "nothing is wrong" in run("audit")
    assert json.loads(run("audit", "--json")) == {"violations": []}

    window(Scope.TEAM).update(used_tokens=5)

    with pytest.raises(SystemExit) as ended:
        run("audit")
    assert ended.value.code == 1
    out = io.StringIO()
    with pytest.raises(SystemExit), time_machine.travel(NOW + LEASE, tick=False):
        call_command("audit", "--json", stdout=out)
    (violation,) = json.loads(out.getvalue())["violations"]
    assert violation["invariant"] == "used is not what the ledger says"
    assert violation["detail"] == {"window": 5, "ledger": 1_120}


def test_a_harvest_that_does_not_add_up_is_caught(house):
    Harvest.objects.create(category="cs.LG", source="rss", announced=10, stored=8, without_text=1, skipped=0)

    with pytest.raises(SystemExit):
        run("audit")


def test_budget_show_prints_every_limit_in_force(house):
    shown = run("budget", "show")

    assert "instance" in shown
    assert house.team.slug in shown
    rows = json.loads(run("budget", "show", "--json"))["figures"]
    assert {row["scope"] for row in rows} == {"instance", "team", "member"}
    assert {row["limit"] for row in rows} == {2_000_000, 1_000_000, 250_000}


def test_budget_set_sets_each_kind_of_limit(house):
    mail = house.team.memberships.get().user.email
    run("budget", "set", "--tokens", "3M")
    run("budget", "set", "--team", house.team.slug, "--tokens", "2M", "--period", "week")
    run("budget", "set", "--team", house.team.slug, "--default", "--tokens", "9k")
    run("budget", "set", "--team", house.team.slug, "--member", mail, "--tokens", "50,000")

    assert list(Quota.objects.order_by("pk").values_list("scope", "period", "limit_tokens")) == [
        (Scope.INSTANCE, "day", 3_000_000),
        (Scope.TEAM, "week", 2_000_000),
        (Scope.MEMBER, "day", 9_000),
        (Scope.MEMBER, "day", 50_000),
    ]
    run("budget", "set", "--team", house.team.slug, "--member", mail, "--remove")
    assert Quota.objects.count() == 3


@pytest.mark.parametrize(
    "words",
    [
        ["--tokens", "lots"],
        ["--team", "nowhere", "--tokens", "1"],
        ["--member", "a@b.org", "--tokens", "1"],
        [],
        ["--tokens", "-3"],
    ],
)
def test_budget_set_says_what_is_wrong(house, words):
    with pytest.raises(CommandError):
        run("budget", "set", *words)

    assert not Quota.objects.exists()


def test_budget_reconcile_prints_what_it_repaired(house):
    window(Scope.TEAM).update(used_tokens=5)

    assert "used_tokens 5 -> 1120" in run("budget", "reconcile")
    assert "nothing" in run("budget", "reconcile")
