"""`python -m bench.scales [SEED]`: what mapping one model's scores onto another's does to what is recommended.

Two models read the same papers with the noise of a real one. The second one means other numbers by the same paper: not at
all, higher, lower, squeezed, or bent. From N papers that both have read a map is learned; then it is applied to many that
only the second one reads. Shown is how many papers it recommends for each that the first one would (1.00 is right), as the
mean over maps and as the furthest of nine in ten; and how often the two agree on a paper, beside how often the first agrees
with itself. *Drawn* pairs are drawn at random; *looked at again* are those far from their estimates, as second looks are.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scoring import calibration

BAR = 60
PAPERS, DRAWS = 3_000, 60
NOISE = 12.0
PAIRS = (20, 40, 80, 160)
BENDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the same": lambda s: s,
    "12 higher": lambda s: s + 12,
    "12 lower": lambda s: s - 12,
    "squeezed": lambda s: 50 + 0.6 * (s - 50),
    "bent": lambda s: s + 18 * np.sin(np.clip(s, 0, 100) / 100 * np.pi),
}


@dataclass(frozen=True)
class Two:
    """Readings of the same papers: by the first model, by it again, by the second; and what was estimated."""

    first: np.ndarray
    again: np.ndarray
    second: np.ndarray
    estimate: np.ndarray


def readings(dice: np.random.Generator, bend: Callable[[np.ndarray], np.ndarray], count: int) -> Two:
    """A quarter of the papers are worth recommending; the estimate knows half of what there is to know."""
    latent = dice.normal(0, 1, count)
    worth = 38 + 32 * latent
    estimate = np.clip(100 / (1 + np.exp(-(1.2 * (latent + dice.normal(0, 1, count)) - 1.2))), 0, 100)

    def read(of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return np.clip(np.rint(of(worth + dice.normal(0, NOISE, count))), 0, 100).astype(int)

    same = BENDS["the same"]
    return Two(read(same), read(same), read(bend), estimate)


def regressed(pairs: Sequence[tuple[int, int]]) -> Callable[[int], float]:
    """The expected score of the first model, given the second's: a line of least squares. What a map must not be."""
    x, y = np.array(pairs, dtype=float).T
    slope, offset = np.polyfit(x, y, 1)
    return lambda score: offset + slope * score


def linked(pairs: Sequence[tuple[int, int]]) -> Callable[[int], float]:
    return calibration.learn(pairs).of


def row(dice: np.random.Generator, bend: str, pairs: int, how: str) -> str:
    many = readings(dice, BENDS[bend], PAPERS)
    wanted = many.first >= BAR
    ratios, agreed = [], []
    for _ in range(DRAWS):
        seen = readings(dice, BENDS[bend], 40 * pairs)
        chosen = np.arange(pairs)
        if how == "looked at again":
            chosen = np.argsort(-(seen.second - seen.estimate), kind="stable")[:pairs]
        both = [(int(seen.second[i]), int(seen.first[i])) for i in chosen]
        make = regressed if how == "by regression" else linked
        table = (
            np.array([make(both)(score) for score in range(101)]) if how != "not at all" else np.arange(101)
        )
        picked = table[many.second] >= BAR
        ratios.append(picked.sum() / wanted.sum())
        agreed.append((picked == wanted).mean())
    off = np.sort(np.abs(np.array(ratios) - 1))[int(0.9 * DRAWS)]
    itself = ((many.again >= BAR) == wanted).mean()
    return f"| {bend} | {how} | {pairs} | {np.mean(ratios):.2f} | {off:.2f} | {np.mean(agreed):.3f} | {itself:.3f} |"


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    dice = np.random.default_rng(seed)
    print(f"seed {seed}; a bar of {BAR}\n")
    print(
        "| the second model | mapped | pairs | picks for one | furthest of 9 in 10 | agree | the first with itself |"
    )
    print("|---|---|---|---|---|---|---|")
    for bend in BENDS:
        print(row(dice, bend, 20, "not at all"))
        for how in ("by regression", "drawn", "looked at again"):
            for pairs in PAIRS if how == "drawn" else (80,):
                print(row(dice, bend, pairs, how))


if __name__ == "__main__":
    main()
