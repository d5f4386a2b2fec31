"""The words of a day's papers turned round: for each hashed term, the papers that hold it. Pure; numpy.

Built once for a set of papers, used for every profile that is shown them. Earlier papers stand in it as a
background: they are scored with the day's, so that a day of three papers is measured against its field.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from papers.features.vectors import IN_TITLE, MOST_COUNTED, parts

# Of BM25: how soon more of a word tells nothing new, and how much a long text is held against it.
BM25_K1 = 1.2
BM25_B = 0.5


@dataclass(frozen=True, slots=True)
class Query:
    """Hashed terms, ascending (uint32), each with its weight (float64)."""

    hashes: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, slots=True)
class Scores:
    """Of several queries: `cosine` and `bm25` are (queries, papers), `occurs` says whether any term was found at all."""

    cosine: np.ndarray
    bm25: np.ndarray
    occurs: np.ndarray


@dataclass(frozen=True, slots=True)
class Postings:
    """Occurrences of a query's terms: `terms` indexes the query, `papers` the index, `counts` how often."""

    terms: np.ndarray
    papers: np.ndarray
    counts: np.ndarray


class Index:
    """A day's papers (numbers 0 to `day_size` - 1) and behind them the background, by term.

    What an occurrence is worth does not depend on who asks: it is computed here, once for all profiles.
    """

    def __init__(self, packed: Sequence[bytes], background: Sequence[bytes] = ()) -> None:
        """Both are vectors of `papers.features`, of different papers.

        Raises BadFeatures for bytes of another format: compute those again first.
        """
        read = [_read(one) for one in (*packed, *background)]
        self.day_size = len(packed)
        self.size = len(read)
        lengths = np.array([length for length, _, _ in read], dtype=np.float64)
        self.relative_lengths = lengths / max(1.0, lengths.mean() if self.size else 1.0)
        hashes = np.concatenate([h for _, h, _ in read]) if read else np.empty(0, dtype="<u4")
        counts = np.concatenate([c for _, _, c in read]) if read else np.empty(0, dtype="u1")
        papers = np.repeat(np.arange(self.size, dtype=np.int32), [len(h) for _, h, _ in read])
        order = np.argsort(hashes, kind="stable")
        hashes, self._papers, self._counts = hashes[order], papers[order], counts[order]
        first = np.flatnonzero(np.diff(hashes, prepend=-1)) if len(hashes) else np.empty(0, dtype=np.intp)
        self._terms, self._starts = hashes[first], np.append(first, len(hashes))
        self._idf = np.log1p(self.size / np.maximum(np.diff(self._starts), 1))
        self.norms = self._norms()
        self._cosine, self._bm25 = self._worths()

    def idf(self, hashes: np.ndarray) -> np.ndarray:
        """How telling each term is: log(1 + N / df); 0 for a term that no paper holds."""
        at, found = self._at(hashes)
        telling = np.zeros(len(hashes))
        telling[found] = self._idf[at]
        return telling

    def scores(self, queries: Sequence[Query]) -> Scores:
        """Of each paper for each query, all in one go."""
        weights = np.concatenate([query.weights for query in queries]) if queries else np.empty(0)
        hashes = np.concatenate([query.hashes for query in queries]) if queries else np.empty(0, dtype="<u4")
        owners = np.repeat(np.arange(len(queries)), [len(query.hashes) for query in queries])
        at, found = self._at(hashes)
        owners = owners[found]
        number, places = self._places(at)
        cells = self._papers[places] + np.repeat(owners * self.size, number)
        weight = np.repeat(weights[found], number)
        shape = (len(queries), self.size)
        cells_in_all = shape[0] * shape[1]
        return Scores(
            np.bincount(cells, weight * self._cosine[places], cells_in_all).reshape(shape),
            np.bincount(cells, weight * self._bm25[places], cells_in_all).reshape(shape),
            np.bincount(owners, minlength=len(queries)) > 0,
        )

    def postings(self, hashes: np.ndarray) -> Postings:
        """Where each of these terms occurs."""
        at, found = self._at(hashes)
        number, places = self._places(at)
        return Postings(np.repeat(found, number), self._papers[places], _often(self._counts[places]))

    def _at(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The places among our terms of those that occur, and which of the asked they are."""
        if not len(self._terms):
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
        at = np.minimum(np.searchsorted(self._terms, hashes), len(self._terms) - 1)
        found = np.flatnonzero(self._terms[at] == hashes)
        return at[found], found

    def _places(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All occurrences of these of our terms: how many each has, and where they stand, one term after the other."""
        first = self._starts[at]
        number = self._starts[at + 1] - first
        shift = np.repeat(first - (np.cumsum(number) - number), number)
        shift += np.arange(len(shift))
        return number, shift

    def _norms(self) -> np.ndarray:
        """The length of each paper's TF-IDF vector, never 0."""
        idf = np.repeat(self._idf, np.diff(self._starts))
        weights = (1.0 + np.log(np.maximum(self._counts & MOST_COUNTED, 1))) * idf
        return np.sqrt(np.bincount(self._papers, weights=weights**2, minlength=self.size)).clip(min=1e-9)

    def _worths(self) -> tuple[np.ndarray, np.ndarray]:
        """What each occurrence is worth to a query that asks for its term with weight 1: in cosine, and in BM25."""
        idf = np.repeat(self._idf, np.diff(self._starts))
        often = _often(self._counts)
        saturation = BM25_K1 * (1.0 - BM25_B + BM25_B * self.relative_lengths)
        cosine = idf**2 * (1.0 + np.log(np.maximum(often, 1.0))) / self.norms[self._papers]
        bm25 = idf * often * (BM25_K1 + 1.0) / (often + saturation[self._papers])
        return cosine.astype(np.float32), bm25.astype(np.float32)


def _often(counts: np.ndarray) -> np.ndarray:
    """How often a term counts, twice in a title."""
    return np.where(counts >= IN_TITLE, 2.0, 1.0) * (counts & MOST_COUNTED)


def _read(packed: bytes) -> tuple[int, np.ndarray, np.ndarray]:
    length, hashes, counts = parts(packed)
    return length, np.frombuffer(hashes, dtype="<u4"), np.frombuffer(counts, dtype="u1")
