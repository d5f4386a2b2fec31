"""`manage.py daily` with a model of each bad habit: the day closes, adds up, costs what was billed, and says so."""

import datetime as dt
import io

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from scoring import digest
from scoring.accounts import account
from scoring.models import Candidate, Edition, Hold, Score
from scoring.outcomes import failure_told
from scoring.simulated import faults
from scoring.simulated.faults import Fault
from tests import factories
from tests.scoring.reading import papers

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/feed/2026-01-30/"


@pytest.fixture
def alice(settings, fake_model):
    settings.OFFLINE = True
    reader = factories.user("alice@example.org")
    profile = factories.profile(reader, target_recall=1.0)
    factories.provider(fake_model.base_url, profile=profile)
    return reader


def daily(count: int) -> Edition:
    """The day read by the command; every invariant of the house holds after it."""
    for paper in papers(count):
        factories.announce(paper)
    call_command("daily", "--day", "2026-01-30", stdout=io.StringIO())
    said = io.StringIO()
    call_command("audit", stdout=said)
    assert said.getvalue().startswith("Audit: nothing is wrong.")
    return Edition.objects.get()


def page(reader, query=""):
    client = Client()
    client.force_login(reader)
    answer = client.get(PAGE + query)
    assert answer.status_code == 200
    return answer.content.decode()


def counts(edition):
    told = account(edition)
    shares = (told.judged, told.failed)
    assert sum(shares) == told.announced
    return shares


@pytest.mark.parametrize(
    ("personality", "failed", "failure"),
    [
        ("obedient", 0, None),
        ("leaky", 0, None),
        ("slow", 0, None),
        ("truncating", None, "cut"),
        ("duplicating", None, "bad_row"),
        ("inventing", 0, None),
        ("misscoring", None, "bad_row"),
        ("refusing", 9, "refused"),
    ],
)
def test_a_day_with_a_bad_model_closes_and_adds_up(alice, fake_model, personality, failed, failure):
    fake_model.settings.personality = personality
    fake_model.settings.latency_seconds = 0.2 if personality == "slow" else 0.0

    edition = daily(9)

    assert edition.state == Edition.State.CLOSED
    judged, given_up = counts(edition)
    assert judged + given_up == 9
    assert failed is None or given_up == failed
    assert sum(Hold.objects.values_list("used_tokens", flat=True)) == fake_model.bill.total_tokens
    assert account(edition).tokens == fake_model.bill.total_tokens
    assert set(Candidate.objects.exclude(failure="").values_list("failure", flat=True)) <= {failure}
    if given_up:
        assert f"?profile={edition.profile.public_id}&amp;show=failed" in page(alice)
        assert f"failed: {failure_told(failure)}" in page(alice, "?show=failed").lower()


def test_a_babbling_model_fails_a_small_day_and_the_page_says_so(alice, fake_model):
    fake_model.settings.personality = "babbling"

    edition = daily(4)

    assert edition.state == Edition.State.CLOSED
    assert counts(edition) == (0, 4)
    assert page(alice, "?show=failed").lower().count("failed: its answer could not be read") == 4
    assert not Score.objects.exists()


@pytest.mark.parametrize(
    "usage", [None, {}, "many", {"prompt_tokens": "9", "completion_tokens": True}, {"prompt_tokens": -1}]
)
def test_a_day_without_a_usable_bill_is_booked_in_full_and_flagged(alice, fake_model, usage):
    fake_model.settings.faults.add(faults.with_usage(usage))

    edition = daily(5)

    (hold,) = Hold.objects.all()
    assert (hold.is_flagged, hold.used_tokens) == (True, hold.held_tokens)
    assert counts(edition) == (5, 0)
    assert account(edition).tokens == hold.held_tokens
    told = f"{hold.held_tokens:,}"
    assert f"<b>{told}</b> tokens" in page(alice)
    assert f">{told}<" in page(alice, "?show=tokens")


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_day_without_a_right_to_ask_waits_and_is_read_by_estimate(alice, fake_model, status):
    """F30: one call, no storm; the reader has a ranked page that says what it waits for."""
    fake_model.settings.faults.add(*[Fault(status=status)] * 9)

    edition = daily(5)

    assert len(fake_model.requests) == 1
    assert account(edition).waiting == 5
    shown = page(alice)
    assert shown.count("data-paper=") == 5
    assert "Waits for the model" in shown


def test_a_day_with_a_busy_and_a_broken_server_is_read_to_its_end(alice, fake_model):
    fake_model.settings.faults.add(faults.rate_limited("0.3"), Fault(status=500), Fault(status=503))

    edition = daily(5)

    assert edition.state == Edition.State.CLOSED
    assert counts(edition) == (5, 0)


@time_machine.travel(dt.datetime(2026, 1, 30, 8, 30, tzinfo=dt.UTC))
def test_what_a_leaky_model_says_is_inert_in_every_sink(alice, fake_model):
    """F33, at the sinks: page, receipt, reports, API and mail."""
    fake_model.settings.personality = "leaky"
    alice.wants_digest = True
    alice.save(update_fields=["wants_digest"])
    edition = daily(3)
    client = Client()
    client.force_login(alice)
    day = f"{PAGE}report"
    paper = Score.objects.first().paper.arxiv_id
    api = f"/api/v1/editions/{edition.public_id}/entries/"
    sinks = [PAGE, f"/papers/{paper}/", f"{day}.md", f"{day}.csv", f"{day}.json", api]

    told = {sink: client.get(sink) for sink in sinks}
    digest.send_due(timezone.now())

    texts = {sink: answer.content.decode() for sink, answer in told.items()}
    (message,) = mail.outbox
    texts |= {"mail": message.body, "mail in HTML": message.alternatives[0].content}
    for sink, text in texts.items():
        assert "Graph neural networks, part" in text, sink
        for leak in ("onerror", "javascript:", "\\href", "=1+1", "screening editor", "One reader"):
            assert leak not in text, (sink, leak)
    assert {answer.headers["X-Content-Type-Options"] for answer in told.values()} == {"nosniff"}
