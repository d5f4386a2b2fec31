"""What a profile has learned from every score a model gave it and every up and down. Pure; numpy; deterministic.

Two linear models of one question, whether the profile wants a paper, over the rows of a `Basis`:

- along its directions, a Bayesian logistic regression kept as a Gaussian over the weights, moved by one extended
  Kalman step a label (Spiegelhalter and Lauritzen 1990). It begins as the words' own estimate: the weight of the
  prior's logit is 1 and every other 0, so a learner that has seen nothing says what `rank.estimate` says;
- over the terms themselves, a logistic regression by AdaGrad (Duchi, Hazan and Singer 2011), which finds the words
  that no direction carries. It joins in as it gathers labels.

Their logits are averaged. The sequence of lessons decides the state, so callers teach in a stated order.
"""

import hashlib
import struct
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scoring.screening.basis import Rows

FURTHEST_LOGIT = 6.0
# Chosen on the recorded days of `bench.learned`; between a third and three times these the AUC moves by 0.003.
_VARIANCE_OF_BIAS = 4.0
_VARIANCE_OF_PRIOR = 0.25
_VARIANCE_OF_DIRECTIONS = 1.0
_STEP = 2.0
_BIAS_OF_TERMS = -3.0
_FULL_VOICE = 300  # labels from which on the terms' model speaks as loudly as the directions'
# Raise it where the same lessons would make another state: what was learned is then learned anew.
METHOD = 2
_HEAD = struct.Struct("<4sIIIff")
_MAGIC = b"LRN1"


class BadState(ValueError):
    """The bytes are no state of a learner of this format: teach it anew."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One label: how much the profile `wanted` the paper, 0 to 1, and how much the label `counts` (1 is usual)."""

    wanted: float
    counts: float = 1.0


@dataclass
class Learner:
    """`mean` and `covariance` are of (1, prior's logit, directions…); `term_weights` and `term_squares` of the terms."""

    mean: np.ndarray
    covariance: np.ndarray
    term_weights: np.ndarray
    term_squares: np.ndarray
    seen: int = 0
    wanted: float = 0.0

    @classmethod
    def fresh(cls, width: int, terms: int) -> "Learner":
        mean = np.zeros(2 + width)
        mean[1] = 1.0
        return cls(mean, _beginning(width), np.zeros(terms), np.ones(terms))

    @cached_property
    def name(self) -> str:
        """Of this state, for the editions that were screened by it."""
        return hashlib.sha256(self.pack()).hexdigest()[:16]

    def logits(self, rows: Rows, prior: np.ndarray) -> np.ndarray:
        """How much the profile wants each paper, in logits; `prior` are the estimates of its words, 0 to 1."""
        by_directions = (
            self.mean[0] + self.mean[1] * logit_of(prior) + rows.dense @ self.mean[2:].astype(np.float32)
        )
        voice = min(self.seen / _FULL_VOICE, 1.0) / 2
        if not voice:
            return by_directions
        return (1.0 - voice) * by_directions + voice * self._by_terms(rows)

    def teach(self, rows: Rows, paper: int, prior: float, lesson: Lesson) -> None:
        """Learn one label; about a quarter of a millisecond."""
        seen = np.concatenate(([1.0, float(logit_of(np.array([prior]))[0])], rows.dense[paper]))
        chance = _chance(float(self.mean @ seen))
        sharpness = chance * (1.0 - chance) * lesson.counts
        moved = self.covariance @ seen
        scale = 1.0 + sharpness * float(seen @ moved)
        self.mean = self.mean + moved * ((lesson.wanted - chance) * lesson.counts / scale)
        self.covariance = self.covariance - np.outer(moved, moved) * (sharpness / scale)
        terms, weights = rows.sparse(paper)
        gradient = (
            _chance(float(self.term_weights[terms] @ weights) + _BIAS_OF_TERMS) - lesson.wanted
        ) * weights
        gradient = gradient * min(lesson.counts, 1.0)
        self.term_squares[terms] += gradient**2
        self.term_weights[terms] -= _STEP * gradient / np.sqrt(self.term_squares[terms])
        self.seen += 1
        self.wanted += lesson.wanted
        self.__dict__.pop("name", None)

    def correct(self, rows: Rows, paper: int, prior: float, lesson: Lesson, was: float) -> None:
        """Let a lesson that was learned as `was` be `lesson.wanted` instead, with the count it had.

        A logistic likelihood is linear in its label: its curvature stays, and the mean moves by one step. Exact for
        the newest lesson along the directions, a Newton step for an older one, and about right for the terms.
        """
        by = (lesson.wanted - was) * lesson.counts
        seen = np.concatenate(([1.0, float(logit_of(np.array([prior]))[0])], rows.dense[paper]))
        self.mean = self.mean + self.covariance @ seen * by
        terms, weights = rows.sparse(paper)
        step = _STEP * (lesson.wanted - was) * min(lesson.counts, 1.0)
        self.term_weights[terms] += step * weights / np.sqrt(self.term_squares[terms])
        self.wanted += lesson.wanted - was
        self.__dict__.pop("name", None)

    def loosen(self, share: float = 0.5) -> None:
        """The reader asks for something else now: keep what was learned, and be as ready to change it as if
        `share` of it were new."""
        self.covariance = (1.0 - share) * self.covariance + share * _beginning(len(self.mean) - 2)
        self.term_squares = (1.0 - share) * self.term_squares + share
        self.__dict__.pop("name", None)

    def pack(self) -> bytes:
        head = _HEAD.pack(_MAGIC, len(self.mean), len(self.term_weights), self.seen, self.wanted, 0.0)
        arrays = (self.mean, self.covariance, self.term_weights, self.term_squares)
        return head + b"".join(array.astype("<f4").tobytes() for array in arrays)

    def _by_terms(self, rows: Rows) -> np.ndarray:
        sums = np.full(len(rows), _BIAS_OF_TERMS)
        filled = np.flatnonzero(np.diff(rows.starts))
        if len(filled):
            sums[filled] += np.add.reduceat(self.term_weights[rows.terms] * rows.weights, rows.starts[filled])
        return sums


def unpack(data: bytes | memoryview, name: str = "") -> Learner:
    """The learner of the bytes, whose name may be known already. Raises BadState for anything else."""
    data = bytes(data)
    if len(data) < _HEAD.size or data[:4] != _MAGIC:
        raise BadState("no learner of this format")
    _, size, terms, seen, wanted, _ = _HEAD.unpack_from(data)
    if len(data) != _HEAD.size + 4 * (size + size * size + 2 * terms):
        raise BadState("a learner that was cut short")
    numbers = np.frombuffer(data, "<f4", offset=_HEAD.size).astype(np.float64)
    mean, rest = numbers[:size].copy(), numbers[size:]
    covariance, rest = rest[: size * size].reshape(size, size).copy(), rest[size * size :]
    learner = Learner(mean, covariance, rest[:terms].copy(), rest[terms:].copy(), seen, wanted)
    if name:
        learner.__dict__["name"] = name
    return learner


def logit_of(chances: np.ndarray) -> np.ndarray:
    """Of probabilities, no further than FURTHEST_LOGIT from 0."""
    kept = np.clip(chances, 1e-4, 1.0 - 1e-4)
    return np.clip(np.log(kept / (1.0 - kept)), -FURTHEST_LOGIT, FURTHEST_LOGIT)


def chance_of(logits: np.ndarray) -> np.ndarray:
    """The probabilities of logits."""
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0)))


def _chance(logit: float) -> float:
    return float(chance_of(np.array(logit)))


def _beginning(width: int) -> np.ndarray:
    return np.diag(np.r_[_VARIANCE_OF_BIAS, _VARIANCE_OF_PRIOR, np.full(width, _VARIANCE_OF_DIRECTIONS)])
