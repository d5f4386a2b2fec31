"""The local estimate: how likely it is that a profile wants a paper, from words alone. Pure; deterministic.

Each interest is a query of expanded terms, scored against the day by TF-IDF cosine and BM25, both as
standard scores over the day and its background, blended. A logistic curve turns the blend into the
probability that the paper is worth reading for that interest; a profile wants a paper if any interest does.
This is the prior of `design.md` §7: a learner that has seen scores replaces it behind the same `Estimates`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.screening.brief import Brief
from scoring.screening.expand import Expansion, Term, expand
from scoring.screening.index import Index
from scoring.screening.query import features_of

SNAPSHOT = "prior-1"
SCALE = 10_000

# Fitted once on 79 days of one reader's seven fields (`python -m bench.ranking` prints what they give).
_INTERCEPT = -3.5
_SLOPE = 1.0
_BM25_SHARE = 0.3
_EXCLUSION_SLOPE = 1.2
_EXCLUSION_FROM = 1.0
_HIGHEST = 4.0
_BM25_K1 = 1.2
_BM25_B = 0.5
# Standard scores over fewer papers than this mean little, and count for less.
_FEW_PAPERS = 20
# How far a field's words are trusted in which no word of a field was known.
_UNKNOWN_STRENGTH = 0.3
_EXCEPTION = re.compile(r"\b(?:unless|except)\b|除非|除了|但", re.IGNORECASE)


@dataclass(frozen=True)
class Estimates:
    """What is expected of each of the day's papers, in the order of the index; whole numbers 0 to 10000.

    `combined` is the probability that any interest wants the paper; `by_interest` has a column for each.
    `strengths` says how far each interest's words were trusted (0: they carry nothing, 1: fully), `unknown`
    names the interests (by position) in which no word of a field was known.
    """

    combined: tuple[int, ...]
    by_interest: tuple[tuple[int, ...], ...]
    strengths: tuple[float, ...]
    weights: tuple[float, ...]
    unknown: tuple[int, ...] = ()
    snapshot: str = SNAPSHOT

    @property
    def is_weak(self) -> bool:
        """At least half of what the profile asks for rests on words that carry nothing: read more, say so."""
        total = sum(self.weights)
        weak = sum(w for w, s in zip(self.weights, self.strengths, strict=True) if s < 0.5)
        return total == 0 or weak >= total / 2

    def best_interest(self, paper: int) -> int:
        """The interest that wants the paper most, by weight; of equals the first in the profile's order."""
        contributions = [e * w for e, w in zip(self.by_interest[paper], self.weights, strict=True)]
        return max(range(len(contributions)), key=contributions.__getitem__, default=0)


def estimate(index: Index, brief: Brief) -> Estimates:
    """The estimates of the day's papers for a profile. Without wishes every estimate is 0."""
    expansions = [wish.expansion() for wish in brief.wishes]
    weights = tuple(wish.weight for wish in brief.wishes)
    unknown = tuple(i for i, expansion in enumerate(expansions) if not expansion.is_known)
    strengths = tuple(_strength(index, expansion) for expansion in expansions)
    shape = (index.day_size, len(expansions))
    chances = np.zeros(shape)
    penalty = _penalty(index, brief.exclusions)
    for column, expansion in enumerate(expansions):
        blended = _blend(index, expansion.terms)[: index.day_size]
        chances[:, column] = _chance(strengths[column] * blended, penalty)
    combined = 1.0 - np.prod(1.0 - chances * np.array(weights), axis=1)
    rows = np.rint(chances * SCALE).astype(int).tolist()
    return Estimates(
        combined=tuple(np.rint(combined * SCALE).astype(int).tolist()),
        by_interest=tuple(map(tuple, rows)),
        strengths=strengths,
        unknown=unknown,
        weights=weights,
    )


def _chance(blended: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-(_INTERCEPT + _SLOPE * np.minimum(blended, _HIGHEST) - penalty)))


def _penalty(index: Index, exclusions: Sequence[str]) -> np.ndarray:
    """How much each paper loses, in logits, for lying far towards what is not wanted."""
    most = np.zeros(index.day_size)
    for text in exclusions:
        blended = _blend(index, expand(_without_exception(text)).terms)[: index.day_size]
        most = np.maximum(most, np.minimum(blended, _HIGHEST) - _EXCLUSION_FROM)
    return _EXCLUSION_SLOPE * most


def _without_exception(text: str) -> str:
    """An exclusion as far as its exception: "medical imaging, unless central to an interest"."""
    head = _EXCEPTION.split(text, maxsplit=1)[0]
    return head if head.strip() else text


def _strength(index: Index, expansion: Expansion) -> float:
    """How far an interest's words can be trusted: none occurs, none is known, or all is well."""
    features = features_of(expansion.terms)
    if not features:
        return 0.0
    frequency = index.frequency(np.array(sorted(features), dtype=np.uint32))
    if not frequency.any():
        return 0.0
    trust = 1.0 if expansion.is_known else _UNKNOWN_STRENGTH
    return trust * index.size / (index.size + _FEW_PAPERS)


def _blend(index: Index, terms: Sequence[Term]) -> np.ndarray:
    """The standard score of each paper of the index for these terms."""
    weights = features_of(terms)
    if not weights or not index.size:
        return np.zeros(index.size)
    hashes = np.array(sorted(weights), dtype=np.uint32)
    importance = np.array([weights[key] for key in sorted(weights)]) * index.idf(hashes)
    found = index.postings(hashes)
    telling = importance[found.terms]
    cosine = telling * (1.0 + np.log(found.counts)) * index.idf(hashes)[found.terms]
    saturation = _BM25_K1 * (1.0 - _BM25_B + _BM25_B * index.relative_lengths[found.papers])
    bm25 = telling * found.counts * (_BM25_K1 + 1.0) / (found.counts + saturation)
    by_cosine = np.bincount(found.papers, weights=cosine, minlength=index.size) / index.norms
    by_bm25 = np.bincount(found.papers, weights=bm25, minlength=index.size)
    return _standard((1.0 - _BM25_SHARE) * _standard(by_cosine) + _BM25_SHARE * _standard(by_bm25))


def _standard(scores: np.ndarray) -> np.ndarray:
    spread = scores.std()
    return (scores - scores.mean()) / spread if spread > 1e-9 else np.zeros(len(scores))
