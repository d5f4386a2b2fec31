"""Whose edition is read next: a reader who waits goes first for a few calls, then all take turns."""

import datetime as dt

import pytest
from django.utils import timezone

from scoring import judging, stopping
from scoring.judging import claims
from scoring.models import Provider
from tests import factories
from tests.scoring.reading import papers

pytestmark = pytest.mark.django_db
A_DAY_BEFORE = factories.DAY - dt.timedelta(days=1)
OLD = 4


@pytest.fixture
def announced(judge):
    Provider.objects.update(concurrency=60, block_size=2)
    return papers(24)


def of_an_old_profile(announced):
    """An edition of two blocks, of a profile that has read a day before."""
    profile = factories.profile(factories.user())
    factories.edition(profile, A_DAY_BEFORE)
    return factories.edition_to_read(profile, announced[:4])


def turns(now=None):
    """The editions of all blocks that can be claimed, in their order."""
    found = []
    while (block := judging.claim(now or timezone.now())) is not None:
        found.append(block.edition.pk)
    return found


def test_a_new_profiles_first_edition_goes_first_for_ten_calls_and_starves_nobody(announced):
    old = [of_an_old_profile(announced).pk for _ in range(OLD)]
    new = factories.edition_to_read(factories.profile(factories.user()), announced).pk

    found = turns()

    assert found[:10] == [new] * 10
    assert sorted(found[10:14]) == sorted(found[14:18]) == sorted(old)
    assert found[18:] == [new] * 2


def test_the_control_without_a_head_start_lets_it_wait_for_its_turn(announced, monkeypatch):
    monkeypatch.setattr(claims, "HEAD_START_CALLS", 0)
    old = [of_an_old_profile(announced).pk for _ in range(OLD)]
    new = factories.edition_to_read(factories.profile(factories.user()), announced).pk

    assert sorted(turns()[:5]) == sorted([*old, new])


def test_an_edition_whose_reader_said_go_on_goes_first_on_that_day(announced):
    first, asked = of_an_old_profile(announced), of_an_old_profile(announced)
    stopping.stop(asked, timezone.now())
    stopping.go_on(asked)

    assert turns() == [asked.pk, asked.pk, first.pk, first.pk]


def test_on_the_next_day_it_takes_turns_again(announced):
    first, asked = of_an_old_profile(announced), of_an_old_profile(announced)
    stopping.stop(asked, timezone.now())
    stopping.go_on(asked)

    assert turns(timezone.now() + dt.timedelta(hours=25)) == [first.pk, asked.pk, first.pk, asked.pk]
