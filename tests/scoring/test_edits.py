"""What an edit of a profile does to days that are there already."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from profiles import drafts, revisions
from profiles.models import Interest, Profile
from scoring import editions, edits, profile_changes, rubric, tick
from scoring.models import Call, Candidate, Edition, Score
from scoring.packed import Code
from tests import factories
from tests.factories import DAY

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)
State = Candidate.State


@pytest.fixture
def profile():
    return factories.profile(factories.user("alice@example.org"), interests=["graphs", "robots"])


def screened(profile, papers=4, day=DAY):
    factories.announced_papers(papers, day)
    edition = editions.open_edition(profile, day)
    editions.screen(edition, NOW)
    return edition


def read(candidate, scores, state=State.JUDGED):
    """Book an answer about a candidate, as judging would."""
    edition = candidate.edition
    provider = factories.provider("http://127.0.0.1:9/v1") if state == State.JUDGED else factories.provider()
    call = Call.objects.create(
        day=DAY, profile=edition.profile, provider=provider, provider_model=str(provider)
    )
    score = Score.objects.create(
        day=DAY,
        profile=edition.profile,
        revision=revisions.current(edition.profile, rubric.VERSION),
        paper_id=candidate.paper_id,
        version=candidate.version,
        provider_model=str(provider),
        call=call,
        is_local=state == State.ESTIMATED,
        interest_scores=scores,
    )
    candidate.state, candidate.score_id = state, score.pk
    candidate.save(update_fields=["state", "score_id"])
    editions.move(edition, {candidate.paper_id: Code[state.upper()]})
    edits.reweigh(edition.profile)
    candidate.refresh_from_db()


def set_weights(profile, *weights):
    for interest, weight in zip(profile.interests.all(), weights, strict=True):
        Interest.objects.filter(pk=interest.pk).update(weight=weight)


def test_a_weight_re_ranks_at_once_and_costs_nothing(profile):
    edition = screened(profile)
    first, second = edition.candidates.order_by("rank")[:2]
    read(first, [90, 10])
    read(second, [20, 80])
    assert list(edition.candidates.best_first()[:2]) == [first, second]

    set_weights(profile, 0.35, 1.0)
    assert edits.reweigh(profile) == 2

    first.refresh_from_db()
    assert (first.value, first.second_value, first.interest) == (32, 10, 0)
    assert list(edition.candidates.best_first()[:2]) == [second, first]


def test_re_ranking_is_one_update_whatever_the_number_of_papers(profile):
    edition = screened(profile, papers=30)
    for candidate in edition.candidates.all():
        read(candidate, [50, 40])
    set_weights(profile, 0.5, 1.0)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert edits.reweigh(profile) == 30

    updates = [query for query in asked if query["sql"].startswith("UPDATE scoring_candidate")]
    assert len(updates) == 1
    assert edits.reweigh(profile) == 0


def test_earlier_days_are_ranked_again_by_the_next_tick(profile):
    early, late = None, None
    for day in (DAY - dt.timedelta(days=31), DAY):
        early, late = late, screened(profile, day=day).candidates.first()
        read(late, [80, 10])
    Edition.objects.update(is_weighed=True)

    set_weights(profile, 0.5, 1.0)
    edits.reweigh(profile)
    early.refresh_from_db()
    late.refresh_from_db()
    assert (early.value, late.value) == (80, 40)

    assert tick.weigh_due(NOW) == 1
    early.refresh_from_db()
    assert early.value == 40
    assert tick.weigh_due(NOW) == 0


def test_another_profiles_values_stay(profile):
    bob = factories.profile(factories.user("bob@example.org"), interests=["graphs", "robots"])
    edition = screened(bob)
    candidate = edition.candidates.first()
    read(candidate, [90, 10])

    set_weights(profile, 0.1, 0.1)
    edits.reweigh(profile)

    candidate.refresh_from_db()
    assert candidate.value == 90


def test_scores_follow_their_interest_when_the_order_changes(profile):
    edition = screened(profile)
    candidate = edition.candidates.first()
    read(candidate, [90, 10])
    graphs, robots = profile.interests.all()

    for interest, position in ((graphs, 7), (robots, 0), (graphs, 1)):
        Interest.objects.filter(pk=interest.pk).update(position=position)
    edits.reweigh(profile)

    candidate.refresh_from_db()
    assert (candidate.value, candidate.interest) == (90, 1)


def test_an_interest_that_is_gone_weighs_nothing(profile):
    edition = screened(profile)
    candidate = edition.candidates.first()
    read(candidate, [90, 40])

    profile.interests.get(position=0).delete()
    edits.reweigh(profile)

    candidate.refresh_from_db()
    assert candidate.value == 40


def test_a_renamed_interest_keeps_its_scores(profile):
    edition = screened(profile)
    candidate = edition.candidates.first()
    read(candidate, [90, 40])

    profile.interests.filter(position=0).update(name="Networks of nodes", weight=0.5)
    edits.reweigh(profile)

    candidate.refresh_from_db()
    assert candidate.value == 45


def test_a_name_that_moved_is_not_counted_twice(profile):
    edition = screened(profile)
    candidate = edition.candidates.first()
    read(candidate, [90, 40])

    profile.interests.filter(position=1).update(name="Graphs", weight=0.5)
    profile.interests.filter(position=0).update(name="Cheese")
    edits.reweigh(profile)

    candidate.refresh_from_db()
    assert (candidate.value, candidate.second_value, candidate.interest) == (45, 0, 1)


def test_new_words_reach_what_nobody_has_claimed(profile):
    factories.provider("http://127.0.0.1:9/v1", team=profile.team)
    edition = screened(profile, papers=3)
    judged = edition.candidates.order_by("rank").first()
    read(judged, [70, 0])
    profile.interests.filter(position=0).update(description="cheese and wine")
    profile.refresh_from_db()

    assert edits.adopt(profile) == [edition]
    assert editions.rescreen(edition, NOW)
    assert not editions.rescreen(edition, NOW)
    assert edits.adopt(profile) == []

    judged.refresh_from_db()
    assert judged.state == State.JUDGED
    assert edition.revision == revisions.current(profile, rubric.VERSION)
    assert editions.audit() == []


def test_new_words_change_who_is_read(profile):
    factories.provider("http://127.0.0.1:9/v1", team=profile.team)
    texts = [
        ("Graph neural networks", "graph neural networks and message passing for node classification")
    ] * 8
    texts += [("Grasping", "robot manipulation, grasping and locomotion of a humanoid robot")] * 8
    texts += [(f"Remarks {n}", f"Some remarks on topic{n}.") for n in range(60)]
    papers = [factories.paper(title=title, abstract=abstract) for title, abstract in texts]
    for paper in papers:
        factories.announce(paper)
    profile.interests.filter(position=1).delete()
    profile.interests.filter(position=0).update(name="Graph neural networks", description="")
    edition = editions.open_edition(profile, DAY)
    editions.screen(edition, NOW)
    best = edition.candidates.order_by("rank").values_list("paper_id", flat=True)
    assert set(best[:8]) == {paper.pk for paper in papers[:8]}

    profile.interests.filter(position=0).update(name="Robotics")
    for changed in edits.adopt(profile):
        editions.rescreen(changed, NOW)

    assert set(best.all()[:8]) == {paper.pk for paper in papers[8:16]}
    assert editions.account(Edition.objects.get(pk=edition.pk)).is_true
    assert editions.audit() == []


def test_what_is_claimed_is_left_to_finish(profile):
    edition = screened(profile, papers=3)
    claimed = edition.candidates.first()
    claimed.state, claimed.claim_token = State.CLAIMED, profile.public_id
    claimed.lease_until = NOW
    claimed.save()
    editions.move(edition, {claimed.paper_id: Code.IN_WORK})
    profile.interests.filter(position=0).update(description="cheese")

    for changed in edits.adopt(profile):
        editions.rescreen(changed, NOW)

    claimed.refresh_from_db()
    assert claimed.state == State.CLAIMED
    assert edition.candidates.waiting().count() == 2
    assert editions.audit() == []


def test_the_local_judges_newest_day_is_estimated_anew(profile):
    edition = screened(profile, papers=3)
    for candidate in edition.candidates.all():
        read(candidate, [40, 0], State.ESTIMATED)
    assert editions.close(edition, NOW)
    profile.interests.filter(position=0).update(description="cheese")

    for changed in edits.adopt(profile):
        assert editions.rescreen(changed, NOW)

    edition.refresh_from_db()
    assert edition.state == Edition.State.SCREENED
    assert edition.candidates.waiting().filter(score_id=None, value=None).count() == 3
    assert editions.audit() == []


def test_what_a_model_read_and_closed_is_not_opened_by_new_words(profile):
    factories.provider("http://127.0.0.1:9/v1", team=profile.team)
    edition = screened(profile, papers=1)
    read(edition.candidates.get(), [90, 0])
    editions.close(edition, NOW)
    profile.interests.filter(position=0).update(description="cheese")

    assert edits.adopt(profile) == []


def test_a_weight_is_no_new_word(profile):
    screened(profile)
    set_weights(profile, 0.5, 0.5)

    assert edits.adopt(profile) == []


def test_a_saved_form_reaches_the_days_that_are_there(profile):
    edition = screened(profile, papers=3)
    draft = drafts.draft_of(profile)
    graphs, robots = draft.interests
    words = replace(graphs, description="cheese")

    profile_changes.store(replace(draft, interests=(words, robots)), profile)

    edition.refresh_from_db()
    assert edition.revision == revisions.current(profile, rubric.VERSION)
    assert editions.rescreen(edition, NOW)


def test_a_form_that_comes_after_the_deletion_brings_nothing_back(profile):
    stale = Profile.objects.get(pk=profile.pk)
    profile_changes.archive(profile.owner, profile)
    profile_changes.pause(profile)

    profile_changes.store(replace(drafts.draft_of(stale), name="Back again"), stale)

    stored = Profile.objects.get(pk=profile.pk)
    assert (stored.archived_at is None, stored.is_paused) == (False, True)
