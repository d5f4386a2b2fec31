"""Teams: who comes in, who may give which role, and that somebody always owns them."""

import pytest
from django.core.exceptions import PermissionDenied

from profiles import teams
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
