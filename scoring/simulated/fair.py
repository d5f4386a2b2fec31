"""The fair fake: truth from labels, and readings that differ from each other as a real model's do.

A paper's relevance for a reader is drawn once, by title, from what fits its label; each time it is asked about,
it is read with new noise. The noise depends on the seed, the reader's interests, the title and how often that reader
asked about that title: asked again the answer differs, and a whole run is the same in whatever order its
requests come, as long as its blocks are the same.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from .brain import Labels, Opinion, ReadPaper, ReadPrompt, opinion_of, overlap_score, title_key
from .noise import PICKED_FROM, Noise, latent_given, uniform

# How far apart on the scale of relevance scores are that differ by one: for truths that are scores below a pick.
_PER_SCORE = 1 / 22


@dataclass(frozen=True)
class Question:
    """One request: who asks, about which titles, for the how-maniest time each; `block` stands for all of it."""

    reader: str
    titles: tuple[str, ...]
    times: tuple[int, ...]

    @property
    def block(self) -> str:
        asked = sorted(zip(self.titles, self.times, strict=True))
        return hashlib.blake2b(
            repr((self.reader, asked)).encode(errors="replace"), digest_size=12
        ).hexdigest()


class Asked:
    """Counts how often each reader asked about each title."""

    def __init__(self) -> None:
        self._times: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def question(self, prompt: ReadPrompt) -> Question:
        reader = hashlib.blake2b(repr(prompt.interests).encode(errors="replace"), digest_size=12).hexdigest()
        titles = tuple(title_key(paper.title) for paper in prompt.papers)
        with self._lock:
            times = tuple(self._times[reader, title] for title in titles)
            self._times.update((reader, title) for title in titles)
        return Question(reader, titles, times)


def opinions(
    prompt: ReadPrompt, question: Question, *, labels: Labels | None, seed: int, noise: Noise
) -> list[Opinion]:
    """What this reading says of each paper."""
    given = []
    for paper, title, times in zip(prompt.papers, question.titles, question.times, strict=True):
        key = f"{seed}/{question.reader}/{title}"
        recorded = labels.by_title.get(title) if labels else None
        if labels is not None and recorded is None:
            given.append(opinion_of(paper, prompt, (0,) * len(prompt.interests)))
            continue
        latents = _latents(paper, prompt, recorded, labels, noise, key)
        scores = noise.reading(latents, f"{key}/{times}", f"{seed}/{question.block}")
        reason = str((recorded or {}).get("reason") or "")
        given.append(opinion_of(paper, prompt, scores, reason))
    return given


def fate(key: str, rates: Mapping[str, float]) -> str:
    """Which of the named things happens by this key; "" for none."""
    luck, limit = uniform(key), 0.0
    for name, share in rates.items():
        limit += share
        if luck < limit:
            return name
    return ""


def _latents(
    paper: ReadPaper,
    prompt: ReadPrompt,
    recorded: Mapping[str, object] | None,
    labels: Labels | None,
    noise: Noise,
    key: str,
) -> list[float]:
    """The true relevance for each interest."""
    if recorded is None or labels is None:
        about = [overlap_score(paper, f"{name} {description}") for name, description in prompt.interests]
        return [noise.threshold + (score - PICKED_FROM) * _PER_SCORE for score in about]
    names = tuple(name for name, _ in prompt.interests)
    chances = recorded.get("chances")
    if isinstance(chances, Mapping):
        return [noise.latent_of(float(chances.get(name, 0.0))) for name in names]
    scores = recorded.get("scores")
    said = [int(scores.get(name, 0)) if isinstance(scores, Mapping) else 0 for name in names]
    return _around(said, paper, prompt, _mean(noise, labels.share_of_picks(names)), noise, key)


def _around(
    said: Sequence[int], paper: ReadPaper, prompt: ReadPrompt, mean: float, noise: Noise, key: str
) -> list[float]:
    """A relevance that fits the recorded scores: drawn for the best interest, the others stay below it.

    A paper without a pick belongs to the interest that it was nearest to, by its score or its words.
    """
    if not said:
        return []
    shared = [overlap_score(paper, f"{name} {text}") for name, text in prompt.interests]
    best = max(range(len(said)), key=lambda at: (said[at], shared[at], -at))
    level = said[best] if said[best] >= PICKED_FROM else None
    drawn = latent_given(noise, [level], key, mean=mean)
    latents = [drawn - 1 + min(0.0, (score - PICKED_FROM) * _PER_SCORE) for score in said]
    latents[best] = drawn
    return latents


def _mean(noise: Noise, share: float | None) -> float:
    """The mean relevance of papers of which so large a share is picked."""
    if share is None:
        return 0.0
    within = min(0.98, max(0.002, share / (1 - noise.overlooked)))
    return noise.threshold + NormalDist().inv_cdf(within)
