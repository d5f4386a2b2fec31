"""Thirty announcement days against a server that behaves like arXiv's: nothing lost, invented or doubled."""

import datetime as dt
import itertools
import os
import random
from dataclasses import dataclass, field

import pytest

from papers import calendar, harvest
from papers.arxiv import rss
from papers.arxiv.listing import ArxivError
from papers.harvest import HarvestReport, harvest_day
from papers.models import Announcement, ArxivCount, Gap, Paper
from papers.reconciling import reconcile
from papers.status import status_of
from tests.papers.arxiv_world import World
from tests.papers.fake_arxiv import Killed

pytestmark = pytest.mark.django_db

CATEGORIES = ["cs.AI", "cs.LG", "math.PR"]
FIRST_DAY = dt.date(2026, 2, 23)  # three weeks around the change of clocks on 8 March
DAYS = int(os.environ.get("BROADSHEET_DAYS", "30"))
SEED = int(os.environ.get("BROADSHEET_SEED", "1"))
KIND = {"new": "new", "cross": "cross", "replace": "replacement", "replace-cross": "replacement"}


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(11), calendar.ARXIV_ZONE)


def world_of_thirty_days() -> World:
    """Two days on which no feed turns before noon, one on which a single one does not."""
    world = World(SEED, FIRST_DAY, DAYS, CATEGORIES)
    for number in (4, 12):
        day = world.days[number]
        world.vices.stale_until |= {(day, category): noon(day) for category in CATEGORIES}
    mixed = world.days[8]
    world.vices.stale_until[mixed, "cs.AI"] = noon(mixed)
    world.vices.without_feed = {world.days[16], world.days[21], world.days[22]}
    # Every third day its list pages answer; they count all and show some.
    world.vices.list_pages, world.vices.list_shows = set(world.days[1::3]) - world.vices.without_feed, 4
    return world


def with_holes(world: World) -> World:
    """A new paper in ten is never sent by OAI-PMH, one in twelve is named so that nobody can read it."""
    dice = random.Random(SEED + 2)
    for (day, _category), names in sorted(world.announced.items()):
        for named in names:
            if named.kind == "new" and day not in world.vices.without_feed:
                drawn = dice.random()
                world.vices.never_sent |= {named.arxiv_id} if drawn < 0.1 else set()
                world.vices.garbled |= {named.arxiv_id} if 0.05 < drawn < 0.13 else set()
    return world


@dataclass
class Run:
    """The harvester at its four slots a day. `overlap` as of `harvest_day`."""

    world: World
    overlap: dt.timedelta = harvest.OVERLAP
    reconciles: bool = True
    kills: int = 0
    stale: list[tuple[dt.date, str]] = field(default_factory=list)

    def go(self) -> None:
        dice = random.Random(SEED + 1)
        for day, at in self.world.instants():
            if day in self.world.vices.without_feed and at < noon(day):
                continue  # the machine was off
            self.world.clock.now = max(self.world.clock.now, at)
            for category in CATEGORIES:
                self._visit(category, day, dice)
            if self.reconciles:
                with self.world.transport() as transport:
                    places = [(day, category) for category in CATEGORIES]
                    reconcile(places, transport, now=self.world.clock.now)

    def _visit(self, category: str, day: dt.date, dice: random.Random) -> None:
        """One run at the slot; it may be killed at any page, and is started again at once."""

        def perhaps_die(report: HarvestReport, place: str) -> None:
            if dice.random() < 0.03:
                raise Killed

        while True:
            try:
                with self.world.transport() as transport:
                    now = self.world.clock.now
                    report = harvest_day(
                        category, day, transport, now=now, on_page=perhaps_die, overlap=self.overlap
                    )
            except Killed:
                self.kills += 1
                continue
            self.stale += [(day, category) for problem in report.problems if problem.code == "stale_feed"]
            return


def stored() -> dict[tuple[dt.date, str], set[tuple[str, str]]]:
    found: dict[tuple[dt.date, str], set[tuple[str, str]]] = {}
    rows = Announcement.objects.values_list("day", "category", "paper__arxiv_id", "kind")
    for day, category, arxiv_id, kind in rows:
        found.setdefault((day, category), set()).add((arxiv_id, kind))
    return found


def truth(world: World) -> dict[tuple[dt.date, str], set[tuple[str, str]]]:
    return {
        place: {(named.arxiv_id, KIND[named.kind]) for named in names}
        for place, names in world.announced.items()
        if names
    }


def lost_of(world: World) -> set[tuple[dt.date, str, str, str]]:
    """What was announced and is not stored on its day; of a day without any feed, new papers on no day at all."""
    found = stored()
    somewhere = {(place[1], *name) for place, names in found.items() for name in names}
    return {
        (*place, *name)
        for place, names in truth(world).items()
        for name in names - found.get(place, set())
        if place[0] not in world.vices.without_feed
        or (name[1] == "new" and (place[1], *name) not in somewhere)
    }


def invented_in(world: World) -> set[tuple[dt.date, str, str, str]]:
    """What is stored and was not announced then; for days without a feed: nor on another of them."""
    expected = truth(world)
    missed = world.vices.without_feed
    of_missed = {
        (place[1], *name) for place, names in expected.items() if place[0] in missed for name in names
    }
    return {
        (*place, *name)
        for place, names in stored().items()
        for name in names - expected.get(place, set())
        if place[0] not in missed or (place[1], *name) not in of_missed
    }


def test_thirty_days_lose_invent_and_double_nothing(settings) -> None:
    settings.ARXIV_LIST_URL = "https://arxiv.test/list"
    run = Run(with_holes(world_of_thirty_days()))

    run.go()

    print(f"seed {SEED}: {DAYS} days, {len(run.world.asked_at)} requests, {run.kills} kills")
    assert lost_of(run.world) == set()
    assert invented_in(run.world) == set()
    assert not Paper.objects.filter(submitted_at=None).exists()
    assert not Gap.objects.open().exists()
    assert Gap.objects.count() > 10
    assert run.kills > 0
    counted = ArxivCount.objects.filter(source=ArxivCount.Source.LISTING)
    assert set(counted.values_list("day", flat=True)) == run.world.vices.list_pages
    assert not [each for each in status_of(run.world.vices.list_pages) if each.shortfalls]
    assert set(run.stale) == set(run.world.vices.stale_until)
    gaps = [after[0] - before[1] for before, after in itertools.pairwise(run.world.asked_at)]
    assert min(gaps) >= dt.timedelta(seconds=3)


@pytest.mark.once
def test_without_the_overlap_papers_are_lost() -> None:
    """The control: the same weeks, with nothing but the day itself asked for."""
    run = Run(world_of_thirty_days(), overlap=dt.timedelta(0))

    run.go()

    assert lost_of(run.world)


@pytest.mark.once
def test_without_reconciliation_gaps_stay() -> None:
    """The control: what OAI-PMH never sends stays half known, what the feed garbles is lost."""
    run = Run(with_holes(World(SEED, FIRST_DAY, 8, CATEGORIES)), reconciles=False)

    run.go()

    vices = run.world.vices
    half_known = set(Paper.objects.filter(submitted_at=None).values_list("arxiv_id", flat=True))
    assert half_known == vices.never_sent - vices.garbled
    assert {arxiv_id for _day, _category, arxiv_id, _kind in lost_of(run.world)} == vices.garbled
    assert vices.garbled


@pytest.mark.once
def test_without_deduplication_every_paper_comes_many_times() -> None:
    """The control: who takes each answer's papers for news, as the tools of today do, doubles nearly all of them."""
    world = world_of_thirty_days()
    taken: list[str] = []

    for _day, at in itertools.islice(world.instants(), 4 * 5):
        world.clock.now = max(world.clock.now, at)
        with world.transport() as transport:
            try:
                answer = transport.fetch(f"https://arxiv.test/rss/{CATEGORIES[0]}")
            except ArxivError:
                continue
        taken += [one.arxiv_id for one in rss.parse(answer.body).listings if one.kind == "new"]

    announced = {named.arxiv_id for (day, category), names in world.announced.items() for named in names}
    assert len(taken) > len(set(taken))
    assert set(taken) <= announced
