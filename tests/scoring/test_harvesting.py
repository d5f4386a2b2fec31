"""arXiv is away for two days and comes back; a new category brings its month; silence is told to somebody."""

import datetime as dt

import pytest
from django.core import mail

from papers import calendar
from papers.models import Announcement, Harvest
from papers.owed import alarms, days_owed, in_force
from scoring import harvesting, tick
from scoring.accounts import account
from scoring.models import Edition
from tests import factories
from tests.papers.arxiv_world import Vices, World
from tests.papers.fake_arxiv import Killed

pytestmark = pytest.mark.django_db

CATEGORIES = ["cs.LG", "math.PR"]
FIRST = dt.date(2026, 2, 23)


def quiet_world(days: int = 8, **options: int) -> World:
    return World(7, FIRST, days, CATEGORIES, vices=Vices(busy=0, web_page=0, cut=0, moves=0), **options)


def at_noon(world: World, day: dt.date) -> dt.datetime:
    world.clock.now = dt.datetime.combine(day, dt.time(12, 1), calendar.ARXIV_ZONE).astimezone(dt.UTC)
    return world.clock.now


def harvest(world: World, now: dt.datetime) -> list[dt.date]:
    """What is due then; the days in the order in which they were asked for."""
    before = set(Harvest.objects.values_list("pk", flat=True))
    harvesting.harvest_due(now, world.transport())
    runs = Harvest.objects.exclude(pk__in=before).order_by("pk")
    return list(dict.fromkeys(day for day in runs.values_list("day", flat=True) if day))


def new_in(day: dt.date) -> set[str]:
    rows = Announcement.objects.announced_to(CATEGORIES, day, cross_lists=False)
    return set(rows.values_list("paper__arxiv_id", flat=True))


def truly_new(world: World, day: dt.date) -> set[str]:
    return {
        named.arxiv_id
        for category in CATEGORIES
        for named in world.announced[day, category]
        if named.kind == "new"
    }


@pytest.fixture
def reader():
    return factories.profile(factories.user(), categories=CATEGORIES)


def test_two_days_without_arxiv_are_made_up_for_in_order(reader):
    """F37: what was missed is brought in oldest first, opened late, and each paper enters once."""
    world = quiet_world()
    first, second, third, fourth = world.days[:4]
    now = at_noon(world, first)
    harvest(world, now)
    tick.housekeep(now)
    world.vices.busy = 100
    for day in (second, third):
        now = at_noon(world, day)
        harvest(world, now)
        tick.housekeep(now)
    assert set(Edition.objects.values_list("day", flat=True)) == {first}
    world.vices.busy = 0

    now = at_noon(world, fourth)
    asked = harvest(world, now)
    tick.housekeep(now)

    assert asked == [second, third, fourth]
    assert list(Edition.objects.order_by("opened_at", "day").values_list("day", flat=True)) == world.days[:4]
    entered = [entry for each in Edition.objects.all() for entry in [account(each)] if entry.announced]
    assert sum(one.announced - one.seen for one in entered) == len(
        {arxiv_id for day in world.days[:4] for arxiv_id in truly_new(world, day)}
    )
    found = set().union(*(new_in(day) for day in world.days[:4]))
    assert found == set().union(*(truly_new(world, day) for day in world.days[:4]))
    assert days_owed(CATEGORIES, now) == []


def test_a_day_that_failed_is_owed_until_it_is_whole(reader):
    world = quiet_world()
    harvest(world, at_noon(world, world.days[0]))
    world.vices.busy = 100
    harvest(world, at_noon(world, world.days[1]))

    now = at_noon(world, world.days[2])

    assert days_owed(CATEGORIES, now) == [(world.days[1], category) for category in CATEGORIES]


def test_a_new_category_brings_its_month_once_and_resumes(reader):
    world = quiet_world(days=12)
    now = at_noon(world, world.days[-1])
    dies = iter([False, True])

    def transport():
        made = world.transport()
        fetch = made.fetch

        def fetch_or_die(*args):
            if next(dies, False):
                raise Killed
            return fetch(*args)

        made.fetch = fetch_or_die
        return made

    with pytest.raises(Killed):
        harvesting.backfill_due(now, transport())
    half = Announcement.objects.count()
    later = now + dt.timedelta(hours=24)
    while harvesting.backfill_due(later, world.transport()).requests:
        pass

    assert half
    runs = Harvest.objects.filter(source="backfill")
    assert sorted(runs.values_list("category", "state")) == [(name, "done") for name in CATEGORIES]
    derived = Announcement.objects.entering(CATEGORIES, cross_lists=False)
    brought = set(derived.values_list("paper__arxiv_id", flat=True))
    assert brought == set().union(*(truly_new(world, day) for day in world.days))
    asked = len(world.asked_at)
    assert harvesting.backfill_due(later + dt.timedelta(hours=24), world.transport()).requests == 0
    assert len(world.asked_at) == asked


def test_a_backfill_opens_no_old_edition(reader):
    world = quiet_world(days=6)
    now = at_noon(world, world.days[-1])
    harvest(world, now)
    tick.housekeep(now)

    harvesting.backfill_due(now, world.transport())
    tick.housekeep(now)

    assert set(Edition.objects.values_list("day", flat=True)) == {world.days[-1]}


# --- alarms ---------------------------------------------------------------------------------------------


def codes(now: dt.datetime) -> list[str]:
    return [alarm.code for alarm in alarms(CATEGORIES, now)]


def test_two_expected_announcements_without_papers_are_told_once(reader, settings):
    settings.ADMINS = ["operator@example.org"]
    world = quiet_world()
    harvest(world, at_noon(world, world.days[0]))

    assert codes(at_noon(world, world.days[1])) == []
    now = at_noon(world, world.days[2])
    assert codes(now) == ["no_papers"]
    assert harvesting.alarm_due(now) == 1
    assert harvesting.alarm_due(now + dt.timedelta(hours=1)) == 0

    (told,) = mail.outbox
    assert "two announcements without papers" in told.subject
    assert f"{world.days[1]}, {world.days[2]}" in told.body


def test_a_weekend_and_a_holiday_are_no_silence(reader):
    factories.announce(factories.paper(), dt.date(2026, 1, 16), category="cs.LG")
    Harvest.objects.create(category="cs.LG", day=dt.date(2026, 1, 16), source="arxiv", state="done")

    # Friday the 16th, then Monday the 19th; the 20th has no list: Tuesday evening is the first with two missing.
    assert codes(dt.datetime(2026, 1, 20, 20, tzinfo=dt.UTC)) == []
    assert codes(dt.datetime(2026, 1, 21, 20, tzinfo=dt.UTC)) == ["no_papers"]


def test_next_years_holidays_are_asked_for_in_november(reader):
    assert codes(dt.datetime(2026, 11, 14, 20, tzinfo=dt.UTC)) == []
    assert codes(dt.datetime(2026, 11, 16, 20, tzinfo=dt.UTC)) == ["holidays_unknown"]
    assert [alarm.params for alarm in alarms([], dt.datetime(2026, 12, 1, tzinfo=dt.UTC))] == [{"year": 2027}]


def test_ready_says_so_and_stays_ready(reader, client):
    factories.announce(factories.paper(), dt.date(2026, 1, 16), category="cs.LG")
    Harvest.objects.create(category="cs.LG", day=dt.date(2026, 1, 16), source="arxiv", state="done")

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert "no_papers" in answer.json()["checks"]["arxiv"]


# --- a category that arXiv renames or closes -------------------------------------------------------------


def go_through(world: World, days: list[dt.date]) -> None:
    for day in days:
        now = at_noon(world, day)
        harvest(world, now)
        tick.housekeep(now)


def test_a_category_that_arxiv_closes_is_said_once_and_the_others_go_on(reader, settings):
    settings.ADMINS = ["operator@example.org"]
    world = quiet_world()
    go_through(world, world.days[:2])
    before = set(Announcement.objects.in_categories(["math.PR"]).values_list("pk", flat=True))
    world.vices.closed = {"math.PR"}

    go_through(world, world.days[2:6])

    (told,) = mail.outbox
    assert "Readers follow math.PR" in told.body
    assert before <= set(Announcement.objects.in_categories(["math.PR"]).values_list("pk", flat=True))
    for day in world.days[:6]:
        assert set(day_names(world, day, "cs.LG")) <= new_in(day)
    assert Edition.objects.count() == 6


def test_a_refusal_of_one_evening_is_no_lost_category(reader):
    world = quiet_world()
    go_through(world, world.days[:1])
    world.vices.closed = {"math.PR"}
    go_through(world, world.days[1:2])
    assert codes(at_noon(world, world.days[1])) == []
    world.vices.closed = set()

    go_through(world, world.days[2:3])

    assert codes(at_noon(world, world.days[2])) == []
    assert days_owed(CATEGORIES, world.clock.now) == []


def test_readers_of_a_closed_archive_get_what_took_it_over(reader):
    reader.categories = ["cmp-lg", "cs.LG"]
    reader.save()

    assert harvesting.followed_categories() == ["cmp-lg", "cs.CL", "cs.LG"]
    world = World(7, FIRST, 2, ["cs.CL", "cs.LG"], vices=Vices(busy=0, web_page=0, cut=0, moves=0))
    go_through(world, world.days[:1])

    edition = Edition.objects.get()
    assert edition.categories == ["cs.CL", "cs.LG"]
    assert account(edition).announced > 0
    (alarm,) = alarms(harvesting.followed_categories(), world.clock.now)
    assert (alarm.code, alarm.params["successor"]) == ("category_lost", "cs.CL")


def test_of_two_codes_the_other_comes_along_where_arxiv_refuses_the_first(reader):
    reader.categories = ["cs.SY"]
    reader.save()
    assert in_force(["cs.SY"]) == ["cs.SY"]
    for day in (FIRST, FIRST + dt.timedelta(days=1)):
        Harvest.objects.create(
            category="cs.SY", day=day, source="arxiv", state="failed", problem="badArgument"
        )

    assert in_force(["cs.SY"]) == ["cs.SY", "eess.SY"]
    assert harvesting.followed_categories() == ["cs.SY", "eess.SY"]


def day_names(world: World, day: dt.date, category: str) -> list[str]:
    return [named.arxiv_id for named in world.announced[day, category] if named.kind == "new"]
