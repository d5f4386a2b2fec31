"""What a provider reports of a call, whether that can be believed, and what it costs. Pure.

A budget token is an input or output token as the provider reports it: cached input is part of the input,
reasoning part of the output, both at full count. Only money knows the difference.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass

# A bill above ten holds and a margin is no bill: nothing that fits into a call's deadline costs that much.
ABSURD_FACTOR = 10
ABSURD_MARGIN = 100_000
MILLION = 1_000_000


@dataclass(frozen=True)
class Usage:
    """Tokens of one call. `cached_tokens` are among the input's, `reasoning_tokens` among the output's."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def is_usable(self, held_tokens: int) -> bool:
        """Whether it can be a bill: whole numbers, not negative, not nothing, parts within their wholes."""
        if any(type(part) is not int or part < 0 for part in astuple(self)):
            return False
        if self.cached_tokens > self.input_tokens or self.reasoning_tokens > self.output_tokens:
            return False
        if held_tokens and not self.input_tokens:
            return False
        return self.total_tokens <= ABSURD_FACTOR * held_tokens + ABSURD_MARGIN


@dataclass(frozen=True)
class Prices:
    """Micro-dollars per million tokens. None for cached or reasoning: as other input, as other output."""

    input_microusd: int = 0
    cached_microusd: int | None = None
    output_microusd: int = 0
    reasoning_microusd: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether anybody has named a price: without one money is not spoken of."""
        return any((self.input_microusd, self.cached, self.output_microusd, self.reasoning))

    @property
    def cached(self) -> int:
        return self.input_microusd if self.cached_microusd is None else self.cached_microusd

    @property
    def reasoning(self) -> int:
        return self.output_microusd if self.reasoning_microusd is None else self.reasoning_microusd

    def of(self, usage: Usage) -> int:
        """The cost in micro-dollars, rounded half up once, at the end."""
        millionths = (
            (usage.input_tokens - usage.cached_tokens) * self.input_microusd
            + usage.cached_tokens * self.cached
            + (usage.output_tokens - usage.reasoning_tokens) * self.output_microusd
            + usage.reasoning_tokens * self.reasoning
        )
        return (millionths + MILLION // 2) // MILLION

    def at_most(self, tokens: int) -> int:
        """The cost of tokens whose kind is unknown, all at the dearest price."""
        dearest = max(self.input_microusd, self.cached, self.output_microusd, self.reasoning)
        return (tokens * dearest + MILLION // 2) // MILLION


def from_response(reported: object) -> Usage | None:
    """The `usage` object of a chat completion, whatever it is; None where it is missing, zero or no number.

    Whether it can be a bill beside its hold is for `Usage.is_usable` to say.
    """
    if not isinstance(reported, Mapping):
        return None
    read, written = _count(reported.get("prompt_tokens")), _count(reported.get("completion_tokens"))
    if not read or not written:
        return None
    total = _count(reported.get("total_tokens")) or 0
    reasoning = _count(_inside(reported, "completion_tokens_details", "reasoning_tokens")) or 0
    cached = _count(_inside(reported, "prompt_tokens_details", "cached_tokens"))
    if cached is None:
        cached = _count(reported.get("prompt_cache_hit_tokens")) or 0
    return Usage(
        input_tokens=read,
        # Some servers count reasoning beside the completion: the total then tells.
        output_tokens=max(written, total - read, reasoning),
        cached_tokens=min(cached, read),
        reasoning_tokens=reasoning,
    )


def _count(value: object) -> int | None:
    """A whole number from 0; None for anything else, `True` and "372" among it."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value


def _inside(reported: Mapping[str, object], outer: str, inner: str) -> object:
    details = reported.get(outer)
    return details.get(inner) if isinstance(details, Mapping) else None
