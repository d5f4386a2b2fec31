"""F41: somebody is removed, or may only look, while their papers are read: who has paid goes on paying for that call,
and nobody pays for the next that should not."""

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from profiles import teams
from profiles.models import Role, Scope
from profiles.tokens import issue
from scoring import judging, providers
from scoring.models import BudgetWindow, Edition, Hold, LedgerEntry, Score
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return factories.user("alice@example.org")


@pytest.fixture
def bob():
    return factories.user("bob@example.org")


@pytest.fixture
def lab(alice, bob):
    return factories.team(alice, bob)


@pytest.fixture
def edition(bob, lab, settings, fake_model):
    """Bob's day of four papers, paid by the lab, two papers a call."""
    settings.LLM_BASE_URL, settings.LLM_API_KEY, settings.LLM_MODEL = fake_model.base_url, "", "simulated"
    factories.provider(fake_model.base_url, name=providers.INSTANCE_NAME, block_size=2)
    profile = factories.profile(bob, team=lab)
    return factories.edition_to_read(profile, factories.announced_papers(4))


def paid_by(hold):
    """The windows of a hold: scope and subject."""
    legs = LedgerEntry.objects.filter(hold=hold, kind=LedgerEntry.Kind.HOLD)
    return {(each.window.scope, each.window.subject_id) for each in legs.select_related("window")}


def pool(team):
    return BudgetWindow.objects.get(scope=Scope.TEAM, subject_id=team.pk)


def test_a_call_in_flight_is_paid_by_the_team_that_has_held_for_it(alice, bob, lab, edition):
    block = judging.claim(timezone.now())
    held = paid_by(block.hold)
    assert (Scope.TEAM, lab.pk) in held

    teams.remove_member(alice, lab.memberships.get(user=bob))
    judging.judge_block(block)

    hold = Hold.objects.get()
    assert hold.state == Hold.State.SETTLED
    assert paid_by(hold) == held
    assert (pool(lab).used_tokens, pool(lab).held_tokens) == (hold.used_tokens, 0)
    assert Score.objects.filter(revision=block.revision).count() == 2
    call_command("audit")


def test_after_that_the_old_team_pays_nothing(alice, bob, lab, edition):
    judging.judge_block(judging.claim(timezone.now()))
    used = pool(lab).used_tokens

    teams.remove_member(alice, lab.memberships.get(user=bob))
    while judging.run_once():
        pass

    assert pool(lab).used_tokens == used
    own = teams.personal_team_of(bob)
    assert all((Scope.TEAM, own.pk) in paid_by(hold) for hold in Hold.objects.order_by("pk")[1:])
    assert Score.objects.count() == 4
    call_command("audit")


def test_who_may_only_look_from_now_on_has_nothing_more_read(alice, bob, lab, edition):
    block = judging.claim(timezone.now())

    teams.change_role(alice, lab.memberships.get(user=bob), Role.VIEWER)
    judging.judge_block(block)

    assert Hold.objects.get().state == Hold.State.SETTLED
    assert judging.claim(timezone.now()) is None
    assert Edition.objects.get(pk=edition.pk).blocked_by == {"reason": "no_payer"}
    assert Score.objects.count() == 2
    call_command("audit")


def test_a_token_sees_nothing_of_the_team_from_the_removal_on(alice, bob, lab):
    _token, secret = issue(bob, "script", can_write=True)
    client, bearer = Client(), {"authorization": f"Bearer {secret}"}
    assert client.get(reverse("api_team_quotas", args=[lab.slug]), headers=bearer).status_code != 404

    teams.remove_member(alice, lab.memberships.get(user=bob))

    assert client.get(reverse("api_team_quotas", args=[lab.slug]), headers=bearer).status_code == 404


def test_a_token_of_somebody_locked_out_is_dead_at_the_next_request(bob):
    _token, secret = issue(bob, "script", can_write=True)
    client, bearer = Client(), {"authorization": f"Bearer {secret}"}
    assert client.get(reverse("api_me"), headers=bearer).status_code == 200

    bob.is_active = False
    bob.save(update_fields=["is_active"])

    assert client.get(reverse("api_me"), headers=bearer).status_code == 401
