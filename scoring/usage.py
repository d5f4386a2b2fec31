"""What a model says that a call used, made safe to book. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

# Beyond this many times what was expected a figure is absurd: a broken counter, not a bill.
ABSURD_FACTOR = 20
ABSURD_SLACK = 10_000


@dataclass(frozen=True)
class Usage:
    """Tokens of one call. Cached is part of input, reasoning part of output.

    `is_flagged`: the provider's figures could not be used (missing, zero, negative, a string, absurd); the
    numbers are then 0, and whoever books it books the hold in full.
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    is_flagged: bool = False

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


UNUSABLE = Usage(is_flagged=True)
FREE = Usage()


def from_response(reported: object, *, expected_input: int, output_cap: int) -> Usage:
    """The `usage` object of a chat completion, whatever it is, as a Usage."""
    if not isinstance(reported, Mapping):
        return UNUSABLE
    read = _count(reported.get("prompt_tokens"))
    written = _count(reported.get("completion_tokens"))
    if not read or not written:
        return UNUSABLE
    total = _count(reported.get("total_tokens")) or 0
    reasoning = _count(_inside(reported, "completion_tokens_details", "reasoning_tokens")) or 0
    cached = _count(_inside(reported, "prompt_tokens_details", "cached_tokens"))
    if cached is None:
        cached = _count(reported.get("prompt_cache_hit_tokens")) or 0
    # Some servers count reasoning beside the completion: the total then tells.
    written = max(written, total - read, reasoning)
    if _is_absurd(read, expected_input) or _is_absurd(written, output_cap):
        return UNUSABLE
    return Usage(
        input_tokens=read,
        cached_tokens=min(cached, read),
        output_tokens=written,
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


def _is_absurd(tokens: int, expected: int) -> bool:
    return tokens > ABSURD_FACTOR * expected + ABSURD_SLACK
