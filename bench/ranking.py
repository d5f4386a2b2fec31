"""How well the local ranker orders a day, against recorded judgements: `python -m bench.ranking [EVERY]`.

Needs the development data; EVERY of 3 takes each third run only. The terms were written from knowledge of the fields, without the labels; the
ranker's few constants were fitted on these days, so the calibration below is in-sample.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench import recorded
from bench.recorded import Day
from scoring.screening.brief import Brief
from scoring.screening.constancy import again
from scoring.screening.cut import cut
from scoring.screening.expand import Origin, Term
from scoring.screening.index import Index
from scoring.screening.query import features_of
from scoring.screening.rank import SCALE, Estimates, estimate

SHARES = (0.1, 0.2, 0.3, 0.5)
TARGETS = (0.95, 0.9, 0.8, 0.7)
Ranker = Callable[[Index], Sequence[float]]


@dataclass(frozen=True)
class Measured:
    """AUC as the mean over runs and pooled over all; recall where each of SHARES of a day is read."""

    mean_auc: float
    pooled_auc: float
    recall: tuple[float, ...]


def auc(scores: Sequence[float], wanted: Sequence[bool]) -> float:
    """The chance that a wanted paper stands before another; ties count half."""
    _, place, count = np.unique(np.asarray(scores), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    labels = np.asarray(wanted, dtype=bool)
    positive, negative = labels.sum(), (~labels).sum()
    return float((ranks[labels].sum() - positive * (positive + 1) / 2) / (positive * negative))


def measure(days: list[tuple[Day, Index]], ranker: Ranker) -> Measured:
    """Rank every day and compare with what was recommended; days without a choice count only when pooled."""
    aucs, scores, wanted, recalls = [], [], [], []
    for day, index in days:
        one = np.asarray(ranker(index), dtype=float)
        labels = np.asarray(day.wanted)
        scores.append(one)
        wanted.append(labels)
        if 0 < labels.sum() < len(labels):
            aucs.append(auc(one, labels))
            best = labels[np.argsort(-one, kind="stable")]
            recalls.append([best[: round(share * len(best))].sum() / labels.sum() for share in SHARES])
    pooled = auc(np.concatenate(scores), np.concatenate(wanted))
    return Measured(float(np.mean(aucs)), pooled, tuple(np.mean(recalls, axis=0)))


def ours(brief: Brief) -> Ranker:
    return lambda index: estimate(index, brief).combined


def as_typed(brief: Brief, *, bm25: bool) -> Ranker:
    """The baseline: the reader's words as one query, no expansion, no Chinese, no exclusion."""
    text = [f"{wish.name} {wish.description}" for wish in brief.wishes]
    words = features_of(Term(word, 1.0, Origin.TYPED) for line in text for word in line.split())
    hashes = np.array(sorted(words), dtype=np.uint32)

    def rank(index: Index) -> Sequence[float]:
        found = index.postings(hashes)
        idf = index.idf(hashes)[found.terms]
        if bm25:
            length = 1.2 * (0.25 + 0.75 * index.relative_lengths[found.papers])
            gains = idf * found.counts * 2.2 / (found.counts + length)
            return np.bincount(found.papers, gains, minlength=index.size)[: index.day_size]
        gains = idf**2 * (1 + np.log(found.counts))
        return (np.bincount(found.papers, gains, minlength=index.size) / index.norms)[: index.day_size]

    return rank


def stopping(days: list[tuple[Day, Index]], brief: Brief, target: float) -> tuple[float, float, float]:
    """Share read, recall reached and recall stated at a target, over all days; the audit not counted.

    Recall is of picks that a second reading would make too, as the cut has it: each counts by its constancy.
    """
    read = papers = 0
    found = wanted = 0.0
    stated = []
    for day, index in days:
        estimates = estimate(index, brief).combined
        line = cut(estimates, day.ids, target, seed="")
        worths = [
            is_wanted * again(one / SCALE) for is_wanted, one in zip(day.wanted, estimates, strict=True)
        ]
        read += line.rank
        papers += len(day.ids)
        found += sum(worths[i] for i in line.order[: line.rank])
        wanted += sum(worths)
        stated.append(line.expected_recall)
    return read / papers, found / wanted, float(np.mean(stated))


def main() -> None:
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    try:
        data = recorded.folder()
    except FileNotFoundError as error:
        print(f"Not measured: {error}")
        return
    written = recorded.reference_brief(data)
    stripped = recorded.without_latin(written)
    days = [(day, Index(day.packed, day.background)) for day in recorded.days(data, every)]
    print(f"{len(days)} runs, {sum(len(day.ids) for day, _ in days)} judgements, seven fields\n")
    print(
        "| ranker | AUC, mean of runs | AUC, pooled | recall at 10 % | 20 % | 30 % | 50 % |\n|---|---|---|---|---|---|---|"
    )
    for name, ranker in (
        ("TF-IDF, as typed", as_typed(written, bm25=False)),
        ("BM25, as typed", as_typed(written, bm25=True)),
        ("ours, expanded locally, as written", ours(written)),
        ("ours, without exclusions", ours(Brief(written.wishes))),
        ("ours, stripped of Latin letters", ours(stripped)),
    ):
        got = measure(days, ranker)
        print(
            f"| {name} | {got.mean_auc:.3f} | {got.pooled_auc:.3f} | {' | '.join(f'{r:.2f}' for r in got.recall)} |"
        )
    _print_stopping(days, written)
    _print_fields(days[-1][1], written, stripped)


def _print_stopping(days: list[tuple[Day, Index]], brief: Brief) -> None:
    print("\n| target | read | recall reached | recall stated |\n|---|---|---|---|")
    for target in TARGETS:
        read, reached, stated = stopping(days, brief, target)
        print(f"| {target:.2f} | {read:.0%} | {reached:.3f} | {stated:.3f} |")


def _print_fields(index: Index, written: Brief, stripped: Brief) -> None:
    print("\n| field | terms as written | terms stripped | note |\n|---|---|---|---|")
    for wish, bare in zip(written.wishes, stripped.wishes, strict=True):
        known = "" if bare.expansion().is_known else "no word of a field is known"
        print(f"| {wish.name} | {len(wish.expansion().terms)} | {len(bare.expansion().terms)} | {known} |")
    started = time.process_time()
    got: Estimates = estimate(index, written)
    print(
        f"\none day of {len(got.combined)} papers estimated in {1000 * (time.process_time() - started):.0f} ms CPU"
    )


if __name__ == "__main__":
    main()
