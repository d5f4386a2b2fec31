"""Letters: each once, in the reader's words, whatever the mail server does (F39)."""

import datetime as dt
import email
import email.policy
import re
import threading

import pytest
from django.core import mail
from django.db import connection, transaction

from portal import leaving
from profiles import letters, notices, outbox
from profiles.models import Letter, Notice, Team
from tests import factories
from tests.profiles import sayings
from tests.smtp_server import mail_server

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 30, 8, 30, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def codes(settings):
    settings.TIDINGS = settings.TIDINGS | sayings.TIDINGS


def a_letter(team=None, **to):
    team = team or factories.team(factories.user(), name="Lab")
    to = to or {"user": factories.user("alice@example.org")}
    return letters.owe("hello", "greeting", {"team": team.pk}, now=NOW, **to)


def served_by(settings, server):
    options = {"host": "127.0.0.1", "port": server.port, "timeout": 0.5}
    settings.MAILERS = {"default": {"BACKEND": "profiles.mailing.WatchedBackend", "OPTIONS": options}}


def test_a_letter_is_sent_once_however_often_it_is_owed_and_due():
    team = factories.team(factories.user(), name="Lab")
    alice = factories.user("alice@example.org")

    for minutes in range(3):
        a_letter(team, user=alice)
        letters.send_due(NOW + minutes * MINUTE)

    (message,) = mail.outbox
    assert (message.to, message.subject) == (["alice@example.org"], "Teams: Lab")
    assert "http://127.0.0.1:8000/teams/" in message.body
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<letter\.[0-9a-f]{32}@127\.0\.0\.1>", message.extra_headers["Message-ID"])
    assert Letter.objects.get().state == "sent"


def test_what_the_transaction_takes_back_is_not_owed():
    with pytest.raises(RuntimeError), transaction.atomic():
        a_letter()
        raise RuntimeError

    assert letters.send_due(NOW) == 0


def test_a_letter_speaks_its_readers_language():
    a_letter(user=factories.user(language="zh-hans"))
    letters.owe(
        "b", "greeting", Letter.objects.get().params, address="new@example.org", language="zh-hans", now=NOW
    )

    letters.send_due(NOW)

    assert [message.subject for message in mail.outbox] == ["团队: Lab"] * 2
    assert all('<html lang="zh-Hans">' in message.alternatives[0].content for message in mail.outbox)


def test_names_are_those_of_the_moment_of_sending_and_a_letter_about_nothing_is_dropped():
    first, second = factories.team(name="Old"), factories.team(name="Gone")
    alice = factories.user()
    letters.owe("a", "greeting", {"team": first.pk}, user=alice, now=NOW)
    letters.owe("b", "greeting", {"team": second.pk}, user=alice, now=NOW)
    letters.owe("c", "of another version", {}, user=alice, now=NOW)

    Team.objects.filter(pk=first.pk).update(name="New")
    second.delete()
    letters.send_due(NOW)

    assert [message.subject for message in mail.outbox] == ["Teams: New"]
    states = Letter.objects.order_by("key").values_list("state", "problem")
    assert list(states) == [("sent", ""), *[("refused", "what it was about is gone")] * 2]


def test_a_reader_ends_the_letters_by_one_click_and_not_those_to_an_address(client):
    alice = factories.user("alice@example.org")
    a_letter(user=alice)
    letters.send_due(NOW)
    address = (
        mail.outbox[0].extra_headers["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:8000")
    )

    asked = client.get(address)
    alice.refresh_from_db()
    wanted_after_a_look = alice.wants_alerts
    letters.owe("queued", "greeting", Letter.objects.get().params, user=alice, now=NOW)
    done = client.post(address, {"List-Unsubscribe": "One-Click"})
    alice.refresh_from_db()

    assert (asked.status_code, done.status_code) == (200, 200)
    assert (wanted_after_a_look, alice.wants_alerts) == (True, False)
    assert not Letter.objects.filter(key="queued").exists()
    letters.owe("later", "greeting", Letter.objects.get().params, user=alice, now=NOW)
    letters.owe("invited", "greeting", Letter.objects.first().params, address=alice.email, now=NOW)
    letters.send_due(NOW)
    assert "List-Unsubscribe" not in mail.outbox[1].extra_headers
    assert len(mail.outbox) == 2
    assert client.post("/letters/off/forged:token/").status_code == 404


def test_a_payload_is_inert_in_a_letter():
    payload = "<script>alert(1)</script>\r\nBcc: evil@example.org"
    a_letter(factories.team(name=payload))

    letters.send_due(NOW)

    (message,) = mail.outbox
    assert "<script" not in message.alternatives[0].content
    parsed = email.message_from_bytes(message.message().as_bytes(), policy=email.policy.default)
    assert parsed["Bcc"] is None
    assert not re.search(r"^Bcc:", message.body, re.M)


def test_two_hundred_readers_are_told_once_each_in_few_statements(django_assert_max_num_queries):
    team = factories.team(name="Lab")
    readers = [factories.user(wants_alerts=number % 2 == 0) for number in range(200)]

    with django_assert_max_num_queries(6):
        notices.tell(readers, "hello", "greeting", {"team": team.pk}, now=NOW)
    notices.tell(readers, "hello", "greeting", {"team": team.pk}, now=NOW + MINUTE)

    assert Notice.objects.count() == 200
    assert letters.send_due(NOW + MINUTE) == len(mail.outbox) == 100
    assert letters.send_due(NOW + 2 * MINUTE) == 0


def test_who_is_forgotten_is_told_nothing():
    alice = factories.user("alice@example.org")
    a_letter(user=alice)
    letters.owe("invited", "greeting", {}, address="Alice@example.org", now=NOW)
    notices.tell([alice], "hello", "greeting", {}, now=NOW)

    leaving.forget(alice)
    notices.tell([alice], "again", "greeting", {}, now=NOW)

    assert not Letter.objects.exists()
    assert not Notice.objects.exists()


# --- F39: what a mail server may do --------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", ["451 recipient", "451 data", "dies early", "silent"])
def test_a_letter_that_was_not_taken_is_sent_later_once(settings, behaviour):
    letter = a_letter()
    with mail_server(behaviour) as server:
        served_by(settings, server)
        sent = [letters.send_due(NOW)]
        server.behaviour = "fine"
        sent += [letters.send_due(NOW + minutes * MINUTE) for minutes in (1, 6, 30)]

    letter.refresh_from_db()
    assert sent == [0, 0, 1, 0]
    assert len(server.taken) == 1
    assert (letter.state, letter.attempts) == ("sent", 2)


@pytest.mark.parametrize("behaviour", ["dies after data", "silent after data"])
def test_a_letter_that_may_have_left_is_never_sent_again(settings, behaviour):
    letter = a_letter()
    with mail_server(behaviour) as server:
        served_by(settings, server)
        letters.send_due(NOW)
        server.behaviour = "fine"
        for hours in range(1, 4):
            letters.send_due(NOW + dt.timedelta(hours=hours))

    letter.refresh_from_db()
    assert len(server.received) == 1
    assert letter.state == "unknown"


def test_letters_leave_in_the_order_in_which_they_became_due(settings):
    team, alice = factories.team(name="Lab"), factories.user()
    for minutes, key in ((2, "c"), (0, "a"), (1, "b")):
        letters.owe(key, "greeting", {"team": team.pk}, user=alice, now=NOW + minutes * MINUTE)
    wanted = [outbox.message_id("letter", key).encode() for key in "abc"]

    with mail_server() as server:
        served_by(settings, server)
        letters.send_due(NOW + 5 * MINUTE)

    assert [key in text for key, text in zip(wanted, server.taken, strict=True)] == [True] * 3


def test_after_a_restore_no_letter_leaves_twice():
    a_letter()

    assert letters.assume_sent(NOW - dt.timedelta(hours=1), NOW) == 1
    assert letters.send_due(NOW) == 0


@pytest.mark.django_db(transaction=True)
def test_many_senders_send_one_letter(settings):
    letter = a_letter()
    barrier = threading.Barrier(4)
    won = []

    def race():
        barrier.wait()
        won.append(letters.send_one(letter.pk, NOW))
        connection.close()

    with mail_server() as server:
        served_by(settings, server)
        threads = [threading.Thread(target=race) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(won) == [False, False, False, True]
    assert len(server.taken) == 1
