"""The recorded judgements of the development data, as days with labels. Absent data is an error that says so.

`streams` adds what was not recorded: other readings of the same list. Five lists were read twice, and there both
readings are real. Elsewhere a paper's latent relevance is drawn once (by its id) from what fits its recorded score
and, out of fold, its words (`bench.prior`); other readings are drawn from it by the measured noise. So a recorded
pick comes again at the measured rate, more surely with a higher score and with words that speak for it.
`first` is the recorded reading and nothing else: what is drawn knows of later days, and is for measuring only.
"""

import datetime as dt
import gzip
import itertools
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from bench import prior
from bench.days import PICKED_FROM, DayOf, Paper, Reading, Stream
from papers.features.vectors import features
from scoring.screening.brief import Brief, Wish
from scoring.simulated.noise import MEASURED, Noise, latent_given

_FIELD = re.compile(r"^（\d+）([^：\n]+)(?:：(.*))?$", re.MULTILINE)
BACKFILL = 2000
# What a learner is told of a paper that was not recommended: the reference gave it no score.
NOT_PICKED = 20
# Early runs named two fields that the profile no longer has; both were about multimodal models.
_OLDER_FIELD = 2
_ENGLISH_FIELDS = {
    "Deep learning theory": 0,
    "Deep learning explainability": 1,
    "Deep learning interpretability": 1,
    "Efficient large model training and inference": 3,
    "Efficient large model training & inference": 3,
    "Multi-modal agents": 4,
    "Large model security & alignment": 5,
    "Large model new technologies": 6,
}
# Fields that a narrow profile of the reference is measured for over all days, too: in the days before they were fields
# of its own, another profile was asked.
ALSO_BEFORE = (2, 3)


@dataclass(frozen=True)
class Day:
    """One run of the reference: its papers in order of id, what its model recommended, earlier papers."""

    run: str
    ids: list[str]
    wanted: list[bool]
    packed: list[bytes]
    background: list[bytes]


def folder() -> Path:
    """Where the development data lies; FileNotFoundError where it does not."""
    beside = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    found = Path(os.environ.get("BROADSHEET_SHARED_DATA", beside))
    if not (found / "reference" / "judgements.jsonl.gz").exists():
        raise FileNotFoundError(f"no development data in {found}; set BROADSHEET_SHARED_DATA")
    return found


def reference_brief(data: Path) -> Brief:
    """The reference profile: seven fields, and what it cares less for, as its owner wrote them."""
    text = (data / "reference" / "prompt.txt").read_text(encoding="utf-8")
    parts = re.split(r"^# ", text, flags=re.MULTILINE)
    wanted = next(part for part in parts if part.startswith("我的主要研究方向"))
    unwanted = next(part for part in parts if part.startswith("我不太关注的领域"))
    wishes = tuple(Wish(name.strip(), (words or "").strip()) for name, words in _FIELD.findall(wanted))
    return Brief(wishes, tuple(name.strip() for name, _ in _FIELD.findall(unwanted)))


def without_latin(brief: Brief) -> Brief:
    """The same profile with every Latin letter taken out."""
    wishes = (Wish(_stripped(w.name), _stripped(w.description), w.weight) for w in brief.wishes)
    return Brief(tuple(wishes), tuple(map(_stripped, brief.exclusions)))


def days(data: Path, every: int = 1) -> Iterator[Day]:
    """Every so-many-th run in order of time; a background is what those before it listed."""
    judged: dict[str, dict[str, bool]] = {}
    for row in rows(data / "reference" / "judgements.jsonl.gz"):
        judged.setdefault(row["run"], {})[row["id"]] = row["recommended"]
    runs = list(judged.items())[::every]
    vectors = _vectors(data, {paper for _, labels in runs for paper in labels})
    listed: dict[str, None] = {}
    for run, labels in runs:
        ids = sorted(labels)
        before = [paper for paper in list(listed)[-BACKFILL:] if paper not in labels]
        yield Day(run, ids, [labels[i] for i in ids], [vectors[i] for i in ids], [vectors[i] for i in before])
        listed.update(dict.fromkeys(ids))


def streams(data: Path, seed: int = 0, noise: Noise = MEASURED) -> list[Stream]:
    """The reference profile over all its days, then a narrow profile for each of its fields: the picks that its model
    filed under it, from the day on which the profile had all these fields."""
    brief = reference_brief(data)
    listed = listed_days(data, brief)
    words = words_of(listed)
    made = [stream_of("reference, seven fields", brief, listed, words, noise, seed, whole(len(brief.wishes)))]
    late = listed[_day_of_all_fields(listed, len(brief.wishes)) :]
    words_of_late = words_of(late)
    for at, wish in enumerate(brief.wishes):
        narrow, name = Brief((wish,), brief.exclusions), f"reference, only {wish.name}"
        made.append(stream_of(name, narrow, late, words_of_late, noise, seed, only(at)))
    for at in ALSO_BEFORE:
        wish = brief.wishes[at]
        narrow, name = Brief((wish,), brief.exclusions), f"before it was a field, too: only {wish.name}"
        made.append(stream_of(name, narrow, listed, words, noise, seed, only(at)))
    return made


@dataclass
class Listed:
    """A day of the reference: papers that no day before it listed, with the rows of one or two readings each."""

    day: dt.date
    papers: list[Paper] = field(default_factory=list)
    said: list[list[dict[str, Any]]] = field(default_factory=list)
    is_twice: bool = False


def _day_of_all_fields(listed: Sequence[Listed], fields: int) -> int:
    """The first day by which every field of today's profile had a pick; 0 where there is none."""
    named: set[int] = set()
    for number, day in enumerate(listed):
        named |= {row["interest"] for said in day.said for row in said if row["recommended"]}
        if len(named) == fields:
            return number
    return 0


Said = Callable[[dict[str, Any]], Reading]


def whole(interests: int) -> Said:
    return lambda row: Reading(
        tuple(score_of(row) if at == row["interest"] else NOT_PICKED for at in range(interests))
    )


def only(interest: int) -> Said:
    return lambda row: Reading((score_of(row) if row["interest"] == interest else NOT_PICKED,))


def score_of(row: dict[str, Any]) -> int:
    return max(PICKED_FROM, round(10 * row["score"])) if row["recommended"] else NOT_PICKED


def listed_days(data: Path, brief: Brief) -> list[Listed]:
    """The runs as days: a second run of one date joins the first, a second reading stands beside it."""
    texts = papers(data)
    by_run: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows(data / "reference" / "judgements.jsonl.gz"):
        row["interest"] = interest_of(row["field"] or "", brief)
        by_run.setdefault(row["run"], {})[row["id"]] = row
    made: list[Listed] = []
    for run in json.loads((data / "reference" / "runs.json").read_text(encoding="utf-8")):
        said = by_run[run["run"]]
        if run["same_listing_as_previous_run"]:
            _read_again(made[-1], said)
            continue
        day = dt.date.fromisoformat(next(iter(said.values()))["run_date_bjt"])
        if not made or made[-1].day != day:
            made.append(Listed(day))
        known = {paper.id for one in made for paper in one.papers}
        for paper in sorted(set(said) - known):
            made[-1].papers.append(texts[paper])
            made[-1].said.append([said[paper]])
    return [one for one in made if one.papers]


def _read_again(day: Listed, said: dict[str, dict[str, Any]]) -> None:
    day.is_twice = True
    for paper, readings in zip(day.papers, day.said, strict=True):
        if paper.id in said:
            readings.append(said[paper.id])


def interest_of(named: str, brief: Brief) -> int:
    names = [wish.name for wish in brief.wishes]
    return names.index(named) if named in names else _ENGLISH_FIELDS.get(named, _OLDER_FIELD)


def stream_of(
    name: str,
    brief: Brief,
    listed: Sequence[Listed],
    words: prior.Words,
    noise: Noise,
    seed: int,
    said_of: Said,
) -> Stream:
    readings = [[list(map(said_of, rows_)) for rows_ in day.said] for day in listed]
    means, variance = _priors(words, readings, noise)
    made = []
    for day, said, mean in zip(listed, readings, means, strict=True):
        key = f"{seed}/{name}/{day.day}"
        latents = [
            latent_given(noise, [_level(r) for r in given], f"{key}/{paper.id}", mean=one, variance=variance)
            for paper, given, one in zip(day.papers, said, mean, strict=True)
        ]
        chance = [noise.chance(latent) for latent in latents]
        twice = [[reading.value >= PICKED_FROM for reading in given] for given in said]
        first = [given[0] for given in said]
        made.append(
            DayOf(
                day=day.day,
                papers=day.papers,
                first=[reading.value for reading in first],
                again=_again(day, said, latents, noise, key),
                stable=[
                    all(picks) if len(picks) > 1 else share > 0.5
                    for picks, share in zip(twice, chance, strict=True)
                ],
                chance=chance,
                first_by_interest=first,
                chance_by_interest=[
                    _beside(reading, share) for reading, share in zip(first, chance, strict=True)
                ],
                is_recorded=day.is_twice,
            )
        )
    return Stream(name, brief, made)


def _beside(reading: Reading, chance: float) -> tuple[float, ...]:
    """The chance at the interest that the first reading named; at the first one where it named none."""
    scores = reading.score_by_interest
    best = scores.index(max(scores))
    return tuple(chance if at == best else 0.0 for at in range(len(scores)))


def _level(reading: Reading) -> int | None:
    return reading.value if reading.value >= PICKED_FROM else None


def _again(
    day: Listed, said: Sequence[Sequence[Reading]], latents: Sequence[float], noise: Noise, key: str
) -> Callable[[int], list[int]]:
    """The recorded second reading where there is one, as the first of the others; else drawn, in its own blocks."""

    def again(k: int) -> list[int]:
        drawn = (
            noise.reading((latent,), f"{key}/{k}/{paper.id}", f"{key}/{k}/{rows_[0]['batch']}")[0]
            for paper, rows_, latent in zip(day.papers, day.said, latents, strict=True)
        )
        return [
            given[1].value if k == 0 and len(given) > 1 else value
            for given, value in zip(said, drawn, strict=True)
        ]

    return again


def words_of(listed: Sequence[Listed]) -> prior.Words:
    texts = [f"{paper.title} {paper.title} {paper.abstract}" for day in listed for paper in day.papers]
    return prior.Words(texts, [at for at, day in enumerate(listed) for _ in day.papers])


def _priors(
    words: prior.Words, readings: Sequence[Sequence[Sequence[Reading]]], noise: Noise
) -> tuple[list[list[float]], float]:
    """The mean relevance of each paper by its words, and the variance around it.

    The words' weight is the one under which the first readings are likeliest.
    """
    picked = np.array([given[0].value >= PICKED_FROM for day in readings for given in day])
    scores = words.out_of_fold(picked)
    # A rarer interest is the same judge behind a higher threshold: its papers' mean lies lower.
    shift = noise.threshold + NormalDist().inv_cdf(float(picked.mean()) / (1 - noise.overlooked))
    weight = max(
        (step / 25 for step in range(1, 23)), key=lambda w: _likelihood(w, scores, picked, shift, noise)
    )
    means = iter((shift + weight * scores).tolist())
    return [list(itertools.islice(means, len(day))) for day in readings], max(
        0.05, noise.reliability - weight**2
    )


def _likelihood(weight: float, scores: np.ndarray, picked: np.ndarray, shift: float, noise: Noise) -> float:
    heard = (shift + weight * scores - noise.threshold) / math.sqrt(1 - weight**2)
    chance = (1 - noise.overlooked) * np.array([NormalDist().cdf(x) for x in heard])
    return float(np.sum(np.log(np.where(picked, chance, 1 - chance) + 1e-12)))


def papers(data: Path) -> dict[str, Paper]:
    found: dict[str, Paper] = {}
    for path in (data / "reference" / "papers.jsonl.gz", data / "papers.jsonl.gz"):
        for row in rows(path):
            listed = tuple(row.get("categories") or ())
            found.setdefault(row["id"], Paper(row["id"], row["title"], row["abstract"] or "", listed))
    return found


def rows(path: Path) -> Iterator[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _vectors(data: Path, wanted: set[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in (data / "reference" / "papers.jsonl.gz", data / "papers.jsonl.gz"):
        for row in rows(path):
            if row["id"] in wanted and row["id"] not in found:
                found[row["id"]] = features(row["title"], row["abstract"] or "")
    return found


def _stripped(text: str) -> str:
    return re.sub(r"[A-Za-zÀ-ɏ]", "", text)
