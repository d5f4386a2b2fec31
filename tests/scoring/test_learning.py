"""From rows to what a profile has learned, and what the next days make of it."""

import datetime as dt
import random
import uuid

import numpy as np
import pytest

from papers import calendar, filling
from papers.models import Paper
from profiles import marks
from profiles.models import Profile
from scoring import editions, edits, learning
from scoring.editions import learners
from scoring.judging import values
from scoring.models import Candidate, Directions, Edition, LearnerState, Score
from scoring.packed import Code, unpack
from scoring.screening import basis
from scoring.screening.learner import Lesson
from tests import factories
from tests.scoring.test_screening_learner import COMMON, TOPICS

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 1, 26)
NOW = dt.datetime(2026, 1, 26, 12, tzinfo=dt.UTC)
PAPERS = 60


@pytest.fixture(autouse=True)
def _hundred_papers_show_directions(monkeypatch):
    monkeypatch.setattr(basis, "FEWEST_PAPERS", 100)
    learners._basis.cache_clear()


@pytest.fixture
def profile() -> Profile:
    """Its words say nothing of what its reader wants: speech. The samples of its days are always the same."""
    made = factories.profile(factories.user(), interests=["what I like"], public_id=uuid.UUID(int=2))
    factories.provider("http://127.0.0.1:9/v1", team=made.team)
    return made


def a_day_of_papers(day: dt.date) -> None:
    dice = random.Random(day.toordinal())
    texts = []
    for _ in range(PAPERS):
        topic = dice.choice(list(TOPICS))
        words = [*dice.choices(TOPICS[topic], k=18), *dice.choices(COMMON, k=12)]
        dice.shuffle(words)
        texts.append({"title": f"{topic}: {' '.join(words[:5])}", "abstract": " ".join(words)})
    factories.announce_all(factories.papers(texts), day)
    filling.fill_due()


def the_model_reads(edition: Edition) -> None:
    """It wants what is about speech; then the day is closed."""
    provider = factories.provider("http://127.0.0.1:9/v1")
    booked = factories.call(edition.profile, provider, edition=edition)
    read = list(edition.candidates.waiting().select_related("paper"))
    for candidate in read:
        candidate.state = Candidate.State.JUDGED
        candidate.value = 85 if candidate.paper.title.startswith("speech") else 10
    scores = Score.objects.bulk_create(
        Score(
            day=edition.day, profile=edition.profile, revision=edition.revision, paper=candidate.paper,
            version=1, provider_model=provider.provider_model, call=booked, interest_scores=[candidate.value],
        )
        for candidate in read
    )  # fmt: skip
    for candidate, score in zip(read, scores, strict=True):
        candidate.score_id = score.pk
    Candidate.objects.bulk_update(read, ["state", "score_id", "value"])
    editions.move(edition, {candidate.paper_id: Code.JUDGED for candidate in read})
    editions.close(edition, NOW)


def days_from(day: dt.date, count: int) -> list[dt.date]:
    days = [day]
    while len(days) < count:
        days.append(calendar.next_announcement_day(days[-1]))
    return days


def read_days(profile: Profile, count: int, *, start: dt.date = DAY) -> list[Edition]:
    made = []
    for number, day in enumerate(days_from(start, count)):
        a_day_of_papers(day)
        learning.fit_due(NOW + dt.timedelta(days=number))
        edition = editions.open_edition(profile, day)
        editions.screen(edition, NOW)
        the_model_reads(edition)
        made.append(edition)
    return made


def share_read(edition: Edition) -> float:
    return edition.candidates.count() / len(unpack(edition.packed))


def test_a_profile_whose_words_say_nothing_learns_what_its_reader_wants(profile):
    days = read_days(profile, 5)

    first, last = days[0], days[-1]
    assert first.snapshot == "prior-1"
    assert last.snapshot not in {first.snapshot, days[-2].snapshot}
    assert share_read(first) > 0.85
    assert share_read(last) < 0.6
    wanted = {p.pk for p in Paper.objects.filter(announcements__day=last.day, title__startswith="speech")}
    read = set(last.candidates.values_list("paper_id", flat=True))
    assert len(wanted & read) / len(wanted) >= 0.9
    stated, low, high, _ = last.recall["stated"]
    assert low <= stated <= high


def test_a_small_library_learns_nothing_and_breaks_nothing(profile):
    a_day_of_papers(DAY)

    assert not learning.fit_due(NOW)
    assert learners.teach(profile) == 0
    assert learners.learner_of(profile) is None


def test_each_score_is_learned_once(profile):
    read_days(profile, 2)
    a_day_of_papers(DAY + dt.timedelta(days=2))
    learning.fit_due(NOW + dt.timedelta(days=3))

    first = learning.teach_due()
    state = LearnerState.objects.get()

    assert 0 < first < state.seen == Candidate.objects.filter(state=Candidate.State.JUDGED).count()
    assert learning.teach_due() == 0
    assert LearnerState.objects.get().name == state.name


def test_of_two_who_teach_at_once_one_wins(profile, monkeypatch):
    read_days(profile, 3)
    state = LearnerState.objects.get()
    stale = LearnerState.objects.get()
    facts = {"name": "x" * 16}

    assert learners._swap(profile, state, facts, [])
    assert not learners._swap(profile, stale, {"name": "y" * 16}, [])
    assert LearnerState.objects.get().name == "x" * 16


def test_lessons_one_by_one_and_all_at_once_give_the_same(profile):
    read_days(profile, 4)
    learning.teach_due()
    bit_by_bit = LearnerState.objects.get()

    LearnerState.objects.all().delete()
    learners.teach(profile)

    assert LearnerState.objects.get().seen == bit_by_bit.seen
    one, other = (learners.learner.unpack(s.data) for s in (bit_by_bit, LearnerState.objects.get()))
    assert one.mean == pytest.approx(other.mean, abs=2e-2)


def test_an_edit_teaches_anew_and_keeps_what_was_wanted(profile):
    days = read_days(profile, 4)
    learning.teach_due()
    before = LearnerState.objects.get()
    interest = profile.interests.get()
    interest.description = "what I like, and a little more"
    interest.save(update_fields=["description"])

    assert learners.learner_of(Profile.objects.get(pk=profile.pk)) is None
    later = read_days(profile, 1, start=calendar.next_announcement_day(days[-1].day))[0]

    after = LearnerState.objects.get()
    assert after.signature != before.signature
    assert after.seen >= before.seen
    assert share_read(later) < share_read(days[0]) - 0.1
    assert later.candidates.filter(value__gte=60).count() >= 8


def test_a_new_bar_labels_every_score_anew(profile):
    read_days(profile, 3)
    learning.teach_due()
    wanted = LearnerState.objects.get().wanted
    Profile.objects.filter(pk=profile.pk).update(bar=90)

    learners.teach(Profile.objects.get(pk=profile.pk))

    assert wanted > 0
    assert LearnerState.objects.get().wanted == 0


def test_a_vote_teaches(profile):
    days = read_days(profile, 3)
    learning.teach_due()
    before = LearnerState.objects.get()
    paper = days[-1].candidates.filter(value=10).first().paper

    marks.vote(profile.owner, profile, paper, +1)
    learners.teach(profile)

    after = LearnerState.objects.get()
    assert (after.seen, after.wanted) == (before.seen + 1, before.wanted + 1)


def test_a_vote_that_is_cast_during_a_lesson_is_learned_in_the_next(profile, monkeypatch):
    days = read_days(profile, 3)
    paper = days[-1].candidates.filter(value=10).first().paper
    pupil = learners._pupil

    def voting_meanwhile(*known, is_new):
        marks.vote(profile.owner, profile, paper, +1)
        return pupil(*known, is_new=is_new)

    monkeypatch.setattr(learners, "_pupil", voting_meanwhile)
    learners.teach(profile)
    before = LearnerState.objects.get()
    monkeypatch.setattr(learners, "_pupil", pupil)

    assert learners.teach(profile) == 1
    assert LearnerState.objects.get().wanted == before.wanted + 1


def test_estimates_teach_nothing(profile):
    edition = factories.edition(profile, DAY)
    factories.judged(edition, factories.paper(), [80], by=factories.provider())
    Directions.objects.create(name="d", data=b"", papers=1)
    learners._basis.cache_clear()

    assert learning.teach_due() == 0


def test_directions_are_fitted_once_a_month_and_when_the_library_has_doubled(profile):
    for number, day in enumerate(days_from(DAY, 5), start=1):
        a_day_of_papers(day)
        fitted = learning.fit_due(NOW + dt.timedelta(days=number))
        assert fitted == (number in {2, 4})
        assert not learning.fit_due(NOW + dt.timedelta(days=number))

    assert learning.fit_due(NOW + dt.timedelta(days=40))
    assert Directions.objects.first().papers == 5 * PAPERS


def test_a_day_of_three_papers_is_read(profile):
    days = read_days(profile, 3)
    day = calendar.next_announcement_day(days[-1].day)
    for _ in range(3):
        factories.announce(factories.paper(), day)
    edition = editions.open_edition(profile, day)

    editions.screen(edition, NOW)

    assert 1 <= edition.candidates.count() <= 3
    assert editions.audit() == []


def a_second_look_says(candidate: Candidate, value: int) -> None:
    """What a second look does to the candidate whose first reading it contradicts."""
    first = Score.objects.get(pk=candidate.score_id)
    second = Score.objects.create(
        day=first.day, profile=first.profile, revision=first.revision, paper=first.paper, version=1, call=first.call,
        provider_model=first.provider_model, purpose=Score.Purpose.SECOND_LOOK, interest_scores=[value],
    )  # fmt: skip
    interests = list(candidate.profile.interests.all())
    values.adopt(candidate, second, edits.weighing(first.revision, interests), NOW)


def taught_anew(profile: Profile) -> LearnerState:
    LearnerState.objects.all().delete()
    learners.teach(Profile.objects.get(pk=profile.pk))
    return LearnerState.objects.get()


def test_a_second_look_after_the_lesson_corrects_it_once(profile):
    days = read_days(profile, 3)
    learning.teach_due()
    before = LearnerState.objects.get()
    candidate = days[-1].candidates.filter(value=85).order_by("-paper__arxiv_id").first()

    a_second_look_says(candidate, 10)

    candidate.refresh_from_db()
    assert (candidate.is_taught, candidate.taught_value, candidate.value) == (False, 85, 10)
    assert learning.teach_due() == 1
    after = LearnerState.objects.get()
    assert (after.seen, after.wanted) == (before.seen, before.wanted - 1)
    candidate.refresh_from_db()
    assert (candidate.is_taught, candidate.taught_value) == (True, None)
    assert learning.teach_due() == 0
    anew = learners.learner.unpack(taught_anew(profile).data)
    one, other = learners.learner.unpack(after.data), learners.learner.unpack(before.data)
    assert abs(one.mean - anew.mean).max() < 0.2 * abs(other.mean - anew.mean).max()


def test_a_second_look_that_agrees_teaches_nothing(profile):
    days = read_days(profile, 3)
    learning.teach_due()
    before = LearnerState.objects.get()

    a_second_look_says(days[-1].candidates.filter(value=85).first(), 85)

    assert learning.teach_due() == 0
    assert LearnerState.objects.get().name == before.name


def test_a_second_look_before_the_lesson_is_the_lesson(profile):
    days = read_days(profile, 3)
    a_second_look_says(days[-1].candidates.filter(value=85).first(), 10)

    learning.teach_due()

    state = LearnerState.objects.get()
    assert state.wanted == Candidate.objects.filter(value__gte=60).count()
    assert not Candidate.objects.filter(taught_value__isnull=False).exists()


def test_a_second_look_that_comes_during_the_lesson_is_learned_in_the_next(profile, monkeypatch):
    days = read_days(profile, 3)
    candidate = days[-1].candidates.filter(value=85).first()
    fold = learners._fold

    def looking_meanwhile(*facts):
        fold(*facts)
        a_second_look_says(candidate, 10)

    monkeypatch.setattr(learners, "_fold", looking_meanwhile)
    learners.teach(profile)
    monkeypatch.setattr(learners, "_fold", fold)
    before = LearnerState.objects.get()

    assert learners.teach(profile) == 1
    assert LearnerState.objects.get().wanted == before.wanted - 1
    assert LearnerState.objects.get().wanted == Candidate.objects.filter(value__gte=60).count()
    assert learners.teach(profile) == 0


def test_a_vote_on_a_paper_that_was_screened_out_teaches(profile):
    days = read_days(profile, 5)
    learning.teach_due()
    before = LearnerState.objects.get()
    read = set(days[-1].candidates.values_list("paper_id", flat=True))
    unread = next(entry.paper_id for entry in unpack(days[-1].packed) if entry.paper_id not in read)

    marks.vote(profile.owner, profile, Paper.objects.get(pk=unread), +1)

    assert learning.teach_due() == 1
    after = LearnerState.objects.get()
    assert (after.seen, after.wanted) == (before.seen + 1, before.wanted + 1)
    assert learning.teach_due() == 0


def test_a_vote_on_a_paper_of_no_day_teaches_and_what_is_like_it_rises(profile):
    days = read_days(profile, 3)
    learning.teach_due()
    words = " ".join(TOPICS["graphs"])
    found = factories.paper(title=f"graphs: {words[:40]}", abstract=words)
    like_it = [entry for entry in unpack(days[-1].packed) if _topic_of(entry.paper_id) == "graphs"]

    def wanted() -> float:
        known, pupil = learners.learner_of(profile)
        rows = known.rows(learners.features_of(like_it))
        return float(pupil.logits(rows, np.full(len(like_it), 0.2)).mean())

    before = wanted()
    marks.vote(profile.owner, profile, found, +1)

    assert learning.teach_due() == 1
    assert wanted() > before
    assert learning.teach_due() == 0


def _topic_of(paper_id: int) -> str:
    return Paper.objects.get(pk=paper_id).title.partition(":")[0]


def test_the_newest_lesson_is_corrected_exactly_along_the_directions(profile):
    read_days(profile, 2)
    learning.fit_due(NOW + dt.timedelta(days=3))
    known = learners.current_basis()
    entries = unpack(Edition.objects.first().packed)[:30]
    rows = known.rows(learners.features_of(entries))

    def pupil(last: float) -> learners.Learner:
        made = learners.Learner.fresh(known.width, len(known.hashes))
        for place in range(29):
            made.teach(rows, place, 0.3, Lesson(float(place % 3 == 0)))
        made.teach(rows, 29, 0.3, Lesson(last, 2.0))
        return made

    corrected, right = pupil(0.0), pupil(1.0)
    corrected.correct(rows, 29, 0.3, Lesson(1.0, 2.0), 0.0)

    assert corrected.mean == pytest.approx(right.mean, abs=1e-9)
    assert corrected.covariance == pytest.approx(right.covariance, abs=1e-9)
    assert (corrected.seen, corrected.wanted) == (right.seen, right.wanted)
