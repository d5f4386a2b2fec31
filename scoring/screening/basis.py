"""The directions in which a library's papers differ: latent semantic analysis, by numpy alone. Pure; deterministic.

Fitted on some thousand papers that the instance has anyway (its first month), without any download. A paper becomes a
sparse row of TF-IDF weights over the basis' vocabulary and a short dense row, its coordinates along the directions.
A learner's weights mean something only with the basis they were learned by; `name` tells one from another.
Method: Halko, Martinsson and Tropp, "Finding structure with randomness", arXiv:0909.4061, algorithm 4.4.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from papers.features.vectors import IN_TITLE, MOST_COUNTED, parts

DIRECTIONS = 256
# Fewer papers than this show no directions; a profile is then estimated by its words alone.
FEWEST_PAPERS = 400
MOST_TERMS = 32_768
RAREST = 3  # papers that hold a term
_TITLE_BONUS = 1.0
_POWER_ITERATIONS = 2
_HEAD = struct.Struct("<4sII")
_MAGIC = b"LSA1"


class BadBasis(ValueError):
    """The bytes are no basis of this format: fit one anew."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Papers along a basis: row i has `weights[starts[i]:starts[i + 1]]` at the terms `terms[...]`, of length 1 as a
    whole; `dense` is (papers, directions), each row of length 1, or 0 for a paper without a known word."""

    terms: np.ndarray
    weights: np.ndarray
    starts: np.ndarray
    dense: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def sparse(self, paper: int) -> tuple[np.ndarray, np.ndarray]:
        """The terms of one paper and their weights."""
        span = slice(self.starts[paper], self.starts[paper + 1])
        return self.terms[span], self.weights[span]


@dataclass(frozen=True)
class Basis:
    """`hashes` ascend (uint32); `idf` runs beside them; `directions` is (terms, directions)."""

    hashes: np.ndarray
    idf: np.ndarray
    directions: np.ndarray

    @cached_property
    def name(self) -> str:
        return hashlib.sha256(self.pack()).hexdigest()[:16]

    @property
    def width(self) -> int:
        return self.directions.shape[1]

    def rows(self, packed: Sequence[bytes]) -> Rows:
        """Papers, as vectors of `papers.features`, along this basis."""
        terms, weights, starts = _weighted(packed, self.hashes, self.idf)
        return Rows(terms, weights, starts, _unit(_times(terms, weights, starts, self.directions)))

    def pack(self) -> bytes:
        head = _HEAD.pack(_MAGIC, len(self.hashes), self.width)
        arrays = (self.hashes.astype("<u4"), self.idf.astype("<f4"), self.directions.astype("<f2"))
        return head + b"".join(array.tobytes() for array in arrays)


def unpack(data: bytes | memoryview) -> Basis:
    """The basis of the bytes. Raises BadBasis for anything else."""
    data = bytes(data)
    if len(data) < _HEAD.size or data[:4] != _MAGIC:
        raise BadBasis("no basis of this format")
    _, terms, width = _HEAD.unpack_from(data)
    if len(data) != _HEAD.size + terms * (8 + 2 * width):
        raise BadBasis("a basis that was cut short")
    hashes = np.frombuffer(data, "<u4", terms, _HEAD.size)
    idf = np.frombuffer(data, "<f4", terms, _HEAD.size + 4 * terms)
    directions = np.frombuffer(data, "<f2", terms * width, _HEAD.size + 8 * terms).reshape(terms, width)
    return Basis(hashes, idf, directions.astype(np.float32))


def fit(packed: Sequence[bytes], *, seed: int = 0, width: int = DIRECTIONS) -> Basis | None:
    """The basis of these papers; None where they are too few, or too much alike, to show one. Some seconds for 6,000."""
    if len(packed) < FEWEST_PAPERS:
        return None
    hashes, idf = _vocabulary(packed)
    width = min(width, len(hashes) // 4)
    if not width:
        return None
    terms, weights, starts = _weighted(packed, hashes, idf)
    turned = _turned(terms, weights, starts, len(hashes))
    random = np.random.default_rng(seed).standard_normal((len(hashes), width + 16)).astype(np.float32)
    sketch = _orthonormal(_times(terms, weights, starts, random))
    del random
    if not sketch.shape[1]:
        return None
    for _ in range(_POWER_ITERATIONS):
        across = _orthonormal(_times(*turned, sketch))
        sketch = _orthonormal(_times(terms, weights, starts, across))
        del across
    small = _times(*turned, sketch)  # (terms, width + 16): the papers' matrix, turned and shortened
    strengths, right = np.linalg.eigh((small.T @ small).astype(np.float64))
    best = np.argsort(-strengths, kind="stable")[:width]
    left = small @ (right[:, best] / np.sqrt(np.maximum(strengths[best], 1e-12))).astype(np.float32)
    return Basis(hashes, idf, _same_signs(left).astype(np.float16).astype(np.float32))


def _vocabulary(packed: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The terms that at least RAREST papers hold, the most frequent MOST_TERMS of them, and how telling each is."""
    found = np.concatenate([np.frombuffer(parts(one)[1], "<u4") for one in packed])
    hashes, held_by = np.unique(found, return_counts=True)
    kept = np.flatnonzero(held_by >= RAREST)
    if len(kept) > MOST_TERMS:
        kept = np.sort(kept[np.argsort(-held_by[kept], kind="stable")[:MOST_TERMS]])
    return hashes[kept], np.log(len(packed) / held_by[kept]).astype(np.float32)


def _weighted(
    packed: Sequence[bytes], hashes: np.ndarray, idf: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sparse rows of papers: terms, weights and where each row starts."""
    read = [parts(one) for one in packed]
    if not read or not len(hashes):
        return (
            np.empty(0, dtype=np.intp),
            np.empty(0, dtype=np.float32),
            np.zeros(len(read) + 1, dtype=np.intp),
        )
    found = np.frombuffer(b"".join(raw for _, raw, _ in read), "<u4")
    counts = np.frombuffer(b"".join(raw for *_, raw in read), "u1")
    papers = np.repeat(np.arange(len(read)), [len(raw) for *_, raw in read])
    at = np.minimum(np.searchsorted(hashes, found), len(hashes) - 1)
    known = np.flatnonzero(hashes[at] == found)
    at, counts, papers = at[known], counts[known], papers[known]
    weights = 1.0 + np.log(np.maximum(counts & MOST_COUNTED, 1)) + _TITLE_BONUS * (counts >= IN_TITLE)
    weights = weights * idf[at]
    lengths = np.sqrt(np.bincount(papers, weights**2, len(read)))
    weights = (weights / np.maximum(lengths, 1e-9)[papers]).astype(np.float32)
    return at, weights, np.searchsorted(papers, np.arange(len(read) + 1))


def _turned(
    terms: np.ndarray, weights: np.ndarray, starts: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The transpose: for each term, the papers that hold it."""
    papers = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    order = np.argsort(terms, kind="stable")
    return papers[order], weights[order], np.searchsorted(terms[order], np.arange(number + 1))


def _times(terms: np.ndarray, weights: np.ndarray, starts: np.ndarray, dense: np.ndarray) -> np.ndarray:
    """A sparse matrix times a dense one, row by row: no more is unfolded at once than one row."""
    result = np.zeros((len(starts) - 1, dense.shape[1]), dtype=np.float32)
    for row, (first, last) in enumerate(pairwise(starts.tolist())):
        if first != last:
            result[row] = weights[first:last] @ dense[terms[first:last]]
    return result


def _orthonormal(dense: np.ndarray) -> np.ndarray:
    """Columns that span the same, orthonormal; none of zeros. By their products: a QR of numpy's takes five times the memory."""
    strengths, turn = np.linalg.eigh((dense.T @ dense).astype(np.float64))
    kept = strengths > strengths[-1] * 1e-9
    return dense @ (turn[:, kept] / np.sqrt(strengths[kept])).astype(np.float32)


def _unit(dense: np.ndarray) -> np.ndarray:
    return dense / np.maximum(np.sqrt((dense * dense).sum(axis=1, keepdims=True)), 1e-9)


def _same_signs(columns: np.ndarray) -> np.ndarray:
    """Each direction so turned that its largest entry is positive: a decomposition leaves the sign open."""
    largest = np.abs(columns).argmax(axis=0)
    return columns * np.where(columns[largest, np.arange(columns.shape[1])] < 0, -1.0, 1.0)
