"""What arXiv named and we lack is found, written down and asked for by its id; what stays missing is named."""

import datetime as dt
import json
from collections.abc import Sequence

import pytest
from django.core.management import call_command

from papers import calendar, harvest_words
from papers.harvest import HarvestReport, harvest_day
from papers.models import Announcement, ArxivCount, Correction, Gap, Harvest, Paper, PaperVersion
from papers.reconciling import ASKED_AT_MOST, IDS_A_REQUEST, RECONCILING, reconcile
from papers.status import day_status
from tests import factories
from tests.papers import pages
from tests.papers.arxiv_world import Vices, World
from tests.papers.pages import api_error

pytestmark = pytest.mark.django_db

FIRST = dt.date(2026, 2, 24)
CATEGORY = "cs.LG"


def list_page(*new: str, total: int = 9, cross: Sequence[str] = ()) -> bytes:
    return pages.list_page(FIRST, {"new": (new, total), "cross": (cross, len(cross))})


def quiet_world(days: int = 1) -> World:
    return World(7, FIRST, days, [CATEGORY], vices=Vices(busy=0, web_page=0, cut=0, moves=0))


def at(world: World, hour: int, day: dt.date = FIRST) -> dt.datetime:
    world.clock.now = dt.datetime.combine(day, dt.time(hour, 5), calendar.ARXIV_ZONE).astimezone(dt.UTC)
    return world.clock.now


def bring_in(world: World, hour: int = 4, day: dt.date = FIRST) -> HarvestReport:
    with world.transport() as transport:
        harvest_day(CATEGORY, day, transport, now=at(world, hour, day))
        return reconcile([(day, CATEGORY)], transport, now=at(world, hour, day))


def named_new(world: World, day: dt.date = FIRST) -> list[str]:
    return sorted(one.arxiv_id for one in world.announced[day, CATEGORY] if one.kind == "new")


def test_nothing_is_asked_where_nothing_is_missing():
    world = quiet_world()

    report = bring_in(world)

    assert (report.requests, world.asked_for) == (0, [])
    assert not Gap.objects.exists()
    assert not Harvest.objects.filter(source=RECONCILING).exists()


def test_a_paper_that_oai_never_sent_is_fetched_by_its_id():
    world = quiet_world()
    hidden = named_new(world)[0]
    world.vices.never_sent = {hidden}

    report = bring_in(world)

    assert (report.is_success, world.asked_for) == (True, [hidden])
    assert Paper.objects.get(arxiv_id=hidden).submitted_at is not None
    gap = Gap.objects.get()
    assert (gap.reason, gap.asked, gap.answer) == ("no_record", 1, "found")
    assert gap.filled_at is not None
    assert day_status(FIRST)[0].verdict == "complete"
    run = Harvest.objects.get(source=RECONCILING)
    assert (run.state, run.stored, run.requests) == ("done", 1, 1)
    assert not Harvest.objects.unbalanced().exists()


def test_without_reconciliation_the_gap_stays():
    """The control."""
    world = quiet_world()
    hidden = named_new(world)[0]
    world.vices.never_sent = {hidden}

    with world.transport() as transport:
        harvest_day(CATEGORY, FIRST, transport, now=at(world, 4))

    assert Paper.objects.get(arxiv_id=hidden).submitted_at is None


def test_a_record_may_still_be_on_its_way_just_after_the_feed():
    world = quiet_world()
    world.vices.never_sent = set(named_new(world))

    assert bring_in(world, hour=0).requests == 0
    assert bring_in(world, hour=4).requests == 1


def test_what_oai_sends_in_the_end_closes_its_gap_unasked():
    world = quiet_world()
    hidden = named_new(world)[0]
    Gap.objects.create(arxiv_id=hidden, category=CATEGORY, day=FIRST, reason="no_record")

    report = bring_in(world)

    assert report.requests == 0
    assert Gap.objects.get().filled_at is not None


def test_a_paper_without_an_abstract_gets_it():
    world = quiet_world()
    bare = named_new(world)[0]
    bring_in(world)
    PaperVersion.objects.filter(paper__arxiv_id=bare).update(abstract="")

    with world.transport() as transport:
        reconcile([(FIRST, CATEGORY)], transport, now=at(world, 5))

    assert PaperVersion.objects.get(paper__arxiv_id=bare).abstract == f"What {bare} says."
    assert Gap.objects.get().reason == "no_text"


def test_what_the_feed_garbled_is_announced_by_its_dates():
    world = quiet_world(days=3)
    garbled = named_new(world)[0]
    world.vices.garbled = {garbled}
    world.vices.never_sent = {garbled}

    bring_in(world)

    row = Announcement.objects.get(paper__arxiv_id=garbled)
    assert (row.day, row.kind, row.source) == (FIRST, "new", "derived")


def test_a_garbled_cross_list_takes_the_place_of_what_was_derived_for_a_day_without_a_feed():
    """OAI-PMH shows it in the evening, and only a day without a feed is open; then the feed names it unreadably."""
    old = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
    paper = factories.paper("2601.00001", categories=["cs.AI", CATEGORY], version=2, submitted_at=old)
    Paper.objects.filter(pk=paper.pk).update(updated_at=old + dt.timedelta(days=3))
    factories.announce(paper, dt.date(2026, 1, 6), category="cs.AI")
    before = factories.announce(paper, FIRST - dt.timedelta(days=1), category=CATEGORY, kind="cross")
    Announcement.objects.filter(pk=before.pk).update(source="derived")
    gap = Gap.objects.create(
        arxiv_id=paper.arxiv_id,
        category=CATEGORY,
        day=FIRST,
        reason="unreadable",
        answer="found",
        asked=ASKED_AT_MOST,
    )
    world = quiet_world()

    with world.transport() as transport:
        reconcile([], transport, now=at(world, 4))

    row = Announcement.objects.get(paper=paper, category=CATEGORY)
    assert (row.day, row.kind) == (FIRST, "cross")
    assert Correction.objects.get().day == before.day
    gap.refresh_from_db()
    assert gap.filled_at is not None


def test_what_arxiv_does_not_know_stays_named_and_is_given_up_in_the_end():
    world = quiet_world()
    hidden = named_new(world)[0]
    world.vices.never_sent = world.vices.unknown = {hidden}
    bring_in(world)
    now = at(world, 4)
    for hours in range(2, 100, 2):
        with world.transport() as transport:
            reconcile([(FIRST, CATEGORY)], transport, now=now + dt.timedelta(hours=hours))

    assert len(world.asked_for) == ASKED_AT_MOST
    (missing,) = day_status(FIRST)[0].missing_papers
    assert (missing.arxiv_id, missing.reason, missing.answer) == (hidden, "no_record", "unknown")
    assert (missing.asked, missing.since) == (ASKED_AT_MOST, now)
    assert day_status(FIRST)[0].verdict == "missing"


def test_a_repeat_within_the_hour_asks_nothing():
    world = quiet_world()
    world.vices.never_sent = world.vices.unknown = set(named_new(world))
    bring_in(world)
    asked = list(world.asked_for)

    bring_in(world)

    assert world.asked_for == asked


def test_many_ids_are_asked_for_a_hundred_at_a_time():
    world = quiet_world()
    for number in range(IDS_A_REQUEST + 1):
        Gap.objects.create(arxiv_id=f"2602.2{number:04}", category=CATEGORY, day=FIRST, reason="unreadable")

    with world.transport() as transport:
        report = reconcile([], transport, now=at(world, 4))

    assert report.requests == 2
    assert len(set(world.asked_for)) == IDS_A_REQUEST + 1


def test_one_id_that_is_refused_does_not_hide_the_others():
    world = quiet_world()
    world.vices.api_says = api_error("incorrect id format for x")
    for number in range(3):
        Gap.objects.create(arxiv_id=f"2602.2{number:04}", category=CATEGORY, day=FIRST, reason="no_text")

    with world.transport() as transport:
        report = reconcile([], transport, now=at(world, 4))

    assert report.is_success
    assert set(Gap.objects.values_list("asked", "answer")) == {(1, "refused")}


def test_an_api_that_is_down_is_said_and_asked_again():
    world = quiet_world()
    world.vices.never_sent = set(named_new(world))
    world.vices.api_says = b"<!DOCTYPE html><html>down</html>"

    report = bring_in(world)

    assert [problem.code for problem in report.problems] == ["unavailable"]
    assert set(Gap.objects.values_list("asked", "filled_at")) == {(0, None)}
    world.vices.api_says = b""
    assert bring_in(world).is_success
    assert not Gap.objects.open().exists()


def test_a_list_page_is_read_only_where_one_is_named_and_once_a_day(settings):
    world = quiet_world()
    world.vices.list_page = list_page()
    bring_in(world)
    assert not ArxivCount.objects.filter(source="listing").exists()
    settings.ARXIV_LIST_URL = "https://arxiv.test/list"

    first, second = bring_in(world), bring_in(world)

    assert (first.requests, second.requests) == (1, 0)
    assert first.is_success
    assert ArxivCount.objects.get(source="listing", kind="new").count == 9
    (status,) = day_status(FIRST)
    assert status.counted is not None
    assert (status.counted["new"], status.verdict) == (9, "missing")


def test_what_only_the_list_page_names_is_fetched_and_announced_as_it_says(settings):
    """A feed that was cut lost its new papers first; the list page has them all."""
    settings.ARXIV_LIST_URL = "https://arxiv.test/list"
    world = quiet_world(days=3)
    ids = named_new(world)
    crossed = named_new(world, world.days[0])[-1]
    world.vices.list_page = list_page(*ids[:-1], total=len(ids) - 1, cross=[crossed])
    world.announced[FIRST, CATEGORY] = []

    bring_in(world)

    rows = Announcement.objects.on(FIRST).order_by("paper__arxiv_id")
    named = [(arxiv_id, "new", "listing") for arxiv_id in ids[:-1]] + [(crossed, "cross", "listing")]
    assert list(rows.values_list("paper__arxiv_id", "kind", "source")) == sorted(named)
    assert sorted(world.asked_for) == sorted([*ids[:-1], crossed])
    assert not Gap.objects.open().exists()
    assert day_status(FIRST)[0].verdict == "complete"


def test_a_list_page_that_agrees_with_the_feed_asks_for_nothing(settings):
    settings.ARXIV_LIST_URL = "https://arxiv.test/list"
    world = quiet_world()
    ids = named_new(world)
    world.vices.list_page = list_page(*ids, total=len(ids))

    bring_in(world)

    assert world.asked_for == []
    assert day_status(FIRST)[0].verdict == "complete"


def test_what_a_list_page_counts_beyond_the_ids_that_it_shows_is_a_named_gap(settings, capsys):
    settings.ARXIV_LIST_URL = "https://arxiv.test/list"
    world = quiet_world()
    ids = named_new(world)
    world.vices.list_page = list_page(*ids[:2], total=len(ids) + 3)

    bring_in(world)

    (status,) = day_status(FIRST)
    said = f"arXiv's list counts {len(ids) + 3} new, we hold {len(ids)}"
    assert world.asked_for == []  # no id is known that could be asked for
    assert (status.verdict, status.missing, status.missing_papers) == ("missing", 3, [])
    assert harvest_words.shortfall(**vars(status.shortfalls[0])) == said
    call_command("harvest", "--status")
    assert f"{FIRST} {CATEGORY}: {said}" in capsys.readouterr().out
    call_command("harvest", "--status", "--json")
    (told,) = json.loads(capsys.readouterr().out)["days"]
    shortfall = {"kind": "new", "source": "listing", "counted": len(ids) + 3, "stored": len(ids)}
    assert told["shortfalls"] == [shortfall]


def test_a_list_page_that_shows_fewer_ids_than_it_counts_misses_nothing(settings):
    """The control: its total is what is held."""
    settings.ARXIV_LIST_URL = "https://arxiv.test/list"
    world = quiet_world()
    ids = named_new(world)
    world.vices.list_page = list_page(*ids[:1], total=len(ids))

    bring_in(world)

    assert (day_status(FIRST)[0].verdict, day_status(FIRST)[0].shortfalls) == ("complete", [])


def test_a_sample_papers_day_is_left_alone():
    factories.announced_papers(2, FIRST, CATEGORY)
    world = quiet_world()

    with world.transport() as transport:
        report = reconcile([(FIRST, CATEGORY)], transport, now=at(world, 4))

    assert report.requests == 0
