"""The operator's pages about people: useful, and unable to tear the books apart."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from profiles import tokens
from profiles.models import AuditEvent, Letter, User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    user = User.objects.create_superuser("operator@example.org", factories.PASSWORD)
    client.force_login(user)
    return user


@pytest.mark.parametrize(
    "name",
    ["user", "team", "profile", "apitoken", "auditevent", "membership", "quota", "letter", "invitation"],
)
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
    address = reverse("admin:profiles_user_changelist")
    body = {"action": "lock_out", "_selected_action": [alice.pk, operator.pk]}

    asked = client.post(address, body)
    alice.refresh_from_db()
    was_active = alice.is_active
    client.post(address, body | {"confirmed": "yes"})

    alice.refresh_from_db()
    operator.refresh_from_db()
    assert was_active
    assert "Lock these accounts?" in asked.text
    assert (alice.is_active, operator.is_active) == (False, True)
    event = AuditEvent.objects.get(code="account.locked")
    assert (event.actor_key, event.subject_key) == (operator.public_id, alice.public_id)
    assert event.door == "admin"
    assert LogEntry.objects.filter(object_id=str(alice.pk), change_message__contains="locked").exists()


def test_an_operator_s_edit_leaves_what_rights_changed_and_no_words(client, operator):
    alice = factories.user(name="Alice")
    address = reverse("admin:profiles_user_change", args=[alice.pk])
    form = {
        "email": alice.email,
        "name": "Another",
        "language": "en",
        "time_zone": "UTC",
        "digest_hour": "8",
        "is_active": "on",
        "is_staff": "on",
    }

    assert client.post(address, form).status_code == 302

    event = AuditEvent.objects.get(code="account.edited")
    assert (event.before, event.after["is_staff"]) == ({"is_staff": False}, True)
    assert "name" in event.after["changed"]
    assert "Another" not in str(event.after)


def test_a_lost_second_factor_is_taken_away_and_written_down(client, operator):
    alice = factories.user()
    Authenticator.objects.create(user=alice, type="totp", data={"secret": "x"})
    body = {"action": "take_factors", "_selected_action": [alice.pk], "confirmed": "yes"}

    client.post(reverse("admin:profiles_user_changelist"), body)

    assert not Authenticator.objects.exists()
    assert AuditEvent.objects.get(code="account.factor_taken").subject_key == alice.public_id


def test_a_token_is_revoked_by_the_operator_in_the_operator_s_name(client, operator):
    token, secret = tokens.issue(factories.user(), "script", can_write=True)
    body = {"action": "revoke", "_selected_action": [token.pk], "confirmed": "yes"}

    client.post(reverse("admin:profiles_apitoken_changelist"), body)

    assert tokens.find(secret, timezone.now()) is None
    assert AuditEvent.objects.get(code="token.revoked").actor_key == operator.public_id


def test_only_refused_letters_are_sent_again(client, operator):
    letters = {
        state: Letter.objects.create(key=state, code="x", state=state, address="a@example.org")
        for state in ("refused", "unknown", "sent")
    }
    chosen = [letter.pk for letter in letters.values()]
    body = {"action": "retry", "_selected_action": chosen, "confirmed": "yes"}

    client.post(reverse("admin:profiles_letter_changelist"), body)

    assert set(Letter.objects.filter(state="queued").values_list("key", flat=True)) == {"refused"}
    assert AuditEvent.objects.get(code="letters.retried").after == {"count": 1}


def test_nothing_of_people_is_deleted_here(client, operator):
    alice = factories.user()
    team = factories.team(alice)

    for name, row in (("user", alice), ("team", team)):
        assert (
            client.post(reverse(f"admin:profiles_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code
            == 403
        )
