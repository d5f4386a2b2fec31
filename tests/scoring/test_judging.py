"""From a waiting paper to a booked answer, against a simulated model over HTTP."""

import datetime as dt

import pytest
from django.utils import timezone

from profiles.models import Interest, Quota, Scope
from scoring import blocked, budget, editions, judging, llm, providers
from scoring.models import BudgetWindow, Call, Candidate, Hold, Provider, Score
from scoring.packed import Code, unpack
from tests import factories
from tests.scoring.reading import OTHER, TOPIC, assert_books_are_right, papers, read_all, states

pytestmark = pytest.mark.django_db
State = Candidate.State


# --- the path --------------------------------------------------------------------------------------


def test_a_day_is_read_and_paid_once(alice, judge, fake_model):
    edition = factories.edition_to_read(alice, papers(45))

    calls = read_all()

    assert calls == 3
    assert set(states(edition)) == {State.JUDGED}
    assert Score.objects.count() == 45
    assert read_all() == 0
    assert_books_are_right(fake_model)


def test_a_score_carries_its_reason_quote_and_label(alice, judge, fake_model):
    edition = factories.edition_to_read(alice, papers(1))

    read_all()

    score, candidate = Score.objects.get(), Candidate.objects.get()
    assert candidate.score_id == score.pk
    assert (candidate.value, candidate.interest) == (max(score.interest_scores), 0)
    assert score.reason and score.is_quote_verified and score.is_simulated
    assert score.quote in TOPIC
    assert score.call.outcome == "judged"
    assert score.call.input_tokens == fake_model.bill.lines[0]["usage"]["prompt_tokens"]
    assert edition.day == score.day


def test_the_request_names_the_hold_and_the_panel_but_no_person(alice, judge, fake_model):
    factories.edition_to_read(alice, papers(1))

    read_all()

    line, request = fake_model.bill.lines[0], fake_model.requests[0]
    assert line["request_id"] == str(Hold.objects.get().key)
    assert line["cache_key"] and line["payer"]
    assert "alice" not in str(request)
    assert Candidate.objects.get().paper.arxiv_id not in str(request)


def test_papers_of_other_subjects_are_judged_low_and_are_no_failure(alice, judge, fake_model):
    edition = factories.edition_to_read(alice, [factories.paper(title="Salt", abstract=OTHER)])

    read_all()

    assert states(edition) == [State.JUDGED]
    assert Score.objects.get().interest_scores == [0, 0]


def test_a_paper_without_a_text_is_read_by_its_title(alice, judge, fake_model):
    bare = factories.paper(title="Graph neural networks by reinforcement learning")
    bare.versions.all().delete()
    factories.edition_to_read(alice, [bare])

    read_all()

    assert (
        "Graph neural networks by reinforcement learning" in fake_model.requests[0]["messages"][1]["content"]
    )
    assert Candidate.objects.get().state == State.JUDGED


def test_the_local_judge_takes_the_same_path_for_nothing(alice, settings, fake_model):
    settings.LLM_BASE_URL = ""
    edition = factories.edition_to_read(alice, papers(30))

    read_all()

    assert set(states(edition)) == {State.ESTIMATED}
    assert Score.objects.filter(is_local=True).count() == 30
    assert (Call.objects.count(), fake_model.requests) == (1, [])
    assert_books_are_right(fake_model)


def test_weights_make_the_value(judge, fake_model):
    bob = factories.profile(factories.user(), weights=(0.5, 0.0))
    factories.edition_to_read(bob, papers(1))

    read_all()

    score, candidate = Score.objects.get(), Candidate.objects.get()
    assert candidate.value == -(-score.interest_scores[0] // 2)


def test_a_paper_that_was_paid_for_is_adopted_not_read(alice, judge, fake_model):
    shared = papers(2)
    first = factories.edition_to_read(alice, shared)
    read_all()
    again = factories.edition_to_read(alice, [*shared, *papers(1)], day=first.day + dt.timedelta(days=3))

    calls = read_all()

    assert calls == 1
    assert set(states(again)) == {State.JUDGED}
    assert Score.objects.count() == 3
    assert_books_are_right(fake_model)


def test_editions_of_several_profiles_take_turns(judge, fake_model):
    for n in range(3):
        factories.edition_to_read(factories.profile(factories.user(f"r{n}@example.org")), papers(40))

    first = [judging.claim(timezone.now()).edition.pk for _ in range(3)]

    assert len(set(first)) == 3


def test_no_more_calls_are_claimed_than_the_provider_allows(alice, judge, fake_model):
    factories.edition_to_read(alice, papers(120))

    claimed = [judging.claim(timezone.now()) for _ in range(5)]

    assert [block is not None for block in claimed] == [True, True, True, True, False]


@pytest.mark.django_db(transaction=True)
def test_many_threads_read_a_day_once(alice, judge, fake_model):
    fake_model.settings.latency_seconds = 0.02
    edition = factories.edition_to_read(alice, papers(90))

    drained = judging.drain(8, patience_seconds=0)

    assert (drained.calls, drained.scores) == (5, 90)
    assert set(states(edition)) == {State.JUDGED}
    assert_books_are_right(fake_model)


# --- the budget ------------------------------------------------------------------------------------


def test_a_block_shrinks_to_what_fits_and_the_rest_waits_for_the_budget(alice, judge, fake_model):
    factories.quota(Scope.TEAM, 9_000, team=alice.team)
    edition = factories.edition_to_read(alice, papers(60))

    read_all()

    edition.refresh_from_db()
    judged = Candidate.objects.filter(state=State.JUDGED)
    waiting = Candidate.objects.filter(state=State.WAITING)
    assert judged.count() and waiting.count()
    assert max(c.rank for c in judged) < min(c.rank for c in waiting)
    assert set(waiting.values_list("waits_for", flat=True)) == {Candidate.Waits.BUDGET}
    assert edition.blocked_by["scope"] == Scope.TEAM
    assert edition.blocked_until > timezone.now()
    assert BudgetWindow.objects.get(scope=Scope.TEAM).used_tokens <= 9_000
    assert_books_are_right(fake_model)


def test_a_blocked_edition_is_not_asked_again_before_its_time(alice, judge, fake_model):
    factories.quota(Scope.TEAM, 10, team=alice.team)
    edition = factories.edition_to_read(alice, papers(2))

    assert judging.claim(timezone.now()) is None
    edition.refresh_from_db()
    assert not Call.objects.exists()
    assert states(edition) == [State.WAITING] * 2

    later = edition.blocked_until + dt.timedelta(seconds=1)
    Quota.objects.all().delete()
    assert judging.claim(later) is not None


def test_tokens_that_a_call_in_flight_holds_make_the_next_block_wait_and_block_nothing(
    alice, judge, fake_model
):
    first = factories.edition_to_read(alice, papers(60))
    block = judging.claim(timezone.now())
    factories.quota(Scope.TEAM, block.hold.held_tokens + 2_000, team=alice.team)
    BudgetWindow.objects.filter(scope=Scope.TEAM).update(limit_tokens=block.hold.held_tokens + 2_000)

    refused = judging.claim(timezone.now())
    first.refresh_from_db()
    blocked_meanwhile = first.blocked_until
    judging.judge_block(block)
    following = judging.claim(timezone.now())

    assert refused is None
    assert blocked_meanwhile is None
    assert len(following.rows) > 1


def test_a_reader_who_left_the_team_is_not_paid_for(judge, fake_model):
    bob = factories.user()
    lab = factories.team(factories.user(), bob)
    profile = factories.profile(bob, team=lab)
    edition = factories.edition_to_read(profile, papers(1))
    bob.memberships.all().delete()

    assert read_all() == 0
    edition.refresh_from_db()
    assert edition.blocked_by == {"reason": "no_payer"}
    assert "Nobody pays" in str(blocked.of(edition, dt.UTC, timezone.now()).heading)


# --- edits and late answers ------------------------------------------------------------------------


def test_what_is_claimed_is_read_under_its_old_words(alice, judge, fake_model):
    factories.edition_to_read(alice, papers(1))
    block = judging.claim(timezone.now())
    Interest.objects.filter(profile=alice).update(description="something else")

    judging.judge_block(block)

    assert Score.objects.get().revision == block.revision


def test_a_zombies_late_answer_writes_its_usage_and_nothing_else(alice, judge, fake_model):
    edition = factories.edition_to_read(alice, papers(2))
    block = judging.claim(timezone.now())
    sent = budget.mark_sent(block.hold)
    later = timezone.now() + dt.timedelta(seconds=judging.CLAIM_SECONDS + budget.LEASE_SECONDS)

    assert sent and judging.reap(later) == 2
    assert read_all(later) == 2

    answer = llm.judge(block.prompt, providers.endpoint_of(block.provider), request_id=str(block.hold.key))

    assert judging.book(block, answer, later) == []

    hold = Hold.objects.get(pk=block.hold.pk)
    assert (hold.state, hold.is_trued_up) == (Hold.State.ASSUMED, True)
    assert Score.objects.count() == 2
    assert set(states(edition)) == {State.JUDGED}
    assert_books_are_right(fake_model)


def test_an_unsent_claim_comes_back_at_no_cost(alice, judge, fake_model):
    edition = factories.edition_to_read(alice, papers(2))
    judging.claim(timezone.now())
    later = timezone.now() + dt.timedelta(seconds=judging.CLAIM_SECONDS + 1)

    assert judging.reap(timezone.now()) == 0
    assert judging.reap(later) == 2
    assert judging.reap(later) == 0

    assert Hold.objects.get().state == Hold.State.RELEASED
    assert read_all(later) == 2
    assert set(states(edition)) == {State.JUDGED}
    assert_books_are_right(fake_model)


def test_a_paper_that_kills_its_worker_is_isolated_and_failed(alice, judge, fake_model):
    """F14: every block that holds it dies; the others are read."""
    good, bad = papers(7), factories.paper(title="Poison", abstract=TOPIC)
    edition = factories.edition_to_read(alice, [*good[:3], bad, *good[3:]])
    now = timezone.now()

    for _ in range(60):
        block = judging.claim(now)
        if block is None:
            now += dt.timedelta(seconds=judging.CLAIM_SECONDS + 1)
            if not judging.reap(now) and not Candidate.objects.waiting().exists():
                break
        elif bad.pk not in [row.paper_id for row in block.rows]:
            judging.judge_block(block)

    assert Candidate.objects.get(paper=bad).failure == "poison"
    assert Candidate.objects.get(paper=bad).solo_crashes == 3
    assert states(edition) == [State.FAILED] + [State.JUDGED] * 7
    assert_books_are_right(fake_model)


def test_failed_answers_are_forgotten_after_seven_days(alice, judge, fake_model):
    fake_model.settings.personality = "babbling"
    factories.edition_to_read(alice, papers(1))
    read_all()

    assert judging.forget_failed_answers(timezone.now()) == 0
    assert judging.forget_failed_answers(timezone.now() + dt.timedelta(days=8)) > 0
    assert not Call.objects.exclude(failed_answer="").exists()


def test_the_packed_list_says_what_the_candidates_say(alice, judge, fake_model):
    edition = factories.edition_to_read(alice, papers(3))
    block = judging.claim(timezone.now())
    edition.refresh_from_db()
    assert {entry.code for entry in unpack(bytes(edition.packed))} == {Code.IN_WORK}

    judging.judge_block(block)

    edition.refresh_from_db()
    assert {entry.code for entry in unpack(bytes(edition.packed))} == {Code.JUDGED}
    assert editions.close(edition, timezone.now())


def test_a_provider_is_one_row_whatever_happens(alice, judge, fake_model):
    assert providers.provider_of(alice) == judge
    assert Provider.objects.count() == 1
