"""`python -m tests.browser.bad_week`: an operator, and a week in which arXiv behaved badly, by real harvests.

Run beside a demo, in its VAR_DIR: the clock is passed in. The operator follows categories of their own, so that
the demo's readers see nothing of it. Of one day no feed answers, one feed is stale, papers are named unreadably
or never sent; the last day comes late, and the two after it do not come at all; a surge and a month on its way
are rows.
"""

import datetime as dt
import os
from typing import Any

import django

MAIL, PASSWORD = "operator@example.org", "keeps-the-instance"
CATEGORIES = ["hep-th", "math.PR", "q-bio.NC"]
DAYS = 6
SILENT_DAYS = 2
# When arXiv is asked in vain, Eastern, on a day that comes late or not at all: the last of them after its morning.
IN_VAIN = (dt.time(0, 31), dt.time(4, 1), dt.time(11, 1))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from allauth.account.models import EmailAddress

    from profiles.models import Interest, Membership, Profile, Role, Team, User

    operator = User.objects.create_user(MAIL, PASSWORD, is_staff=True)
    EmailAddress.objects.create(user=operator, email=MAIL, verified=True, primary=True)
    team = Team.objects.create(name="The operator's own", is_personal=True)
    Membership.objects.create(team=team, user=operator, role=Role.OWNER)
    # Paused, so that the demo's clock opens no day of it before the week is over.
    profile = Profile.objects.create(
        owner=operator, team=team, name="What I keep", categories=CATEGORIES, cross_lists=True, is_paused=True
    )
    Interest.objects.create(profile=profile, position=0, name="Anything", description="anything", weight=1)
    bring_in_a_bad_week()
    Profile.objects.filter(pk=profile.pk).update(is_paused=False)


def bring_in_a_bad_week() -> None:
    from django.utils import timezone

    from papers import calendar
    from papers.owed import SILENCE
    from tests.papers.arxiv_world import Vices, World

    days = [calendar.newest_feed_day(timezone.now() - SILENCE)]
    while len(days) < DAYS + SILENT_DAYS:
        days.insert(0, calendar.previous_announcement_day(days[0]))
    world = World(11, days[0], len(days), CATEGORIES, vices=Vices(busy=0, web_page=0, cut=0, moves=0))
    _misbehave(world, days)
    for day in days[:DAYS]:
        if day == days[DAYS - 1]:
            _ask_in_vain(world, day)
        _ask(world, day, dt.time(12, 1))
    for day in days[DAYS:]:
        _ask_in_vain(world, day)
    surge_of(days[DAYS - 1], CATEGORIES[0])
    a_month_on_its_way(days[DAYS - 1])


def _misbehave(world: Any, days: list[dt.date]) -> None:
    never = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    world.vices.stale_until = {(days[DAYS - 2], CATEGORIES[1]): never}
    world.vices.without_feed = {days[2]}
    named = [each.arxiv_id for each in world.announced[days[3], CATEGORIES[2]] if each.kind == "new"]
    world.vices.never_sent, world.vices.unknown = set(named[:2]), set(named)
    world.vices.garbled = {named[-1]}


def _ask_in_vain(world: Any, day: dt.date) -> None:
    """arXiv does not answer, at any of the day's times that have passed."""
    world.vices.busy = 100
    for clock in IN_VAIN:
        _ask(world, day, clock)
    world.vices.busy = 0


def _ask(world: Any, day: dt.date, clock: dt.time) -> None:
    import time_machine
    from django.utils import timezone

    from papers import calendar
    from papers.harvest import harvest_day
    from papers.reconciling import reconcile

    at = dt.datetime.combine(day, clock, calendar.ARXIV_ZONE).astimezone(dt.UTC)
    if at > timezone.now():
        return
    world.clock.now = at
    with time_machine.travel(at, tick=False):
        for category in CATEGORIES:
            harvest_day(category, day, world.transport(), now=at)
        reconcile([(day, category) for category in CATEGORIES], world.transport(), now=at)


def surge_of(day: dt.date, category: str) -> None:
    """Half of that category's papers are parked, in whatever category they stand too."""
    from papers.models import Announcement, Surge

    named = Announcement.objects.on(day).in_categories([category])
    surplus = list(named.order_by("pk").values_list("paper", flat=True))[::2]
    Announcement.objects.on(day).filter(paper__in=surplus).update(is_parked=True)
    of_day = Announcement.objects.on(day).filter(is_parked=True).order_by().values_list("category", flat=True)
    for each in sorted(set(of_day)):
        found = Announcement.objects.on(day).in_categories([each]).count()
        Surge.objects.create(category=each, day=day, about="papers", state="parked", usual=2, found=found)


def a_month_on_its_way(newest: dt.date) -> None:
    from papers.models import Harvest, Quarantine

    run = Harvest.objects.create(
        category=CATEGORIES[0],
        day=None,
        source="backfill",
        requests=14,
        announced=2_611,
        stored=2_611,
        cursor={"newest": newest.isoformat(), "arXivRaw": {"token": "on its way"}},
    )
    raw = b"<record><header/><metadata><script>alert(1)</script>\xff\xe2\x80\xae</metadata>"
    Quarantine.objects.create(
        harvest=run, place="https://oaipmh.arxiv.org/oai, record 3", reason="cut_off", raw=raw
    )


if __name__ == "__main__":
    main()
