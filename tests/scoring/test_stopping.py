"""A reader stops the reading of a day and lets it go on: nothing is claimed meanwhile, and nothing is lost."""

import datetime as dt

import pytest
from django.utils import timezone

from profiles.models import Role
from scoring import accounts, editions, judging, stopping
from scoring.models import Edition
from tests import factories
from tests.scoring.reading import assert_books_are_right, papers, read_all, states

pytestmark = pytest.mark.django_db
ADDRESS = "/feed/2026-01-30/reading/"


def a_day(alice, count=45):
    announced = papers(count)
    for each in announced:
        factories.announce(each)
    return factories.edition_to_read(alice, announced)


def test_what_is_in_flight_finishes_and_nothing_more_is_claimed(alice, judge, fake_model):
    edition = a_day(alice)
    block = judging.claim(timezone.now())

    assert stopping.stop(edition, timezone.now())

    assert judging.claim(timezone.now()) is None
    judging.judge_block(block)
    assert states(edition).count("judged") == 20 and states(edition).count("waiting") == 25
    assert read_all() == 0
    assert not editions.close(edition, timezone.now())
    account = accounts.account(Edition.objects.get())
    assert (account.judged, account.waiting_turn, account.lost) == (20, 25, 0)
    assert list(accounts.audit()) == []
    assert_books_are_right(fake_model)


def test_gone_on_it_is_read_to_its_end(alice, judge, fake_model):
    edition = a_day(alice)
    stopping.stop(edition, timezone.now())
    read_all()
    assert set(states(edition)) == {"waiting"}

    assert stopping.go_on(edition)

    read_all()
    assert editions.close(edition, timezone.now())
    assert set(states(edition)) == {"judged"}
    assert list(accounts.audit()) == []
    assert_books_are_right(fake_model)


def test_both_may_be_repeated_and_a_closed_day_cannot_be_stopped(alice):
    edition = a_day(alice, 1)
    now = timezone.now()

    assert stopping.stop(edition, now) and not stopping.stop(edition, now + dt.timedelta(minutes=1))
    assert Edition.objects.get().stopped_at == now
    assert stopping.go_on(edition) and not stopping.go_on(edition)

    Edition.objects.update(state=Edition.State.CLOSED)
    assert not stopping.stop(edition, now)


def test_the_strip_says_that_it_is_stopped_and_offers_to_go_on(client, alice):
    edition = a_day(alice)
    client.force_login(alice.owner)
    address = f"{ADDRESS}?profile={alice.public_id}"
    assert "Stop reading" in client.get("/").content.decode()

    stopped = client.post(address, {"do": "stop"}, headers={"HX-Request": "true"}).content.decode()
    page = client.get("/").content.decode()
    client.post(address, {"do": "go_on"})

    assert 'id="progress"' in stopped and "Go on" in stopped and "Stop reading" not in stopped
    assert "waiting, stopped" in page and "the reading of this day is stopped" in page
    edition.refresh_from_db()
    assert edition.stopped_at is None


def test_a_viewer_of_a_team_profile_can_neither_stop_nor_see_the_button(client, alice):
    lab = factories.team(alice.owner)
    charlie = factories.user("charlie@example.org")
    factories.membership(lab, charlie, Role.VIEWER)
    edition = a_day(factories.profile(None, team=lab))
    client.force_login(charlie)

    answer = client.post(f"{ADDRESS}?profile={edition.profile.public_id}", {"do": "stop"})

    assert answer.status_code == 403
    assert b"Stop reading" not in client.get("/").content
