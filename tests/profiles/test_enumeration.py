"""Nobody learns from the entrance whether somebody has an account: the answers are the same to the byte."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

# Of one length, and what a page may rightly repeat of what was typed is taken out.
KNOWN, UNKNOWN = "alice@example.org", "nobod@example.org"


@pytest.fixture(autouse=True)
def with_mailer(settings):
    settings.HAS_MAILER = True
    settings.SIGNUP = "open"
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
    settings.ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
    settings.ACCOUNT_LOGIN_BY_CODE_ENABLED = True
    settings.ROOT_URLCONF = "tests.profiles.urls_with_login_server"
    alice = factories.user(KNOWN)
    EmailAddress.objects.create(user=alice, email=KNOWN, verified=True, primary=True)


def told(response, address):
    """The body without what differs between any two: CSRF token and nonce, and the address that was typed."""
    text = re.sub(r'(name="csrfmiddlewaretoken" value|nonce)="[\w-]+"', "", response.content.decode())
    return text.replace(address, "ADDRESS")


def seen_by(address, door, form):
    """All that a browser is told: every answer on the way, but for CSRF, ids of the request and the address typed."""
    client = Client(REMOTE_ADDR=f"10.0.0.{len(address)}")
    answers = []
    response = client.post(reverse(door), form(address))
    while True:
        body = told(response, address)
        headers = {
            name: value
            for name, value in response.headers.items()
            if name not in {"Content-Length", "Expires", "X-Request-ID", "X-Correlation-ID"}
        }
        cookies = sorted(response.cookies)
        answers.append((response.status_code, headers, cookies, body))
        if response.status_code != 302:
            return answers
        response = client.get(response.url)


DOORS = {
    "account_login": lambda address: {"login": address, "password": "wrong, and long enough"},
    "account_signup": lambda address: {"email": address, "password1": PASSWORD, "password2": PASSWORD},
    "account_reset_password": lambda address: {"email": address},
    "account_request_login_code": lambda address: {"email": address},
}


@pytest.mark.parametrize("door", DOORS)
def test_a_known_and_an_unknown_address_get_the_same_answers(door):
    assert seen_by(KNOWN, door, DOORS[door]) == seen_by(UNKNOWN, door, DOORS[door])


@pytest.mark.parametrize("door", [door for door in DOORS if door != "account_login"])
def test_each_of_them_gets_one_mail_and_only_that_differs(door):
    seen_by(KNOWN, door, DOORS[door])
    seen_by(UNKNOWN, door, DOORS[door])

    to_known, to_unknown = mail.outbox
    assert (to_known.to, to_unknown.to) == ([KNOWN], [UNKNOWN])
    assert to_known.body != to_unknown.body


@pytest.mark.parametrize(
    ("door", "next_door"),
    [
        ("account_request_login_code", "account_confirm_login_code"),
        ("account_signup", "account_email_verification_sent"),
    ],
)
@pytest.mark.parametrize("form", [{"code": "000000"}, {"action": "resend"}])
def test_neither_a_wrong_code_nor_a_second_mail_tells(door, next_door, form):
    def answers(address):
        client = Client(REMOTE_ADDR="10.0.0.9")
        client.post(reverse(door), DOORS[door](address))
        said = client.post(reverse(next_door), form)
        return said.status_code, said.headers.get("Location"), told(said, address)

    assert answers(KNOWN) == answers(UNKNOWN)


def test_without_a_mailer_sign_up_must_tell_and_sign_in_does_not(settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"
    settings.HAS_MAILER = False
    known = seen_by(KNOWN, "account_signup", DOORS["account_signup"])

    assert "already" in known[-1][3]
    assert seen_by(KNOWN, "account_login", DOORS["account_login"]) == seen_by(
        UNKNOWN, "account_login", DOORS["account_login"]
    )
