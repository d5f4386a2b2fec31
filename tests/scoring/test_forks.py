"""A team profile is judged once and read by every member; a member may take a copy of it."""

import pytest
from django.urls import reverse

from profiles.models import AuditEvent, Interest, Profile, Role, Scope, Vote
from profiles.teams import personal_team_of
from scoring import feed, judging, profile_changes
from scoring.models import BudgetWindow, Call, Score
from tests import factories
from tests.factories import DAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return factories.user("alice@example.org")


@pytest.fixture
def bob():
    return factories.user("bob@example.org")


@pytest.fixture
def lab(alice, bob):
    return factories.team(alice, bob, name="Lab")


@pytest.fixture
def shared(lab):
    return factories.profile(
        None, team=lab, name="Shared", weights=(0.9, 0.4), exclusions=["medical imaging"], bar=70
    )


@pytest.mark.parametrize("size", [2, 5])
def test_a_team_profile_is_judged_once_and_every_member_reads_it(size, lab, alice, shared, fake_model):
    members = [alice, *(factories.user() for _ in range(size))]
    for member in members[1:]:
        factories.membership(lab, member, Role.VIEWER)
    factories.provider(fake_model.base_url, profile=shared)
    factories.edition_to_read(shared, factories.announced_papers(3))

    while judging.run_once():
        pass

    assert Call.objects.count() == len(fake_model.bill.lines) == 1
    assert Score.objects.count() == 3
    for member in members:
        (edition,) = feed.of(member).on(DAY).editions
        assert edition.profile == shared
    paid = BudgetWindow.objects.exclude(used_tokens=0).values_list("scope", "subject_id")
    assert (Scope.SHARE, shared.pk) in set(paid)
    assert Scope.MEMBER not in {scope for scope, _ in paid}


def test_a_copy_has_the_words_and_one_s_own_votes_and_no_score(alice, bob, lab, shared):
    edition = factories.edition(shared)
    paper = factories.paper()
    factories.judged(edition, paper, [80, 20])
    Vote.objects.create(user=bob, profile=shared, paper=paper, direction=1)
    Vote.objects.create(user=alice, profile=shared, paper=paper, direction=-1)

    copy = profile_changes.fork(bob, shared, lab)

    assert (copy.owner, copy.team) == (bob, lab)
    assert copy.public_id != shared.public_id
    assert (copy.bar, copy.exclusions) == (70, ["medical imaging"])
    words = ("position", "name", "description", "weight", "terms")
    assert list(Interest.objects.filter(profile=copy).values_list(*words)) == list(
        Interest.objects.filter(profile=shared).values_list(*words)
    )
    assert list(copy.votes.values_list("user", "direction")) == [(bob.pk, 1)]
    assert not Score.objects.filter(profile=copy).exists()
    event = AuditEvent.objects.get(code="profile.forked")
    assert (event.subject_key, event.before) == (copy.public_id, {"profile": str(shared.public_id)})


def test_a_change_of_the_copy_leaves_the_original_alone(bob, lab, shared):
    copy = profile_changes.fork(bob, shared, lab)

    copy.interests.update(name="Something else")

    assert not shared.interests.filter(name="Something else").exists()


def test_a_second_click_makes_no_second_copy(bob, lab, shared):
    first = profile_changes.fork(bob, shared, lab)

    assert profile_changes.fork(bob, shared, lab) == first
    assert Profile.objects.count() == 2
    assert AuditEvent.objects.filter(code="profile.forked").count() == 1


def test_the_name_of_a_copy_fits(bob, lab, shared):
    shared.name = "n" * 100
    shared.save()

    assert len(profile_changes.fork(bob, shared, lab).name) == 100


def test_a_viewer_copies_at_their_own_cost_only(lab, shared, client):
    vera = factories.user("vera@example.org")
    factories.membership(lab, vera, Role.VIEWER)
    client.force_login(vera)
    page, api = (reverse(name, args=[shared.public_id]) for name in ("profile_fork", "api_profile_fork"))

    assert lab.slug not in client.get(page).content.decode().split("<form", 2)[-1]
    assert client.post(page, {"team": lab.slug}).status_code == 403
    assert client.post(api, {"team": lab.slug}, content_type="application/json").status_code == 403
    assert Profile.objects.count() == 1
    made = client.post(api, {}, content_type="application/json")

    assert made.status_code == 201
    assert Profile.objects.get(owner=vera).team == personal_team_of(vera)


def test_a_member_s_copy_is_paid_by_the_team_it_is_read_in(bob, lab, shared, client):
    client.force_login(bob)

    assert "paid by Lab" not in client.get(reverse("profiles")).content.decode()
    client.post(reverse("profile_fork", args=[shared.public_id]), {"team": lab.slug})

    assert Profile.objects.get(owner=bob).team == lab


def test_a_copy_is_not_made_of_what_one_may_not_read_nor_paid_by_strangers(lab, shared, client):
    charlie = factories.user()
    rivals = factories.team(charlie, name="Rivals")
    own = factories.profile(charlie, team=rivals)
    client.force_login(charlie)
    api = "api_profile_fork"

    for profile, team in ((shared, rivals), (own, lab)):
        answer = client.post(
            reverse(api, args=[profile.public_id]), {"team": team.slug}, content_type="application/json"
        )
        assert answer.status_code == 404
        assert (
            client.post(reverse("profile_fork", args=[profile.public_id]), {"team": team.slug}).status_code
            == 404
        )
    assert Profile.objects.count() == 2


def test_an_own_profile_is_shared_as_a_copy_that_the_team_reads(alice, bob, lab, client):
    own = factories.profile(bob, team=lab, name="Bob's words")
    client.force_login(bob)
    address = reverse("profile_share", args=[own.public_id])

    assert lab.slug in client.get(address).content.decode()
    for _ in range(2):
        client.post(address, {"team": lab.slug})

    (shared,) = Profile.objects.filter(owner=None)
    assert (shared.team, shared.name) == (lab, "Bob's words")
    assert Profile.objects.visible_to(alice).get() == shared
    assert AuditEvent.objects.get(code="profile.shared").subject_key == shared.public_id
    own.refresh_from_db()
    assert own.owner == bob


def test_a_viewer_or_a_stranger_shares_nothing_with_a_team(lab, client):
    vera = factories.user("vera@example.org")
    own = factories.profile(vera)
    foreign = factories.team(factories.user(), name="Rivals")
    factories.membership(lab, vera, Role.VIEWER)
    client.force_login(vera)
    address = reverse("profile_share", args=[own.public_id])

    assert [client.post(address, {"team": team.slug}).status_code for team in (lab, foreign, own.team)] == [
        403,
        404,
        403,
    ]
    assert Profile.objects.count() == 1
