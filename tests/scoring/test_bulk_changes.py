"""F36: arXiv changes the records of thousands of old papers in one night."""

import datetime as dt
import os

import pytest
from django.core import mail

from papers import calendar
from papers.models import Announcement, Paper, Surge
from scoring import harvesting, tick
from scoring.accounts import account, audit
from scoring.models import Candidate, Edition
from tests import factories
from tests.papers.arxiv_world import Vices, World

pytestmark = pytest.mark.django_db

FIRST = dt.date(2026, 2, 23)
CATEGORY = "cs.LG"
CHANGED = int(os.environ.get("BROADSHEET_CHANGED", "600"))  # 50,000 is what the fault names
OLD = "1901."


def noon(world: World, day: dt.date) -> dt.datetime:
    world.clock.now = dt.datetime.combine(day, dt.time(12, 1), calendar.ARXIV_ZONE).astimezone(dt.UTC)
    return world.clock.now


def test_thousands_of_changed_old_records_are_stored_told_once_and_none_is_read(settings):
    settings.ADMINS = ["operator@example.org"]
    quiet = Vices(busy=0, web_page=0, cut=0, moves=0)
    world = World(7, FIRST, 8, [CATEGORY], vices=quiet, page_size=2000)
    day = world.days[6]
    world.change_in_bulk(day, CATEGORY, CHANGED)
    factories.profile(factories.user(), categories=[CATEGORY])

    for each in world.days:
        now = noon(world, each)
        harvesting.harvest_due(now, world.transport())
        tick.housekeep(now)

    old = Paper.objects.filter(arxiv_id__startswith=OLD)
    assert old.count() == old.filter(journal_ref="Journal 1").count() == CHANGED
    assert not Announcement.objects.filter(paper__in=old).exists()
    assert not Candidate.objects.filter(paper__in=old).exists()
    assert {account(edition).parked for edition in Edition.objects.all()} == {0}
    assert (Surge.objects.get().about, Surge.objects.get().day) == ("records", day)
    (told,) = mail.outbox
    assert "far more changed records than usual" in told.subject
    assert audit() == []
