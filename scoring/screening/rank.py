"""The local estimate: how likely it is that a profile wants a paper, from words alone. Pure; deterministic.

Each interest is a query of expanded terms, scored against the day by TF-IDF cosine and BM25, both as
standard scores over the day and its background, blended. A logistic curve turns the blend into the
probability that the paper is worth reading for that interest; a profile wants a paper if any interest does.
This is the prior of `design.md` §7: a learner that has seen scores replaces it behind the same `Estimates`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scoring.screening.brief import Brief
from scoring.screening.expand import expand, without_exception
from scoring.screening.index import Index, Query, Scores
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
# Standard scores over fewer papers than this mean little, and count for less.
_FEW_PAPERS = 20
# How far a field's words are trusted in which no word of a field was known.
_UNKNOWN_STRENGTH = 0.3


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
    asked = [_asked(wish.name, wish.description, wish.terms) for wish in brief.wishes]
    unwanted = [_asked(without_exception(text)) for text in brief.exclusions]
    weights = tuple(wish.weight for wish in brief.wishes)
    found = index.scores([one.query for one in (*asked, *unwanted)])
    blended = _blended(found)[:, : index.day_size]
    strengths = tuple(
        _trust(index, one) if occurs else 0.0 for one, occurs in zip(asked, found.occurs, strict=False)
    )
    penalty = _penalty(blended[len(asked) :])
    chances = _chance(np.array(strengths)[:, None] * blended[: len(asked)], penalty)
    combined = 1.0 - np.prod(1.0 - chances * np.array(weights)[:, None], axis=0)
    return Estimates(
        combined=tuple(np.rint(combined * SCALE).astype(int).tolist()),
        by_interest=_by_paper(chances, index.day_size),
        strengths=strengths,
        unknown=tuple(i for i, one in enumerate(asked) if not one.is_known),
        weights=weights,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A text as a query of its expanded terms; `is_known` as in `Expansion`."""

    query: Query
    is_known: bool


@lru_cache(maxsize=16_384)
def _asked(name: str, description: str = "", terms: tuple[str, ...] = ()) -> _Asked:
    """Kept: most of what profiles ask for is the same as yesterday. About 2 KB each."""
    expansion = expand(name, description, terms)
    weights = features_of(expansion.terms)
    hashes = np.array(sorted(weights), dtype=np.uint32)
    return _Asked(Query(hashes, np.array([weights[key] for key in hashes.tolist()])), expansion.is_known)


def _by_paper(chances: np.ndarray, papers: int) -> tuple[tuple[int, ...], ...]:
    rows = np.rint(chances * SCALE).astype(int).tolist()
    return tuple(zip(*rows, strict=True)) if rows else ((),) * papers


def _chance(blended: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-(_INTERCEPT + _SLOPE * np.minimum(blended, _HIGHEST) - penalty)))


def _penalty(blended: np.ndarray) -> np.ndarray:
    """How much each paper loses, in logits, for lying far towards what is not wanted; a row for each exclusion."""
    most = np.max(np.minimum(blended, _HIGHEST) - _EXCLUSION_FROM, axis=0, initial=0.0)
    return _EXCLUSION_SLOPE * most


def _trust(index: Index, asked: _Asked) -> float:
    """How far an interest's words can be trusted of which at least one occurs."""
    trust = 1.0 if asked.is_known else _UNKNOWN_STRENGTH
    return trust * index.size / (index.size + _FEW_PAPERS)


def _blended(found: Scores) -> np.ndarray:
    """The standard score of each paper of the index for each query, of both scores' standard scores."""
    if not found.cosine.shape[1]:
        return found.cosine
    # Every mean but the last is taken out by the last.
    both = (1.0 - _BM25_SHARE) * _inverse_spread(found.cosine) * found.cosine
    both += _BM25_SHARE * _inverse_spread(found.bm25) * found.bm25
    both -= both.mean(axis=1, keepdims=True)
    both *= _inverse_spread(both)
    return both


def _inverse_spread(scores: np.ndarray) -> np.ndarray:
    """One over the standard deviation of each row; 0 where it has none."""
    count = scores.shape[1]
    squares = np.einsum("ij,ij->i", scores, scores) / count
    spread = np.sqrt(np.maximum(squares - (scores.sum(axis=1) / count) ** 2, 0.0))
    return np.where(spread > 1e-9, 1.0 / np.maximum(spread, 1e-9), 0.0)[:, None]
