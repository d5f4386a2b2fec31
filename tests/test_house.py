"""The house stands: its apps start and no migration is missing."""

import pytest
from django.core.management import call_command

from tests import factories


@pytest.mark.django_db  # what a database can do is asked of it, once a process
def test_the_system_check_finds_nothing():
    call_command("check", fail_level="WARNING")


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True)


@pytest.mark.django_db
def test_a_member_private_profile_is_nobody_elses():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice, bob)
    private = factories.profile(bob, team=lab)
    shared = factories.profile(None, team=lab)

    assert set(type(private).objects.visible_to(alice)) == {shared}
    assert set(type(private).objects.visible_to(bob)) == {private, shared}
