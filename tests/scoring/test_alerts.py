"""A limit comes to its end: told at 80 and at 100 %, once, to whom it concerns."""

import datetime as dt
import threading

import pytest
from django.core import mail
from django.db import connection, transaction
from django.urls import reverse

from profiles import letters, notices
from profiles.models import Letter, Notice, Period, Role, Scope
from profiles.quotas import INSTANCE, Leg
from scoring import alerts, tick
from scoring.budget import windows
from scoring.models import Alert, BudgetWindow, Edition
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 30, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def alice():
    return factories.user("alice@example.org", name="Alice")


@pytest.fixture
def bob():
    return factories.user("bob@example.org", name="Bob")


@pytest.fixture
def lab(alice, bob):
    return factories.team(alice, bob, name="Lab")


def window_of(leg: Leg, used: int, limit: int = 1000, now: dt.datetime = NOW) -> BudgetWindow:
    """The day's window of that leg, with so much of its limit used."""
    with transaction.atomic():
        found = next(each for each in windows.windows_at([leg], now) if each.period == Period.DAY)
    BudgetWindow.objects.filter(pk=found.pk).update(used_tokens=used, limit_tokens=limit)
    return found


def bobs(lab, bob) -> Leg:
    return Leg(Scope.MEMBER, lab.memberships.get(user=bob).pk, lab.pk)


def titles(user) -> list[str]:
    return [each.words.title for each in notices.told(Notice.objects.of(user).order_by("pk"))]


def test_the_member_and_who_steers_are_told_at_each_threshold_once(alice, bob, lab):
    window = window_of(bobs(lab, bob), 799)
    assert alerts.alert_due(NOW) == 0

    for used, told in ((800, 1), (900, 0), (1000, 1), (1200, 0)):
        BudgetWindow.objects.filter(pk=window.pk).update(used_tokens=used)
        assert alerts.alert_due(NOW) == told

    assert titles(bob) == ["80 % of your limit in Lab are used", "Your limit in Lab is used up"]
    assert titles(alice) == ["Bob: 80 % of the limit in Lab are used", "Bob: the limit in Lab is used up"]
    assert Letter.objects.count() == 3  # Two for Bob, and Alice's one of the day.
    letters.send_due(NOW)
    assert sorted({message.to[0] for message in mail.outbox}) == [alice.email, bob.email]
    assert "1,000 of 1,000 tokens a day are used" in mail.outbox[-1].body


def test_straight_to_the_end_is_told_once(bob, lab):
    window_of(bobs(lab, bob), 1000)

    assert [alerts.alert_due(NOW), alerts.alert_due(NOW)] == [1, 0]
    assert Alert.objects.get().percent == 100


def test_a_limit_that_is_raised_and_reached_again_is_not_told_again(bob, lab):
    window = window_of(bobs(lab, bob), 1000)
    alerts.alert_due(NOW)

    BudgetWindow.objects.filter(pk=window.pk).update(limit_tokens=2000)
    assert alerts.alert_due(NOW) == 0
    BudgetWindow.objects.filter(pk=window.pk).update(used_tokens=2000)
    assert alerts.alert_due(NOW) == 0


def test_a_new_day_is_told_anew(bob, lab):
    window_of(bobs(lab, bob), 1000)
    alerts.alert_due(NOW)

    window_of(bobs(lab, bob), 1000, now=NOW + DAY)

    assert alerts.alert_due(NOW + DAY) == 1


def test_a_limit_lowered_below_what_is_used_is_told(bob, lab):
    window = window_of(bobs(lab, bob), 500)
    assert alerts.alert_due(NOW) == 0

    BudgetWindow.objects.filter(pk=window.pk).update(limit_tokens=400)

    assert alerts.alert_due(NOW) == 1


def test_a_limit_that_stops_a_reading_is_full_though_a_little_is_left(bob, lab):
    window = window_of(bobs(lab, bob), 950)
    edition = factories.edition(factories.profile(bob, team=lab))
    blocked = {"scope": int(Scope.MEMBER), "subject_id": window.subject_id, "period": "day"}
    Edition.objects.filter(pk=edition.pk).update(blocked_by=blocked, blocked_until=NOW + DAY)

    alerts.alert_due(NOW)

    assert Alert.objects.get().percent == 100
    (told,) = notices.told(Notice.objects.of(bob))
    assert "What is left is less than the next reading needs." in told.words.paragraphs


def test_the_pool_is_told_to_who_steers_it_and_to_nobody_else(alice, bob, lab):
    window_of(Leg(Scope.TEAM, lab.pk, lab.pk), 1000)

    alerts.alert_due(NOW)

    assert titles(alice) == ["The pool of Lab is used up"]
    assert titles(bob) == []


def test_thirty_members_are_thirty_notices_and_one_letter_a_day(alice, lab):
    def all_are_read(now: dt.datetime, share: int) -> None:
        for leg in legs:
            window_of(leg, share, now=now)
        alerts.alert_due(now)
        letters.send_due(now)

    members = [factories.membership(lab, factories.user(name=f"Reader {n:02}")) for n in range(30)]
    legs = [Leg(Scope.MEMBER, member.pk, lab.pk) for member in members]

    all_are_read(NOW, 850)
    (letter,) = [message for message in mail.outbox if message.to == [alice.email]]
    all_are_read(NOW, 1000)

    assert len(titles(alice)) == 60
    assert letter.subject == "Limits in Lab come to their end"
    assert letter.body.count("850 of 1,000 tokens a day") == 30
    assert len(mail.outbox) == 61  # Each member's own two, and the one to Alice.
    all_are_read(NOW + DAY, 1000)
    assert [message.to for message in mail.outbox].count([alice.email]) == 2


def test_the_letter_lists_what_is_so_when_it_is_sent(alice, bob, lab):
    window_of(bobs(lab, bob), 850)
    carol = factories.membership(lab, factories.user(name="Carol"))
    alerts.alert_due(NOW)
    window_of(Leg(Scope.MEMBER, carol.pk, lab.pk), 1000)

    letters.send_due(NOW)

    (letter,) = [message for message in mail.outbox if message.to == [alice.email]]
    assert "- Carol: used up, 1,000 of 1,000 tokens a day\n- Bob: 850 of 1,000" in letter.body


def test_the_letter_is_not_sent_when_all_were_given_more(alice, bob, lab):
    window = window_of(bobs(lab, bob), 850)
    alerts.alert_due(NOW)
    BudgetWindow.objects.filter(pk=window.pk).update(limit_tokens=9000)

    letters.send_due(NOW)

    assert [message.to for message in mail.outbox] == [[bob.email]]


def test_each_alert_of_a_pool_is_a_letter(alice, lab):
    window = window_of(Leg(Scope.TEAM, lab.pk, lab.pk), 850)
    alerts.alert_due(NOW)
    BudgetWindow.objects.filter(pk=window.pk).update(used_tokens=1000)
    alerts.alert_due(NOW)

    assert Letter.objects.filter(user=alice, code=alerts.CODE).count() == 2


def test_the_instance_is_told_to_the_operator(settings, bob):
    settings.ADMINS = ["operator@example.org"]
    staff = factories.user(is_staff=True)
    window_of(INSTANCE, 850)

    alerts.alert_due(NOW)

    assert titles(staff) == ["80 % of the instance's budget are used"]
    assert titles(bob) == []
    assert mail.outbox == []  # No tick waits for a mail server.
    for _clock in range(2):
        letters.send_due(NOW)
    assert sorted(message.to[0] for message in mail.outbox) == ["operator@example.org", staff.email]


def test_an_owner_of_a_personal_team_gets_one_message(bob):
    profile = factories.profile(bob)
    membership = profile.team.memberships.get()

    window_of(Leg(Scope.MEMBER, membership.pk, profile.team_id), 1000)
    alerts.alert_due(NOW)

    assert len(titles(bob)) == 1


def test_it_is_looked_for_in_two_queries_however_many_windows_are_open(bob, lab, django_assert_num_queries):
    for number in range(20):
        member = factories.membership(lab, factories.user(), Role.MEMBER)
        window_of(Leg(Scope.MEMBER, member.pk, lab.pk), number)

    with django_assert_num_queries(2):
        alerts.alert_due(NOW)


def test_every_tick_looks(bob, lab):
    window_of(bobs(lab, bob), 1000)

    tick.housekeep(NOW)

    assert Alert.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_clocks_tell_once(alice, bob, lab):
    window = window_of(bobs(lab, bob), 1000)
    barrier = threading.Barrier(6)
    seen_by_all: list[bool] = []

    def tell() -> None:
        barrier.wait()
        # The control: who looks first and tells then, tells as often as there are clocks.
        seen_by_all.append(not Alert.objects.filter(window=window).exists())
        barrier.wait()
        alerts.alert_due(NOW)
        connection.close()

    clocks = [threading.Thread(target=tell) for _ in range(6)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()

    assert seen_by_all == [True] * 6
    assert (Alert.objects.count(), Notice.objects.count(), Letter.objects.count()) == (1, 2, 2)


# --- pages ----------------------------------------------------------------------------------------------


def test_a_reader_sees_it_on_every_page_until_it_is_put_away(client, bob, lab):
    window_of(bobs(lab, bob), 1000)
    alerts.alert_due(NOW)
    client.force_login(bob)

    page = client.get(reverse("saved")).text
    assert "Your limit in Lab is used up" in page
    assert "1 new notice" in page
    notice = Notice.objects.get(user=bob)
    answer = client.post(reverse("notice_seen", args=[notice.public_id]), {"back": "/saved/"})

    assert answer.headers["Location"] == "/saved/"
    assert "Your limit in Lab is used up" not in client.get(reverse("saved")).text
    assert "Your limit in Lab is used up" in client.get(reverse("notices")).text


def test_back_leads_nowhere_else(client, bob, lab):
    window_of(bobs(lab, bob), 1000)
    alerts.alert_due(NOW)
    client.force_login(bob)
    notice = Notice.objects.get(user=bob)

    answer = client.post(reverse("notice_seen", args=[notice.public_id]), {"back": "https://evil.example/"})

    assert answer.headers["Location"] == reverse("notices")


def test_a_list_of_notices_costs_no_query_a_row(client, alice, bob, lab, django_assert_max_num_queries):
    for number in range(30):
        member = factories.membership(lab, factories.user(name=f"Reader {number}"))
        window_of(Leg(Scope.MEMBER, member.pk, lab.pk), 1000)
    alerts.alert_due(NOW)
    client.force_login(alice)

    with django_assert_max_num_queries(9):
        page = client.get(reverse("notices")).text

    assert page.count("the limit in Lab is used up") == 30


def test_all_are_marked_as_seen_at_once(client, bob, lab):
    window_of(bobs(lab, bob), 1000)
    alerts.alert_due(NOW)
    client.force_login(bob)

    client.post(reverse("notices_seen"))

    assert not Notice.objects.of(bob).unseen().exists()
    assert "new notice" not in client.get(reverse("saved")).text


def test_an_alert_speaks_chinese(client, lab):
    eve = factories.user(language="zh-hans", name="Eve")
    member = factories.membership(lab, eve)
    window_of(Leg(Scope.MEMBER, member.pk, lab.pk), 1000)
    alerts.alert_due(NOW)
    client.force_login(eve)

    assert "您在 Lab 的限额已用完" in client.get(reverse("notices")).text
