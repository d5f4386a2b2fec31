"""F40: a double click and a replay have one effect, also at the same instant."""

import threading
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from profiles.models import ApiToken, Membership, Profile, SentForm, Team
from profiles.once import once
from tests import factories
from tests.scoring.test_profile_pages import FORM

CLICKS = 5


@pytest.fixture
def alice():
    return factories.user("alice@example.org")


def sent_at_once(user, address, data):
    """The same form by several threads at one instant, each with a connection of its own; the answers' codes."""
    cookies = Client()
    cookies.force_login(user)
    barrier, codes = threading.Barrier(CLICKS), []

    def click():
        client = Client()
        client.cookies = cookies.cookies
        barrier.wait()
        codes.append(client.post(address, data).status_code)
        connection.close()

    threads = [threading.Thread(target=click) for _ in range(CLICKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def shown(client, address):
    """The key of the form on that page."""
    page = client.get(address).text
    return page.partition('name="once" value="')[2].partition('"')[0]


@pytest.mark.django_db(transaction=True)
def test_clicks_at_one_instant_make_one_team(alice, client):
    client.force_login(alice)
    form = {"name": "Lab", "time_zone": "UTC", "once": shown(client, reverse("teams"))}

    codes = sent_at_once(alice, reverse("teams"), form)

    assert codes == [302] * CLICKS
    assert Team.objects.filter(is_personal=False).count() == 1
    assert Membership.objects.filter(team__is_personal=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_a_key_each_click_makes_one(alice):
    """The control: the same form without its key."""
    sent_at_once(alice, reverse("teams"), {"name": "Lab", "time_zone": "UTC"})

    assert Team.objects.filter(is_personal=False).count() == CLICKS


@pytest.mark.django_db
def test_a_token_is_made_once_and_its_secret_shown_once(alice, client):
    client.force_login(alice)
    form = {"name": "script", "once": shown(client, reverse("api_tokens"))}

    first = client.post(reverse("api_tokens"), form)
    again = client.post(reverse("api_tokens"), form, follow=True)

    assert ApiToken.objects.count() == 1
    assert "bs_" in first.text
    assert "bs_" not in again.text
    assert "made already" in again.text


@pytest.mark.django_db
def test_a_new_profile_is_made_once(alice, client):
    client.force_login(alice)
    priced = client.post(reverse("profile_new"), FORM).text
    form = FORM | {
        "seen": priced.partition('name="seen" value="')[2].partition('"')[0],
        "once": priced.partition('name="once" value="')[2].partition('"')[0],
    }

    answers = [client.post(reverse("profile_new"), form) for _ in range(3)]

    assert Profile.objects.count() == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1


@pytest.mark.django_db
def test_what_failed_may_be_sent_again(alice):
    key = uuid.uuid4()

    def fail():
        raise ValueError

    with pytest.raises(ValueError):
        once(alice, key, fail)

    assert once(alice, key, lambda: "done").outcome == "done"
    assert once(alice, key, fail).outcome == "done"


@pytest.mark.django_db
def test_a_key_is_one_persons(alice):
    key, eve = uuid.uuid4(), factories.user()
    once(alice, key, lambda: "hers")

    assert once(eve, key, lambda: "his").outcome == "his"
    assert SentForm.objects.count() == 2
