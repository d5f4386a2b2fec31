"""The streams that the benches of ranking run on: same seed, same days; readings differ as measured."""

import datetime as dt

import pytest

from bench import fake, labels, prior, recorded, synthetic
from bench.days import PICKED_FROM, Stream
from scoring.simulated.brain import ReadPaper
from scoring.simulated.noise import MEASURED, latent_given

# Of a broad profile's picks a second reading finds this share: measured 0.70 to 0.73, by score 0.79 and 0.87.
FOUND_AGAIN = (0.66, 0.80)


@pytest.fixture(scope="module")
def streams() -> list[Stream]:
    return synthetic.streams(seed=3, days=12)


def share_found_again(stream: Stream, at_least: int = PICKED_FROM) -> float:
    picks = [
        again >= PICKED_FROM
        for day in stream.days
        for first, again in zip(day.first, day.again(0), strict=True)
        if first >= at_least
    ]
    return sum(picks) / len(picks)


def test_the_same_seed_makes_the_same_days_and_another_one_others(streams):
    same, other = synthetic.streams(seed=3, days=12), synthetic.streams(seed=4, days=12)

    assert [d.papers for d in same[0].days] == [d.papers for d in streams[0].days]
    assert [d.first for s in same for d in s.days] == [d.first for s in streams for d in s.days]
    assert [d.first for s in other for d in s.days] != [d.first for s in streams for d in s.days]


def test_all_lists_of_a_day_run_beside_its_papers(streams):
    for stream in streams:
        ids = [paper.id for day in stream.days for paper in day.papers]
        assert len(ids) == len(set(ids))
        for day in stream.days:
            assert 60 <= len(day.papers) <= 120
            assert {len(day.papers)} == {
                len(each) for each in (day.first, day.again(0), day.stable, day.chance, day.first_by_interest)
            }
            assert {len(r.score_by_interest) for r in day.first_by_interest} == {len(stream.brief.wishes)}
            assert day.first == [reading.value for reading in day.first_by_interest]


def test_a_reading_is_repeatable_and_the_next_one_differs(streams):
    day = streams[0].days[0]

    assert day.again(0) == day.again(0)
    assert day.again(0) != day.again(1)
    assert day.again(0) != day.first


def test_a_second_reading_finds_the_measured_share_of_the_firsts_picks(streams):
    broad = synthetic.streams(seed=1)[0]

    assert FOUND_AGAIN[0] <= share_found_again(broad) <= FOUND_AGAIN[1]
    assert (
        share_found_again(broad)
        < share_found_again(broad, at_least=80)
        < share_found_again(broad, at_least=90)
    )


def test_a_stable_paper_is_picked_by_most_readings(streams):
    day = streams[0].days[0]
    readings = [day.again(k) for k in range(200)]

    for at, chance in enumerate(day.chance):
        assert sum(reading[at] >= PICKED_FROM for reading in readings) / 200 == pytest.approx(
            chance, abs=0.16
        )
        assert day.stable[at] == (chance > 0.5)


def test_profiles_are_of_four_kinds(streams):
    shares = [sum(map(sum, (d.stable for d in s.days))) / sum(len(d.papers) for d in s.days) for s in streams]

    broad, narrow, careful, negating = shares
    assert [len(stream.brief.wishes) for stream in streams] == [7, 1, 1, 2]
    assert narrow < 0.1 < careful < broad < 0.45
    assert negating < 0.15


def test_a_simulated_model_reads_a_stream_by_its_truth(streams):
    for stream in streams:
        papers = [paper for day in stream.days for paper in day.papers]
        truth = labels.of_stream(stream)
        asked = [ReadPaper("", paper.title, paper.abstract) for paper in papers]
        interests = [(wish.name, wish.description) for wish in stream.brief.wishes]

        readings = [fake.asked_twice(asked, interests, truth, seed=seed).second for seed in range(3)]

        assert len(truth.by_title) == len(papers)
        expected = sum(sum(day.chance) for day in stream.days) / len(papers)
        picked = sum((reading >= PICKED_FROM).mean() for reading in readings) / 3
        assert picked == pytest.approx(expected, abs=0.035)


def test_what_was_said_draws_a_relevance_that_says_it_again():
    def found_again(said: int | None) -> float:
        latents = [latent_given(MEASURED, [said], f"paper {at}") for at in range(4000)]
        return sum(map(MEASURED.chance, latents)) / 4000

    assert found_again(None) == pytest.approx(0.10, abs=0.02)
    assert found_again(70) == pytest.approx(0.56, abs=0.06)
    assert found_again(80) == pytest.approx(0.79, abs=0.03)
    assert found_again(90) == pytest.approx(0.87, abs=0.03)


def test_the_words_prior_never_saw_its_own_day():
    texts = ["alpha beta gamma", "delta epsilon zeta"] * 30
    days = [at // 6 for at in range(60)]
    flipped = [at % 2 == 0 if day != 3 else at % 2 == 1 for at, day in enumerate(days)]

    scores = prior.Words(texts, days).out_of_fold(flipped)

    assert scores[18] > scores[19]


def test_recorded_days_hold_real_second_readings(shared_data):
    broad, *narrow = recorded.streams(shared_data)

    twice = [day for day in broad.days if day.is_recorded]
    assert len(twice) == 5
    ids = [paper.id for day in broad.days for paper in day.papers]
    assert len(ids) == len(set(ids)) == 20_474
    assert FOUND_AGAIN[0] <= share_found_again(broad) <= FOUND_AGAIN[1]
    assert all(
        stable == (first >= PICKED_FROM and again >= PICKED_FROM)
        for first, again, stable in zip(twice[-1].first, twice[-1].again(0), twice[-1].stable, strict=True)
    )
    own, before = narrow[:7], narrow[7:]
    assert 0.03 < sum(map(sum, (d.picked for d in before[1].days))) / len(ids) < 0.06
    assert {one.days[0].day for one in own} == {dt.date(2025, 11, 18)}
    assert all(sum(one.days[0].picked) for one in own)
