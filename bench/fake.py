"""`python -m bench.fake`: how the fair fake differs from itself, beside what a real model did.

With the development data: the five lists that were read twice, the constants of the noise fitted to them anew, the
fake asked twice about the same papers with the first readings as labels, and whether words tell a stable pick from
a lucky one as much as they do in truth. Without it: the fake alone, on the synthetic days, beside the recorded
figures. Nothing is random but by the seed, which is printed.

`python -m bench.fake --labels [DAY] > FILE` writes the recorded judgements as `simulate_model --labels` reads them.
"""

import dataclasses
import math
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench import labels, prior, recorded, synthetic
from bench.days import PICKED_FROM, Stream
from scoring.simulated import fair
from scoring.simulated.brain import Labels, ReadPaper, ReadPrompt
from scoring.simulated.fair import Asked
from scoring.simulated.noise import MEASURED, Noise

SEED = 0
PAPERS_A_BLOCK = 50
# As ranking was first measured: one list, read twice with one prompt.
STATED = {"found again": 0.73, "of 8 and more": 0.79, "of 9 and more": 0.87, "kappa": 0.64}
MEASURES = (
    "picks",
    "found again",
    "of 7",
    "of 8 and more",
    "of 9 and more",
    "of those not picked",
    "kappa",
    "batches, least",
    "batches, most",
    "batches, shift",
)


@dataclass(frozen=True)
class Pairs:
    """Two readings of the same papers, values 0-100, with the block of each paper."""

    first: np.ndarray
    second: np.ndarray
    block: np.ndarray


def measured(pairs: Pairs) -> dict[str, float]:
    """The rows of the table. `shift` is how far a batch's share of picks moves from reading to reading (SD)."""
    first, second = pairs.first >= PICKED_FROM, pairs.second >= PICKED_FROM
    expected = first.mean() * second.mean() + (1 - first.mean()) * (1 - second.mean())
    batches = [pairs.block == block for block in np.unique(pairs.block)]
    batches = [batch for batch in batches if batch.sum() >= 30]
    rates = [second[batch].mean() for batch in batches]
    moved = [second[batch].mean() - first[batch].mean() for batch in batches]

    def again(chosen: np.ndarray) -> float:
        return float(second[chosen].mean()) if chosen.any() else math.nan

    return {
        "picks": float(first.mean()),
        "found again": again(first),
        "of 7": again((pairs.first >= 70) & (pairs.first < 80)),
        "of 8 and more": again(pairs.first >= 80),
        "of 9 and more": again(pairs.first >= 90),
        "of those not picked": again(~first),
        "kappa": float(((first == second).mean() - expected) / (1 - expected)),
        "batches, least": min(rates),
        "batches, most": max(rates),
        "batches, shift": float(np.std(moved)),
    }


def recorded_pairs(days: Sequence[recorded.Listed]) -> Pairs:
    rows = [
        (recorded.score_of(said[0]), recorded.score_of(said[1]), f"{day.day}/{said[0]['batch']}")
        for day in days
        for said in day.said
        if len(said) > 1
    ]
    return _pairs(rows)


def asked_twice(
    papers: Sequence[ReadPaper],
    interests: Sequence[tuple[str, str]],
    truth: Labels,
    noise: Noise = MEASURED,
    seed: int = SEED,
) -> Pairs:
    """The fake's own answers, as its server gives them, to the same blocks asked twice."""
    asked, rows = Asked(), []
    for start in range(0, len(papers), PAPERS_A_BLOCK):
        prompt = ReadPrompt(tuple(interests), tuple(papers[start : start + PAPERS_A_BLOCK]), False)
        said = [
            fair.opinions(prompt, asked.question(prompt), labels=truth, seed=seed, noise=noise)
            for _ in range(2)
        ]
        rows.extend((max(one.scores), max(two.scores), str(start)) for one, two in zip(*said, strict=True))
    return _pairs(rows)


def stream_pairs(stream: Stream, seconds: Iterable[int] = (0,)) -> Pairs:
    rows = [
        (one, two, f"{day.day}/{k}/{at // PAPERS_A_BLOCK}")
        for day in stream.days
        for k in seconds
        for at, (one, two) in enumerate(zip(day.first, day.again(k), strict=True))
    ]
    return _pairs(rows)


def _pairs(rows: Sequence[tuple[int, int, str]]) -> Pairs:
    first, second, block = zip(*rows, strict=True)
    return Pairs(np.array(first), np.array(second), np.array(block))


# --- the fit -------------------------------------------------------------------------------------------


def fitted(pairs: Pairs, seed: int = SEED, steps: int = 3000) -> tuple[Noise, float, float]:
    """The constants under which the pairs are likeliest, their log-likelihood, and that of the committed ones.

    `block_sd` is kept: pairs say nothing of it, batches do (the table's last row). `overlooked` is kept, too:
    the likelihood is flat in it, and with 0.12 picks of nine come again as often as they were seen to.
    """
    table = np.zeros((4, 4))
    np.add.at(table, (_level(pairs.first), _level(pairs.second)), 1)
    names = ("reliability", "threshold", "eight", "nine", "score_sd")
    dice = random.Random(seed)
    best = MEASURED
    likeliest = committed = likelihood(best, table)
    for at in range(steps):
        size = 0.1 * 0.998**at
        tried = {name: getattr(best, name) + dice.gauss(0, size) for name in names if dice.random() < 0.5}
        candidate = replace(best, **tried)
        if not (0.5 < candidate.reliability < 0.92 and candidate.score_sd > 0.05):
            continue
        reached = likelihood(candidate, table)
        if reached > likeliest:
            best, likeliest = candidate, reached
    return best, likeliest, committed


def likelihood(noise: Noise, table: np.ndarray) -> float:
    """Of a table of first by second levels (none, under 8, 8, 9), whichever reading came first."""
    grid = np.linspace(-4, 4, 81)
    weight = np.exp(-(grid**2) / (2 * noise.reliability))
    chances = np.array([[noise.chance_of(level, x) for x in grid] for level in (None, 70, 80, 90)])
    joint = (chances * weight / weight.sum()) @ chances.T
    return float((table * np.log(joint + 1e-12)).sum())


def _level(values: np.ndarray) -> np.ndarray:
    return np.digitize(values, (PICKED_FROM, 80, 90))


# --- the table -----------------------------------------------------------------------------------------


def tables(data: Path) -> None:
    brief = recorded.reference_brief(data)
    listed = recorded.listed_days(data, brief)
    twice = [day for day in listed if day.is_twice]
    real = recorded_pairs(twice)
    papers = [
        ReadPaper(str(at), paper.title, paper.abstract)
        for at, paper in enumerate(paper for day in twice for paper in day.papers)
    ]
    interests = [(wish.name, wish.description) for wish in brief.wishes]
    truth = Labels.from_lines(list(labels.lines(data)))
    words = recorded.words_of(listed)
    said_of = recorded.whole(len(brief.wishes))
    stream = recorded.stream_of("drawn", brief, listed, words, MEASURED, SEED, said_of)
    print(f"{len(real.first)} papers of {len(twice)} lists that were read twice; seed {SEED}\n")
    _print_table(
        {
            "stated": STATED,
            "measured": measured(real),
            "fake, asked twice": measured(asked_twice(papers, interests, truth)),
            "streams, all days": _without_batches(measured(stream_pairs(stream, (1, 2)))),
        }
    )
    _print_fit(real)
    _print_words(data, words)


def _print_table(columns: dict[str, dict[str, float]]) -> None:
    print(f"| a second reading | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name in MEASURES:
        cells = (f"{column[name]:.3f}" if name in column else "" for column in columns.values())
        print(f"| {name} | {' | '.join(cells)} |")


def _without_batches(row: dict[str, float]) -> dict[str, float]:
    """A stream's blocks are the recorded ones, not those that `stream_pairs` cuts."""
    return {name: value for name, value in row.items() if not name.startswith("batches")}


def _print_fit(real: Pairs) -> None:
    best, likeliest, committed = fitted(real)
    print(
        f"\n| constant | committed | fitted anew |\n|---|---|---|\n| log-likelihood | {committed:.1f} | {likeliest:.1f} |"
    )
    for each in dataclasses.fields(Noise):
        print(f"| {each.name} | {getattr(MEASURED, each.name):.3f} | {getattr(best, each.name):.3f} |")


def _print_words(data: Path, words: prior.Words) -> None:
    """How often a second reading picks, by the first one and by what the words say: in truth and drawn without it."""
    brief = recorded.reference_brief(data)
    listed = recorded.listed_days(data, brief)
    blind = [replace(day, said=[said[:1] for said in day.said], is_twice=False) for day in listed]
    said_of = recorded.whole(len(brief.wishes))
    stream = recorded.stream_of("blind", brief, blind, words, MEASURED, SEED, said_of)
    picked = np.array([value for day in stream.days for value in day.picked])
    scores = words.out_of_fold(picked)
    cells: dict[tuple[bool, int], list[tuple[bool, float]]] = defaultdict(list)
    bounds = {pick: np.quantile(scores[picked == pick], (1 / 3, 2 / 3)) for pick in (True, False)}
    at = 0
    for day, drawn in zip(listed, stream.days, strict=True):
        for said, chance, pick in zip(day.said, drawn.chance, drawn.picked, strict=True):
            if len(said) > 1:
                cells[pick, int(np.digitize(scores[at], bounds[pick]))].append(
                    (said[1]["recommended"], chance)
                )
            at += 1
    print(
        "\n| first reading | words say | papers | second picks | the fake's chance |\n|---|---|---|---|---|"
    )
    for (pick, third), found in sorted(cells.items(), reverse=True):
        second, chance = np.mean(found, axis=0)
        name = ("little", "some", "much")[third]
        print(
            f"| {'picked' if pick else 'not picked'} | {name} | {len(found)} | {second:.2f} | {chance:.2f} |"
        )


def ceiling(noise: Noise = MEASURED) -> float:
    """Two readings of independent moods: the share of the first's picks that the second finds, in expectation."""
    grid = np.linspace(-4, 4, 161)
    weight = np.exp(-(grid**2) / (2 * noise.reliability))
    chance = np.array([noise.chance(x) for x in grid])
    return float((weight * chance**2).sum() / (weight * chance).sum())


def main(argv: Sequence[str] = ()) -> int:
    try:
        data = recorded.folder()
    except FileNotFoundError as error:
        print(f"Not compared with recorded readings: {error}\n", file=sys.stderr)
        data = None
    if argv[:1] == ["--labels"]:
        for line in labels.lines(data, *argv[1:2]) if data else ():
            print(line)
        return 0 if data else 1
    print(f"a second reading finds, by the model of the noise: {ceiling():.3f} of the first's picks")
    if data is None:
        found = {stream.name: measured(stream_pairs(stream)) for stream in synthetic.streams(SEED)}
        _print_table({"stated": STATED} | found)
        return 0
    tables(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
