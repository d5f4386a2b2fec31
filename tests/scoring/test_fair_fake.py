"""The fair fake: noise at the measured rates, a bill that adds up, limits and faults that can be repeated."""

import dataclasses
import json
import random
import urllib.error
import urllib.request

import pytest
from django.core.management import CommandError, call_command

from bench import fake as bench
from scoring import rubric
from scoring.rubric import InterestText, PaperText, RevisionText
from scoring.simulated import fair
from scoring.simulated.accounts import PrefixCache, RateLimit
from scoring.simulated.brain import Labels, ReadPaper, ReadPrompt
from scoring.simulated.fair import Asked
from scoring.simulated.noise import MEASURED
from scoring.simulated.server import Settings, SimulatedModel, input_tokens_of, running

INTEREST = "graphs"
PAPERS = 6000


def labels_with(share_of_picks: float = 0.26, papers: int = PAPERS) -> Labels:
    """Papers of which this share was picked, at 7, 8 and 9 as often as the reference's model did."""
    dice = random.Random(1)

    def scores() -> dict[str, int]:
        if dice.random() >= share_of_picks:
            return {}
        return {INTEREST: dice.choices((70, 80, 90), (35, 52, 13))[0]}

    rows = [json.dumps({"title": f"Paper number {at}", "scores": scores()}) for at in range(papers)]
    return Labels.from_lines(rows)


def listed(papers: int, start: int = 0) -> list[PaperText]:
    return [PaperText(f"Paper number {at}", "We study trees.") for at in range(start, start + papers)]


def request_for(papers: list[PaperText], **fields: object) -> dict:
    revision = RevisionText((InterestText(INTEREST, "trees and graphs " * 60),))
    prompt = rubric.judging_prompt(revision, papers, dice=random.Random(7), cache_key="e1")
    messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
    return {"model": "m", "messages": messages, "prompt_cache_key": "e1", **fields}


def rows_of(model: SimulatedModel, papers: list[PaperText]) -> str:
    return model.completion_of(request_for(papers))["choices"][0]["message"]["content"]


def pairs(seed: int = 0, share: float = 0.26) -> dict[str, float]:
    papers = [ReadPaper(str(at), f"Paper number {at}", "") for at in range(PAPERS)]
    return bench.measured(bench.asked_twice(papers, [(INTEREST, "")], labels_with(share), seed=seed))


# --- noise ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured() -> dict[str, float]:
    """The mean over a few seeds: batches share a mood, so that 6,000 papers are no 6,000 trials."""
    found = [pairs(seed) for seed in range(4)]
    return {name: sum(row[name] for row in found) / len(found) for name in found[0]}


def test_two_readings_agree_as_often_as_a_real_models_two_did(measured):
    # Five lists read twice: 0.70, 0.78, 0.86, 0.10 and 0.60.
    assert measured["found again"] == pytest.approx(0.70, abs=0.04)
    assert measured["of 8 and more"] == pytest.approx(0.78, abs=0.04)
    assert measured["of 9 and more"] == pytest.approx(0.86, abs=0.05)
    assert measured["of those not picked"] == pytest.approx(0.10, abs=0.02)
    assert measured["kappa"] == pytest.approx(0.60, abs=0.04)
    assert measured["picks"] == pytest.approx(0.26, abs=0.02)


def test_batches_are_read_in_different_moods(measured):
    assert measured["batches, least"] < 0.08
    assert 0.5 < measured["batches, most"] < 0.8
    assert measured["batches, shift"] == pytest.approx(0.16, abs=0.04)


def test_a_rare_interest_keeps_its_share_of_picks():
    assert pairs(share=0.05)["picks"] == pytest.approx(0.05, abs=0.015)


def test_a_reading_agrees_with_the_labels_as_with_another_reading():
    labels, asked, said = labels_with(), Asked(), []
    papers = tuple(ReadPaper(str(at), f"Paper number {at}", "") for at in range(PAPERS))

    for start in range(0, PAPERS, 20):
        prompt = ReadPrompt(((INTEREST, ""),), papers[start : start + 20], False)
        said += fair.opinions(prompt, asked.question(prompt), labels=labels, seed=0, noise=MEASURED)

    picked = [row["scores"].get(INTEREST, 0) >= 60 for row in labels.by_title.values()]
    again = [opinion.scores[0] >= 60 for opinion, pick in zip(said, picked, strict=True) if pick]
    assert sum(again) / len(again) == pytest.approx(0.71, abs=0.04)


def test_known_chances_are_the_share_of_readings_that_pick():
    rows = [{"title": f"Paper {at}", "chances": {INTEREST: 0.4}} for at in range(1500)]
    labels = Labels.from_lines([json.dumps(row) for row in rows])
    papers = tuple(ReadPaper(str(at), f"Paper {at}", "") for at in range(1500))
    asked, picks = Asked(), 0

    for start in range(0, 1500, 10):
        prompt = ReadPrompt(((INTEREST, ""),), papers[start : start + 10], False)
        said = fair.opinions(prompt, asked.question(prompt), labels=labels, seed=0, noise=MEASURED)
        picks += sum(opinion.scores[0] >= 60 for opinion in said)

    assert picks / 1500 == pytest.approx(0.4, abs=0.07)


def test_a_title_without_a_label_is_never_picked():
    with running(Settings(labels=labels_with(), noise=MEASURED)) as model:
        said = json.loads(rows_of(model, [PaperText(f"Unknown {at}", "Trees.") for at in range(40)]))

    assert all(" " not in row for row in said["rows"])


def test_asked_again_it_differs_and_a_second_run_repeats_the_first():
    settings = Settings(labels=labels_with(), noise=MEASURED, seed=5)
    runs = []
    for _ in range(2):
        with running(dataclasses.replace(settings)) as model:
            runs.append([rows_of(model, listed(60)) for _ in range(3)])

    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 3


def test_a_run_does_not_depend_on_the_order_of_its_blocks():
    settings = Settings(labels=labels_with(), noise=MEASURED)
    with running(settings) as one, running(settings) as other:
        forth = [rows_of(one, listed(20, start)) for start in (0, 20, 40)]
        back = [rows_of(other, listed(20, start)) for start in (40, 20, 0)]

    assert forth == back[::-1]


def test_without_noise_it_says_the_same_again():
    with running(Settings(labels=labels_with())) as model:
        assert rows_of(model, listed(30)) == rows_of(model, listed(30))


# --- broken answers and waiting ----------------------------------------------------------------------


def test_answers_break_at_the_stated_rates_and_in_the_same_places():
    broken = {"truncated": 0.1, "garbled": 0.1, "missing": 0.2}

    def fates(seed: int) -> list[str]:
        with running(Settings(labels=labels_with(), broken=broken, seed=seed)) as model:
            answers = [
                model.completion_of(request_for(listed(10, at)))["choices"][0] for at in range(0, 2000, 10)
            ]
        return [fate_of(answer) for answer in answers]

    found = fates(1)

    assert found == fates(1) != fates(2)
    for kind, share in broken.items():
        assert found.count(kind) / 200 == pytest.approx(share, abs=0.07)


def fate_of(choice: dict) -> str:
    if choice["finish_reason"] == "length":
        return "truncated"
    try:
        return "" if len(json.loads(choice["message"]["content"])["rows"]) == 10 else "missing"
    except ValueError:
        return "garbled"


def test_waits_spread_around_their_median():
    with running(Settings(latency_seconds=2.0, latency_spread=0.5)) as model:
        waits = sorted(model.seconds_of(request_for(listed(1, at))) for at in range(300))
        same = model.seconds_of(request_for(listed(1)))

        assert same == model.seconds_of(request_for(listed(1)))
    assert waits[150] == pytest.approx(2.0, rel=0.15)
    assert waits[15] < 1.2 < 3.3 < waits[285]


# --- limits --------------------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_requests_beyond_the_minutes_are_told_when_to_come_back():
    clock = Clock()
    limit = RateLimit(2, clock=clock)

    assert [limit.seconds_to_wait() for _ in range(3)] == [0, 0, 60]
    clock.now += 45.5
    assert limit.seconds_to_wait() == 15
    clock.now += 14.6
    assert limit.seconds_to_wait() == 0


def test_tokens_beyond_the_minutes_wait_until_enough_have_left():
    clock = Clock()
    limit = RateLimit(tokens_per_minute=1000, clock=clock)

    assert limit.seconds_to_wait(400) == 0
    limit.add_written(100)
    clock.now += 20
    assert limit.seconds_to_wait(400) == 0
    assert limit.seconds_to_wait(200) == 40
    assert limit.seconds_to_wait(700) == 60
    clock.now += 40
    assert limit.seconds_to_wait(600) == 0


def test_a_request_larger_than_the_minute_passes_alone():
    clock = Clock()
    limit = RateLimit(tokens_per_minute=100, clock=clock)

    assert limit.seconds_to_wait(500) == 0
    assert limit.seconds_to_wait(1) == 60


def test_the_server_answers_429_with_retry_after():
    with running(Settings(tokens_per_minute=4000)) as model:
        answers = [status_of(model) for _ in range(4)]
        billed = [line["status"] for line in model.bill.lines]

    assert answers[0] == (200, None)
    status, wait = answers[-1]
    assert status == 429
    assert 1 <= int(wait) <= 60
    assert billed == [status for status, _ in answers]


def test_beside_as_many_as_are_taken_at_once_a_request_is_refused():
    with running(Settings(calls_at_once=1)) as model:
        with model.taken_in() as first:
            refused = status_of(model)
        after = status_of(model)

    assert first
    assert refused == (429, "1")
    assert after == (200, None)


def status_of(model: SimulatedModel) -> tuple[int, str | None]:
    body = json.dumps(request_for(listed(10))).encode()
    sent = urllib.request.Request(
        f"{model.base_url}/chat/completions", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(sent) as answer:
            return answer.status, None
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Retry-After"]


# --- the prefix cache and the bill -----------------------------------------------------------------


def text_of(words: int, last: str = "") -> str:
    return " ".join(["tree"] * words + [last]).strip()


def test_a_prefix_counts_from_1024_tokens_in_steps_of_128():
    for words, cached in ((1000, 0), (1030, 1024), (1151, 1024), (1153, 1152), (2000, 1920)):
        cache = PrefixCache()
        cache.cached_tokens(text_of(words), words)
        assert cache.cached_tokens(text_of(words), words) == cached, words


def test_only_what_is_identical_from_the_start_is_cached():
    cache = PrefixCache()
    cache.cached_tokens(text_of(2000), 2000)

    assert cache.cached_tokens(text_of(1200, "leaf " * 800), 2000) == 1152
    assert cache.cached_tokens("leaf " + text_of(2000), 2001) == 0


def test_a_prefix_is_cached_for_its_scope_only():
    cache = PrefixCache()
    cache.cached_tokens(text_of(2000), 2000, "one key")

    assert cache.cached_tokens(text_of(2000), 2000, "another key") == 0
    assert cache.cached_tokens(text_of(2000), 2000, "one key") == 1920


def test_what_was_long_unused_is_forgotten_and_the_rest_stays_whole():
    cache = PrefixCache(most=12)
    for word in ("a ", "b "):
        cache.cached_tokens(word + text_of(2000), 2001)

    assert cache.cached_tokens("b " + text_of(2000), 2001) == 1920
    assert cache.cached_tokens("a " + text_of(2000), 2001) < 1920


def test_a_prefix_grows_cold():
    clock = Clock()
    cache = PrefixCache(keeps_seconds=300, clock=clock)
    cache.cached_tokens(text_of(1500), 1500)

    clock.now += 299
    assert cache.cached_tokens(text_of(1500), 1500) == 1408
    clock.now += 301
    assert cache.cached_tokens(text_of(1500), 1500) == 0


def test_the_bill_adds_up_with_its_cached_steps():
    with running(Settings(labels=labels_with(), noise=MEASURED, reasoning_per_paper=3)) as model:
        for start in range(0, 60, 10):
            assert (
                urllib.request.urlopen(
                    urllib.request.Request(
                        f"{model.base_url}/chat/completions",
                        json.dumps(request_for(listed(10, start))).encode(),
                    )
                ).status
                == 200
            )
        lines = [line["usage"] for line in model.bill.billed()]

    prefix = input_tokens_of(request_for([]))
    cached = [line["prompt_tokens_details"]["cached_tokens"] for line in lines]
    assert cached[0] == 0
    assert all(step % 128 == 0 and 1024 <= step <= prefix for step in cached[1:])
    assert all(line["total_tokens"] == line["prompt_tokens"] + line["completion_tokens"] for line in lines)
    assert {line["completion_tokens_details"]["reasoning_tokens"] for line in lines} == {30}
    assert model.bill.total_tokens == sum(line["total_tokens"] for line in lines)


# --- the command and the bench -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [["--fail", "500"], ["--fail", "500=2"], ["--break", "late=0.1"], ["--break", "garbled=-1"]],
)
def test_nonsense_on_the_command_line_stops_the_start(options):
    with pytest.raises(CommandError):
        call_command("simulate_model", "--port", "0", *options)


def test_the_bench_runs_without_the_development_data(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("BROADSHEET_SHARED_DATA", str(tmp_path))

    assert bench.main() == 0

    table = capsys.readouterr().out
    assert "found again | 0.730" in table
    assert "seven fields in Chinese" in table


def test_recorded_readings_and_the_fakes_agree_alike(shared_data):
    brief = bench.recorded.reference_brief(shared_data)
    days = [day for day in bench.recorded.listed_days(shared_data, brief) if day.is_twice]
    real = bench.recorded_pairs(days)
    papers = [ReadPaper("", paper.title, paper.abstract) for day in days for paper in day.papers]
    truth = Labels.from_lines(list(bench.labels.lines(shared_data)))

    found, measured = (
        bench.measured(bench.asked_twice(papers, [(w.name, w.description) for w in brief.wishes], truth)),
        bench.measured(real),
    )

    for name in ("picks", "found again", "of 8 and more", "of 9 and more", "of those not picked", "kappa"):
        assert found[name] == pytest.approx(measured[name], abs=0.05), name
