"""How a judge differs from himself when he is asked again: the measured noise, as a small model. Pure.

A paper has a latent relevance L, in units where readings of a broad profile's papers have mean 0 and variance 1.
A reading hears X = L + b + e: b is drawn once for a block (its mood), e for each paper. It picks the paper if
X > threshold and it is not overlooked, and blocks differ in how much they overlook. How high a pick is scored depends on L and further noise. The constants were
fitted to five lists that one model read twice (1,882 pairs of readings; `python -m bench.fake` prints the fit).

Draws are hashes of a key, not a stream: a run is the same whatever the order of its threads.
"""

import hashlib
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate
from statistics import NormalDist

PICKED_FROM = 60
_NORMAL = NormalDist()
_GRID = tuple(step / 20 for step in range(-100, 101))
_SMALLEST = 1e-9


@dataclass(frozen=True)
class Noise:
    """The measured judge. `reliability` is the variance of L; the rest, up to 1, is the block's and the paper's.

    `overlooked` is the share of papers that a reading leaves out though it would pick them. `eight` and `nine` are
    where, on the scale of L, half of the picks are scored so high; `score_sd` is how blurred that is.
    """

    reliability: float = 0.912
    block_sd: float = 0.28
    overlooked: float = 0.12
    threshold: float = 0.545
    eight: float = 0.813
    nine: float = 1.974
    score_sd: float = 0.496

    @property
    def paper_sd(self) -> float:
        return math.sqrt(max(_SMALLEST, 1 - self.reliability - self.block_sd**2))

    def chance(self, latent: float) -> float:
        """How probably any one reading picks the paper."""
        heard = (latent - self.threshold) / math.sqrt(1 - self.reliability)
        return (1 - self.overlooked) * _NORMAL.cdf(heard)

    def latent_of(self, chance: float) -> float:
        """The relevance whose readings pick with this probability; beyond what can be, the nearest."""
        share = min(1 - 1e-4, max(1e-4, chance / (1 - self.overlooked)))
        return self.threshold + math.sqrt(1 - self.reliability) * _NORMAL.inv_cdf(share)

    def reading(self, latents: Sequence[float], key: str, block: str) -> tuple[int, ...]:
        """What one reading says of a paper for each interest, 0-100; 60 and more is a pick.

        All interests are heard with the same noise. The same for the same keys.
        """
        shift = self.block_sd * draw(f"{block}/block") + self.paper_sd * draw(f"{key}/paper")
        # Some blocks are read with less care than others: the share varies around its mean.
        careless = min(0.9, -self.overlooked * math.log(max(_SMALLEST, uniform(f"{block}/care"))))
        is_overlooked = uniform(f"{key}/overlooked") < careless
        score_noise = self.score_sd * draw(f"{key}/score")
        return tuple(
            self._score(latent + score_noise)
            if latent + shift > self.threshold and not is_overlooked
            else self._below(latent + shift)
            for latent in latents
        )

    def _below(self, heard: float) -> int:
        """0 to 55: lower the farther from the threshold; an overlooked paper is low, too."""
        return max(0, round(PICKED_FROM - 5 - 22 * abs(self.threshold - heard)))

    def _score(self, heard: float) -> int:
        """80 at `eight`, 90 at `nine`, and straight between and beyond."""
        score = 80 + 10 * (heard - self.eight) / (self.nine - self.eight)
        return max(PICKED_FROM, min(100, math.floor(score)))

    def chance_of(self, score: int | None, latent: float) -> float:
        """How probably a reading gives this score (in steps of ten; None: no pick) to a paper of this relevance."""
        if score is None:
            return 1 - self.chance(latent)
        above_eight = _NORMAL.cdf((latent - self.eight) / self.score_sd)
        above_nine = _NORMAL.cdf((latent - self.nine) / self.score_sd)
        level = above_nine if score >= 90 else above_eight - above_nine if score >= 80 else 1 - above_eight
        return self.chance(latent) * max(level, 0.0)


MEASURED = Noise()


def latent_given(
    noise: Noise, said: Sequence[int | None], key: str, *, mean: float = 0.0, variance: float | None = None
) -> float:
    """A relevance that fits what readings said (scores, None for no pick), drawn by the key.

    `mean` and `variance` are what was known of the paper before: without them, that it is one of many.
    """
    spread = noise.reliability if variance is None else variance
    levels = tuple(None if score is None else min(90, max(70, score // 10 * 10)) for score in said)
    sums = _posterior(noise, levels, round(mean, 2), spread)
    at = bisect_left(sums, uniform(f"{key}/latent") * sums[-1])
    return _GRID[min(at, len(_GRID) - 1)]


@lru_cache(maxsize=20_000)
def _posterior(noise: Noise, levels: tuple[int | None, ...], mean: float, spread: float) -> tuple[float, ...]:
    """Running sums of the density of L over the grid, given what was said."""
    prior = [math.exp(-((latent - mean) ** 2) / (2 * spread)) for latent in _GRID]
    for level in levels:
        prior = [weight * chance for weight, chance in zip(prior, _chances(noise, level), strict=True)]
    return tuple(accumulate(prior))


@cache
def _chances(noise: Noise, level: int | None) -> list[float]:
    return [noise.chance_of(level, latent) for latent in _GRID]


def uniform(key: str) -> float:
    """From 0 to 1, by the key."""
    return int.from_bytes(hashlib.blake2b(key.encode(errors="replace"), digest_size=7).digest()) / 2**56


def draw(key: str) -> float:
    """Standard normal, by the key."""
    return _NORMAL.inv_cdf(min(1 - 1e-12, max(1e-12, uniform(key))))
