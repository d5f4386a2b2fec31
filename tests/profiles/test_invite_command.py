"""`manage.py invite`: how the first people come into an instance that is by invitation."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from profiles import invitations
from profiles.models import Invitation, Role
from tests import factories

pytestmark = pytest.mark.django_db


def invite(*words):
    out = io.StringIO()
    call_command("invite", *words, stdout=out)
    return out.getvalue().strip()


def test_the_link_is_printed_and_lets_one_address_sign_up(client, settings):
    settings.SIGNUP = "invite"
    link = invite("first@example.org")

    found = invitations.find(link.split("/")[-2])

    assert (found.email, found.team, found.invited_by) == ("first@example.org", None, None)
    assert client.get(link.removeprefix(settings.PORTAL_URL)).status_code == 200


def test_a_team_is_joined_in_the_role_that_was_said():
    lab = factories.team(factories.user())
    bob = factories.user("bob@example.org")

    told = json.loads(invite("bob@example.org", "--team", lab.slug, "--role", "admin", "--json"))

    found = invitations.find(told["link"].split("/")[-2])
    assert invitations.accept(bob, found).role == Role.ADMIN


@pytest.mark.parametrize(
    "words", [["nobody"], ["a@example.org", "--team", "none"], ["a@example.org", "--role", "admin"]]
)
def test_what_makes_no_sense_is_said_and_nothing_made(words):
    with pytest.raises(CommandError):
        invite(*words)

    assert not Invitation.objects.exists()
