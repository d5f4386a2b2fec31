"""Days that come late: arXiv out of reach for two announcements (F37), and a category whose feed does not turn."""

import datetime as dt
import html
import json
import re

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command

from papers import calendar
from papers.arxiv.listing import ArxivUnavailable
from papers.models import Announcement, Harvest
from papers.outages import unreachable_until
from papers.status import day_status
from profiles.models import Scope
from scoring import budget, digest, editions, harvesting, judging, report, tick
from scoring.accounts import account
from scoring.models import BudgetWindow, Candidate, Edition, OutboxMail
from tests import factories
from tests.papers.arxiv_world import Vices, World
from tests.scoring.test_harvesting import CATEGORIES, quiet_world, truly_new

pytestmark = pytest.mark.django_db(transaction=True)


def at(day: dt.date, hour: int, minute: int = 1) -> dt.datetime:
    """That time of the day, Eastern."""
    local = dt.datetime.combine(day, dt.time(hour, minute), calendar.ARXIV_ZONE)
    return local.astimezone(dt.UTC)


def tick_at(world: World, now: dt.datetime, transport=None) -> None:
    """All that is due at that instant, for which the clock of this machine is set, too."""
    world.clock.now = now
    with time_machine.travel(now, tick=False):
        harvesting.harvest_due(now, transport or world.transport())
        tick.housekeep(now)
        judging.drain()
        tick.close_due(now)


@pytest.fixture
def reader():
    """Alice in Shanghai: her morning is the Eastern evening before."""
    alice = factories.user("alice@example.org", wants_digest=True, time_zone="Asia/Shanghai", digest_hour=8)
    return factories.profile(alice, categories=CATEGORIES, bar=0)


def outage(world: World) -> tuple[dt.date, dt.date, dt.date, dt.date]:
    """Four days: the first as ever, two on which arXiv does not answer, and one at whose noon it does again."""
    first, second, third, fourth = world.days[:4]
    tick_at(world, at(first, 12))
    world.vices.busy = 100
    for day in (second, third):
        for hour in (0, 4, 12):
            tick_at(world, at(day, hour, 31))
    world.vices.busy = 0
    tick_at(world, at(fourth, 12))
    return first, second, third, fourth


# --- two days without arXiv ------------------------------------------------------------------------------


def test_days_that_were_kept_from_us_are_opened_in_order_and_marked(reader):
    days = outage(quiet_world())

    found = Edition.objects.order_by("opened_at", "day")

    assert [edition.day for edition in found] == list(days)
    assert [edition.late_until for edition in found] == [None, at(days[3], 12), at(days[3], 12), None]
    assert [edition.state for edition in found] == ["closed"] * 4


def test_the_page_the_report_and_the_api_say_so(reader, client):
    days = outage(quiet_world())
    client.force_login(reader.owner)
    late = Edition.objects.get(day=days[1])

    page, other = (client.get(f"/feed/{day}/").content.decode() for day in (days[1], days[3]))
    text = report.markdown(reader, days[1], "Asia/Shanghai", "zh-Hans")
    told = json.loads(report.as_json(reader, days[1], "UTC", "en"))

    # Noon Eastern is one in the morning of the next day in Shanghai.
    shown = f"{days[3] + dt.timedelta(days=1)} 01:01"
    assert f"Opened late: arXiv was unreachable until {shown}." in page
    assert "Opened late" not in other
    assert f"> 迟开：arXiv 在北京时间 {shown}:00 之前无法访问。\n" in text
    assert told["late_until"] == f"{days[3]}T17:01:00+00:00"
    assert "late" not in report.markdown(reader, days[3], "UTC", "en")
    assert (
        client.get(f"/api/v1/editions/{late.public_id}/").json()["late_until"]
        == f"{days[3] + dt.timedelta(days=1)}T01:01:00+08:00"
    )


def test_late_days_come_in_the_mail_of_the_newest_one_once(reader):
    days = outage(quiet_world())
    morning = at(days[3], 19, 30)  # half past eight in Shanghai

    with time_machine.travel(morning, tick=False):
        sent = [digest.send_due(morning) for _ in range(3)]

    (message,) = mail.outbox
    assert sent == [1, 0, 0]
    assert list(OutboxMail.objects.values_list("day", flat=True)) == [days[3]]
    assert message.subject.endswith("2 days late")
    assert message.body.count("Opened late: arXiv was unreachable until") == 2
    places = [message.body.index(f"/feed/{day}/") for day in (days[3], days[1], days[2])]
    assert places == sorted(places)
    assert f"/feed/{days[0]}/" not in message.body
    html = message.alternatives[0][0]
    assert html.count("Opened late") == 2


def test_the_next_mail_does_not_bring_them_again(reader):
    world = quiet_world()
    days = outage(world)
    first, second = at(days[3], 19, 30), at(world.days[4], 19, 30)
    with time_machine.travel(first, tick=False):
        digest.send_due(first)

    tick_at(world, at(world.days[4], 12))
    with time_machine.travel(second, tick=False):
        digest.send_due(second)

    assert [sent.subject.endswith("late") for sent in mail.outbox] == [True, False]
    assert "Opened late" not in mail.outbox[1].body


def test_a_mail_waits_until_the_late_days_are_read_or_stopped(reader):
    days = outage(quiet_world())
    Edition.objects.filter(day=days[1]).update(state=Edition.State.SCREENED)
    morning = at(days[3], 19, 30)

    assert digest.ready_day(reader.owner, morning) is None
    Edition.objects.filter(day=days[1]).update(blocked_by={"scope": 3})
    assert digest.ready_day(reader.owner, morning) == days[3]


def test_a_mail_in_chinese_says_it_too(reader):
    reader.owner.language = "zh-hans"
    reader.owner.save(update_fields=["language"])
    days = outage(quiet_world())

    message = digest.message_of(reader.owner, days[3])

    assert "其中 2 天迟到" in message.subject
    assert f"迟开：arXiv 在 {days[3] + dt.timedelta(days=1)} 01:01 之前无法访问。" in message.body


def test_three_days_at_once_overrun_no_budget_and_what_is_over_waits_with_its_reason(
    reader, judge, fake_model
):
    reader.target_recall = 1.0
    reader.save(update_fields=["target_recall"])
    factories.quota(Scope.TEAM, 4_000, team=reader.team)
    days = outage(quiet_world())

    together = Candidate.objects.filter(day__in=days[1:])
    waiting = together.filter(state=Candidate.State.WAITING)
    for window in BudgetWindow.objects.filter(scope=Scope.TEAM):
        assert window.used_tokens + window.held_tokens <= window.limit_tokens == 4_000
    assert together.filter(state=Candidate.State.JUDGED).exists()
    assert waiting.exists()
    assert set(waiting.values_list("waits_for", flat=True)) == {Candidate.Waits.BUDGET}
    for edition in Edition.objects.filter(pk__in=waiting.values("edition")):
        assert edition.blocked_by["scope"] == Scope.TEAM
        assert edition.blocked_until > at(days[3], 12)
        assert account(edition).lost == 0
    assert budget.audit() == []
    assert editions.audit() == []


# --- when a day counts as kept from us --------------------------------------------------------------------


def run(
    day: dt.date, ended: dt.datetime, problem: str = "", category: str = "cs.LG", stored: int = 0
) -> None:
    state = Harvest.State.FAILED if problem else Harvest.State.DONE
    Harvest.objects.create(
        category=category,
        day=day,
        source="arxiv",
        state=state,
        problem=problem,
        stored=stored,
        finished_at=ended,
    )


DAY = dt.date(2026, 2, 24)


@pytest.mark.parametrize(
    ("runs", "is_late"),
    [
        ([], False),
        ([(12, "unavailable")], False),  # still away
        ([(4, "")], False),
        ([(0, "unavailable"), (4, "")], False),  # in time for the morning
        ([(0, "unavailable"), (12, "")], True),
        ([(0, "html"), (12, "")], True),  # a page that says "maintenance"
        ([(12, "")], False),  # nobody asked before: a new category
        ([(0, "stale_feed"), (12, "")], False),
        ([(0, "unavailable"), (4, "stale_feed"), (12, "")], False),
    ],
)
def test_a_day_is_late_where_arxiv_was_asked_in_vain_through_its_morning(runs, is_late):
    for hour, problem in runs:
        run(DAY, at(DAY, hour, 31), problem, stored=3 if problem == "stale_feed" else 0)

    assert (unreachable_until(DAY, ["cs.LG"]) is not None) is is_late


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], None),
        ([(4, "")], None),
        ([(0, "unavailable"), (4, "")], None),  # in time for the morning
        ([(12, "")], None),  # nobody asked before
        ([(0, "unavailable")], None),  # its morning is not over
        ([(0, "unavailable"), (12, "unavailable")], ("unreachable", None)),
        ([(0, "html"), (12, "")], ("unreachable", 12)),
        ([(0, "stale_feed"), (12, "")], ("stale", 12)),
        ([(0, "stale_feed"), (12, "stale_feed")], ("stale", None)),
        ([(0, "unavailable"), (4, "stale_feed"), (12, "")], ("stale", 12)),
        ([(4, "token_loops"), (12, "")], None),  # what came was wrong, but it came
    ],
)
def test_the_operator_sees_what_arxiv_kept_back_and_until_when(runs, expected):
    for hour, problem in runs:
        run(DAY, at(DAY, hour, 31), problem, stored=3 if problem in {"stale_feed", "token_loops"} else 0)

    found = day_status(DAY, ["cs.LG"])

    reason, hour = expected or ("", None)
    assert [each.kept_back for each in found] == ([reason] if runs else [])
    assert [each.late_until for each in found] == ([hour and at(DAY, hour, 31)] if runs else [])


def test_a_category_of_somebody_else_makes_no_day_late():
    run(DAY, at(DAY, 0, 31), "unavailable", "math.PR")
    run(DAY, at(DAY, 12), "", "math.PR")

    assert unreachable_until(DAY, ["cs.LG"]) is None


def plain(page: str) -> str:
    """What a person reads: without tags, with the characters that stand for themselves."""
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def test_the_harvest_page_and_the_terminal_name_the_days(client, capsys):
    """Two days: one came late in both categories, one is still away in one of them."""
    for category in CATEGORIES:
        run(DAY, at(DAY, 0, 31), "unavailable", category)
        run(DAY, at(DAY, 12), "", category)
    next_day = calendar.next_announcement_day(DAY)
    run(next_day, at(next_day, 12), "stale_feed", "cs.LG")
    factories.profile(factories.user(), categories=CATEGORIES)
    client.force_login(factories.user(is_staff=True, time_zone="Asia/Shanghai"))

    with time_machine.travel(at(next_day, 13), tick=False):
        page = client.get("/operator/harvest/").content.decode()
        of_day = client.get(f"/operator/harvest/{DAY}/cs.LG/").content.decode()
        call_command("harvest", "--status")
        said = capsys.readouterr().out
        call_command("harvest", "--status", "--json")
        told = json.loads(capsys.readouterr().out)

    late = "came only at 2026-02-25 01:01: arXiv had not answered"
    assert "Days that arXiv kept back" in page
    assert page.count("came late</span>") == page.count("kept back</span>") == 1
    assert late in plain(page)
    assert late in plain(of_day)
    assert "not here yet: arXiv's feed shows another day" in plain(page)
    assert f"{DAY} cs.LG, math.PR: came only at 2026-02-24 17:01 UTC: arXiv had not answered" in said
    assert f"{next_day} cs.LG: not here yet: arXiv's feed shows another day" in said
    kept = {(row["day"], row["category"]): (row["kept_back"], row["late_until"]) for row in told["days"]}
    assert kept[str(DAY), "math.PR"] == ("unreachable", "2026-02-24T17:01:00+00:00")
    assert kept[str(next_day), "cs.LG"] == ("stale", None)
    assert told["totals"]["kept_back"] == 3


def test_a_calm_week_has_no_days_kept_back(client):
    run(DAY, at(DAY, 4), "")
    factories.profile(factories.user(), categories=["cs.LG"])
    client.force_login(factories.user(is_staff=True))

    with time_machine.travel(at(DAY, 13), tick=False):
        assert "kept back" not in client.get("/operator/harvest/").content.decode()


# --- one category stale, the other fresh -------------------------------------------------------------------


def without_records_of(world: World, set_name: str):
    """The world's transport, but that OAI-PMH does not answer for that set."""
    made = world.transport()
    fetch = made.fetch

    def refusing(url, params):
        if params.get("set") == set_name:
            raise ArxivUnavailable("busy")
        return fetch(url, params)

    made.fetch = refusing
    return made


def test_a_stale_category_comes_later_as_a_batch_and_the_fresh_one_does_not_wait(reader, client):
    world = quiet_world()
    before, day = world.days[0], world.days[1]
    tick_at(world, at(before, 12))
    world.vices.stale_until[day, "math.PR"] = at(day, 10)

    tick_at(world, at(day, 4, 31), without_records_of(world, "math:math:PR"))
    early = Edition.objects.get(day=day)
    told = set(Harvest.objects.filter(day=day, state="failed").values_list("category", "problem"))
    opened_with = set(shown(client, reader, day))
    tick_at(world, at(day, 12))
    late = Edition.objects.get(day=day)

    fresh = {named.arxiv_id for named in world.announced[day, "cs.LG"] if named.kind == "new"}
    assert told == {("math.PR", "stale_feed")}
    assert opened_with == fresh
    assert early.batch == 1
    assert late.batch == 2
    assert late.late_until is None
    assert set(shown(client, reader, day)) == truly_new(world, day)
    assert account(late).announced == len(truly_new(world, day))
    assert account(late).lost == 0
    assert editions.audit() == []


def test_a_stale_feed_gives_the_day_none_of_yesterdays_papers(reader, client):
    world = World(11, dt.date(2026, 2, 23), 4, CATEGORIES, vices=Vices(busy=0, web_page=0, cut=0, moves=0))
    first, second = world.days[:2]
    tick_at(world, at(first, 12))
    for category in CATEGORIES:
        world.vices.stale_until[second, category] = at(second, 23)

    tick_at(world, at(second, 12))

    stated = Announcement.objects.filter(day=second).exclude(source=Announcement.Source.DERIVED)
    assert not stated.exists()
    assert not truly_new(world, first) & set(shown(client, reader, second))
    assert set(Harvest.objects.filter(day=second).values_list("problem", flat=True)) == {"stale_feed"}


def shown(client, reader, day: dt.date) -> list[str]:
    """The arXiv ids of the page's list of all that the day announced."""
    client.force_login(reader.owner)
    page = client.get(f"/feed/{day}/", {"show": "announced"}).content.decode()
    return [part.split("/")[0] for part in page.split('href="/papers/')[1:]]
