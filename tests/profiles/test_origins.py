"""From where a deed came: which door, which address, which token; and nothing that a client only claims."""

import pytest
from django.core.management import call_command
from django.test import RequestFactory
from django.urls import reverse

from profiles import audit, origins, tokens
from profiles.models import AuditEvent, AuditOrigin, Door, Membership, Role
from tests import factories

CLAIMED = "1.1.1.1, 2.2.2.2, 3.3.3.3"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, CLAIMED, "192.0.2.9"),
        (1, CLAIMED, "3.3.3.3"),
        (2, CLAIMED, "2.2.2.2"),
        (1, "", "192.0.2.9"),
        (4, CLAIMED, "192.0.2.9"),
        (1, "1.1.1.1, nonsense", None),
        (1, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_only_what_a_trusted_proxy_saw_is_the_client_s_address(settings, proxies, forwarded, seen):
    settings.TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory(REMOTE_ADDR="192.0.2.9").get("/", headers={"X-Forwarded-For": forwarded})

    assert origins.client_address(request) == seen


@pytest.mark.django_db
def test_a_page_leaves_its_door_and_address(client):
    client.force_login(factories.user())

    client.post(
        reverse("teams"),
        {"name": "Lab", "time_zone": "UTC"},
        REMOTE_ADDR="192.0.2.9",
        headers={"User-Agent": "Firefox" * 100},
    )

    event = AuditEvent.objects.get(code="team.created")
    assert (event.door, event.origin.ip, len(event.origin.user_agent)) == (Door.PAGE, "192.0.2.9", 200)
    assert origins.current() == origins.Origin()


@pytest.mark.django_db
def test_the_api_leaves_the_token_that_was_used(client):
    owner, bob = factories.user(), factories.user()
    team = factories.team(owner)
    membership = factories.membership(team, bob, Role.MEMBER)
    token, secret = tokens.issue(owner, "script", can_write=True)

    answer = client.delete(
        reverse("api_member", args=[team.slug, membership.public_id]),
        headers={"Authorization": f"Bearer {secret}"},
    )

    assert answer.status_code == 204
    event = AuditEvent.objects.get(code="member.removed")
    assert (event.door, event.token_key) == (Door.API, token.public_id)
    assert not Membership.objects.filter(pk=membership.pk).exists()


@pytest.mark.django_db
def test_a_command_is_named_and_the_system_has_no_door():
    call_command("budget", "set", "--tokens", "1M")
    audit.record(None, "person.forgotten")

    assert list(AuditEvent.objects.order_by("pk").values_list("door", flat=True)) == [Door.COMMAND, ""]
    assert not AuditOrigin.objects.exists()
