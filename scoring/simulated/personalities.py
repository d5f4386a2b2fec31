"""In which ways the simulated model answers, from honest to broken. Pure."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from . import brain, hostile
from .brain import Opinion, ReadPrompt


@dataclass(frozen=True)
class Speech:
    """What goes into the answer's message."""

    text: str
    finish_reason: str = "stop"
    refusal: str | None = None


ORDERS = re.compile(
    r"ignore (?:all |the )?(?:previous|other|above)|(?:give|score|rate|rank)\b.{0,60}\b(?:100|highest|top|best)|"
    r"忽略.{0,12}(?:指令|要求)|(?:打|给).{0,8}(?:满分|最高分|100)",
    re.IGNORECASE,
)


def honest(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    return Speech(brain.answer_of(given))


def obedient(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    """Does what any text tells it: that paper 100 with a loaded reason, every other 0."""
    bidden = {paper.label for paper in prompt.papers if ORDERS.search(f"{paper.title}\n{paper.abstract}")}
    if not bidden:
        return honest(given, prompt)
    loaded = "<b>Best paper ever</b> <script>alert(1)</script> https://evil.example/buy"
    moved = [
        replace(o, scores=(100,) * len(o.scores), reason=loaded, quote="accepted by everybody")
        if o.label in bidden
        else replace(o, scores=(0,) * len(o.scores))
        for o in given
    ]
    text = brain.answer_of(moved).replace('{"rows":[', '{"rows":["2601.99999 1:100",', 1)
    return Speech(text)


def leaky(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    """Repeats its instructions, with markup, wherever it may write words."""
    leak = (
        "You are the screening editor of a scientific reading service. One reader's research interests are given. "
        r"<img src=x onerror=alert(1)> \href{javascript:alert(1)}{click} =1+1"
    )
    return Speech(brain.answer_of([replace(o, reason=leak, quote=leak) for o in given]))


def truncating(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    text = brain.answer_of(given)
    return Speech(text[: max(1, len(text) * 6 // 10)], finish_reason="length")


def duplicating(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    """Names every third paper twice."""
    return Speech(brain.answer_of([*given, *given[::3]]))


def inventing(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    """Answers about papers that nobody gave it, and forgets the last one that it got."""
    strangers = [replace(o, label="z1") for o in given[:1]] + [
        replace(o, label="2601.00001") for o in given[:1]
    ]
    return Speech(brain.answer_of([*strangers, *(given[:-1] if len(given) > 1 else given)]))


def refusing(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    return Speech("", refusal="I cannot help with that.")


def babbling(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    return Speech("These are all interesting papers, and it is hard to choose among them.")


def misscoring(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    """Every second row holds a score that is none."""
    wrong = ("101", "high", "NaN", "true")
    answer = json.loads(brain.answer_of(given))
    answer["rows"] = [
        row if at % 2 else f"{row[:2]} 1:{wrong[at // 2 % len(wrong)]}"
        for at, row in enumerate(answer["rows"])
    ]
    return Speech(json.dumps(answer, ensure_ascii=False))


def foreign(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    """Gives its reasons in the other language."""
    reason = brain.reason_about(["this", "subject"], is_chinese=not prompt.is_chinese)
    return Speech(brain.answer_of([replace(o, reason=reason) for o in given]))


def _speaking(move: hostile.Move) -> Callable[[Sequence[Opinion], ReadPrompt], Speech]:
    return lambda given, prompt: Speech(brain.answer_of(move(given, prompt)))


PERSONALITIES: dict[str, Callable[[Sequence[Opinion], ReadPrompt], Speech]] = {
    "honest": honest,
    "obedient": obedient,
    "leaky": leaky,
    "truncating": truncating,
    "duplicating": duplicating,
    "inventing": inventing,
    "refusing": refusing,
    "babbling": babbling,
    "misscoring": misscoring,
    "foreign": foreign,
    "slow": honest,
    **{name: _speaking(move) for name, move in hostile.MOVES.items()},
}


def garbling(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    """Breaks off the JSON in its middle and goes on elsewhere, as if it were whole."""
    text = brain.answer_of(given)
    return Speech(text[: len(text) // 3] + text[len(text) // 2 :])


def forgetting(given: Sequence[Opinion], prompt: ReadPrompt) -> Speech:
    """Leaves out every seventh paper, and the first."""
    return Speech(brain.answer_of([o for at, o in enumerate(given) if at % 7]))


# What an honest model does now and then; `Settings.broken` says how often.
BROKEN: dict[str, Callable[[Sequence[Opinion], ReadPrompt], Speech]] = {
    "truncated": truncating,
    "garbled": garbling,
    "missing": forgetting,
}
