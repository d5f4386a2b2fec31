"""F40: several clicks at one instant on what is there already: one effect, one line in the trail, no error."""

import threading
import time

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from profiles import teams
from profiles.models import AuditEvent, Membership, Period, Profile, Quota, Role, User
from profiles.tokens import issue, live
from tests import factories
from tests.scoring.test_profile_pages import form_of

pytestmark = pytest.mark.django_db(transaction=True)

CLICKS = 4


@pytest.fixture
def alice():
    return factories.user("alice@example.org")


@pytest.fixture
def bob():
    return factories.user("bob@example.org")


@pytest.fixture
def lab(alice, bob):
    return factories.team(alice, bob)


def just_signed_in(user):
    """As after the password: by its form these clicks would use up the limit of logins."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


def clicked(user, address, data):
    """The same form by several threads at one instant, each with a connection of its own; the answers' codes."""
    signed_in = just_signed_in(user)
    barrier, codes = threading.Barrier(CLICKS, timeout=60), []

    def click():
        client = Client(raise_request_exception=False)
        client.cookies = signed_in.cookies
        try:
            barrier.wait()
            codes.append(client.post(address, data).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(CLICKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(codes)


def lines(code):
    return AuditEvent.objects.filter(code=code).count()


def test_a_limit_is_set_once(alice, lab):
    form = {"of": "default", "period": "day", "tokens": "77k"}

    codes = clicked(alice, reverse("team_quotas", args=[lab.slug]), form)

    assert codes == [302] * CLICKS
    assert Quota.objects.get(team=lab, period=Period.DAY).limit_tokens == 77_000
    assert lines("quota.set") == 1


def test_a_role_is_given_once(alice, bob, lab):
    theirs = lab.memberships.get(user=bob)

    codes = clicked(
        alice, reverse("team_change_role", args=[lab.slug, theirs.public_id]), {"role": Role.ADMIN.value}
    )

    assert codes == [302] * CLICKS
    assert lab.memberships.get(user=bob).role == Role.ADMIN
    assert lines("member.role_changed") == 1


def test_a_member_is_removed_once(alice, bob, lab):
    theirs = lab.memberships.get(user=bob)

    codes = clicked(alice, reverse("team_remove_member", args=[lab.slug, theirs.public_id]), {})

    assert set(codes) <= {302, 404}
    assert not lab.memberships.filter(user=bob).exists()
    assert lines("member.removed") == 1


def test_somebody_leaves_once(bob, lab):
    codes = clicked(bob, reverse("team_leave", args=[lab.slug]), {})

    assert 302 in codes
    assert set(codes) <= {302, 403, 404}
    assert not lab.memberships.filter(user=bob).exists()
    assert lines("member.left") == 1


def test_who_was_removed_between_the_look_and_the_deed_is_told_of(alice, bob, lab):
    """The same, in the one order that threads may miss: both have looked before either acts."""
    seen_by_one, seen_by_other = (lab.memberships.get(user=bob) for _ in range(2))
    teams.remove_member(alice, seen_by_one)

    with pytest.raises(teams.NoLongerMember):
        teams.remove_member(alice, seen_by_other)
    with pytest.raises(teams.NoLongerMember):
        teams.change_role(alice, seen_by_other, Role.ADMIN)
    assert lines("member.removed") == 1


def test_a_token_is_revoked_once(alice):
    token, _secret = issue(alice, "script", can_write=False)

    codes = clicked(alice, reverse("api_token_revoke", args=[token.public_id]), {})

    assert codes == [302] * CLICKS
    assert not live(alice)
    assert lines("token.revoked") == 1


def test_a_profile_is_saved_paused_and_put_away_once(alice):
    profile = factories.profile(alice)
    edited = form_of(profile, interest_name=["graphs", "robots"], interest_weight=["1", "0.5"])
    page = Client()
    page.force_login(alice)
    priced = page.post(reverse("profile", args=[profile.public_id]), edited).text
    edited["seen"] = priced.partition('name="seen" value="')[2].partition('"')[0]

    saved = clicked(alice, reverse("profile", args=[profile.public_id]), edited)
    paused = clicked(alice, reverse("profile_pause", args=[profile.public_id]), {"paused": "yes"})
    assert [each.name for each in profile.interests.all()] == ["graphs", "robots"]
    gone = clicked(alice, reverse("profile_delete", args=[profile.public_id]), {})

    assert saved == paused == [302] * CLICKS
    assert set(gone) <= {302, 404}
    assert Profile.objects.get().is_paused
    for code in ("edited", "paused", "archived"):
        assert lines(f"profile.{code}") == 1, code


def test_an_account_is_deleted_once(alice, bob, lab):
    codes = clicked(bob, reverse("delete_account"), {"email": bob.email})

    assert 302 in codes
    assert set(codes) <= {302, 403, 404}
    assert list(User.objects.all()) == [alice]
    assert list(Membership.objects.values_list("user", flat=True)) == [alice.pk]
