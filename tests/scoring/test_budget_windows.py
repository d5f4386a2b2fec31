"""Windows lie side by side, whatever clocks and zones do."""

import datetime as dt
import itertools
import zoneinfo

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from profiles import quotas
from profiles.models import Period, Scope
from profiles.quotas import Leg
from scoring import budget
from scoring.budget import windows
from scoring.models import BudgetWindow
from tests import factories

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "America/Santiago",
    "Africa/Cairo", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns", "America/Havana",
]  # fmt: skip


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)


def year_of(period, zone):
    now = utc(2026, 1, 1, 12)
    start = windows.first_start(period, now, zone)
    return list(
        itertools.takewhile(lambda span: span[0] < now + 366 * DAY, windows.spans(period, start, zone))
    )


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("period", Period)
def test_twelve_months_of_windows_begin_at_local_midnight_without_gap_or_overlap(name, period):
    zone = zoneinfo.ZoneInfo(name)

    spans = year_of(period, zone)

    assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))
    starts = [start.astimezone(zone).date() for start, _ in spans]
    expected = [windows.first_day(period, starts[0])]
    while len(expected) < len(starts):
        expected.append(windows.following(period, expected[-1]))
    assert starts == expected


def test_days_of_clock_changes_have_23_and_25_hours():
    lengths = {
        start.date(): end - start for start, end in year_of(Period.DAY, zoneinfo.ZoneInfo("America/New_York"))
    }

    assert lengths[dt.date(2026, 3, 8)] == 23 * HOUR
    assert lengths[dt.date(2026, 11, 1)] == 25 * HOUR
    assert sorted(set(lengths.values())) == [23 * HOUR, 24 * HOUR, 25 * HOUR]


@pytest.mark.parametrize(
    ("period", "starts", "ends"),
    [
        (Period.DAY, utc(2026, 3, 28, 23), utc(2026, 3, 29, 22)),
        (Period.WEEK, utc(2026, 3, 22, 23), utc(2026, 3, 29, 22)),
        (Period.MONTH, utc(2026, 2, 28, 23), utc(2026, 3, 31, 22)),
    ],
)
def test_berlin_springs_forward(period, starts, ends):
    zone, noon = zoneinfo.ZoneInfo("Europe/Berlin"), utc(2026, 3, 29, 10)

    start = windows.first_start(period, noon, zone)

    assert (start, windows.end_of(period, start, zone)) == (starts, ends)


def test_a_midnight_that_a_clock_change_skips_is_the_instant_of_the_jump():
    # Chile springs forward at 24:00 of Saturday: Sunday 2026-09-06 begins at 01:00.
    zone = zoneinfo.ZoneInfo("America/Santiago")

    assert windows.midnight(dt.date(2026, 9, 6), zone) == utc(2026, 9, 6, 4)
    assert windows.end_of(Period.DAY, utc(2026, 9, 6, 4), zone) == utc(2026, 9, 7, 3)


@given(
    st.sampled_from(Period),
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=12),
    st.integers(0, 6 * 365 * 24).map(lambda hours: utc(2024, 1, 1) + hours * HOUR),
)
def test_changes_of_zone_never_give_a_window_that_is_much_too_short_or_too_long(period, names, now):
    usual = {Period.DAY: DAY, Period.WEEK: 7 * DAY, Period.MONTH: 31 * DAY}[period]
    start = windows.first_start(period, now, zoneinfo.ZoneInfo(names[0]))

    for name in names:
        end = windows.end_of(period, start, zoneinfo.ZoneInfo(name))
        assert windows.LEAST[period] <= end - start <= usual + windows.LEAST[Period.DAY] + 7 * HOUR
        start = end


# --- rows ------------------------------------------------------------------------------------------


@pytest.fixture
def team(db):
    return factories.team(factories.user(), time_zone="America/New_York")


def opened(team, now, *periods):
    """The pool's windows at that instant, a day and what else has a limit."""
    for period in periods:
        quotas.set_quota(None, quotas.pool(team), period, 10**6)
    with transaction.atomic():
        return {row.period: row for row in windows.windows_at([Leg(Scope.TEAM, team.pk, team.pk)], now)}


def days(team):
    return list(BudgetWindow.objects.filter(subject_id=team.pk, period="day").order_by("starts_at"))


def test_a_window_is_opened_once_and_found_again(team):
    first = opened(team, utc(2026, 1, 30, 12), Period.WEEK, Period.MONTH)
    second = opened(team, utc(2026, 1, 30, 13))

    assert first == second
    assert {period: row.starts_at for period, row in first.items()} == {
        "day": utc(2026, 1, 30, 5),
        "week": utc(2026, 1, 26, 5),
        "month": utc(2026, 1, 1, 5),
    }


def test_a_quiet_fortnight_leaves_no_gap(team):
    opened(team, utc(2026, 3, 1, 12))
    opened(team, utc(2026, 3, 15, 12))

    assert len(days(team)) == 15
    assert budget.audit(utc(2026, 3, 15, 12)) == []


def test_a_change_of_zone_takes_effect_at_the_end_of_the_current_window(team):
    today = opened(team, utc(2026, 1, 30, 12))["day"]
    team.time_zone = "Asia/Shanghai"
    team.save(update_fields=["time_zone"])

    assert opened(team, utc(2026, 1, 31, 4, 59))["day"] == today
    tomorrow = opened(team, utc(2026, 1, 31, 5))["day"]

    assert tomorrow.starts_at == today.ends_at
    # Shanghai's next midnight is 11 hours away, too near: the window reaches the one after.
    assert tomorrow.ends_at == utc(2026, 2, 1, 16)
    assert opened(team, utc(2026, 2, 1, 16))["day"].ends_at == utc(2026, 2, 2, 16)
    assert budget.audit(utc(2026, 2, 2)) == []


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 3 * DAY, -3 * DAY, -30 * DAY])
def test_a_clock_that_jumps_and_returns_finds_the_same_windows(team, jump):
    now = utc(2026, 3, 8, 4, 30)
    before = opened(team, now)["day"]

    opened(team, now + jump)
    after = opened(team, now)["day"]

    assert after == before
    assert budget.audit(now) == []


def test_a_year_of_holds_over_both_clock_changes_is_side_by_side(team):
    now = utc(2026, 1, 1, 0, 30)
    while now < utc(2027, 1, 1):
        opened(team, now)
        now += 23 * HOUR
    opened(team, utc(2026, 12, 31, 23))

    assert len(days(team)) == 366
    assert {row.ends_at - row.starts_at for row in days(team)} == {23 * HOUR, 24 * HOUR, 25 * HOUR}
    assert budget.audit(now) == []


def test_a_new_window_opens_with_the_limit_then_in_force(team):
    opened(team, utc(2026, 1, 30, 12))
    budget.change_quota(None, quotas.pool(team), Period.DAY, 77, now=utc(2026, 1, 30, 12))

    assert opened(team, utc(2026, 1, 30, 13))["day"].limit_tokens == 77
    assert opened(team, utc(2026, 1, 31, 13))["day"].limit_tokens == 77


def test_a_window_cannot_be_opened_outside_a_transaction():
    with pytest.raises(transaction.TransactionManagementError):
        windows.lock_policy(1)
