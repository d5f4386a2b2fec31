"""Every page of allauth in our frame and in both languages, and every mail of it in our words."""

import re
from html import unescape

import pytest
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import translation

from profiles.accounts import can_have_passkeys
from tests import factories
from tests.factories import PASSWORD
from tests.profiles.fake_login_server import CLIENT

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXP"
# Reached only in the middle of something; each has a test below or elsewhere.
STAGES = {"mfa_authenticate", "account_confirm_login_code", "socialaccount_signup", "account_set_password"}
ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")


def names_of_allauth() -> set[str]:
    found: set[str] = set()

    def walk(resolver: URLResolver) -> None:
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern)
            elif isinstance(pattern, URLPattern) and pattern.callback.__module__.startswith("allauth."):
                found.add(pattern.name)

    walk(get_resolver())
    return found


def words_of(page: str) -> str:
    """What a person reads: text and placeholders of the content, without what no language has."""
    content = page[page.index('<main id="main"') : page.index("</main>")]
    content = re.sub(r"<script.*?</script>|<code.*?</code>", "", content, flags=re.DOTALL)
    read = " ".join(re.findall(r'(?:placeholder|title|alt|aria-label)="([^"]*)"', content))
    return unescape(re.sub(r"<[^>]+>", "|", content) + "|" + read)


@pytest.fixture
def everything_set_up(client, settings):
    settings.HAS_MAILER = True
    settings.SIGNUP = "open"

    def made(language: str):
        alice = factories.user("alice@example.org", language=language)
        for address in (alice.email, "second@example.org"):
            EmailAddress.objects.create(
                user=alice, email=address, verified=address == alice.email, primary=address == alice.email
            )
        client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
        client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
        TOTP.activate(alice, SECRET)
        RecoveryCodes.activate(alice)
        passkey = factories.passkey(alice, name="手机")
        return alice, passkey

    return made


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("signed_in", [True, False])
def test_every_page_stands_in_our_frame_and_language(client, everything_set_up, language, signed_in):
    _alice, passkey = everything_set_up(language)
    if not signed_in:
        client.logout()
    told = {}
    for name in sorted(names_of_allauth() - STAGES - {"mfa_download_recovery_codes", "mfa_login_webauthn"}):
        if name == "mfa_reauthenticate_webauthn":
            continue
        kwargs = {"pk": passkey.pk} if name in {"mfa_edit_webauthn", "mfa_remove_webauthn"} else {}
        if name in {"account_confirm_email", "account_reset_password_from_key"}:
            kwargs = {"key": "abc-def"} | ({"uidb36": "1"} if "reset" in name else {})
        if name == "mfa_add_webauthn":
            # Its page carries a challenge for the passkeys that are there: the fake one has no key.
            passkey.delete()
        response = client.get(
            reverse(name, kwargs=kwargs), follow=True, headers={"accept-language": language}
        )
        if name == "mfa_add_webauthn":
            passkey.save()
        assert response.status_code in ({200, 401} if signed_in else {200}), name
        assert 'class="masthead"' in response.text, name
        assert "style=" not in response.text, name
        if language == "zh-hans":
            left = [said for said in words_of(response.text).split("|") if ENGLISH.search(said)]
            if left:
                told[name] = left

    assert told == {}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_second_step_of_signing_in_too(client, everything_set_up, language):
    alice, passkey = everything_set_up(language)
    passkey.delete()
    client.post(reverse("account_logout"))
    client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})

    page = client.get(reverse("mfa_authenticate"), headers={"accept-language": language}).text

    assert 'class="masthead"' in page
    assert language == "en" or not ENGLISH.search(words_of(page))


def test_who_has_no_password_is_offered_to_set_one(client):
    alice = factories.user("alice@example.org", language="zh-hans")
    alice.set_unusable_password()
    alice.save()
    client.force_login(alice)

    page = client.get(reverse("account_set_password")).text

    assert 'class="masthead"' in page
    assert not ENGLISH.search(words_of(page))


def test_the_settings_lead_to_everything_about_an_account(client, settings):
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [{**CLIENT, "name": "Campus"}]}}
    client.force_login(factories.user())

    page = client.get(reverse("account_settings"), SERVER_NAME="localhost").text

    for name in (
        "account_email",
        "account_change_password",
        "mfa_index",
        "mfa_list_webauthn",
        "usersessions_list",
        "socialaccount_connections",
        "api_tokens",
        "your_data",
    ):
        assert f'href="{reverse(name)}"' in page, name


@pytest.mark.parametrize(
    ("host", "is_secure", "offered"),
    [
        ("localhost:8000", False, True),
        ("127.0.0.1:8000", False, False),
        ("[::1]:8000", False, False),
        ("10.0.0.7", True, False),
    ],
)
def test_passkeys_are_offered_where_browsers_keep_them(settings, host, is_secure, offered):
    settings.ALLOWED_HOSTS = ["*"]
    request = RequestFactory().get("/", HTTP_HOST=host, secure=is_secure)

    assert can_have_passkeys(request) is offered


MAILS = {
    "account/email/account_already_exists": {"password_reset_url": "https://x.example/reset"},
    "account/email/unknown_account": {"signup_url": "https://x.example/signup"},
    "account/email/email_confirmation": {"code": "ABC-DEF"},
    "account/email/email_confirmation_signup": {"activate_url": "https://x.example/confirm"},
    "account/email/login_code": {"code": "ABC-DEF"},
    "account/email/password_reset_key": {"password_reset_url": "https://x.example/reset"},
    "account/email/password_changed": {},
    "account/email/password_reset": {},
    "account/email/password_set": {},
    "account/email/email_changed": {"from_email": "a@example.org", "to_email": "b@example.org"},
    "account/email/email_deleted": {"deleted_email": "a@example.org"},
    "account/email/email_confirm": {},
    "mfa/email/totp_activated": {},
    "mfa/email/totp_deactivated": {},
    "mfa/email/webauthn_added": {},
    "mfa/email/webauthn_removed": {},
    "mfa/email/recovery_codes_generated": {},
    "socialaccount/email/account_connected": {"provider": "GitHub"},
    "socialaccount/email/account_disconnected": {"provider": "GitHub"},
}


@pytest.mark.parametrize("name", MAILS)
def test_every_mail_is_in_the_language_of_whoever_gets_it(rf, name):
    alice = factories.user("alice@example.org", language="zh-hans")
    about = {"user": alice, "ip": "10.0.0.1", "user_agent": "Firefox", "email": alice.email, **MAILS[name]}
    request = rf.get("/")

    with context.request_context(request), translation.override("en"):
        in_chinese = get_adapter().render_mail(name, alice.email, {**about, **site_of(request)})
        in_english = get_adapter().render_mail(name, "bob@example.org", {**about, **site_of(request)})

    assert not ENGLISH.search(in_chinese.subject + in_chinese.body)
    assert ENGLISH.search(in_english.body)
    assert in_english.subject.startswith("Broadsheet: ")
    for value in MAILS[name].values():
        assert value in in_chinese.body
    assert "allauth" not in in_english.body
    assert "example.com" not in in_english.body


def site_of(request):
    return {"request": request, "current_site": type("Site", (), {"domain": request.get_host()})}


def test_a_connected_account_is_listed_and_can_go(client, settings):
    settings.SOCIALACCOUNT_PROVIDERS = {}
    client.force_login(factories.user())

    assert "no other place to sign in from" in client.get(reverse("socialaccount_connections")).text
    assert not SocialAccount.objects.exists()
