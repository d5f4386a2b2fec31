"""The operator's pages about people: useful, and unable to tear the books apart."""

import pytest
from django.urls import reverse

from profiles import tokens
from profiles.models import User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    user = User.objects.create_superuser("operator@example.org", factories.PASSWORD)
    client.force_login(user)
    return user


@pytest.mark.parametrize("name", ["user", "team", "profile", "apitoken", "auditevent"])
def test_every_list_and_row_opens(client, operator, name):
    alice = factories.user()
    profile = factories.profile(alice, interests=["secret words"])
    token, _secret = tokens.issue(alice, "script", can_write=True)
    rows = {"user": alice, "team": profile.team, "profile": profile, "apitoken": token}

    page = client.get(reverse(f"admin:profiles_{name}_changelist"))
    assert page.status_code == 200
    if name in rows:
        row = client.get(reverse(f"admin:profiles_{name}_change", args=[rows[name].pk]))
        assert row.status_code == 200
        assert "secret words" not in row.text
        assert token.sha256 not in row.text


def test_an_account_is_made_with_a_mail_address_and_no_second_one(client, operator):
    form = {
        "email": "New@Example.org",
        "name": "New",
        "usable_password": "true",
        "password1": factories.PASSWORD,
        "password2": factories.PASSWORD,
    }

    client.post(reverse("admin:profiles_user_add"), form)
    again = client.post(reverse("admin:profiles_user_add"), {**form, "email": "new@example.org"})

    assert User.objects.filter(email="new@example.org").count() == 1
    assert "has an account already" in again.text


def test_an_operator_locks_an_account_but_not_themselves(client, operator):
    alice = factories.user()
    body = {"action": "lock_out", "_selected_action": [alice.pk, operator.pk]}

    client.post(reverse("admin:profiles_user_changelist"), body)

    alice.refresh_from_db()
    operator.refresh_from_db()
    assert (alice.is_active, operator.is_active) == (False, True)


def test_nothing_of_people_is_deleted_here(client, operator):
    alice = factories.user()
    team = factories.team(alice)

    for name, row in (("user", alice), ("team", team)):
        assert (
            client.post(reverse(f"admin:profiles_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code
            == 403
        )
