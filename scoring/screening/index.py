"""The words of a day's papers turned round: for each hashed term, the papers that hold it. Pure; numpy.

Built once for a set of papers, used for every profile that is shown them. Earlier papers stand in it as a
background: they are scored with the day's, so that a day of three papers is measured against its field.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from papers.features.vectors import IN_TITLE, MOST_COUNTED, parts


@dataclass(frozen=True, slots=True)
class Postings:
    """Occurrences of a query's terms: `terms` indexes the query, `papers` the index, `counts` how often."""

    terms: np.ndarray
    papers: np.ndarray
    counts: np.ndarray


class Index:
    """A day's papers (numbers 0 to `day_size` - 1) and behind them the background, by term."""

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
        papers = np.repeat(np.arange(self.size), [len(h) for _, h, _ in read])
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._papers, self._counts = hashes[order], papers[order], counts[order]
        self.norms = self._norms()

    def idf(self, hashes: np.ndarray) -> np.ndarray:
        """How telling each term is: log(1 + N / df); 0 for a term that no paper holds."""
        frequency = self.frequency(hashes)
        return np.where(frequency > 0, np.log1p(self.size / np.maximum(frequency, 1)), 0.0)

    def frequency(self, hashes: np.ndarray) -> np.ndarray:
        """In how many of the papers each term occurs."""
        first = np.searchsorted(self._hashes, hashes, side="left")
        return np.searchsorted(self._hashes, hashes, side="right") - first

    def postings(self, hashes: np.ndarray) -> Postings:
        """Where each of these terms occurs."""
        first = np.searchsorted(self._hashes, hashes, side="left")
        number = np.searchsorted(self._hashes, hashes, side="right") - first
        terms = np.repeat(np.arange(len(hashes)), number)
        shift = np.repeat(first - (np.cumsum(number) - number), number)
        at = np.arange(len(terms)) + shift
        counts = self._counts[at]
        return Postings(
            terms, self._papers[at], np.where(counts >= IN_TITLE, 2.0, 1.0) * (counts & MOST_COUNTED)
        )

    def _norms(self) -> np.ndarray:
        """The length of each paper's TF-IDF vector, never 0."""
        starts = np.flatnonzero(np.diff(self._hashes, prepend=-1))
        runs = np.diff(np.append(starts, len(self._hashes)))
        idf = np.repeat(np.log1p(self.size / np.maximum(runs, 1)), runs)
        weights = (1.0 + np.log(np.maximum(self._counts & MOST_COUNTED, 1))) * idf
        return np.sqrt(np.bincount(self._papers, weights=weights**2, minlength=self.size)).clip(min=1e-9)


def _read(packed: bytes) -> tuple[int, np.ndarray, np.ndarray]:
    length, hashes, counts = parts(packed)
    return length, np.frombuffer(hashes, dtype="<u4"), np.frombuffer(counts, dtype="u1")
