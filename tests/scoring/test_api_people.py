"""The API about people: members and invitations, with the same rules as the pages."""

import pytest
from django.urls import reverse

from profiles import invitations
from profiles.models import Invitation, Membership, Role
from tests import factories

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}


@pytest.fixture
def alice():
    return factories.user("alice@example.org")


@pytest.fixture
def bob():
    return factories.user("bob@example.org")


@pytest.fixture
def lab(alice, bob):
    return factories.team(alice, bob, name="Lab")


def at(name, team, row=None):
    return reverse(name, args=[team.slug, *([row.public_id] if row is not None else [])])


def test_members_are_listed_and_their_addresses_are_for_admins(alice, bob, lab, client):
    for person, shown in ((alice, {"alice@example.org", "bob@example.org"}), (bob, {None})):
        client.force_login(person)
        page = client.get(at("api_members", lab)).json()

        assert page["count"] == 2
        assert {row["email"] for row in page["results"]} == shown
        assert {row["role"] for row in page["results"]} == {"owner", "member"}


def test_a_list_of_members_costs_the_same_for_any_number(alice, lab, client, django_assert_max_num_queries):
    for _ in range(10):
        factories.membership(lab, factories.user())
    client.force_login(alice)

    with django_assert_max_num_queries(5):
        client.get(at("api_members", lab))


def test_a_role_is_changed_and_a_member_removed(alice, bob, lab, client):
    member = Membership.objects.get(team=lab, user=bob)
    client.force_login(alice)
    address = at("api_member", lab, member)

    assert client.patch(address, {"role": "admin"}, **JSON).json()["role"] == "admin"
    assert client.patch(address, {"role": "emperor"}, **JSON).status_code == 400
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404


def test_the_last_owner_stays_by_this_door_too(alice, lab, client):
    owner = Membership.objects.get(team=lab, user=alice)
    client.force_login(alice)

    refused = client.delete(at("api_member", lab, owner))

    assert refused.status_code == 400
    assert "needs an owner" in refused.json()["non_field_errors"][0]
    assert Membership.objects.filter(pk=owner.pk).exists()


def test_an_invitation_is_made_listed_renewed_and_revoked(alice, lab, client):
    client.force_login(alice)
    made = client.post(at("api_invitations", lab), {"email": "new@example.org", "role": "viewer"}, **JSON)
    row = Invitation.objects.get()
    listed = client.get(at("api_invitations", lab)).json()["results"]
    renewed = client.post(at("api_invitation_renew", lab, row))

    assert made.status_code == 201
    assert made["Cache-Control"] == renewed["Cache-Control"] == "no-store"
    assert "link" not in listed[0]
    assert invitations.find(made.json()["link"].split("/")[-2]) is None
    assert invitations.find(renewed.json()["link"].split("/")[-2]) == row
    assert client.delete(at("api_invitation", lab, row)).status_code == 204
    assert client.get(at("api_invitations", lab)).json()["count"] == 0
    assert client.post(at("api_invitation_renew", lab, row)).status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email": "nobody"}, 400),
        ({"email": "new@example.org", "role": "emperor"}, 400),
        ({"email": "new@example.org", "team": "other"}, 400),
        ({"email": "bob@example.org"}, 400),
        ({"email": "new@example.org", "role": "owner"}, 403),
    ],
)
def test_what_an_admin_cannot_ask_for_is_refused(body, status, lab, client):
    adam = factories.user()
    factories.membership(lab, adam, Role.ADMIN)
    client.force_login(adam)

    assert client.post(at("api_invitations", lab), body, **JSON).status_code == status
    assert not Invitation.objects.exists()


def test_rows_of_another_team_are_not_reached_through_one_s_own(alice, bob, lab, client):
    charlie = factories.user()
    rivals = factories.team(charlie, name="Rivals")
    asked = invitations.invite(alice, lab, "new@example.org", Role.MEMBER)
    member = Membership.objects.get(team=lab, user=bob)
    client.force_login(charlie)

    answers = [
        client.patch(at("api_member", rivals, member), {"role": "viewer"}, **JSON),
        client.delete(at("api_member", rivals, member)),
        client.delete(at("api_invitation", rivals, asked)),
        client.post(at("api_invitation_renew", rivals, asked)),
        client.post(at("team_invitation_renew", rivals, asked)),
        client.post(at("team_invitation_revoke", rivals, asked)),
        client.post(at("team_hand_over", rivals), {"member": str(member.public_id)}),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    member.refresh_from_db()
    asked.refresh_from_db()
    assert (member.role, asked.revoked_at) == (Role.MEMBER, None)
