"""A reader asks for more with one click, and who may grants it with one click; what waited is read at once."""

import datetime as dt
import re
import threading

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection
from django.http import Http404
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from profiles import letters, notices
from profiles.models import AuditEvent, Notice, QuotaRequest, Role, Scope, TopUp
from scoring import asking, blocked, budget, judging
from scoring.models import Edition
from tests import factories
from tests.scoring.reading import assert_books_are_right, papers, read_all, states

pytestmark = pytest.mark.django_db
State = QuotaRequest.State


class Lab:
    """Bob's limit has stopped his day; Alice owns the team, Ada administers it, Vera looks."""

    def __init__(self, scope=Scope.MEMBER, limit=10):
        self.alice = factories.user("alice@example.org", name="Alice")
        self.ada = factories.user("ada@example.org", name="Ada")
        self.bob = factories.user("bob@example.org", name="Bob")
        self.team = factories.team(self.alice, self.bob, slug="lab", name="Lab")
        factories.membership(self.team, self.ada, Role.ADMIN)
        self.bobs = self.bob.memberships.get(team=self.team)
        subject = {
            Scope.MEMBER: {"team": self.team, "membership": self.bobs},
            Scope.TEAM: {"team": self.team},
        }
        factories.quota(scope, limit, **subject.get(scope, {}))
        self.profile = factories.profile(self.bob, team=self.team, name="Secret plan")
        self.edition = factories.edition_to_read(self.profile, papers(5))
        assert judging.claim(timezone.now()) is None
        self.edition.refresh_from_db()
        assert self.edition.blocked_by["scope"] == scope

    def day(self, user):
        return as_(user).get(reverse("day", args=[self.edition.day]) + f"?profile={self.profile.public_id}")

    def ask(self, user=None):
        return as_(user or self.bob).post(reverse("ask_for_more", args=[self.edition.public_id]))


@pytest.fixture
def lab(judge):
    return Lab()


def as_(user):
    client = Client()
    client.force_login(user)
    return client


def link_in(message):
    return re.search(r"/requests/letter/[^\s\"]+", message.body).group()


def test_the_notice_says_whose_limit_its_use_its_end_and_whom_to_ask_by_name(lab):
    page = lab.day(lab.bob).content.decode()

    for shown in (
        "Your limit is used up.",
        "0 of 10 tokens a day",
        "A new count starts at",
        "Alice or Ada",
        "Ask for more",
    ):
        assert shown in page


def test_one_click_asks_once_a_window(lab):
    for _ in range(3):
        assert lab.ask().status_code == 302

    asked = QuotaRequest.objects.get()
    assert (asked.asked_by, asked.scope, asked.membership, asked.period) == (
        lab.bobs,
        Scope.MEMBER,
        lab.bobs,
        "day",
    )
    assert asked.tokens >= 11_000 and asked.tokens % 1_000 == 0
    assert asked.window_ends_at == lab.edition.blocked_until
    page = lab.day(lab.bob).content.decode()
    assert "nobody has decided yet" in page and "Ask for more" not in page
    assert sorted(Notice.objects.values_list("user__email", flat=True)) == [
        "ada@example.org",
        "alice@example.org",
    ]
    assert [event.code for event in AuditEvent.objects.all()] == ["request.asked"]


def test_an_admin_grants_from_the_page_and_the_waiting_papers_are_read_at_once(lab, fake_model):
    lab.ask()
    asked = QuotaRequest.objects.get()
    page = as_(lab.ada).get(reverse("team_quotas", args=["lab"])).content.decode()
    assert "Bob" in page and "more for Bob in Lab" in page and lab.profile.name not in page
    assert read_all() == 0

    as_(lab.ada).post(reverse("request_decide", args=[asked.public_id]), {"do": "grant"})

    assert read_all() >= 1
    assert set(states(lab.edition)) == {"judged"}
    given = TopUp.objects.get()
    assert (given.request, given.tokens, given.ends_at) == (asked, asked.tokens, asked.window_ends_at)
    assert_books_are_right(fake_model)
    [told] = notices.told(Notice.objects.of(lab.bob))
    assert told.words.title == "Your request is granted"
    assert list(AuditEvent.objects.values_list("code", flat=True)) == [
        "request.asked",
        "request.granted",
        "top_up.given",
    ]


def test_from_the_mail_a_look_spends_nothing_and_the_button_grants(lab):
    lab.ask()
    letters.send_due(timezone.now())
    message = next(each for each in mail.outbox if each.to == ["ada@example.org"])
    assert message.subject == "Bob asks for more tokens"
    link, stranger = link_in(message), Client()

    for _ in range(3):
        assert "Grant" in stranger.get(link).content.decode()
        stranger.head(link)
    assert not TopUp.objects.exists()

    assert "Granted." in stranger.post(link, {"do": "grant"}).content.decode()
    assert "Granted." in stranger.post(link, {"do": "decline"}).content.decode()
    assert TopUp.objects.get().given_by == lab.ada
    lab.edition.refresh_from_db()
    assert lab.edition.blocked_until is None


def test_the_link_of_one_who_was_demoted_grants_nothing(lab):
    lab.ask()
    asked = QuotaRequest.objects.get()
    link = reverse("request_by_letter", args=[asking.token_of(str(asked.public_id), str(lab.ada.public_id))])
    lab.ada.memberships.filter(team=lab.team).update(role=Role.MEMBER)

    assert Client().post(link, {"do": "grant"}).status_code == 403
    lab.ada.memberships.filter(team=lab.team).delete()
    assert Client().post(link, {"do": "grant"}).status_code == 403
    assert not TopUp.objects.exists()


def test_a_declined_request_is_told_and_changes_no_limit(lab):
    lab.ask()
    asked = QuotaRequest.objects.get()

    assert asking.decline(lab.alice, asked)
    assert not asking.grant(lab.alice, asked)

    assert not TopUp.objects.exists()
    [told] = notices.told(Notice.objects.of(lab.bob))
    assert told.words.title == "Your request is declined"
    assert "it was declined" in lab.day(lab.bob).content.decode()


def test_who_may_decide(lab):
    lab.ask()
    asked = QuotaRequest.objects.get()
    rival = factories.user()
    factories.team(rival)

    with pytest.raises(PermissionDenied):
        asking.grant(lab.bob, asked)
    with pytest.raises(Http404):
        asking.grant(rival, asked)
    with pytest.raises(ValidationError, match="window is over"):
        asking.grant(lab.ada, asked, asked.window_ends_at)
    assert not TopUp.objects.exists()
    assert QuotaRequest.objects.get().state == State.OPEN


def test_who_steers_the_team_is_led_to_its_quotas_instead(judge):
    lab = Lab()
    lab.bobs.role = Role.ADMIN
    lab.bobs.save(update_fields=["role"])

    notice = blocked.of(lab.edition, lab.bob.zone, timezone.now(), lab.bob)

    assert notice.steer_url == "/teams/lab/quotas/"
    assert not notice.ask_url


def test_a_pools_request_goes_to_the_operator(judge, settings):
    settings.ADMINS = ["operator@example.org"]
    lab, staff = Lab(Scope.TEAM), factories.user("op@example.org", is_staff=True)

    lab.ask()

    asked = QuotaRequest.objects.get()
    assert [each.to for each in mail.outbox] == [["operator@example.org"]]
    assert [each.user for each in Notice.objects.all()] == [staff]
    assert (
        as_(lab.alice).post(reverse("request_decide", args=[asked.public_id]), {"do": "grant"}).status_code
        == 302
    )
    assert not TopUp.objects.exists()
    assert (
        "waits for the operator" in as_(lab.alice).get(reverse("team_quotas", args=["lab"])).content.decode()
    )

    page = as_(staff).get(reverse("operator_spending")).content.decode()
    assert "more for the pool of Lab" in page
    as_(staff).post(reverse("request_decide", args=[asked.public_id]), {"do": "grant"})
    assert TopUp.objects.get().scope == Scope.TEAM
    assert read_all() >= 1


def test_nothing_is_asked_where_no_limit_stops_the_day(lab):
    Edition.objects.update(blocked_by={}, blocked_until=None)

    lab.ask()

    assert not QuotaRequest.objects.exists()


def test_an_admin_gives_and_takes_back_a_top_up_on_the_page(lab):
    client, address = as_(lab.ada), reverse("team_top_ups", args=["lab"])
    tomorrow = (timezone.now() + dt.timedelta(days=1)).date().isoformat()
    form = {"whom": f"member:{lab.bobs.public_id}", "tokens": "50k", "until": tomorrow}

    for wrong in (
        {"tokens": "-5"},
        {"tokens": "1.5"},
        {"tokens": "0"},
        {"until": "2020-01-01"},
        {"until": "x"},
    ):
        client.post(address, form | wrong)
    assert client.post(address, form | {"whom": "member:x"}).status_code == 404
    assert not TopUp.objects.exists()
    client.post(address, form)

    page = client.get(reverse("team_quotas", args=["lab"])).content.decode()
    assert "50,000" in page and "Take back" in page
    client.post(address, {"revoke": str(TopUp.objects.get().public_id)})
    assert TopUp.objects.get().revoked_at is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_guarded", [True, False])
def test_two_admins_at_once_have_one_effect(judge, monkeypatch, is_guarded):
    """The control decides without the one UPDATE, and gives twice (the second only fails by the one-to-one)."""
    lab = Lab()
    asked = factories.quota_request(lab.bobs, 5_000)
    if not is_guarded:
        monkeypatch.setattr(asking, "_decide", lambda actor, asked, state, now: True)
    barrier, results, lock = threading.Barrier(8), [], threading.Lock()

    def run(number):
        try:
            barrier.wait()
            done = asking.grant([lab.ada, lab.alice][number % 2], QuotaRequest.objects.get(pk=asked.pk))
        except (IntegrityError, ValidationError) as error:
            done = type(error).__name__
        finally:
            connection.close()
        with lock:
            results.append(done)

    workers = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert TopUp.objects.count() == 1
    assert (sorted(map(str, results)) == ["False"] * 7 + ["True"]) is is_guarded
    assert budget.audit() == []
