"""How long a limit lasts: said where enough is known, in words that stand without the bar."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from profiles.models import Period, Scope
from scoring import budget
from scoring.budget.forecast import forecast
from scoring.models import BudgetWindow
from tests import factories

NOW = dt.datetime(2026, 1, 30, 12, 0, tzinfo=dt.UTC)  # a Friday
MIDNIGHT = dt.datetime(2026, 1, 30, tzinfo=dt.UTC)
USUAL = {NOW.date() - dt.timedelta(days=n): 100 for n in range(1, 15)}


def of_day(limit, gone, past=USUAL, now=NOW):
    return forecast(
        limit=limit,
        gone=gone,
        starts_at=MIDNIGHT,
        resets_at=MIDNIGHT + dt.timedelta(days=1),
        past=past,
        now=now,
        zone=dt.UTC,
    )


def said(found):
    return found.told(dt.UTC, NOW) if found is not None else ""


@pytest.mark.parametrize(
    ("limit", "gone", "words"),
    [
        (150, 0, "enough for a usual day"),
        (150, 120, "enough for a usual day"),
        (150, 140, ""),
        (80, 0, "less than a usual day needs"),
        (80, 60, "runs out around 16:00"),
        (80, 80, ""),
        (80, 90, ""),
        (0, 0, ""),
    ],
)
def test_a_day_is_told_by_the_usual_day_and_its_own_pace(limit, gone, words):
    assert said(of_day(limit, gone)) == words


def test_two_days_are_too_few_to_say_anything():
    assert of_day(150, 0, past=dict(list(USUAL.items())[:2])) is None


def test_a_weekend_is_no_measure_of_a_weekday():
    weekends = {day: used for day, used in USUAL.items() if day.weekday() >= 5}

    assert of_day(150, 0, past=weekends) is None


def test_the_first_minutes_of_a_window_have_no_pace():
    found = of_day(80, 60, now=MIDNIGHT + dt.timedelta(minutes=5))

    assert found is not None and found.runs_out is None


def of_month(limit, gone):
    return forecast(
        limit=limit,
        gone=gone,
        starts_at=dt.datetime(2026, 1, 26, tzinfo=dt.UTC),
        resets_at=dt.datetime(2026, 2, 2, tzinfo=dt.UTC),
        past=USUAL,
        now=NOW,
        zone=dt.UTC,
    )


def test_a_week_runs_out_on_the_day_on_which_usual_days_use_it_up():
    assert said(of_month(1_000, 400)) == "enough until then"
    assert said(of_month(550, 400)) == "runs out around 2026-01-31"


@pytest.mark.django_db
def test_the_meter_says_it_in_the_header_and_stays_one_query(client, django_assert_num_queries):
    alice = factories.user()
    team = factories.team(alice)
    factories.profile(alice, team=team)
    mine = team.memberships.get()
    for n in range(15):
        start = MIDNIGHT - dt.timedelta(days=n)
        BudgetWindow.objects.create(
            scope=Scope.MEMBER,
            subject_id=mine.pk,
            team_id=team.pk,
            period=Period.DAY,
            starts_at=start,
            ends_at=start + dt.timedelta(days=1),
            limit_tokens=150_000,
            used_tokens=100_000 if n else 20_000,
        )

    with django_assert_num_queries(1):
        found = budget.meter_with_forecast(alice, NOW)
    client.force_login(alice)
    with time_machine.travel(NOW, tick=False):
        page = client.get(reverse("saved")).content.decode()

    assert found is not None and found.forecast == "enough for a usual day"
    assert "20k of 150k tokens, resets in 12 h: enough for a usual day" in page
