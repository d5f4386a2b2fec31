"""A team is deleted: its profiles go, members keep theirs, and the books stay true."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from profiles import invitations
from profiles.models import AuditEvent, Invitation, Profile, Quota, Role, Scope, Team
from profiles.teams import PersonalTeam, personal_team_of
from scoring import judging, leaving
from scoring.models import BudgetWindow, Call, Edition, Hold, LedgerEntry, Score
from tests import factories
from tests.waiting import wait_until

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


def read_day(profile, fake_model, papers):
    factories.provider(fake_model.base_url, profile=profile)
    factories.edition_to_read(profile, papers)
    while judging.run_once():
        pass


def books():
    figures = ("scope", "subject_id", "period", "used_tokens", "held_tokens")
    return list(BudgetWindow.objects.order_by("pk").values_list(*figures)), LedgerEntry.objects.count()


def test_the_books_stay_and_members_keep_what_is_theirs(alice, bob, lab, fake_model):
    shared, own = factories.profile(None, team=lab), factories.profile(bob, team=lab)
    papers = factories.announced_papers(3)
    read_day(shared, fake_model, papers)
    read_day(own, fake_model, papers)
    before = books()
    invitations.invite(alice, lab, "new@example.org", Role.MEMBER)
    factories.quota(Scope.TEAM, 1000, team=lab)

    leaving.delete_team(alice, lab)

    own.refresh_from_db()
    assert own.team == personal_team_of(bob)
    assert Score.objects.filter(profile=own).count() == 3
    assert books() == before
    assert not Team.objects.filter(name="Lab").exists()
    assert not any(each.objects.exists() for each in (Invitation, Quota))
    assert list(Profile.objects.all()) == [own]
    assert Hold.objects.exclude(state=Hold.State.SETTLED).count() == 0
    assert Call.objects.filter(profile=None).exists()
    assert AuditEvent.objects.filter(code="team.deleted", team_key=lab.public_id).exists()
    call_command("audit")


@pytest.mark.django_db(transaction=True)
def test_a_call_in_flight_is_paid_to_the_end(alice, lab, fake_model):
    fake_model.settings = replace(fake_model.settings, latency_seconds=0.2)
    profile = factories.profile(None, team=lab)
    factories.provider(fake_model.base_url, profile=profile, block_size=2)
    factories.edition_to_read(profile, factories.announced_papers(10))

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(apart, lambda: judging.drain(patience_seconds=0))
        wait_until(lambda: Call.objects.filter(hold__sent_at__isnull=False).exists(), "a call is in flight")
        leaving.delete_team(alice, lab)
        reading.result()

    assert not Edition.objects.exists()
    assert not Hold.objects.open().exists()
    billed = sum(line["usage"]["total_tokens"] for line in fake_model.bill.lines)
    assert sum(Hold.objects.values_list("used_tokens", flat=True)) == billed > 0
    call_command("audit")


def apart(work):
    try:
        work()
    finally:
        connection.close()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER, Role.VIEWER])
def test_only_an_owner_deletes(lab, role):
    charlie = factories.user()
    factories.membership(lab, charlie, role)

    with pytest.raises(PermissionDenied):
        leaving.delete_team(charlie, lab)
    assert Team.objects.filter(pk=lab.pk).exists()


def test_a_personal_team_stays(alice):
    with pytest.raises(PersonalTeam):
        leaving.delete_team(alice, personal_team_of(alice))


def test_the_page_wants_the_name_typed(alice, lab, client):
    client.force_login(alice)
    address = reverse("team_delete", args=[lab.slug])

    assert client.post(address, {"name": "lab"}).status_code == 422
    assert Edition.objects.count() == 0
    assert Team.objects.filter(pk=lab.pk).exists()
    assert client.post(address, {"name": " Lab "}).url == reverse("teams")
    assert not Team.objects.filter(pk=lab.pk).exists()
    assert client.post(address, {"name": "Lab"}).status_code == 404
