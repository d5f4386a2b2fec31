"""Signing in through an OpenID Connect server: the whole walk, against a real one on this machine."""

import re
import urllib.request
from html import unescape

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount import providers
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.urls import reverse

from profiles import invitations
from profiles.accounts import INVITATION_KEY
from profiles.models import User
from tests import factories
from tests.factories import PASSWORD
from tests.profiles.fake_login_server import CLIENT, running_login_server

pytestmark = pytest.mark.django_db

ALICE = {"sub": "1", "name": "Alice Arden", "email": "alice@example.org", "email_verified": True}
DOOR = "/account/oidc/oidc/login/"


class StaysHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_given):
        return None


@pytest.fixture
def server(settings, monkeypatch):
    with running_login_server() as running:
        app = {**CLIENT, "provider_id": "oidc", "name": "Campus", "settings": {"server_url": running.url}}
        settings.INSTALLED_APPS = [
            *settings.INSTALLED_APPS,
            "allauth.socialaccount.providers.openid_connect",
        ]
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}
        settings.ROOT_URLCONF = "tests.profiles.urls_with_login_server"
        settings.SIGNUP = "open"
        registry = providers.ProviderRegistry()
        registry.load()
        monkeypatch.setattr(providers, "registry", registry)
        running.person = dict(ALICE)
        yield running


def walk(client, process="login"):
    """Press the button, go where the page leads, sign in there, and come back."""
    page = client.post(f"{DOOR}?process={process}")
    assert page.status_code == 200
    onward = unescape(re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.text).group(1))
    opener = urllib.request.build_opener(StaysHere)
    with pytest.raises(urllib.error.HTTPError) as away:
        opener.open(onward)
    back = away.value.headers["Location"]
    away.value.close()
    return client.get(back.partition("testserver")[2])


def verified(user):
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def test_a_newcomer_signs_up_with_what_the_server_says(client, server):
    response = walk(client)

    assert (response.status_code, response.url) == (302, reverse("profile_new"))
    alice = User.objects.get(email="alice@example.org")
    assert alice.name == "Alice Arden"
    assert not alice.has_usable_password()
    assert EmailAddress.objects.get(user=alice).verified
    assert client.get(reverse("account_settings")).status_code == 200
    assert server.asked == [
        "/.well-known/openid-configuration",
        "/authorize",
        "/.well-known/openid-configuration",
        "/token",
        "/userinfo",
    ]


def test_the_second_visit_finds_the_same_account(client, server):
    walk(client)
    client.logout()

    walk(client)

    assert User.objects.count() == SocialAccount.objects.count() == 1
    assert client.get(reverse("account_settings")).status_code == 200


def test_an_address_that_both_sides_have_verified_is_one_person(client, server):
    alice = verified(factories.user("alice@example.org"))

    walk(client)

    assert SocialAccount.objects.get().user == alice
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("word", [False, None, "false", "true", "yes", 1])
def test_an_unverified_word_of_the_server_opens_nobody_s_account(client, server, word):
    verified(factories.user("alice@example.org"))
    server.person["email_verified"] = word

    walk(client)

    assert not SocialAccount.objects.exists()
    assert client.get(reverse("account_settings")).status_code == 302


def test_who_took_a_stranger_s_address_here_is_not_joined_with_the_stranger(client, server):
    mallory = factories.user("alice@example.org")
    EmailAddress.objects.create(user=mallory, email=mallory.email, verified=False, primary=True)

    walk(client)

    assert not SocialAccount.objects.exists()
    assert client.get(reverse("account_settings")).status_code == 302


@pytest.mark.parametrize("rule", ["invite", "closed"])
def test_a_closed_door_is_closed_to_the_server_s_people_too(client, server, settings, rule):
    settings.SIGNUP = rule

    response = walk(client)

    assert response.status_code == 200
    assert 'class="masthead"' in response.text
    assert not User.objects.exists()


def test_a_known_person_comes_in_though_sign_up_is_closed(client, server, settings):
    walk(client)
    client.logout()
    settings.SIGNUP = "closed"

    walk(client)

    assert client.get(reverse("account_settings")).status_code == 200


def invited(client, email):
    made = invitations.invite_to_instance(None, email)
    session = client.session
    session[INVITATION_KEY] = invitations.token_of(made)
    session.save()
    return made


def test_an_invitation_opens_the_door_for_its_own_address(client, server, settings):
    settings.SIGNUP = "invite"
    made = invited(client, "alice@example.org")

    walk(client)

    made.refresh_from_db()
    assert made.accepted_by == User.objects.get(email="alice@example.org")


def test_an_invitation_for_another_address_asks_for_that_one(client, server, settings):
    settings.SIGNUP = "invite"
    invited(client, "bob@example.org")

    response = walk(client)
    assert response.url == reverse("socialaccount_signup")
    assert 'value="bob@example.org"' in client.get(response.url).text
    client.post(response.url, {"email": "alice@example.org"})
    assert not User.objects.exists()
    client.post(response.url, {"email": "bob@example.org"})

    assert User.objects.get().email == "bob@example.org"


def test_a_second_factor_is_asked_for_whoever_comes_from_elsewhere(client, server):
    walk(client)
    factories.passkey(User.objects.get())
    client.logout()

    response = walk(client)

    assert response.url == reverse("mfa_authenticate")
    assert client.get(reverse("account_settings")).status_code == 302


def test_the_login_page_offers_what_is_set_up_and_no_form_leads_away(client, server):
    page = client.get(reverse("account_login"))

    assert "Continue with Campus" in page.text
    assert "form-action 'self'" in page["Content-Security-Policy"]
    assert client.get(DOOR).status_code == 200
    assert client.get("/account/oidc/other/login/").status_code == 404


def test_where_nothing_is_set_up_nothing_is_offered(client):
    assert "Continue with" not in client.get(reverse("account_login")).text
    assert client.post(DOOR).status_code in {302, 404}


def test_a_row_in_the_database_opens_no_door(client, server):
    SocialApp.objects.create(provider="openid_connect", provider_id="evil", client_id="x", secret="y")

    assert client.post("/account/oidc/evil/login/").status_code == 404


def test_a_server_that_breaks_off_half_way_gives_a_page_and_no_account(client, server):
    server.is_down.add("/token")

    response = walk(client)

    assert 'class="masthead"' in response.text
    assert "did not answer as it should" in response.text
    assert not User.objects.exists()


def test_a_server_that_is_not_there_gives_a_page(client, server):
    server.is_down.add("/.well-known/openid-configuration")

    response = client.post(DOOR)

    assert response.status_code == 502
    assert "did not answer as it should" in response.text
