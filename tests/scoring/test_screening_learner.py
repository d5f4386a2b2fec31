"""Directions, the learner, its calibration and the recall that it states; all pure, on papers made here."""

import random

import numpy as np
import pytest

from papers.features.vectors import features
from scoring.screening import basis, calibration, learner, recall
from scoring.screening.basis import BadBasis
from scoring.screening.constancy import again
from scoring.screening.learner import BadState, Learner, Lesson, chance_of
from scoring.screening.recall import Seen

TOPICS = {
    "graphs": [
        "graph",
        "node",
        "edge",
        "neural",
        "message",
        "passing",
        "spectral",
        "molecule",
        "link",
        "community",
    ],
    "speech": [
        "speech",
        "audio",
        "acoustic",
        "phoneme",
        "speaker",
        "voice",
        "spectrogram",
        "transcription",
        "accent",
        "prosody",
    ],
    "optics": [
        "laser",
        "photon",
        "cavity",
        "waveguide",
        "lens",
        "optical",
        "resonator",
        "fibre",
        "dispersion",
        "polarisation",
    ],
    "theory": [
        "bound",
        "proof",
        "convergence",
        "gradient",
        "convex",
        "optimal",
        "regret",
        "minimax",
        "sample",
        "complexity",
    ],
}
COMMON = ["data", "train", "evaluate", "model", "baseline", "large", "set", "task", "measure", "learn"]


def made(number: int, seed: int = 1) -> tuple[list[bytes], list[str]]:
    """Papers of four topics with words in common, and the topic of each."""
    dice = random.Random(seed)
    papers, topics = [], []
    for _ in range(number):
        topic = dice.choice(list(TOPICS))
        words = dice.choices(TOPICS[topic], k=25) + dice.choices(COMMON, k=25)
        words += dice.choices(TOPICS[dice.choice(list(TOPICS))], k=6)
        dice.shuffle(words)
        papers.append(features(" ".join(words[:6]), " ".join(words)))
        topics.append(topic)
    return papers, topics


@pytest.fixture(scope="module")
def library():
    return made(500)


@pytest.fixture(scope="module")
def directions(library):
    found = basis.fit(library[0], width=16)
    assert found is not None
    return found


def taught(directions, number: int, wanted: str = "speech", *, seed: int = 2) -> Learner:
    papers, topics = made(number, seed)
    rows = directions.rows(papers)
    pupil = Learner.fresh(directions.width, len(directions.hashes))
    for place, topic in enumerate(topics):
        pupil.teach(rows, place, 0.2, Lesson(1.0 if topic == wanted else 0.0))
    return pupil


def auc(scores, wanted) -> float:
    above = [s for s, w in zip(scores, wanted, strict=True) if w]
    below = [s for s, w in zip(scores, wanted, strict=True) if not w]
    return sum((a > b) + 0.5 * (a == b) for a in above for b in below) / (len(above) * len(below))


def test_few_papers_show_no_directions(library):
    assert basis.fit(library[0][: basis.FEWEST_PAPERS - 1]) is None


def test_papers_that_all_say_the_same_show_no_directions(library):
    assert basis.fit(library[0][:1] * basis.FEWEST_PAPERS) is None


def test_papers_of_one_topic_lie_together(directions, library):
    papers, topics = library
    dense = directions.rows(papers).dense
    alike = dense @ dense.T
    same = np.array([[a == b for b in topics] for a in topics])

    assert alike[same].mean() > alike[~same].mean() + 0.3


def test_a_fit_is_the_same_for_the_same_papers(directions, library):
    assert basis.fit(library[0], width=16).name == directions.name
    assert basis.fit(library[0], width=16, seed=1).name != directions.name


def test_a_basis_comes_back_from_its_bytes(directions, library):
    back = basis.unpack(directions.pack())

    assert back.name == directions.name
    assert (back.rows(library[0][:5]).dense == directions.rows(library[0][:5]).dense).all()
    for damaged in (b"", b"LSA1", directions.pack()[:-1], b"x" + directions.pack()):
        with pytest.raises(BadBasis):
            basis.unpack(damaged)


def test_a_paper_without_a_known_word_lies_nowhere(directions):
    rows = directions.rows([features("Zzyzx", ""), features("", "")])

    assert len(rows) == 2
    assert not rows.dense.any()


def test_who_has_learned_nothing_says_what_the_words_say(directions, library):
    pupil = Learner.fresh(directions.width, len(directions.hashes))
    prior = np.linspace(0.01, 0.9, 20)

    said = chance_of(pupil.logits(directions.rows(library[0][:20]), prior))

    assert said == pytest.approx(prior)


def test_a_learner_finds_what_is_wanted_without_a_word_from_the_profile(directions):
    papers, topics = made(200, seed=3)
    wanted = [topic == "speech" for topic in topics]
    rows, flat = directions.rows(papers), np.full(200, 0.2)

    after = [auc(taught(directions, count).logits(rows, flat), wanted) for count in (5, 60, 400)]

    assert after[0] < after[1] <= after[2]
    assert after[2] > 0.95


def test_the_same_lessons_give_the_same_state_and_it_comes_back_from_its_bytes(directions):
    one, two = taught(directions, 80), taught(directions, 80)
    papers, _ = made(30, seed=4)
    rows, flat = directions.rows(papers), np.full(30, 0.1)
    back = learner.unpack(one.pack())

    assert one.name == two.name != taught(directions, 81).name
    assert back.logits(rows, flat) == pytest.approx(one.logits(rows, flat), abs=1e-4)
    assert back.seen == 80
    for damaged in (b"", b"LRN1" + b"\x00" * 10, one.pack()[:-4]):
        with pytest.raises(BadState):
            learner.unpack(damaged)


def test_labels_that_flip_are_followed(directions):
    papers, topics = made(150, seed=5)
    rows, flat = directions.rows(papers), np.full(150, 0.2)
    pupil = taught(directions, 300, "speech")
    pupil.loosen()
    more, said = made(300, seed=6)
    known = directions.rows(more)
    for place, topic in enumerate(said):
        pupil.teach(known, place, 0.2, Lesson(1.0 if topic == "optics" else 0.0))

    assert auc(pupil.logits(rows, flat), [topic == "optics" for topic in topics]) > 0.9


def test_labels_all_alike_move_the_level_and_stay_finite(directions):
    papers, _ = made(200, seed=7)
    rows = directions.rows(papers)
    pupil = Learner.fresh(directions.width, len(directions.hashes))
    for place in range(200):
        pupil.teach(rows, place, 0.5, Lesson(0.0))

    said = chance_of(pupil.logits(rows, np.full(200, 0.5)))

    assert np.isfinite(said).all()
    assert said.max() < 0.2


def test_a_calibration_mends_estimates_that_are_too_bold():
    dice = np.random.default_rng(1)
    truth = dice.normal(-1, 1, 4000)
    wanted = (dice.random(4000) < chance_of(truth)).astype(float)
    bold = 2.0 * truth + 0.7

    found = calibration.fit(bold, wanted, np.ones(4000))

    assert found.of(bold) == pytest.approx(chance_of(truth), abs=0.06)
    usual = bold[np.abs(bold) < 4]
    assert found.undone(found.of(usual)) == pytest.approx(usual)


def test_a_calibration_finds_that_the_hopeless_are_more_hopeless():
    dice = np.random.default_rng(2)
    logits = dice.normal(-3, 1.5, 20_000)
    truth = chance_of(logits + 1.0 * np.minimum(logits + 2, 0))
    wanted = (dice.random(20_000) < truth).astype(float)
    read = dice.random(20_000) < np.where(logits > -3, 1.0, 0.1)

    found = calibration.fit(logits[read], wanted[read], np.where(logits > -3, 1.0, 0.1)[read])

    low = logits < -4
    assert found.of(logits)[low].sum() == pytest.approx(truth[low].sum(), rel=0.3)
    assert found.of(logits).sum() == pytest.approx(truth.sum(), rel=0.1)
    assert chance_of(logits)[low].sum() > 1.8 * truth[low].sum()


def test_a_bent_calibration_is_undone_on_both_sides_of_its_knee():
    bent = calibration.Calibration(0.3, 1.1, 0.7, -2.0)
    logits = np.array([-3.5, -2.1, -2.0, -1.9, 0.0, 3.0])

    assert bent.undone(bent.of(logits)) == pytest.approx(logits)
    assert calibration.Calibration(*bent.as_list()) == bent
    assert calibration.Calibration(*[0.3, 1.1]).of(logits) == pytest.approx(chance_of(0.3 + 1.1 * logits))


def test_without_evidence_a_calibration_changes_nothing():
    assert calibration.fit(np.array([]), np.array([]), np.array([])) == calibration.AS_IT_IS


def test_what_was_picked_against_all_expectation_is_less_constant():
    assert again(0.01) < again(0.2) < again(0.6) < again(0.95) < 1.0
    assert again(0.3) == pytest.approx(0.66, abs=0.03)


def simulated_day(dice, papers=300, *, bias=1.0) -> tuple[Seen, float]:
    """A day read to a cut: the sums, and the true recall of its constant picks. `bias` is how far the estimates below
    the cut are too low."""
    chances = dice.beta(0.5, 2.0, papers)
    read = chances > 0.12
    true = np.where(read, chances, np.minimum(bias * chances, 0.9))
    picks = dice.random(papers) < true
    constant = picks & (dice.random(papers) < [again(c) for c in true])
    audit = ~read & (dice.random(papers) < 0.05)
    unread = ~read & ~audit
    seen = Seen(
        picks=float(picks[read | audit].sum()),
        expected_picks=float(chances[read | audit].sum()),
        constant=float(sum(again(c) for c in chances[(read | audit) & picks])),
        unread=float(sum(c * again(c) for c in chances[unread])),
        audited=float(picks[audit].sum()),
        expected_audited=float(chances[audit].sum()),
    )
    return seen, constant[read | audit].sum() / max(1, constant.sum())


def test_the_interval_holds_the_truth_as_often_as_it_says():
    dice = np.random.default_rng(3)
    days = [simulated_day(dice) for _ in range(120)]
    held, gaps, widths = 0, [], []

    for number, (seen, truth) in enumerate(days[10:], start=10):
        said = recall.stated([seen], [one for one, _ in days[number - 10 : number + 1]], seed=number)
        held += said.low - 1e-9 <= truth <= said.high + 1e-9
        gaps.append(said.recall - truth)
        widths.append(said.width)

    assert held / 110 >= 0.85
    assert abs(np.mean(gaps)) < 0.03
    assert np.mean(widths) < 0.15


def test_editions_are_taken_together_until_the_interval_is_narrow():
    dice = np.random.default_rng(4)
    few = [simulated_day(dice, 40)[0] for _ in range(12)]

    alone, together = recall.stated(few[:1], few, 1), recall.stated_of_late(few, few, 1)

    assert together.width < alone.width
    assert 1 < together.editions <= recall.MOST_EDITIONS
    assert recall.stated([Seen()], [], 1) is None


def test_a_learner_that_is_wrong_below_the_cut_is_caught_within_five_days():
    """Planted: below the cut there is four times what is estimated there."""
    caught = []
    for seed in range(20):
        dice = np.random.default_rng(seed)
        days = [simulated_day(dice, bias=6.0)[0] for _ in range(5)]
        caught.append(next((n for n in range(1, 6) if recall.is_doubted(days[:n])), None))

    assert sum(day is not None for day in caught) >= 18
    assert recall.missed_ratio(days) > 2.0


def test_an_honest_learner_is_hardly_ever_doubted():
    dice = np.random.default_rng(9)
    days = [simulated_day(dice)[0] for _ in range(200)]

    doubted = sum(recall.is_doubted(days[n : n + 5]) for n in range(0, 200, 5))

    assert doubted <= 2
