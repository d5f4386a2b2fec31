"""Of whom a second factor is asked, and that they get nowhere without one."""

import re

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from profiles import tokens
from profiles.models import Role
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    owner, admin, member, viewer = (factories.user() for _ in range(4))
    lab = factories.team(owner)
    for person, role in ((admin, Role.ADMIN), (member, Role.MEMBER), (viewer, Role.VIEWER)):
        factories.membership(lab, person, role)
    loner = factories.user()
    factories.profile(loner)
    staff = factories.user(is_staff=True)
    return {
        "owner": owner,
        "admin": admin,
        "member": member,
        "viewer": viewer,
        "loner": loner,
        "staff": staff,
    }


@pytest.mark.parametrize(
    ("rule", "asked"),
    [("none", set()), ("staff", {"staff"}), ("admins", {"staff", "owner", "admin"})],
)
def test_the_setting_says_who_is_led_to_a_second_factor(client, settings, people, rule, asked):
    settings.MFA_REQUIRED_FOR = rule
    led = set()
    for name, person in people.items():
        client.force_login(person)
        response = client.get(reverse("teams"))
        if response.status_code == 302:
            assert response.url == reverse("mfa_index")
            led.add(name)

    assert led == asked


def test_whoever_lacks_it_reaches_only_what_leads_to_it(client, settings, people):
    settings.MFA_REQUIRED_FOR = "admins"
    client.force_login(people["staff"])

    for name in ("today", "profiles", "budget", "account_settings", "api_tokens", "admin:index", "your_data"):
        assert client.get(reverse(name)).url == reverse("mfa_index"), name
    for address in ("/admin/profiles/user/", "/admin/login/"):
        assert client.get(address).url == reverse("mfa_index"), address
    assert client.post(reverse("profile_new"), {"name": "x"}).url == reverse("mfa_index")
    page = client.get(reverse("mfa_index"))
    assert page.status_code == 200
    assert "Your role asks for a second factor" in page.text
    assert client.get(reverse("mfa_activate_totp")).url.startswith(reverse("account_reauthenticate"))
    assert client.post(reverse("account_logout")).url == "/"


def test_a_fragment_leads_the_whole_page_there(client, settings, people):
    settings.MFA_REQUIRED_FOR = "staff"
    client.force_login(people["staff"])

    response = client.get(reverse("today"), headers={"hx-request": "true"})

    assert response["HX-Redirect"] == reverse("mfa_index")


@pytest.mark.parametrize("by", ["session", "token"])
def test_the_api_says_why(client, settings, people, by):
    settings.MFA_REQUIRED_FOR = "admins"
    _token, secret = tokens.issue(people["admin"], "script", can_write=False)
    headers = {"authorization": f"Bearer {secret}"} if by == "token" else {}
    if by == "session":
        client.force_login(people["admin"])

    refused = client.get("/api/v1/me/", headers=headers)
    factories.passkey(people["admin"])
    let_in = client.get("/api/v1/me/", headers=headers)

    assert refused.status_code == 403
    assert "second factor" in refused.json()["detail"]
    assert let_in.status_code == 200


def test_recovery_codes_alone_are_no_second_factor(client, settings, people):
    settings.MFA_REQUIRED_FOR = "staff"
    Authenticator.objects.create(user=people["staff"], type=Authenticator.Type.RECOVERY_CODES, data={})
    client.force_login(people["staff"])

    assert client.get(reverse("teams")).status_code == 302


def digits_for(secret):
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_setting_an_app_up_opens_everything_and_its_key_is_sealed(client, settings, people):
    settings.MFA_REQUIRED_FOR = "staff"
    staff = people["staff"]
    client.post(reverse("account_login"), {"login": staff.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    page = client.get(reverse("mfa_activate_totp")).text
    secret = re.search(r"data-totp-secret>(\w+)<", page).group(1)
    done = client.post(reverse("mfa_activate_totp"), {"code": digits_for(secret)})

    assert done.url == reverse("mfa_view_recovery_codes")
    assert client.get(reverse("teams")).status_code == 200
    kept = Authenticator.objects.get(user=staff, type=Authenticator.Type.TOTP).data["secret"]
    assert secret not in kept
    assert get_adapter().decrypt(kept) == secret
    client.post(reverse("account_logout"))
    answer = client.post(reverse("account_login"), {"login": staff.email, "password": PASSWORD})
    assert answer.url == reverse("mfa_authenticate")
    assert client.get(reverse("teams")).status_code == 302


def test_a_key_from_before_they_were_sealed_still_works():
    assert get_adapter().decrypt("JBSWY3DPEHPK3PXP") == "JBSWY3DPEHPK3PXP"


def test_a_reader_of_whom_nothing_is_asked_pays_no_query(client, settings, people):
    client.force_login(people["member"])

    def queries_under(rule):
        settings.MFA_REQUIRED_FOR = rule
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("account_settings"))
        return len(asked)

    assert queries_under("staff") == queries_under("none")
    assert queries_under("admins") == queries_under("none") + 1
