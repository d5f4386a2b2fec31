"""The baseline of arxiv-sanity-lite: a linear SVM over TF-IDF, refitted on every label there is. By numpy alone.

Squared hinge loss with an L2 penalty (C = 0.1, classes balanced), by accelerated gradient descent over all labels.
"""

from collections.abc import Sequence

import numpy as np

from scoring.screening.basis import Rows

_PENALTY = 0.1
_ROUNDS = 120


def scores(rows: Sequence[Rows], labels: Sequence[tuple[int, int, float]], from_day: int) -> list[np.ndarray]:
    """The margins of the papers of each day from `from_day` on; `labels` are (day, paper, wanted)."""
    terms = max(int(one.terms.max(initial=0)) for one in rows) + 1
    taken = [(*rows[day].sparse(paper), wanted) for day, paper, wanted in labels]
    columns, weights = np.concatenate([t for t, _, _ in taken]), np.concatenate([w for _, w, _ in taken])
    owner = np.repeat(np.arange(len(taken)), [len(t) for t, _, _ in taken])
    sign = np.array([1.0 if wanted else -1.0 for *_, wanted in taken])
    counts = _PENALTY * np.where(
        sign > 0, len(sign) / max(1, (sign > 0).sum()), len(sign) / max(1, (sign < 0).sum())
    )
    slope, offset = _fitted(columns, weights, owner, sign, counts, terms)
    return [_margins(one, slope) + offset for one in rows[from_day:]]


def _fitted(
    columns: np.ndarray,
    weights: np.ndarray,
    owner: np.ndarray,
    sign: np.ndarray,
    counts: np.ndarray,
    terms: int,
) -> tuple[np.ndarray, float]:
    slope, before = np.zeros(terms + 1), np.zeros(terms + 1)
    # Rows have length 1: the curvature is below that of all labels lying in one direction, times two.
    step = 1.0 / (1.0 + 4.0 * float(np.percentile(counts, 90)) * np.sqrt(len(sign)))
    for number in range(1, _ROUNDS + 1):
        ahead = slope + (number - 1) / (number + 2) * (slope - before)
        margin = np.bincount(owner, ahead[columns] * weights, minlength=len(sign)) + ahead[-1]
        short = np.maximum(0.0, 1.0 - sign * margin) * sign * counts
        gradient = ahead.copy()
        gradient[:-1] -= 2 * np.bincount(columns, short[owner] * weights, minlength=terms)
        gradient[-1] = -2 * short.sum() / len(sign)
        before, slope = slope, ahead - step * gradient
    return slope[:-1], float(slope[-1])


def _margins(rows: Rows, slope: np.ndarray) -> np.ndarray:
    owner = np.repeat(np.arange(len(rows)), np.diff(rows.starts))
    return np.bincount(owner, slope[rows.terms] * rows.weights, minlength=len(rows))
