"""Invitations: bound to an address, a team and a role; seven days; once; and who sent them must still be there."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from profiles import invitations, teams
from profiles.models import AuditEvent, AuditPerson, Invitation, Letter, Membership, Notice, Role
from tests import factories

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 2, 2, 9, 0, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)


@pytest.fixture
def alice():
    return factories.user("alice@example.org", name="Alice")


@pytest.fixture
def lab(alice):
    return factories.team(alice, name="Lab")


@pytest.fixture
def bob():
    return factories.user("bob@example.org", name="Bob")


def refused(error, deed):
    """The deed raises this, and no row is different afterwards."""
    before = everything()
    with pytest.raises(error) as caught:
        deed()
    assert everything() == before
    return str(caught.value)


def everything():
    return [
        sorted(map(str, model.objects.values()))
        for model in (Invitation, Membership, AuditEvent, Letter, Notice)
    ]


# --- making one ------------------------------------------------------------------------------------


def test_who_follows_the_link_belongs_to_the_team_in_that_role(alice, lab, bob):
    made = invitations.invite(alice, lab, " Bob@Example.org ", Role.VIEWER)

    invitations.accept(bob, invitations.find(invitations.token_of(made)))

    assert Membership.objects.get(team=lab, user=bob).role == Role.VIEWER
    assert {"member.invited", "invitation.accepted", "member.added"} <= codes()


def codes():
    return set(AuditEvent.objects.values_list("code", flat=True))


def test_no_row_holds_a_token_or_an_address_in_the_trail(alice, lab):
    made = invitations.invite(alice, lab, "new@example.org", Role.MEMBER)
    token = invitations.token_of(made)

    assert len(token) == 43  # 256 bits
    dumped = str(everything())
    assert token not in dumped
    assert "new@example.org" not in str(list(AuditEvent.objects.values()))
    assert AuditPerson.objects.get(key=made.public_id).name == "new@example.org"


def test_an_invitation_says_the_same_whether_or_not_there_is_an_account(alice, lab, bob, client):
    client.force_login(alice)
    address = reverse("team_invite", args=[lab.slug])

    pages = [
        client.post(address, {"email": email, "role": "member"}).content.decode()
        for email in (bob.email, "nul@example.org")
    ]

    for page, email in zip(pages, (bob.email, "nul@example.org"), strict=True):
        assert f"The link for {email}: copy it now" in page
    assert not Membership.objects.filter(team=lab, user=bob).exists()


def test_an_admin_gives_no_role_above_their_own(alice, lab, bob):
    factories.membership(lab, bob, Role.ADMIN)

    refused(PermissionDenied, lambda: invitations.invite(bob, lab, "new@example.org", Role.OWNER))
    assert invitations.invite(bob, lab, "new@example.org", Role.ADMIN).role == Role.ADMIN


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_who_may_not_invite_invites_nobody(lab, bob, role):
    factories.membership(lab, bob, role)

    refused(PermissionDenied, lambda: invitations.invite(bob, lab, "new@example.org", Role.VIEWER))
    refused(PermissionDenied, lambda: invitations.invite(factories.user(), lab, "n@e.org", Role.VIEWER))


def test_a_member_is_not_invited_again_nor_anybody_to_a_personal_team(alice, lab, bob):
    factories.membership(lab, bob)
    mine = teams.personal_team_of(alice)

    refused(teams.AlreadyMember, lambda: invitations.invite(alice, lab, "BOB@example.org", Role.ADMIN))
    refused(teams.PersonalTeam, lambda: invitations.invite(alice, mine, "new@example.org", Role.MEMBER))


def test_a_second_click_makes_no_second_invitation(alice, lab):
    first = invitations.invite(alice, lab, "new@example.org", Role.MEMBER)

    assert invitations.invite(alice, lab, "NEW@example.org", Role.MEMBER) == first
    refused(invitations.AlreadyInvited, lambda: invitations.invite(alice, lab, "new@example.org", Role.ADMIN))


def test_one_that_has_ended_makes_room_for_another(alice, lab):
    with time_machine.travel(NOW, tick=False):
        old = invitations.invite(alice, lab, "new@example.org", Role.MEMBER)
    with time_machine.travel(NOW + WEEK, tick=False):
        new = invitations.invite(alice, lab, "new@example.org", Role.ADMIN)

    assert new != old
    assert [each.pk for each in invitations.pending(lab)] == [new.pk]


def test_a_mail_is_owed_only_where_there_is_a_mailer(settings, alice, lab):
    invitations.invite(alice, lab, "one@example.org", Role.MEMBER)
    settings.HAS_MAILER = True
    made = invitations.invite(alice, lab, "two@example.org", Role.MEMBER)

    letter = Letter.objects.get()
    assert (letter.address, letter.code) == ("two@example.org", "invitation")
    assert letter.params == {"invitation": str(made.public_id), "ends": made.expires_at.isoformat()}


def test_who_has_an_account_finds_it_among_their_teams(alice, lab, bob, client):
    made = invitations.invite(alice, lab, bob.email, Role.MEMBER)
    client.force_login(bob)

    assert invitations.path_of(made) in client.get(reverse("teams")).content.decode()
    assert Notice.objects.get(user=bob).code == "invitation"
    assert [each.pk for each in invitations.waiting_for(bob, timezone.now())] == [made.pk]
    assert invitations.waiting_for(alice, timezone.now()) == []


def test_a_link_is_not_made_with_another_secret(settings, alice, lab, bob):
    made = invitations.invite(alice, lab, bob.email, Role.MEMBER)
    token = invitations.token_of(made)

    settings.SECRET_KEY = "changed since"

    assert invitations.link_of(made) == ""
    assert invitations.find(token) == made


# --- accepting: each refusal says why, and nothing changes -------------------------------------------


def test_the_wrong_address_is_refused_and_the_right_one_only_hinted_at(alice, lab, bob):
    made = invitations.invite(alice, lab, "charlie@example.org", Role.MEMBER)

    said = refused(invitations.WrongAddress, lambda: invitations.accept(bob, made))

    assert "c…@example.org" in said
    assert "charlie" not in said


def test_it_is_used_once(alice, lab, bob):
    made = invitations.invite(alice, lab, bob.email, Role.MEMBER)
    invitations.accept(bob, made)
    made.refresh_from_db()

    refused(invitations.AlreadyUsed, lambda: invitations.accept(bob, made))


def test_it_lasts_seven_days(alice, lab, bob):
    with time_machine.travel(NOW, tick=False):
        made = invitations.invite(alice, lab, bob.email, Role.MEMBER)
    with time_machine.travel(NOW + WEEK, tick=False):
        refused(invitations.Ended, lambda: invitations.accept(bob, made))
    with time_machine.travel(NOW + WEEK - dt.timedelta(seconds=1), tick=False):
        assert invitations.accept(bob, made).team == lab


def test_a_revoked_one_is_dead(alice, lab, bob):
    made = invitations.invite(alice, lab, bob.email, Role.MEMBER)
    invitations.revoke(alice, made)
    invitations.revoke(alice, made)
    made.refresh_from_db()

    refused(invitations.Revoked, lambda: invitations.accept(bob, made))
    assert AuditEvent.objects.filter(code="invitation.revoked").count() == 1


def test_a_renewed_one_has_another_link_and_seven_days_anew(alice, lab, bob):
    with time_machine.travel(NOW, tick=False):
        made = invitations.invite(alice, lab, bob.email, Role.MEMBER)
        old = invitations.token_of(made)
    with time_machine.travel(NOW + WEEK, tick=False):
        seen = made.token_sha256
        invitations.renew(alice, made, seen)
        new = invitations.token_of(made)
        invitations.renew(alice, made, seen)  # a second click of the same page

        assert invitations.find(old) is None
        assert invitations.token_of(made) == new
        assert invitations.accept(bob, invitations.find(new)).team == lab
    refused(invitations.NotOpen, lambda: invitations.renew(alice, made, made.token_sha256))
    refused(invitations.NotOpen, lambda: invitations.revoke(alice, made))


def test_a_stale_row_in_the_hand_lets_nobody_in(alice, lab, bob):
    """What was renewed or revoked after it was looked at is refused by the UPDATE itself."""
    looked_at = invitations.invite(alice, lab, bob.email, Role.MEMBER)
    fresh = Invitation.objects.get()
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=5)):
        invitations.renew(alice, fresh, fresh.token_sha256)

    refused(invitations.NotOpen, lambda: invitations.accept(bob, looked_at))
    invitations.revoke(alice, fresh)
    refused(invitations.Revoked, lambda: invitations.accept(bob, looked_at))


def test_it_dies_with_the_sender_s_membership_and_right(alice, lab, bob):
    sender = factories.user("sender@example.org")
    theirs = factories.membership(lab, sender, Role.OWNER)
    made = invitations.invite(sender, lab, bob.email, Role.ADMIN)

    teams.change_role(alice, theirs, Role.MEMBER)
    refused(invitations.SenderLostRight, lambda: invitations.accept(bob, made))
    teams.change_role(alice, theirs, Role.ADMIN)
    teams.remove_member(alice, theirs)
    refused(invitations.SenderGone, lambda: invitations.accept(bob, made))
    sender.is_active = False
    sender.save()
    made.invited_by.refresh_from_db()
    refused(invitations.SenderGone, lambda: invitations.accept(bob, made))


def test_it_dies_when_the_sender_s_own_role_falls_below_it(alice, lab, bob):
    sender = factories.user("sender@example.org")
    theirs = factories.membership(lab, sender, Role.OWNER)
    made = invitations.invite(sender, lab, bob.email, Role.OWNER)
    teams.change_role(alice, theirs, Role.ADMIN)

    refused(invitations.SenderLostRight, lambda: invitations.accept(bob, made))


def test_an_admin_sees_which_are_void_and_makes_them_good_by_sending_them_again(alice, lab, bob, client):
    sender = factories.user("sender@example.org")
    theirs = factories.membership(lab, sender, Role.ADMIN)
    made = invitations.invite(sender, lab, bob.email, Role.ADMIN)
    client.force_login(alice)
    page = reverse("team", args=[lab.slug])
    assert "void" not in client.get(page).content.decode()

    teams.change_role(alice, theirs, Role.MEMBER)
    assert "void" in client.get(page).content.decode()
    again = reverse("team_invitation_renew", args=[lab.slug, made.public_id])
    answer = client.post(again, {"seen": made.token_sha256})

    assert "void" not in answer.content.decode()
    made.refresh_from_db()
    assert answer["Cache-Control"] == "no-store"
    assert invitations.link_of(made) in answer.content.decode()
    assert invitations.accept(bob, made).role == Role.ADMIN


def test_a_member_keeps_the_role_they_have(alice, lab, bob):
    made = invitations.invite(alice, lab, bob.email, Role.VIEWER)
    teams.admit(alice, lab, bob, Role.ADMIN)

    refused(invitations.AlreadyIn, lambda: invitations.accept(bob, made))


def test_with_a_mailer_an_address_counts_when_it_is_confirmed(settings, alice, lab, bob):
    made = invitations.invite(alice, lab, bob.email, Role.MEMBER)
    settings.HAS_MAILER = True

    refused(invitations.UnverifiedAddress, lambda: invitations.accept(bob, made))
    EmailAddress.objects.create(user=bob, email=bob.email, verified=True)
    assert invitations.accept(bob, made).user == bob


def test_the_team_s_end_is_the_invitation_s(alice, lab, bob, client):
    made = invitations.invite(alice, lab, bob.email, Role.MEMBER)
    path = invitations.path_of(made)
    lab.delete()
    client.force_login(bob)

    answer = client.post(path)

    assert answer.status_code == 404
    assert "the team was deleted" in answer.content.decode()


def test_an_invitation_to_the_instance_is_for_staff_to_make(alice, bob):
    staff = factories.user("staff@example.org", is_staff=True)

    refused(PermissionDenied, lambda: invitations.invite_to_instance(alice, "new@example.org"))
    refused(invitations.AlreadyReader, lambda: invitations.invite_to_instance(staff, bob.email))
    made = invitations.invite_to_instance(staff, "new@example.org")
    invitations.use_for_sign_up(factories.user("new@example.org"), made)
    made.refresh_from_db()
    assert made.accepted_at is not None


# --- the pages -------------------------------------------------------------------------------------


def test_a_visitor_is_led_through_the_account_and_back(alice, lab, client, settings):
    settings.SIGNUP = "open"
    path = invitations.path_of(invitations.invite(alice, lab, "new@example.org", Role.MEMBER))
    page = client.get(path)

    assert client.session.get("invitation_token") is None  # a GET keeps nothing
    answer = client.post(path, {"door": "signup"})

    assert all("no-store" in each["Cache-Control"] for each in (page, answer))
    assert answer.url.startswith(reverse("account_signup"))
    assert client.session["invitation_token"] == path.split("/")[2]
    words = {"email": "new@example.org", "password1": factories.PASSWORD, "password2": factories.PASSWORD}
    assert client.post(answer.url, words).url == path
    assert client.post(path).url == reverse("team", args=[lab.slug])
    assert lab.memberships.filter(user__email="new@example.org", role=Role.MEMBER).exists()


def test_the_page_of_a_dead_one_says_why_and_offers_nothing(alice, lab, client):
    made = invitations.invite(alice, lab, "new@example.org", Role.MEMBER)
    invitations.revoke(alice, made)

    page = client.get(invitations.path_of(made))

    assert page.status_code == 410
    assert "was revoked" in page.content.decode()
    assert client.post(invitations.path_of(made)).status_code == 410
    assert "invitation_token" not in client.session


def test_accepting_again_leads_to_the_team(alice, lab, bob, client):
    path = invitations.path_of(invitations.invite(alice, lab, bob.email, Role.MEMBER))
    client.force_login(bob)

    answers = [client.post(path).url for _ in range(2)]

    assert answers == [reverse("team", args=[lab.slug])] * 2
    assert AuditEvent.objects.filter(code="member.added").count() == 1


# --- at the same instant ---------------------------------------------------------------------------

CLICKS = 6


def race(work):
    start = threading.Barrier(CLICKS)

    def run(_):
        try:
            start.wait()
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CLICKS) as pool:
        return list(pool.map(run, range(CLICKS)))


@pytest.mark.django_db(transaction=True)
def test_two_operators_at_once_make_one_invitation_to_the_instance():
    staff = [factories.user(f"staff{number}@example.org", is_staff=True) for number in range(CLICKS)]

    def asked():
        try:
            return invitations.invite_to_instance(staff.pop(), "new@example.org").pk
        except invitations.AlreadyInvited:
            return 0

    assert sorted(race(asked))[:-1] == [0] * (CLICKS - 1)
    assert Invitation.objects.count() == 1


def accepted(user, pk):
    try:
        invitations.accept(user, Invitation.objects.get(pk=pk))
    except invitations.InvitationError as error:
        return type(error).__name__
    return "in"


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_instant_one_accepts(alice, lab, bob):
    pk = invitations.invite(alice, lab, bob.email, Role.MEMBER).pk

    results = race(lambda: accepted(bob, pk))

    assert sorted(results) == ["AlreadyUsed"] * (CLICKS - 1) + ["in"]
    assert AuditEvent.objects.filter(code="invitation.accepted").count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_one_update_all_of_them_would_have_accepted(alice, lab, bob):
    """The control: looking first and saving after lets everybody through."""
    pk = invitations.invite(alice, lab, bob.email, Role.MEMBER).pk
    looked = threading.Barrier(CLICKS)

    def naively():
        mine = Invitation.objects.get(pk=pk)
        is_open = mine.accepted_at is None
        looked.wait()
        if is_open:
            mine.accepted_at = timezone.now()
            mine.save(update_fields=["accepted_at"])
        return is_open

    assert race(naively) == [True] * CLICKS
