"""What a mail and a notice say of an invitation: the link of now, in the right language, or nothing."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from profiles import invitations, letters, notices
from profiles.models import Letter, Notice, Role
from profiles.outbox import NothingToSay
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def with_a_mailer(settings):
    settings.HAS_MAILER = True


@pytest.fixture
def alice():
    return factories.user("alice@example.org", name="Alice", language="zh-hans")


@pytest.fixture
def lab(alice):
    return factories.team(alice, name="Lab\nBcc: x")


def test_the_mail_has_the_link_and_speaks_the_inviter_s_language(alice, lab):
    made = invitations.invite(alice, lab, "new@example.org", Role.VIEWER)

    message = letters.message_of(Letter.objects.get())

    assert message.to == ["new@example.org"]
    assert "\n" not in message.subject
    assert "Alice" in message.body
    assert "邀请" in message.body
    assert invitations.link_of(made) in message.body


def test_a_mail_of_what_was_sent_again_or_revoked_is_not_sent(alice, lab):
    with time_machine.travel(timezone.now() - dt.timedelta(hours=1)):
        made = invitations.invite(alice, lab, "new@example.org", Role.VIEWER)
    invitations.renew(alice, made, made.token_sha256)
    old, new = Letter.objects.order_by("pk")

    with pytest.raises(NothingToSay):
        letters.message_of(old)
    assert invitations.link_of(made) in letters.message_of(new).body
    invitations.revoke(alice, made)
    with pytest.raises(NothingToSay):
        letters.message_of(new)


def test_who_has_an_account_is_told_in_the_app_and_mailed_once(alice, lab, django_assert_max_num_queries):
    bob = factories.user("bob@example.org")
    made = invitations.invite(alice, lab, "BOB@example.org", Role.MEMBER)

    (told,) = notices.told(Notice.objects.of(bob))

    assert told.words.path == invitations.path_of(made)
    assert Letter.objects.count() == 1
