"""The digest: once per reader and day, in the reader's morning, whatever the mail server does (F39)."""

import datetime as dt
import email
import email.policy
import re
import threading

import pytest
from django.core import mail
from django.db import connection

from papers.models import Paper
from profiles import outbox
from scoring import digest, providers
from scoring.models import Candidate, Edition, OutboxMail
from tests import factories
from tests.factories import DAY
from tests.smtp_server import mail_server

pytestmark = pytest.mark.django_db
MORNING = dt.datetime(2026, 1, 30, 8, 30, tzinfo=dt.UTC)


def a_reader(day=DAY, **fields):
    alice = factories.user("alice@example.org", wants_digest=True, **fields)
    edition = factories.edition(factories.profile(alice, interests=("graphs", "agents")), day)
    factories.judged(edition, factories.paper("2601.00001", title="A $k$-Colouring"), [90, 0])
    return alice, edition


def served_by(settings, server):
    options = {"host": "127.0.0.1", "port": server.port, "timeout": 0.5}
    settings.MAILERS = {"default": {"BACKEND": "profiles.mailing.WatchedBackend", "OPTIONS": options}}


def the_row():
    return OutboxMail.objects.get()


def test_a_reader_gets_one_mail_a_day_however_often_it_is_due():
    a_reader()

    sent = [digest.send_due(MORNING + dt.timedelta(minutes=minutes)) for minutes in (0, 1, 60, 24 * 60)]

    assert sent == [1, 0, 0, 0]
    (message,) = mail.outbox
    assert message.to == ["alice@example.org"]
    assert "9.0  A $k$-Colouring" in message.body
    assert the_row().state == "sent"


def test_the_mail_can_be_left_by_one_click(client):
    alice, _ = a_reader()
    digest.send_due(MORNING)
    headers = mail.outbox[0].extra_headers
    address = headers["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:8000")

    asked = client.get(address)
    alice.refresh_from_db()
    wanted_after_a_look = alice.wants_digest
    done = client.post(address, {"List-Unsubscribe": "One-Click"})
    alice.refresh_from_db()

    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (asked.status_code, done.status_code) == (200, 200)
    assert wanted_after_a_look
    assert not alice.wants_digest
    assert client.post("/digest/off/forged:token/").status_code == 404


@pytest.mark.parametrize(
    ("zone", "hour_utc", "is_due"),
    [("UTC", 7, False), ("UTC", 8, True), ("UTC", 11, True), ("UTC", 12, False), ("Asia/Shanghai", 0, True),
     ("Asia/Shanghai", 8, False), ("America/New_York", 13, True), ("America/New_York", 8, False)],
)  # fmt: skip
def test_the_morning_is_the_readers(zone, hour_utc, is_due):
    reader = factories.user(time_zone=zone, digest_hour=8)

    assert digest.is_morning(reader, dt.datetime(2026, 1, 30, hour_utc, 5, tzinfo=dt.UTC)) is is_due


def test_a_change_of_clocks_and_a_clock_that_goes_back_bring_no_second_mail():
    a_reader(dt.date(2026, 3, 6), time_zone="America/New_York")
    start = dt.datetime(2026, 3, 7, 12, tzinfo=dt.UTC)

    for hours in range(48):
        digest.send_due(start + dt.timedelta(hours=hours))
        digest.send_due(start + dt.timedelta(hours=hours - 1))

    assert len(mail.outbox) == 1


def test_a_day_that_is_still_read_waits_unless_a_budget_stops_it():
    _, edition = a_reader()
    Edition.objects.update(state=Edition.State.SCREENED, closed_at=None)

    assert digest.send_due(MORNING) == 0
    Edition.objects.update(blocked_by={"scope": 3, "period": "day", "limit": 1, "used": 1, "held": 0})
    assert digest.send_due(MORNING) == 1


def test_a_day_whose_model_is_stopped_does_not_keep_the_mail_back():
    _, edition = a_reader()
    Edition.objects.update(state=Edition.State.SCREENED, closed_at=None)
    provider = factories.team_provider(edition.profile.team)
    factories.waiting(edition, factories.paper("2601.00002"), Candidate.Waits.PROVIDER)

    providers.pause(provider, MORNING, 20)
    assert digest.send_due(MORNING) == 0
    providers.stop(provider, "quota", MORNING)
    mail.outbox.clear()
    assert digest.send_due(MORNING) == 1


def test_old_news_and_empty_days_are_not_mailed():
    alice, edition = a_reader()

    assert digest.send_due(MORNING + dt.timedelta(days=9)) == 0
    type(edition.profile).objects.update(bar=100)
    assert digest.send_due(MORNING) == 0
    assert not OutboxMail.objects.exists()


def test_who_did_not_ask_gets_no_mail():
    alice, _ = a_reader()
    type(alice).objects.update(wants_digest=False)

    assert digest.send_due(MORNING) == 0


def test_the_mail_is_in_the_readers_language_and_names_estimates():
    _, edition = a_reader(language="zh-hans")
    factories.judged(edition, factories.paper(is_sample=True), [80, 0], by=factories.provider())

    digest.send_due(MORNING)

    html = mail.outbox[0].alternatives[0].content
    assert '<html lang="zh-Hans">' in html


def test_a_payload_is_inert_in_the_mail():
    payload = "<script>alert(1)</script>\r\nBcc: evil@example.org"
    _, edition = a_reader()
    Paper.objects.update(title=payload, authors=[{"name": payload}])
    edition.profile.interests.update(name=payload[:90])
    factories.judged(
        edition, factories.paper("2601.00002", title=payload, authors=[payload]), [95, 0], reason=payload
    )

    digest.send_due(MORNING)

    message = mail.outbox[0]
    assert "<script" not in message.alternatives[0].content
    parsed = email.message_from_bytes(message.message().as_bytes(), policy=email.policy.default)
    assert parsed["Bcc"] is None
    assert not re.search(r"^Bcc:", message.body, re.M)


# --- F39: what a mail server may do --------------------------------------------------------------------


def test_a_real_server_takes_the_mail(settings):
    a_reader()
    with mail_server() as server:
        served_by(settings, server)

        assert digest.send_due(MORNING) == 1

    assert len(server.taken) == 1
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in server.taken[0]
    assert the_row().state == "sent"


@pytest.mark.parametrize("behaviour", ["451 recipient", "451 data", "dies early", "silent"])
def test_what_was_not_taken_is_sent_later_once(settings, behaviour):
    a_reader()
    with mail_server(behaviour) as server:
        served_by(settings, server)
        first = digest.send_due(MORNING)
        put_off = the_row()
        server.behaviour = "fine"
        too_soon = digest.send_due(MORNING + dt.timedelta(minutes=1))
        later = digest.send_due(MORNING + dt.timedelta(minutes=6))
        again = digest.send_due(MORNING + dt.timedelta(minutes=30))

    assert (put_off.state, put_off.attempts) == ("queued", 1)
    assert (first, too_soon, later, again) == (0, 0, 1, 0)
    assert len(server.taken) == 1


def test_a_server_that_is_down_costs_a_delay(settings):
    a_reader()
    with mail_server() as server:
        served_by(settings, server)
    digest.send_due(MORNING)

    row = the_row()
    assert (row.state, row.not_before) == ("queued", MORNING + outbox.FIRST_RETRY)
    assert "alice" not in row.problem


@pytest.mark.parametrize("behaviour", ["dies after data", "silent after data"])
def test_a_mail_that_may_have_left_is_never_sent_again(settings, behaviour):
    a_reader()
    with mail_server(behaviour) as server:
        served_by(settings, server)
        digest.send_due(MORNING)
        server.behaviour = "fine"
        for hours in range(1, 4):
            digest.send_due(MORNING + dt.timedelta(hours=hours))

    assert len(server.received) == 1
    assert the_row().state == "unknown"


def test_a_server_that_dies_after_its_yes_has_taken_the_mail(settings):
    a_reader()
    with mail_server("dies at quit") as server:
        served_by(settings, server)
        assert digest.send_due(MORNING) == 1

    assert the_row().state == "sent"


@pytest.mark.parametrize("behaviour", ["550 recipient", "554 data"])
def test_a_no_for_good_is_not_repeated(settings, behaviour):
    a_reader()
    with mail_server(behaviour) as server:
        served_by(settings, server)
        digest.send_due(MORNING)
        server.behaviour = "fine"
        digest.send_due(MORNING + dt.timedelta(hours=1))

    assert server.taken == []
    assert the_row().state == "refused"


def test_a_sender_that_died_leaves_an_unknown_mail():
    alice, _ = a_reader()
    OutboxMail.objects.create(user=alice, day=DAY, state="claimed", not_before=MORNING)

    digest.send_due(MORNING + dt.timedelta(minutes=1))

    assert the_row().state == "unknown"
    assert mail.outbox == []


@pytest.mark.django_db(transaction=True)
def test_many_senders_send_one_mail(settings):
    a_reader()
    digest.queue_due(MORNING)
    pk = the_row().pk
    barrier = threading.Barrier(4)
    won = []

    def race():
        barrier.wait()
        won.append(digest.send_one(pk, MORNING))
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
