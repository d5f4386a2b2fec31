"""What another model says is counted on the profile's scale: learned of stored scores, for no token, and no value moves."""

import datetime as dt
import random

import pytest
from django.core.management import call_command
from django.urls import reverse

from profiles import revisions
from profiles.models import Notice
from scoring import calibration, editions, rubric, scales, watch
from scoring.calibration import AS_SAID, LEAST_PAPERS, Told
from scoring.models import Candidate, ModelScale, Score
from scoring.value import shown
from tests import factories
from tests.scoring.reading import assert_books_are_right, papers, read_all

EVENING = dt.datetime(2026, 2, 1, 20, tzinfo=dt.UTC)
NEXT = factories.DAY + dt.timedelta(days=1)
LAST = factories.DAY + dt.timedelta(days=scales.LEAST_DAYS)
AFTER = LAST + dt.timedelta(days=1)


def day_of(count=600, *, bend=lambda worth: worth, promise=0.0, seed=1):
    """What a noisy model says of a day's papers, by its own measure; a day of more `promise` has better ones."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        latent = dice.gauss(promise, 1)
        said = bend(40 + 25 * latent + dice.gauss(0, 10))
        made.append(Told(max(0, min(100, round(said))), latent + dice.gauss(0, 0.6)))
    return made


# --- pure ------------------------------------------------------------------------------------------


def test_few_papers_count_as_they_are_said():
    higher = day_of(LEAST_PAPERS, bend=lambda worth: worth + 20)

    assert calibration.learn(higher[1:], day_of()) == AS_SAID
    assert calibration.learn(higher, day_of()).papers == LEAST_PAPERS
    assert [AS_SAID.of(score) for score in (0, 50, 100)] == [0, 50, 100]


def test_two_equal_models_are_one_scale_though_each_is_noisy():
    found = [calibration.learn(day_of(300, seed=seed), day_of(seed=seed + 100)) for seed in range(40)]

    assert [scale for scale in found if scale != AS_SAID] == []


def test_a_better_day_is_no_other_scale():
    """The control: without the estimates a rich day would be taken for a higher model, and flattened."""
    rich, usual = day_of(400, promise=0.8), day_of()
    blind = [[Told(each.score, 0.0) for each in day] for day in (rich, usual)]

    assert calibration.learn(rich, usual) == AS_SAID
    assert calibration.learn(*blind).of(70) < 60


@pytest.mark.parametrize(
    ("bend", "back"),
    [
        (lambda worth: worth + 15, {60: 45, 75: 60, 90: 75}),
        (lambda worth: worth - 15, {40: 55, 60: 75}),
        (lambda worth: 50 + 0.5 * (worth - 50), {40: 30, 55: 60, 65: 80}),
    ],
)
def test_another_measure_is_counted_back_on_days_of_another_promise(bend, back):
    scale = calibration.learn(day_of(800, bend=bend, promise=0.4), day_of(1200))

    assert list(scale.table) == sorted(scale.table)
    assert {said: abs(scale.of(said) - counts) <= 4 for said, counts in back.items()} == dict.fromkeys(
        back, True
    )


def test_what_was_never_as_promising_before_is_not_compared():
    """All of one estimate and none of the other's: there is nothing to hold them against."""
    now = [Told(each.score, 0.7) for each in day_of(bend=lambda worth: worth + 30)]
    then = [Told(each.score, 0.6) for each in day_of(seed=2)]

    assert calibration.learn(now, then) == AS_SAID
    mixed = [*now, *(Told(each.score, 0.6) for each in day_of(200, bend=lambda worth: worth + 30, seed=3))]
    assert calibration.learn(mixed, then).papers == 200


def test_the_order_of_the_papers_decides_nothing():
    now, then = day_of(bend=lambda worth: worth + 15), day_of(seed=2)

    assert calibration.learn(now[::-1], then[::-1]) == calibration.learn(now, then)


# --- with models -----------------------------------------------------------------------------------


@pytest.fixture
def other(judge, fake_model):
    """Another name for the simulated model."""
    return factories.provider(fake_model.base_url, name="other", concurrency=4)


def read_day(reader, day, *, said=lambda worth: worth, count=LEAST_PAPERS):
    """Read a day and close it; what the model said is then set, by its own measure, from what each paper is worth."""
    words = revisions.current(reader, rubric.VERSION)
    edition = factories.edition_to_read(reader, papers(count), day=day, revision=words)
    read_all()
    dice = random.Random(str(day))
    for score in Score.objects.filter(day=day).order_by("pk"):
        worth = dice.gauss(50, 20)
        told = max(0, min(100, round(said(worth))))
        Score.objects.filter(pk=score.pk).update(interest_scores=[told, 0])
        Candidate.objects.filter(edition=edition, paper=score.paper_id).update(
            value=told, estimate=round(100 * max(0, min(100, worth)))
        )
    editions.close(edition, EVENING)
    return edition


@pytest.fixture
def changed(alice, judge, other):
    """A day by one model, then days by another that says 15 more, looked at."""
    before = read_day(alice, factories.DAY)
    judge.is_active = False
    judge.save(update_fields=["is_active"])
    other.profile = alice
    other.save(update_fields=["profile"])
    for number in range(scales.LEAST_DAYS):
        day = NEXT + dt.timedelta(days=number)
        after = read_day(alice, day, said=lambda worth: worth + 15, count=LEAST_PAPERS // scales.LEAST_DAYS)
    watch.watch_due(EVENING)
    before.refresh_from_db()
    after.refresh_from_db()
    return before, after


@pytest.mark.django_db
def test_a_scale_is_learned_and_told_and_moves_no_value_of_the_days_before(changed, alice, client, other):
    before, after = changed

    row = ModelScale.objects.get()
    assert (row.profile, row.provider_model, row.papers, row.compared) == (
        alice, other.provider_model, LEAST_PAPERS, LEAST_PAPERS,
    )  # fmt: skip
    assert abs(row.table[75] - 60) <= 5
    assert before.screening["judge"] == {}
    found = after.screening["judge"]
    assert (found["finding"], found["eighty"]) == ("other_scale", row.table[80])
    assert not Score.objects.filter(said_scores__isnull=False).exists()
    for score in Score.objects.all():
        assert Candidate.objects.get(score_id=score.pk).value == max(score.interest_scores)
    client.force_login(alice.owner)
    page = client.get(reverse("day", args=[LAST]), {"profile": str(alice.public_id)}).text
    told = f"from now on an 80 of it counts as {row.table[80]}, and every other score likewise."
    assert told in page
    notice = Notice.objects.get(user=alice.owner, code=watch.CODE, params__finding="other_scale")
    assert told in str(watch.words_of_drifts([notice.params])[0])


@pytest.mark.django_db
def test_from_then_on_its_scores_count_on_the_profiles_scale_and_say_what_was_said(
    changed, alice, fake_model, client, capsys
):
    row = ModelScale.objects.get()
    edition = factories.edition_to_read(alice, papers(20), day=AFTER)

    read_all()

    scores = list(Score.objects.filter(day=AFTER).select_related("paper"))
    assert len(scores) == 20
    for score in scores:
        assert score.scale == row
        assert score.interest_scores == [row.table[said] for said in score.said_scores]
        assert Candidate.objects.get(edition=edition, paper=score.paper_id).value == max(
            score.interest_scores
        )
    assert_books_are_right(fake_model)
    best = max(scores, key=lambda score: max(score.interest_scores))
    said = max(best.said_scores)
    assert row.table[said] != said
    client.force_login(alice.owner)
    page = client.get(reverse("day", args=[AFTER]), {"profile": str(alice.public_id)}).text
    assert f'<span class="said">{said} →</span> {row.table[said]}' in page
    call_command("why", str(alice.public_id), best.paper.arxiv_id, day=str(AFTER))
    assert f"(said: {shown(said)})" in capsys.readouterr().out


@pytest.mark.django_db
def test_a_scale_is_learned_once_for_the_learner_then_knows_the_new_model(changed, alice, other):
    _before, after = changed

    assert scales.learn(after, other.provider_model, EVENING) is None
    more = read_day(alice, AFTER, said=lambda worth: worth + 15)
    assert scales.learn(more, other.provider_model, EVENING) is None


@pytest.fixture
def bob(judge, other):
    """A reader of few papers who goes through the same change."""
    narrow = factories.profile(factories.user("bob@example.org"))
    judge.is_active = True
    judge.save(update_fields=["is_active"])
    read_day(narrow, factories.DAY, count=20)
    return narrow


def read_by_the_other(reader, judge, other, day):
    judge.is_active = False
    judge.save(update_fields=["is_active"])
    other.profile = reader
    other.save(update_fields=["profile"])
    return read_day(reader, day, said=lambda worth: worth + 15, count=20)


@pytest.mark.django_db
def test_who_reads_little_borrows_what_another_learned_of_the_same_change(changed, bob, judge, other):
    lent = ModelScale.objects.get()
    edition = read_by_the_other(bob, judge, other, NEXT)

    row = scales.learn(edition, other.provider_model, EVENING)

    assert row is not None
    assert (row.profile, row.is_borrowed, row.table, row.papers) == (bob, True, lent.table, lent.papers)
    assert scales.learn(edition, other.provider_model, EVENING) is None


@pytest.mark.django_db
def test_nothing_is_borrowed_where_the_model_before_was_counted_by_a_scale(changed, bob, judge, other):
    lent = ModelScale.objects.get()
    ModelScale.objects.create(
        profile=bob, provider_model=judge.provider_model, table=list(range(101)), papers=200, compared=200, before="x",
    )  # fmt: skip
    edition = read_by_the_other(bob, judge, other, NEXT)

    assert scales.learn(edition, other.provider_model, EVENING) is None
    assert ModelScale.objects.filter(provider_model=other.provider_model).get() == lent


@pytest.mark.django_db
def test_one_day_teaches_no_scale_for_a_model_has_moods(alice, judge, other):
    read_day(alice, factories.DAY)
    judge.is_active = False
    judge.save(update_fields=["is_active"])
    other.profile = alice
    other.save(update_fields=["profile"])
    edition = read_day(alice, NEXT, said=lambda worth: worth + 30)

    assert scales.learn(edition, other.provider_model, EVENING) is None


@pytest.mark.django_db
def test_a_model_alone_has_no_scale(alice, judge):
    edition = read_day(alice, factories.DAY)

    assert scales.learn(edition, judge.provider_model, EVENING) is None
    assert not ModelScale.objects.exists()


@pytest.mark.django_db
def test_other_words_teach_no_scale(changed, alice, other):
    """What two models said under different words does not differ by the models alone."""
    ModelScale.objects.all().delete()
    alice.interests.filter(position=0).update(
        description="Something else altogether, and nothing of the old."
    )
    edition = read_day(alice, AFTER, said=lambda worth: worth + 15)

    assert scales.learn(edition, other.provider_model, EVENING) is None


@pytest.mark.django_db
def test_a_profile_that_goes_takes_its_scales_along(changed, alice):
    alice.delete()

    assert not ModelScale.objects.exists()
