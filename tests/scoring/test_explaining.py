"""The reason on request: its price, one question however often it is clicked, and books that are right."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from profiles.models import Quota, Role, Scope
from scoring import budget, explaining, judging
from scoring.judging import explanations
from scoring.models import BudgetWindow, Call, Hold, Score
from scoring.simulated import brain
from tests import factories
from tests.scoring.reading import OTHER, TOPIC, assert_books_are_right, papers, read_all

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def a_paper_below(alice):
    """One that the model has read and found of no use, so that it gave no reason."""
    edition = factories.edition_to_read(alice, [factories.paper(title="Salt in the sea", abstract=OTHER)])
    read_all()
    assert Score.objects.get().reason == ""
    return edition, Score.objects.get().paper


def answer_questions():
    """What the next drain does with them, without its threads; how many."""
    count = 0
    while (question := explanations.claim(timezone.now())) is not None:
        explanations.answer(question)
        count += 1
    return count


def address(paper):
    return f"/papers/{paper.arxiv_id}/reason/"


def test_a_reason_is_asked_held_booked_and_shown(client, alice, judge, fake_model):
    edition, paper = a_paper_below(alice)
    client.force_login(alice.owner)
    page = client.get(f"/papers/{paper.arxiv_id}/").content.decode()
    assert "Reason on request" in page and "about " in page

    asked = client.post(address(paper), {"edition": edition.public_id}, headers=HTMX).content.decode()
    assert "The model is asked for its reason" in asked and "hx-get" in asked
    assert Hold.objects.open().count() == 1
    answer_questions()

    score, call = Score.objects.get(), Call.objects.get(kind=Call.Kind.EXPLAIN)
    answer = client.get(address(paper), {"edition": edition.public_id}, headers=HTMX).content.decode()
    assert score.reason and score.reason in answer and score.quote in OTHER
    assert "Reason on request" not in answer and "hx-get" not in answer
    assert (call.outcome, call.edition, call.profile) == ("explained", edition, alice)
    assert score.explain_call == call
    assert_books_are_right(fake_model)


def test_the_price_is_about_what_it_takes_and_money_where_there_are_prices(client, alice, judge):
    judge.price_input_microusd, judge.price_output_microusd = 1_000_000, 4_000_000
    judge.save()
    edition, paper = a_paper_below(alice)
    client.force_login(alice.owner)
    entry = client.get(f"/papers/{paper.arxiv_id}/").context["verdicts"][0].entry
    price = entry.reason_price
    assert price.money.startswith("$0.00")

    explaining.ask(edition, paper, timezone.now())
    answer_questions()

    call = Call.objects.get(kind=Call.Kind.EXPLAIN)
    assert 0.9 < price.tokens / (call.input_tokens + call.output_tokens) < 1.15
    assert 0.5 < price.cost_microusd / call.cost_microusd < 2


def test_two_clicks_are_one_question(alice, judge, fake_model):
    edition, paper = a_paper_below(alice)

    first = explaining.ask(edition, paper, timezone.now())
    second = explaining.ask(edition, paper, timezone.now())

    assert first == second
    assert answer_questions() == 1
    with pytest.raises(explaining.NothingToAsk):
        explaining.ask(edition, paper, timezone.now())
    assert Call.objects.filter(kind=Call.Kind.EXPLAIN).count() == 1
    assert_books_are_right(fake_model)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_question(alice, judge):
    edition, paper = a_paper_below(alice)

    def click(_):
        try:
            return explaining.ask(edition, paper, timezone.now()).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        asked = set(pool.map(click, range(4)))

    assert len(asked) == 1
    assert Call.objects.filter(kind=Call.Kind.EXPLAIN).count() == 1
    assert list(budget.audit()) == []


def test_a_refusal_says_whose_limit_and_leaves_nothing(client, alice, judge):
    edition, paper = a_paper_below(alice)
    used = BudgetWindow.objects.get(scope=Scope.MEMBER).used_tokens
    alices = alice.owner.memberships.get()
    factories.quota(Scope.MEMBER, used + 10, team=alice.team, membership=alices)
    assert Quota.objects.count() == 1
    BudgetWindow.objects.filter(scope=Scope.MEMBER).update(limit_tokens=used + 10)
    client.force_login(alice.owner)

    answer = client.post(address(paper), {"edition": edition.public_id}, headers=HTMX).content.decode()
    told = client.post(address(paper), {"edition": edition.public_id}, follow=True).content.decode()

    assert "Your limit is used up." in answer and "Reason on request" in answer
    assert "Your limit is used up." in told
    assert not Call.objects.filter(kind=Call.Kind.EXPLAIN).exists()
    assert Score.objects.get().explain_call is None
    assert list(budget.audit()) == []


def test_a_local_estimate_has_nothing_to_ask(client, alice):
    edition = factories.edition(alice)
    paper = factories.judged(edition, factories.paper(), [10, 0], by=factories.provider(), reason="").paper
    client.force_login(alice.owner)

    page = client.get(f"/papers/{paper.arxiv_id}/").content.decode()

    assert "Reason on request" not in page
    with pytest.raises(explaining.NothingToAsk):
        explaining.ask(edition, paper, timezone.now())


def test_a_question_that_nobody_took_up_gives_its_tokens_back_and_may_be_asked_again(
    client, alice, judge, fake_model
):
    edition, paper = a_paper_below(alice)
    explaining.ask(edition, paper, timezone.now())
    held = Hold.objects.open().get()
    later = timezone.now() + dt.timedelta(seconds=explaining.LEASE_SECONDS + 1)

    budget.reap(later)

    client.force_login(alice.owner)
    page = client.get(f"/papers/{paper.arxiv_id}/").content.decode()
    held.refresh_from_db()
    assert held.state == Hold.State.RELEASED
    assert "Ask again" in page
    assert explaining.ask(edition, paper, timezone.now()) != held
    answer_questions()
    assert Score.objects.get().reason
    assert_books_are_right(fake_model)


def test_an_answer_of_no_use_is_paid_and_may_be_asked_again(client, alice, judge, fake_model, monkeypatch):
    edition, paper = a_paper_below(alice)
    explaining.ask(edition, paper, timezone.now())
    monkeypatch.setattr(brain, "explanation", lambda system, user: "I would rather not say.")

    answer_questions()

    call = Call.objects.get(kind=Call.Kind.EXPLAIN)
    assert call.outcome == "garbled" and call.output_tokens and Score.objects.get().reason == ""
    client.force_login(alice.owner)
    assert "Ask again" in client.get(f"/papers/{paper.arxiv_id}/").content.decode()
    assert_books_are_right(fake_model)


@pytest.mark.django_db(transaction=True)
def test_whoever_reads_next_answers_the_question(alice, judge, fake_model):
    edition, paper = a_paper_below(alice)
    explaining.ask(edition, paper, timezone.now())

    drained = judging.drain(patience_seconds=0)

    assert drained.calls == 1 and Score.objects.get().reason
    assert_books_are_right(fake_model)


def test_a_card_over_the_bar_without_a_reason_offers_it(client, alice, judge):
    alice.bar = 5
    alice.save()
    factories.edition_to_read(alice, papers(1, abstract=TOPIC))
    read_all()
    Score.objects.update(reason="", quote="")
    client.force_login(alice.owner)

    assert "Reason on request" in client.get("/").content.decode()


def test_a_viewer_of_a_team_profile_spends_nothing(client, alice, judge):
    lab = factories.team(alice.owner)
    charlie = factories.user("charlie@example.org")
    factories.membership(lab, charlie, Role.VIEWER)
    edition, paper = a_paper_below(factories.profile(None, team=lab))
    client.force_login(charlie)

    page = client.get(f"/papers/{paper.arxiv_id}/").content.decode()
    answer = client.post(address(paper), {"edition": edition.public_id})

    assert "Reason on request" not in page and "More like this" not in page
    assert answer.status_code == 403


def test_nobody_asks_about_anothers_edition(client, alice, judge):
    edition, paper = a_paper_below(alice)
    client.force_login(factories.user("charlie@example.org"))

    assert client.post(address(paper), {"edition": edition.public_id}).status_code == 404
    assert not Call.objects.filter(kind=Call.Kind.EXPLAIN).exists()
