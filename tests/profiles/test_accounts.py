"""Signing up, signing in, and the pages about oneself, in one's own language."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse

from profiles import tokens
from profiles.models import ApiToken, User
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

SIGN_UP = {"email": "alice@example.org", "password1": PASSWORD, "password2": PASSWORD}


def test_a_newcomer_signs_up_by_mail_and_is_led_to_a_profile(client, settings):
    settings.SIGNUP = "open"

    response = client.post(
        reverse("account_signup"),
        {**SIGN_UP, "time_zone": "Asia/Shanghai"},
        headers={"accept-language": "zh-hans"},
    )

    assert response.status_code == 302
    assert response.url == reverse("profile_new")
    alice = User.objects.get(email="alice@example.org")
    assert (alice.language, alice.time_zone) == ("zh-hans", "Asia/Shanghai")


def test_a_zone_that_does_not_exist_is_the_instance_s(client, settings):
    settings.SIGNUP = "open"
    settings.INSTANCE_TIME_ZONE = "Europe/Berlin"

    client.post(reverse("account_signup"), {**SIGN_UP, "time_zone": "Moon/Base"})

    assert User.objects.get(email="alice@example.org").time_zone == "Europe/Berlin"


def test_without_a_mailer_the_sign_up_page_says_that_nothing_is_verified(client, settings):
    settings.SIGNUP = "open"
    settings.HAS_MAILER = False
    assert "sends no mail" in client.get(reverse("account_signup")).text

    settings.HAS_MAILER = True
    assert "sends no mail" not in client.get(reverse("account_signup")).text


@pytest.mark.parametrize(("rule", "said"), [("invite", "By invitation"), ("closed", "Sign-up is closed")])
def test_a_closed_door_explains_itself_and_makes_no_account(client, settings, rule, said):
    settings.SIGNUP = rule

    assert said in client.get(reverse("account_signup")).text
    client.post(reverse("account_signup"), SIGN_UP)

    assert not User.objects.exists()


def test_signing_up_again_does_not_tell_that_the_address_is_known(client, settings):
    settings.SIGNUP = "open"
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    alice = factories.user("alice@example.org")
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)

    known = client.post(reverse("account_signup"), SIGN_UP)
    new = client.post(reverse("account_signup"), {**SIGN_UP, "email": "bob@example.org"})

    assert (known.status_code, known.url) == (new.status_code, new.url)


def test_a_reader_signs_in_and_the_pages_speak_their_language(client):
    factories.user("alice@example.org", language="zh-hans", wants_keys=False)

    response = client.post(reverse("account_login"), {"login": "alice@example.org", "password": PASSWORD})

    assert response.status_code == 302
    assert response.cookies["keys"].value == "off"
    assert '<html lang="zh-Hans"' in client.get(reverse("account_settings")).text


def test_a_wrong_password_is_told_and_lets_nobody_in(client):
    factories.user("alice@example.org")

    response = client.post(reverse("account_login"), {"login": "alice@example.org", "password": "no"})

    assert response.status_code == 200
    assert "errorlist" in response.text
    assert client.get(reverse("account_settings")).status_code == 302


def test_settings_are_kept(client):
    alice = factories.user()
    client.force_login(alice)

    response = client.post(
        reverse("account_settings"),
        {
            "name": "Alice",
            "language": "zh-hans",
            "time_zone": "Asia/Tokyo",
            "digest_hour": "7",
            "wants_digest": "on",
        },
    )

    assert response.status_code == 302
    alice.refresh_from_db()
    assert (alice.name, alice.language, alice.time_zone) == ("Alice", "zh-hans", "Asia/Tokyo")
    assert (alice.digest_hour, alice.wants_digest, alice.wants_keys) == (7, True, False)


def test_a_setting_that_makes_no_sense_is_refused(client):
    alice = factories.user()
    client.force_login(alice)

    response = client.post(
        reverse("account_settings"), {"language": "tlh", "time_zone": "Moon/Base", "digest_hour": "25"}
    )

    assert response.text.count('class="errorlist"') == 3
    alice.refresh_from_db()
    assert alice.time_zone == "UTC"


def test_the_switcher_changes_the_language_of_page_and_reader(client):
    alice = factories.user()
    client.force_login(alice)

    client.post(reverse("appearance"), {"language": "zh-hans", "keys": "off"})

    alice.refresh_from_db()
    assert (alice.language, alice.wants_keys) == ("zh-hans", False)
    assert '<html lang="zh-Hans"' in client.get(reverse("account_settings")).text


def test_a_token_is_shown_once_and_stored_as_a_hash_only(client):
    alice = factories.user()
    client.force_login(alice)

    page = client.post(reverse("api_tokens"), {"name": "notebook", "can_write": "on"}).text

    secret = re.search(r"bs_[\w-]{43}", page).group()
    token = ApiToken.objects.get()
    assert token.can_write
    assert secret not in str(vars(token))
    assert secret not in client.get(reverse("api_tokens")).text


def test_a_revoked_token_is_dead_at_once(client):
    alice = factories.user()
    token, secret = tokens.issue(alice, "notebook", can_write=False)
    client.force_login(alice)
    assert tokens.find(secret, token.created_at) == token

    client.post(reverse("api_token_revoke", args=[token.public_id]))

    assert tokens.find(secret, token.created_at) is None


def test_the_token_of_somebody_locked_out_is_dead():
    alice = factories.user()
    token, secret = tokens.issue(alice, "notebook", can_write=False)

    alice.is_active = False
    alice.save(update_fields=["is_active"])

    assert tokens.find(secret, token.created_at) is None


PAGES_OF_ALLAUTH = [
    "account_email",
    "account_change_password",
    "account_logout",
    "account_inactive",
    "account_email_verification_sent",
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "usersessions_list",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "account_login",
]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("name", PAGES_OF_ALLAUTH)
def test_every_page_of_allauth_wears_our_frame(client, name, language):
    alice = factories.user(language=language)
    if "reset" not in name and name != "account_login":
        client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})

    response = client.get(reverse(name), follow=True)

    assert response.status_code == 200
    assert 'class="masthead"' in response.text
    assert "style=" not in response.text
    assert " onclick=" not in response.text
