"""Somebody takes their data along, or leaves for good: the books stay true, and name nobody (F41)."""

import io
import json
import tomllib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal import leaving
from profiles import audit, invitations, teams, tokens
from profiles.leaving import NotHandedOver
from profiles.models import (
    AuditPerson,
    Invitation,
    Letter,
    Mark,
    Membership,
    Notice,
    Profile,
    Role,
    Team,
    User,
)
from scoring import budget, digest, editions, judging, tick
from scoring.llm import LlmUnavailable
from scoring.models import (
    BudgetWindow,
    Call,
    Candidate,
    Edition,
    Hold,
    LedgerEntry,
    OutboxMail,
    Provider,
    Score,
)
from tests import factories
from tests.factories import DAY, PASSWORD
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return factories.user("alice@example.org", name="Alice Adams", wants_digest=True)


def a_day_to_read(alice, fake_model, **fields):
    profile = factories.profile(alice, name="深度学习", **fields)
    factories.provider(fake_model.base_url, profile=profile)
    return factories.edition_to_read(profile, factories.announced_papers(3))


def read_all():
    while judging.run_once():
        pass


def sums():
    figures = ("scope", "subject_id", "period", "used_tokens", "held_tokens", "cost_microusd")
    lines = LedgerEntry.objects.order_by("pk").values_list("window", "hold", "kind", "tokens", "sum_before")
    return list(BudgetWindow.objects.order_by("pk").values_list(*figures)), list(lines)


# --- leaving for good ------------------------------------------------------------------------------


def test_the_books_stay_and_name_nobody(alice, fake_model):
    a_day_to_read(alice, fake_model)
    read_all()
    before = sums()
    assert before[1]

    leaving.forget(alice)

    assert sums() == before
    assert not any(
        model.objects.exists() for model in (User, Profile, Edition, Candidate, Score, Team, Membership)
    )
    (call,) = Call.objects.all()
    assert (call.profile, call.edition, call.revision, call.block, call.prompt_sha256) == (
        None,
        None,
        None,
        [],
        "",
    )
    assert call.hold.state == Hold.State.SETTLED
    call_command("audit")


def test_scores_that_vanish_without_their_reader_are_still_found(alice, fake_model):
    a_day_to_read(alice, fake_model)
    read_all()

    Score.objects.all().delete()

    assert {found.invariant for found in budget.audit()} == {
        "a settled call has neither scores nor a failure",
        "spending is not what the ledger says",
    }


def test_nothing_that_names_the_person_is_left(alice, fake_model):
    lab = factories.team(factories.user(), alice)
    teams.change_role(lab.memberships.get(role=Role.OWNER).user, lab.memberships.get(user=alice), Role.ADMIN)
    a_day_to_read(alice, fake_model, team=lab)
    read_all()
    Mark.objects.create(user=alice, paper=Candidate.objects.first().paper, kind=Mark.Kind.SAVED)
    tokens.issue(alice, "script", can_write=True)
    audit.remember(alice)
    staff = factories.user(is_staff=True)
    LogEntry.objects.create(
        user=staff, object_repr=str(alice), change_message="alice@example.org", action_flag=2
    )
    mail = OutboxMail.objects.create(user=alice, day=DAY)

    leaving.forget(alice)

    assert not OutboxMail.objects.filter(pk=mail.pk).exists()
    assert not AuditPerson.objects.filter(key=alice.public_id).exists()
    dumped = io.StringIO()
    call_command("dumpdata", stdout=dumped)
    for trace in ("alice", "Alice Adams", "深度学习", "graph neural networks"):
        assert trace not in dumped.getvalue(), trace
    call_command("audit")


def test_a_shared_team_goes_on_without_the_person(alice, fake_model):
    bob = factories.user()
    lab = factories.team(bob, alice)
    shared = factories.profile(None, team=lab)
    factories.provider(fake_model.base_url, profile=shared)
    edition = factories.edition_to_read(shared, factories.announced_papers(2))
    factories.profile(alice, team=lab)
    read_all()

    leaving.forget(alice)

    assert list(lab.memberships.values_list("user", flat=True)) == [bob.pk]
    assert list(Profile.objects.all()) == [shared]
    assert Score.objects.filter(profile=shared).count() == 2
    edition.refresh_from_db()
    assert editions.account(edition).judged == 2


def test_the_last_owner_hands_over_first(alice):
    bob = factories.user()
    lab = factories.team(alice, bob, name="Lab")
    factories.profile(alice)

    with pytest.raises(NotHandedOver, match="Lab"):
        leaving.forget(alice)
    assert Profile.objects.count() == 1

    teams.change_role(alice, lab.memberships.get(user=bob), Role.OWNER)
    leaving.forget(alice)

    assert lab.memberships.get().user == bob


def test_a_team_in_which_nobody_else_is_goes_too(alice, fake_model):
    lab = factories.team(alice, name="Lab of one")
    shared = factories.profile(None, team=lab)
    factories.provider(fake_model.base_url, profile=shared)
    factories.edition_to_read(shared, factories.announced_papers(2))
    read_all()

    leaving.forget(alice)

    assert not Team.objects.exists()
    assert not Profile.objects.exists()
    call_command("audit")


# --- what is in work -------------------------------------------------------------------------------


def test_an_answer_for_somebody_who_left_books_its_bill_and_nothing_else(alice, fake_model):
    a_day_to_read(alice, fake_model)
    block = judging.claim(timezone.now())
    assert budget.mark_sent(block.hold)
    answer = judging.calling.llm.judge(
        block.prompt, judging.calling.providers.endpoint_of(block.provider), request_id=str(block.hold.key)
    )

    leaving.forget(alice)
    scores = judging.calling.book(block, answer)

    assert scores == []
    assert not Score.objects.exists()
    hold = Hold.objects.get()
    assert hold.state == Hold.State.SETTLED
    assert hold.used_tokens == answer.usage.total_tokens
    assert (hold.call.outcome, hold.call.failed_answer) == ("forgotten", "")
    call_command("audit")


def test_a_claim_of_somebody_who_left_is_asked_and_paid_once_at_most(alice, fake_model):
    a_day_to_read(alice, fake_model)
    block = judging.claim(timezone.now())

    leaving.forget(alice)
    judging.judge_block(block)

    assert len(fake_model.bill.lines) == Hold.objects.filter(state=Hold.State.SETTLED).count() == 1
    call_command("audit")


def test_a_failed_call_for_somebody_who_left_gives_its_tokens_back(alice, fake_model):
    a_day_to_read(alice, fake_model)
    block = judging.claim(timezone.now())

    leaving.forget(alice)
    judging.failures.book_failure(block, LlmUnavailable("rate_limited", "later"), timezone.now())

    assert Hold.objects.get().state == Hold.State.RELEASED
    call_command("audit")


def test_a_dead_workers_call_for_somebody_who_left_is_reaped(alice, fake_model):
    now = timezone.now()
    a_day_to_read(alice, fake_model)
    judging.claim(now)

    leaving.forget(alice)
    judging.reap(now + timezone.timedelta(seconds=judging.CLAIM_SECONDS + 1))

    assert Hold.objects.get().state == Hold.State.RELEASED
    call_command("audit")


def test_steps_that_looked_before_the_person_left_do_nothing(alice, fake_model):
    edition = a_day_to_read(alice, fake_model)
    profile = edition.profile
    mail = OutboxMail.objects.create(user=alice, day=DAY)
    now = timezone.now()

    leaving.forget(alice)

    for verb in (editions.screen, editions.rescreen, editions.close, editions.reopen):
        assert not verb(edition, now)
    with pytest.raises(Profile.DoesNotExist):
        editions.open_edition(profile, DAY)
    assert not digest.send_one(mail.pk, now)
    tick.housekeep(now)
    assert not Edition.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_somebody_leaves_while_their_days_are_read_opened_and_closed(alice, fake_model):
    fake_model.settings = replace(fake_model.settings, latency_seconds=0.2)
    profile = factories.profile(alice)
    factories.provider(fake_model.base_url, profile=profile, block_size=2)
    factories.edition_to_read(profile, factories.announced_papers(40))
    now = timezone.now()

    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(apart, lambda: judging.drain(patience_seconds=0))
        keeping = pool.submit(apart, lambda: [tick.housekeep(now) for _ in range(20)])
        wait_until(lambda: Call.objects.filter(hold__sent_at__isnull=False).exists(), "a call is in flight")
        leaving.forget(alice)
        reading.result()
        keeping.result()

    assert not any(model.objects.exists() for model in (User, Profile, Edition, Candidate, Score, Provider))
    assert not Hold.objects.open().exists()
    assert not Call.objects.exclude(profile=None).exists()
    billed = sum(line["usage"]["total_tokens"] for line in fake_model.bill.lines)
    assert sum(Hold.objects.values_list("used_tokens", flat=True)) == billed > 0
    call_command("audit")


def apart(work):
    """In a thread, with a connection of its own."""
    try:
        work()
    finally:
        connection.close()


# --- taking it along -------------------------------------------------------------------------------


def unzipped(archive):
    with zipfile.ZipFile(archive) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name).decode() for name in packed.namelist()}


def test_the_archive_has_account_profiles_days_and_spending(alice, fake_model):
    edition = a_day_to_read(alice, fake_model)
    read_all()
    editions.close(edition, timezone.now())
    paper = Candidate.objects.first().paper
    Mark.objects.create(user=alice, paper=paper, kind=Mark.Kind.SAVED)

    files = unzipped(leaving.export(alice, timezone.now()))

    name = f"深度学习-{edition.profile.public_id.hex[:8]}"
    assert set(files) == {
        "account.json",
        "spending.json",
        f"profiles/{name}.toml",
        f"editions/{name}/{DAY}.md",
        f"editions/{name}/{DAY}.json",
    }
    account = json.loads(files["account.json"])
    assert account["account"]["email"] == "alice@example.org"
    assert account["marks"][0]["paper__arxiv_id"] == paper.arxiv_id
    assert json.loads(files["spending.json"])[0]["used_tokens"] > 0
    assert tomllib.loads(files[f"profiles/{name}.toml"])["name"] == "深度学习"
    assert files[f"editions/{name}/{DAY}.md"].startswith("# ")


def test_the_archive_holds_nothing_of_anybody_else(alice, fake_model):
    charlie = factories.user("charlie@example.org", name="Charlie")
    factories.edition(factories.profile(charlie, name="Charlie's words"))
    lab = factories.team(alice, charlie)
    factories.profile(charlie, team=lab, name="Charlie's other words")
    a_day_to_read(alice, fake_model, team=lab)

    files = unzipped(leaving.export(alice, timezone.now()))

    assert "harlie" not in str(files)
    assert "password" not in files["account.json"]


# --- the page --------------------------------------------------------------------------------------


@pytest.fixture
def browser(alice):
    """Alice's, who has just typed her password again."""
    client = Client()
    client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def test_whoever_only_has_the_session_is_asked_for_the_password_first(client, alice):
    client.force_login(alice)

    for method, name in (("get", "your_data"), ("post", "take_data"), ("post", "delete_account")):
        answer = getattr(client, method)(reverse(name), {"email": alice.email})
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("account_reauthenticate"))
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_password_leads_on_to_the_page(client, alice):
    client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    asked = client.get(reverse("your_data"))

    answer = client.post(asked.url, {"password": PASSWORD, "next": reverse("your_data")}, follow=True)

    assert "Delete my account" in answer.content.decode()


def test_the_archive_is_downloaded(browser):
    answer = browser.post(reverse("take_data"))

    assert answer["Content-Type"] == "application/zip"
    assert "attachment" in answer["Content-Disposition"]
    assert "account.json" in unzipped(io.BytesIO(b"".join(answer.streaming_content)))


def test_another_address_deletes_nobody(browser, alice):
    answer = browser.post(reverse("delete_account"), {"email": "bob@example.org"})

    assert answer.status_code == 422
    assert "not the mail address of this account" in answer.content.decode()
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_last_owner_is_told_what_to_do(browser, alice):
    factories.team(alice, factories.user(), name="Lab")

    answer = browser.post(reverse("delete_account"), {"email": alice.email})

    assert answer.status_code == 409
    assert "last owner of Lab" in answer.content.decode()
    assert User.objects.filter(pk=alice.pk).exists()


def test_who_leaves_is_signed_out_everywhere_and_their_tokens_are_dead(browser, alice):
    _token, secret = tokens.issue(alice, "script", can_write=True)
    elsewhere = Client()
    elsewhere.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})

    answer = browser.post(reverse("delete_account"), {"email": " Alice@Example.org "}, follow=True)

    assert "Your account and your data are deleted." in answer.content.decode()
    assert not User.objects.exists()
    assert elsewhere.get(reverse("account_settings")).status_code == 302
    assert Client().get(reverse("api_me"), headers={"authorization": f"Bearer {secret}"}).status_code == 401
    assert (
        Client().post(reverse("account_login"), {"login": alice.email, "password": PASSWORD}).status_code
        == 200
    )


def test_invitations_go_with_whom_they_were_for_and_are_void_without_whom_they_are_from(alice):
    bob = factories.user("bob@example.org")
    lab = factories.team(bob, name="Lab")
    factories.membership(lab, alice, Role.ADMIN)
    theirs = factories.team(bob, name="Other")
    to_alice = invitations.invite(bob, theirs, alice.email, Role.MEMBER)
    from_alice = invitations.invite(alice, lab, "new@example.org", Role.MEMBER)
    Letter.objects.create(key="x", code="invitation", address="Alice@example.org")

    leaving.forget(alice)

    from_alice.refresh_from_db()
    assert list(Invitation.objects.all()) == [from_alice]
    assert (from_alice.invited_by, from_alice.revoked_at is None) == (None, False)
    assert not AuditPerson.objects.filter(key=to_alice.public_id).exists()
    assert not Letter.objects.exists()
    assert not Notice.objects.exists()


def test_the_archive_has_invitations_notices_and_requests(alice):
    bob = factories.user("bob@example.org")
    lab = factories.team(bob, name="Lab")
    invitations.invite(bob, lab, alice.email, Role.VIEWER)
    mine = factories.team(alice, name="Mine")
    sent = invitations.invite(alice, mine, "new@example.org", Role.MEMBER)

    account = json.loads(unzipped(leaving.export(alice, timezone.now()))["account.json"])

    assert [(row["team__name"], row["role"]) for row in account["invitations_received"]] == [
        ("Lab", "viewer")
    ]
    assert [row["email"] for row in account["invitations_sent"]] == ["new@example.org"]
    assert [row["code"] for row in account["notices"]] == ["invitation"]
    assert account["requests_for_more"] == []
    assert invitations.token_of(sent) not in str(account)
