"""What happens to an account stands in the audit trail, without a secret, an address or a name."""

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse

from profiles.models import AuditEvent
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

NEW = "a better horse, and a battery"


@pytest.fixture
def alice(client):
    person = factories.user("alice@example.org")
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    return person


def codes():
    return list(AuditEvent.objects.order_by("id").values_list("code", flat=True))


def test_signing_up_and_in_is_written_down_with_the_door_it_came_through(client, settings):
    settings.SIGNUP = "open"

    client.post(reverse("account_signup"), {"email": "bob@example.org", "password1": NEW, "password2": NEW})

    assert codes() == ["account.signed_up", "account.signed_in"]
    event = AuditEvent.objects.last()
    assert event.subject_key == event.actor_key
    assert event.door == "page"


def test_a_failed_sign_in_is_nobody_s_deed(client):
    factories.user("alice@example.org")

    client.post(reverse("account_login"), {"login": "alice@example.org", "password": "no"})

    assert codes() == []


def test_a_changed_password_is_written_down_and_not_what_it_is(client, alice):
    client.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    )

    assert codes()[-1] == "account.password_changed"
    assert NEW not in str(list(AuditEvent.objects.values()))
    alice.refresh_from_db()
    assert alice.check_password(NEW)


def test_mail_addresses_come_and_go_in_the_trail_without_their_names(client, alice):
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("account_email"), {"email": "second@example.org", "action_add": ""})
    second = EmailAddress.objects.get(email="second@example.org")
    client.post(reverse("account_email"), {"email": second.email, "action_remove": ""})

    assert codes()[-2:] == ["account.mail_added", "account.mail_removed"]
    assert "second@" not in str(list(AuditEvent.objects.values()))


def test_a_lost_and_a_won_factor_are_told_by_their_kind(client, alice):
    passkey = factories.passkey(alice)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    client.post(reverse("mfa_remove_webauthn", args=[passkey.pk]))

    event = AuditEvent.objects.last()
    assert (event.code, event.after) == ("account.factor_removed", {"factor": "webauthn"})
