"""F20: twelve months with clock jumps, daylight saving, midnights, month ends and changes of zone."""

import datetime as dt
import itertools
import random

import pytest
from django.db import transaction

from profiles import quotas
from profiles.models import Membership, Period, Scope, Team
from profiles.quotas import Leg
from scoring import budget, digest
from scoring.budget import windows
from scoring.models import BudgetWindow, OutboxMail
from tests import factories

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Shanghai"]


def legs_of_everybody(team: Team) -> list[Leg]:
    member = Membership.objects.get(team=team)
    return [Leg(Scope.TEAM, team.pk, team.pk), Leg(Scope.MEMBER, member.pk, team.pk)]


def limits(team: Team) -> None:
    for period in Period:
        budget.change_quota(None, quotas.pool(team), period, 10_000)
        budget.change_quota(None, quotas.member_default(team), period, 5_000)


@pytest.mark.parametrize(
    "zone", [ZONES[0], *(pytest.param(zone, marks=pytest.mark.once) for zone in ZONES[1:])]
)
def test_a_year_of_windows_has_no_gap_no_overlap_and_no_double(zone):
    dice = random.Random(zone)
    team = factories.team(factories.user(), time_zone=zone)
    limits(team)
    legs = legs_of_everybody(team)
    now = dt.datetime(2026, 1, 1, 0, 30, tzinfo=dt.UTC)
    while now < dt.datetime(2027, 1, 2, tzinfo=dt.UTC):
        with transaction.atomic():
            counting = windows.windows_at(legs, now)
        assert all(window.starts_at <= now < window.ends_at for window in counting)
        assert len({(window.scope, window.period) for window in counting}) == len(counting) == 6
        if dice.random() < 0.015:
            team.time_zone = dice.choice(ZONES)
            team.save(update_fields=["time_zone"])
        now += dice.choice([-HOUR, HOUR]) if dice.random() < 0.25 else dice.randint(5, 30) * HOUR

    for (_scope, period), rows in itertools.groupby(
        BudgetWindow.objects.order_by("scope", "period", "starts_at"), key=lambda row: (row.scope, row.period)
    ):
        side_by_side = list(rows)
        for before, after in itertools.pairwise(side_by_side):
            assert before.ends_at == after.starts_at
        least = min(row.ends_at - row.starts_at for row in side_by_side)
        assert least >= windows.LEAST[Period(period)]
    assert list(budget.audit(now)) == []


@pytest.mark.parametrize("zone", ZONES)
def test_a_clock_that_jumps_over_the_morning_queues_one_digest_a_day(zone):
    reader = factories.user(time_zone=zone, wants_digest=True, digest_hour=2)
    edition = factories.edition(factories.profile(reader))
    day = edition.day
    dice = random.Random(zone)
    now = dt.datetime.combine(day, dt.time(0), tzinfo=dt.UTC) - 12 * HOUR

    for _ in range(96):
        digest._queue(reader, day, now)
        digest.queue_due(now)
        now += dice.choice([-HOUR, HOUR, HOUR, 2 * HOUR])

    assert OutboxMail.objects.filter(user=reader).count() == 1
