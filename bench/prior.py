"""What the words of a paper tell of its readings, learned from other days: the fake's prior, never a learner's.

A ridge regression over hashed TF-IDF of words and pairs (not the ranker's features), out of fold by day. The latent relevance that a bench draws for papers that
were read once leans on it, for else no ranker could tell a stable pick from a lucky one, though real ones can.
It knows labels of later days: what it yields is for measuring only and must reach no learner.
"""

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

_WORD = re.compile(r"[a-z][a-z0-9]+")

WIDTH = 1024
FOLDS = 5
PENALTY = 30.0


class Words:
    """The papers' words with all that does not depend on a profile; `out_of_fold` may be asked for many."""

    def __init__(self, texts: Sequence[str], day: Sequence[int]) -> None:
        self._rows = hashed(texts)
        self._fold = np.asarray(day) % FOLDS
        grams = [self._rows[self._fold == f].T @ self._rows[self._fold == f] for f in range(FOLDS)]
        ridge = PENALTY * np.eye(WIDTH, dtype=np.float32)
        self._inverse = [np.linalg.inv(sum(grams) - grams[f] + ridge) for f in range(FOLDS)]

    def out_of_fold(self, wanted: Sequence[bool]) -> np.ndarray:
        """For each paper a score with mean 0 and variance 1, from a model that saw neither it nor its day's fold."""
        labels = np.asarray(wanted, dtype=np.float32)
        labels = labels - labels.mean()
        sums = [self._rows[self._fold == f].T @ labels[self._fold == f] for f in range(FOLDS)]
        scores = np.zeros(len(labels))
        for f in range(FOLDS):
            weights = self._inverse[f] @ (sum(sums) - sums[f])
            scores[self._fold == f] = self._rows[self._fold == f] @ weights
        return (scores - scores.mean()) / (scores.std() or 1.0)


def hashed(texts: Sequence[str]) -> np.ndarray:
    """Rows of length 1: logarithmic counts times idf, words and pairs thrown together with random signs."""
    numbers: dict[str, int] = {}
    told = [Counter(_terms(text)) for text in texts]
    terms = np.array([numbers.setdefault(term, len(numbers)) for one in told for term in one])
    counts = np.array([count for one in told for count in one.values()])
    owner = np.repeat(np.arange(len(told)), [len(one) for one in told])
    frequency = np.bincount(terms)
    idf = np.log((len(texts) + 1) / frequency) * (frequency > 1)
    mixed = np.array([zlib.crc32(term.encode()) for term in numbers], dtype=np.int64)
    sign = 1 - 2 * ((mixed >> 20) & 1)
    weight = (sign * idf)[terms] * (1 + np.log(counts))
    dense = np.bincount(owner * WIDTH + mixed[terms] % WIDTH, weight, minlength=len(texts) * WIDTH)
    dense = dense.reshape(-1, WIDTH)
    norms = np.linalg.norm(dense, axis=1, keepdims=True)
    return (dense / np.where(norms == 0, 1, norms)).astype(np.float32)


def _terms(text: str) -> list[str]:
    words = _WORD.findall(text.lower())
    return words + [f"{one} {two}" for one, two in pairwise(words)]
