"""Teams: who comes in, who may give which role, and that somebody always owns them."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from profiles import access, invitations, teams
from profiles.models import AuditEvent, Membership, Role, Team
from tests import factories

pytestmark = pytest.mark.django_db


def role_of(user, team):
    return Membership.objects.get(team=team, user=user).role


def test_everybody_gets_one_personal_team():
    alice = factories.user(name="Alice")

    first = teams.personal_team_of(alice)

    assert teams.personal_team_of(alice) == first
    assert first.is_personal
    assert role_of(alice, first) == Role.OWNER


def test_a_founder_owns_the_team():
    alice = factories.user()

    team = teams.create_team(alice, "Lab", "Asia/Shanghai")

    assert role_of(alice, team) == Role.OWNER
    assert AuditEvent.objects.filter(code="team.created", team_key=team.public_id).exists()


def test_an_admin_cannot_touch_an_owner():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice)
    factories.membership(lab, bob, Role.ADMIN)
    owner = Membership.objects.get(team=lab, user=alice)

    with pytest.raises(PermissionDenied):
        teams.change_role(bob, owner, Role.VIEWER)
    with pytest.raises(PermissionDenied):
        teams.remove_member(bob, owner)
    with pytest.raises(PermissionDenied):
        teams.change_role(bob, Membership.objects.get(team=lab, user=bob), Role.OWNER)

    assert role_of(alice, lab) == Role.OWNER


def test_the_last_owner_stays():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice, bob)
    owner = Membership.objects.get(team=lab, user=alice)

    for deed in (
        lambda: teams.leave(owner),
        lambda: teams.change_role(alice, owner, Role.MEMBER),
        lambda: teams.remove_member(alice, owner),
    ):
        with pytest.raises(teams.LastOwner):
            deed()

    assert role_of(alice, lab) == Role.OWNER


def test_after_handing_over_an_owner_may_leave():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice, bob)

    teams.change_role(alice, Membership.objects.get(team=lab, user=bob), Role.OWNER)
    teams.leave(Membership.objects.get(team=lab, user=alice))

    assert not Membership.objects.filter(team=lab, user=alice).exists()


def test_who_is_let_go_keeps_reading_on_their_own_account():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice, bob)
    profile = factories.profile(bob, team=lab)

    teams.remove_member(alice, Membership.objects.get(team=lab, user=bob))

    profile.refresh_from_db()
    assert profile.team == Team.objects.get(is_personal=True, memberships__user=bob)


def test_an_unknown_role_is_refused():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice, bob)

    with pytest.raises(PermissionDenied):
        teams.change_role(alice, Membership.objects.get(team=lab, user=bob), "emperor")


# --- further deeds -----------------------------------------------------------------------------------


def test_handing_over_makes_an_owner_and_steps_down_in_one():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice, bob)
    heir = Membership.objects.get(team=lab, user=bob)

    teams.hand_over(alice, heir)

    assert (role_of(bob, lab), role_of(alice, lab)) == (Role.OWNER, Role.ADMIN)
    with pytest.raises(PermissionDenied):
        teams.hand_over(alice, heir)
    with pytest.raises(teams.HandedToOneself):
        teams.hand_over(bob, heir)
    assert AuditEvent.objects.filter(code="member.role_changed").count() == 2


def test_only_an_owner_hands_over():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice)
    theirs = factories.membership(lab, bob, Role.ADMIN)

    with pytest.raises(PermissionDenied):
        teams.hand_over(bob, theirs)


def test_another_name_and_zone_are_in_the_trail_without_the_name():
    alice = factories.user()
    lab = factories.team(alice, name="Alice's lab")

    teams.change_team(alice, lab, "Bob's lab", "Asia/Shanghai")
    teams.change_team(alice, lab, "Bob's lab", "Asia/Shanghai")

    moved = AuditEvent.objects.get(code="team.zone_changed")
    assert (moved.before, moved.after) == ({"time_zone": "UTC"}, {"time_zone": "Asia/Shanghai"})
    assert AuditEvent.objects.filter(code="team.renamed").count() == 1
    assert "lab" not in str(list(AuditEvent.objects.values()))


def test_a_member_renames_nothing():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice, bob)

    with pytest.raises(PermissionDenied):
        teams.change_team(bob, lab, "Mine", "UTC")


def test_the_same_role_again_writes_nothing():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice, bob)

    teams.change_role(alice, Membership.objects.get(team=lab, user=bob), Role.MEMBER)

    assert not AuditEvent.objects.filter(code="member.role_changed").exists()


def test_where_only_staff_make_teams_nobody_else_does(settings, client):
    settings.TEAM_CREATION = "staff"
    alice, staff = factories.user(), factories.user(is_staff=True)
    form = {"name": "Lab", "time_zone": "UTC"}

    for person, status in ((alice, 403), (staff, 302)):
        client.force_login(person)
        assert client.post(reverse("teams"), form).status_code == status
    client.force_login(alice)
    assert "New team" not in client.get(reverse("teams")).content.decode()


def test_the_team_page_costs_the_same_for_any_number_of_members(client):
    alice = factories.user()
    lab = factories.team(alice, *(factories.user() for _ in range(3)))
    client.force_login(alice)

    def queries():
        with CaptureQueriesContext(connection) as caught:
            assert client.get(reverse("team", args=[lab.slug])).status_code == 200
        return len(caught)

    invitations.invite(alice, lab, "first@example.org", Role.MEMBER)
    few = queries()
    for number in range(10):
        factories.membership(lab, factories.user())
        invitations.invite(alice, lab, f"new{number}@example.org", Role.MEMBER)

    assert queries() == few <= 12


def test_a_long_team_is_shown_in_pages_and_searched(client):
    alice = factories.user("alice@example.org", name="Alice")
    lab = factories.team(alice)
    for number in range(60):
        factories.membership(
            lab, factories.user(f"reader-{number:02}@example.org", name=f"Reader {number:02}")
        )
    client.force_login(alice)

    def names(query):
        page = client.get(reverse("team", args=[lab.slug]) + query).content.decode()
        return [number for number in range(60) if f"Reader {number:02}" in page]

    assert names("") == list(range(49))
    assert names("?page=2") == list(range(49, 60))
    assert names("?page=nonsense") == list(range(49))
    assert names("?q=READER-07") == [7]
    client.force_login(lab.memberships.filter(role=Role.MEMBER).first().user)
    assert names("?q=reader-07@") == []
    assert names("?q=reader 07") == [7]


def test_only_admins_see_when_somebody_was_here(client):
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice, bob)

    for person, is_shown in ((alice, True), (bob, False)):
        client.force_login(person)
        page = client.get(reverse("team", args=[lab.slug])).content.decode()
        assert ("Last active" in page) == is_shown
        assert (alice.email in page.replace(f"<summary>{person.email}</summary>", "")) == is_shown


# --- who may do what, written by hand ------------------------------------------------------------------

EXPECTED = """
                    owner admin member viewer
see_team            yes   yes   yes    yes
spend               yes   yes   yes    no
edit_team_profiles  yes   yes   yes    no
ask_for_more        yes   yes   yes    no
see_quotas          yes   yes   no     no
set_quotas          yes   yes   no     no
see_audit           yes   yes   no     no
invite              yes   yes   no     no
set_team            yes   yes   no     no
set_roles           yes   yes   no     no
manage_providers    yes   yes   no     no
raise_pool          yes   no    no     no
make_owners         yes   no    no     no
delete_team         yes   no    no     no
"""


def test_the_one_table_is_the_one_that_was_written_by_hand():
    head, *lines = [line.split() for line in EXPECTED.strip().splitlines()]

    expected = {deed: dict(zip(head, words, strict=True)) for deed, *words in lines}

    assert {
        deed.value: {role.value: "yes" if deed in access.MAY[role] else "no" for role in Role}
        for deed in access.Deed
    } == expected
    assert set(access.IN_WORDS) == set(access.Deed)


def test_the_table_stands_on_the_team_page(client):
    alice = factories.user()
    lab = factories.team(alice)
    client.force_login(alice)

    page = client.get(reverse("team", args=[lab.slug])).content.decode()

    rows = page.split('class="rights"')[1].split("</table>")[0].split("<tr>")[2:]
    assert len(rows) == len(access.Deed)
    assert [row.count("✓") for row in rows] == [sum(allowed) for _, allowed in access.rights_table()]
