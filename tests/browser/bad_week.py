"""`python -m tests.browser.bad_week`: an operator, and a week in which arXiv behaved badly, by real harvests.

Run beside a demo, in its VAR_DIR: the clock is passed in. The operator follows categories of their own, so that
the demo's readers see nothing of it. Of one day no feed answers, one feed is stale, papers are named unreadably
or never sent; a surge and a month on its way are rows.
"""

import datetime as dt
import os

import django

MAIL, PASSWORD = "operator@example.org", "keeps-the-instance"
CATEGORIES = ["hep-th", "math.PR", "q-bio.NC"]
DAYS = 6


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from allauth.account.models import EmailAddress

    from profiles.models import Interest, Membership, Profile, Role, Team, User

    operator = User.objects.create_user(MAIL, PASSWORD, is_staff=True)
    EmailAddress.objects.create(user=operator, email=MAIL, verified=True, primary=True)
    team = Team.objects.create(name="The operator's own", is_personal=True)
    Membership.objects.create(team=team, user=operator, role=Role.OWNER)
    profile = Profile.objects.create(owner=operator, team=team, name="What I keep", categories=CATEGORIES)
    Interest.objects.create(profile=profile, position=0, name="Anything", description="anything", weight=1)
    bring_in_a_bad_week()


def bring_in_a_bad_week() -> None:
    import time_machine
    from django.utils import timezone

    from papers import calendar
    from papers.harvest import harvest_day
    from papers.reconciling import reconcile
    from tests.papers.arxiv_world import Vices, World

    now = timezone.now()
    days = [calendar.newest_feed_day(now - dt.timedelta(hours=14))]
    while len(days) < DAYS:
        days.insert(0, calendar.previous_announcement_day(days[0]))
    world = World(11, days[0], DAYS, CATEGORIES, vices=Vices(busy=0, web_page=0, cut=0, moves=0))
    never = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    world.vices.stale_until = {(days[-1], CATEGORIES[1]): never}
    world.vices.without_feed = {days[2]}
    named = [each.arxiv_id for each in world.announced[days[3], CATEGORIES[2]] if each.kind == "new"]
    world.vices.never_sent, world.vices.unknown = set(named[:2]), set(named)
    world.vices.garbled = {named[-1]}
    for day in days:
        at = dt.datetime.combine(day, dt.time(12, 1), calendar.ARXIV_ZONE).astimezone(dt.UTC)
        world.clock.now = at
        with time_machine.travel(at, tick=False):
            for category in CATEGORIES:
                harvest_day(category, day, world.transport(), now=at)
            reconcile([(day, category) for category in CATEGORIES], world.transport(), now=at)
    surge_of(days[-2], CATEGORIES[0])
    a_month_on_its_way(days[-1])


def surge_of(day: dt.date, category: str) -> None:
    from papers.models import Announcement, Surge

    named = Announcement.objects.on(day).in_categories([category])
    for row in list(named)[::2]:
        row.is_parked = True
        row.save(update_fields=["is_parked"])
    Surge.objects.create(
        category=category, day=day, about="papers", state="parked", usual=2, found=named.count()
    )


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
