"""What a server that speaks the chat-completions API can do, learned by asking. Pure.

Servers differ in the response format they know, in the name of the output cap and in optional parameters. Each
ladder steps down only on a refusal (400, 422) that names the thing, and what was learned is remembered.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from scoring.rubric import Prompt

FORMATS = ("json_schema", "json_object", "text")
CAPS = ("max_completion_tokens", "max_tokens")


@dataclass(frozen=True)
class Abilities:
    """What was learned of a server: the rung of each ladder, and whether it thinks at our cost.

    `reasoning_per_paper` is room for thinking beside the visible answer, raised when a cap was eaten by it.
    """

    response_format: str = FORMATS[0]
    cap_name: str = CAPS[0]
    refused_params: tuple[str, ...] = ()
    reasoning_per_paper: int = 0

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Abilities":
        """From a row; what is not known there starts at the top."""
        made = cls()
        if stored.get("response_format") in FORMATS:
            made = replace(made, response_format=stored["response_format"])
        if stored.get("cap_name") in CAPS:
            made = replace(made, cap_name=stored["cap_name"])
        return replace(
            made,
            refused_params=tuple(stored.get("refused_params", ())),
            reasoning_per_paper=int(stored.get("reasoning_per_paper", 0)),
        )

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "refused_params": list(self.refused_params)}


def cap_of(prompt: Prompt, abilities: Abilities) -> int:
    """The most output tokens that will be asked for: visible answer and room to think."""
    return prompt.max_output_tokens + abilities.reasoning_per_paper * max(1, len(prompt.labels))


def request_body(
    prompt: Prompt, model: str, abilities: Abilities, *, extra_params: Mapping[str, Any], payer: str
) -> dict[str, Any]:
    """The body of a chat-completions request on these rungs; the operator's own parameters win."""
    request: dict[str, Any] = {
        "model": model,
        "messages": [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ],
        abilities.cap_name: cap_of(prompt, abilities),
        "temperature": 0,
    }
    if abilities.response_format == "json_schema":
        schema = {"name": prompt.schema_name, "strict": True, "schema": prompt.schema}
        request["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif abilities.response_format == "json_object":
        request["response_format"] = {"type": "json_object"}
    if prompt.cache_key:
        request["prompt_cache_key"] = prompt.cache_key
    if payer:
        request["safety_identifier"] = payer
    request.update(extra_params)
    return {name: value for name, value in request.items() if name not in abilities.refused_params}


_REQUIRED = {"model", "messages", "response_format", "stream", *CAPS}


class StepDown(Exception):
    """A 400 or 422 that names something that can be left out. Nothing was billed."""

    def __init__(self, named: str) -> None:
        super().__init__(named)
        self.named = named

    def abilities_below(self, abilities: Abilities) -> Abilities:
        if self.named == "response_format":
            below = min(FORMATS.index(abilities.response_format) + 1, len(FORMATS) - 1)
            return replace(abilities, response_format=FORMATS[below])
        if self.named in CAPS:
            return replace(abilities, cap_name=CAPS[1])
        return replace(abilities, refused_params=(*abilities.refused_params, self.named))


_FORMAT_WORDS = ("response_format", "json_schema", "json_object", "structured output", "response format")


def named_refusal(request: Mapping[str, Any], param: str, message: str) -> str | None:
    """Which part of the request the refusal names, if it can be left out or said otherwise."""
    said = f"{param} {message}".lower()
    for name in request:
        if name not in _REQUIRED and re.search(rf"\b{re.escape(name.lower())}\b", said):
            return name
    if CAPS[0] in request and CAPS[0] in said:
        return CAPS[0]
    if "response_format" in request and any(word in said for word in _FORMAT_WORDS):
        return "response_format"
    return None


MOST_REASONING_PER_PAPER = 1600


def with_room_to_think(abilities: Abilities, reasoning_tokens: int, papers: int) -> Abilities:
    """Thinking ate the cap: double what it took, so that the next call has room for an answer too."""
    wanted = max(100, 2 * reasoning_tokens // max(1, papers))
    wanted = max(wanted, 2 * abilities.reasoning_per_paper)
    return replace(abilities, reasoning_per_paper=min(wanted, MOST_REASONING_PER_PAPER))
