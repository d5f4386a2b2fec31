"""How constant each model is, learned from its second looks, and what cut and recall make of it."""

import datetime as dt
import random

import pytest

from scoring import editions, learning
from scoring.editions import constancies
from scoring.editions.recalling import seen_of
from scoring.models import Candidate, JudgeConstancy, Score
from scoring.screening.constancy import LEAST_PAIRS, REFERENCE, Again, Constancy, learn
from scoring.screening.cut import cut
from tests import factories

NOW = dt.datetime(2026, 2, 2, 12, tzinfo=dt.UTC)


def looks(count, share=None, seed=1):
    """Picks far over their estimates, read again: a `share` of them is picked again, or as by the reference's judge."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        chance, over = dice.uniform(0.01, 0.25), dice.choice([15, 20, 25, 30])
        as_known = 1 / (1 + (chance / (1 - chance)) ** -0.43 * 2.718281828 ** (0.15 - 0.076 * over))
        made.append(Again(chance, over, dice.random() < (as_known if share is None else share)))
    return made


# --- pure ------------------------------------------------------------------------------------------


def test_few_looks_are_the_reference():
    assert learn(looks(LEAST_PAIRS - 1, 0.0)) == REFERENCE


def test_a_judge_like_the_references_stays_where_it_was():
    found = learn(looks(400))

    assert found.pairs == 400
    assert found.again(0.3) == pytest.approx(REFERENCE.again(0.3), abs=0.06)


def test_a_very_constant_and_a_very_inconstant_judge_are_told_apart():
    constant, whimsical = learn(looks(60, 0.98)), learn(looks(60, 0.1))

    for chance in (0.05, 0.3, 0.8):
        assert whimsical.again(chance) < REFERENCE.again(chance) - 0.1
        assert constant.again(chance) > REFERENCE.again(chance)
    assert constant.again(0.05) > REFERENCE.again(0.05) + 0.1


def test_a_little_evidence_moves_it_a_little():
    far, near = learn(looks(400, 0.98)), learn(looks(LEAST_PAIRS, 0.98))

    assert REFERENCE.again(0.1) < near.again(0.1) < far.again(0.1)


def test_the_order_of_looks_does_not_matter():
    pairs = looks(50, 0.5)

    assert learn(pairs) == learn(pairs[::-1])


def test_improbable_picks_of_a_constant_judge_are_worth_reading_on_for():
    estimates = [9_000] * 20 + [1_500] * 60
    keys = [f"{number:03}" for number in range(80)]

    def read(judge):
        return cut(estimates, keys, 0.9, "seed", judge=judge).rank

    assert read(Constancy(-0.5, 0.43, 99)) < read(REFERENCE) < read(Constancy(6.0, 0.1, 99))


# --- from rows -------------------------------------------------------------------------------------


def read_again(profile, provider, picked_again, count=30):
    """Papers thought hopeless, that the model picked and was asked about once more."""
    edition = factories.edition(profile)
    for number in range(count):
        candidate = factories.judged(edition, factories.paper(), [80, 0], by=provider)
        first = Score.objects.get(pk=candidate.score_id)
        told = 80 if number < picked_again else 5
        Score.objects.create(
            day=first.day, profile=profile, revision=first.revision, paper=first.paper, version=1, call=first.call,
            provider_model=first.provider_model, purpose=Score.Purpose.SECOND_LOOK, interest_scores=[told, 0],
        )  # fmt: skip
        Candidate.objects.filter(pk=candidate.pk).update(look="far", estimate=300)
    return edition


@pytest.fixture
def judges():
    """A profile judged by a constant model, another by a whimsical one."""
    made = []
    for picked_again in (30, 2):
        profile = factories.profile(factories.user())
        provider = factories.provider("http://127.0.0.1:9/v1", team=profile.team)
        read_again(profile, provider, picked_again)
        made.append((profile, provider))
    return made


@pytest.mark.django_db
def test_each_model_is_learned_once_a_day_from_its_own_looks(judges):
    (_, constant), (_, whimsical) = judges

    assert learning.judges_due(NOW)
    assert not learning.judges_due(NOW)

    high, low = (constancies.constancy_of(each.provider_model) for each in (constant, whimsical))
    assert high.pairs == low.pairs == 30
    assert low.again(0.1) < REFERENCE.again(0.1) < high.again(0.1)
    assert constancies.constancy_of("nobody/knows") == REFERENCE


@pytest.mark.django_db
def test_a_suspected_paper_tells_nothing_of_constancy(judges):
    Candidate.objects.update(look="suspected")

    assert constancies.learn_all(NOW) == 0
    assert not JudgeConstancy.objects.exists()


@pytest.mark.django_db
def test_an_edition_keeps_the_constancy_it_was_cut_by_and_states_its_recall_with_it(judges):
    (_, _), (profile, whimsical) = judges
    constancies.learn_all(NOW)
    for number in range(12):
        factories.announce(factories.paper(title=f"Graph neural networks {number}"), dt.date(2026, 2, 2))
    edition = editions.open_edition(profile, dt.date(2026, 2, 2))

    editions.screen(edition, NOW)
    JudgeConstancy.objects.all().delete()  # what is learned later does not change a day that was cut

    edition.refresh_from_db()
    learned = constancies.stored_with(edition.screening)
    assert learned.pairs == 30
    candidate = edition.candidates.first()
    Candidate.objects.filter(pk=candidate.pk).update(state="judged", value=90)
    assert seen_of(edition).constant == pytest.approx(learned.again(candidate.estimate / 10_000))
