"""From a model's answer to verdicts. Pure: nothing here trusts a byte of it.

Only labels that were given out, whole numbers from 0 to 100 and plain text come through. What is wrong about
one paper costs that paper only: a cut answer, an invented label or a doubled row leaves the others valid.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scoring import rubric

ROW = re.compile(r"([a-z][0-9])((?:[ ,;]+[0-9]{1,2}:[0-9]{1,3})*)[ ,;]*")
PAIR = re.compile(r"([0-9]{1,2}):([0-9]{1,3})")
# Longer than any honest answer about twenty papers; more is not read.
ANSWER_CHARACTERS = 60_000


@dataclass(frozen=True)
class Verdict:
    """One paper's checked answer. `scores` are in the revision's order; a reason may be empty."""

    label: str
    scores: tuple[int, ...]
    reason: str = ""
    quote: str = ""
    is_quote_verified: bool = False
    is_language_right: bool = True
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What an answer came to: verdicts by label, and what was wrong with the rest.

    `rejected` names labels whose row broke a rule; `missing` those without a row; `unknown` counts rows and
    reasons with a label that was never given out.
    """

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    unknown: int = 0
    is_truncated: bool = False

    @property
    def is_garbled(self) -> bool:
        """Not one row could be used."""
        return not self.verdicts


# From this score on a paper is one "the reader would be sorry to miss"; and the least company that tells anything.
CROWNED = 95
COMPANY = 4


def crowned_alone(verdicts: Mapping[str, Verdict]) -> str | None:
    """The label of the one paper that is praised to the skies where every other got nothing for any interest.

    So an answer looks that obeys a paper ("this one 100, all others 0") in words which no pattern knows.
    """
    praised = [label for label, verdict in verdicts.items() if any(verdict.scores)]
    if len(verdicts) < COMPANY or len(praised) != 1:
        return None
    return praised[0] if max(verdicts[praised[0]].scores) >= CROWNED else None


def read(
    answer: str, labels: Sequence[str], abstracts: Sequence[str], interests: int, language: str
) -> Reading:
    """Check an answer about the papers of these labels. Never raises on the model's account."""
    text = answer[:ANSWER_CHARACTERS]
    rows, reasons, is_truncated = find_items(text)
    scores, rejected, unknown = _scores_by_label(rows, set(labels), interests)
    said, strangers = _reasons_by_label(reasons, set(labels))
    verdicts = {
        label: _verdict(label, scores[label], said.get(label), abstract, language)
        for label, abstract in zip(labels, abstracts, strict=True)
        if label in scores
    }
    return Reading(
        verdicts=verdicts,
        missing=tuple(label for label in labels if label not in scores and label not in rejected),
        rejected=tuple(label for label in labels if label in rejected),
        unknown=unknown + strangers,
        is_truncated=is_truncated,
    )


def read_repairs(answer: str, labels: Sequence[str], language: str) -> dict[str, str]:
    """The reasons that came back in the asked language, by label."""
    _rows, reasons, _cut = find_items(answer[:ANSWER_CHARACTERS])
    said, _strangers = _reasons_by_label(reasons, set(labels))
    found = {label: inert(entry.get("r"), _reason_limit(language)) for label, entry in said.items()}
    return {label: text for label, text in found.items() if text and is_in_language(text, language)}


def read_explanation(answer: str, label: str, abstract: str, language: str) -> Verdict | None:
    """The reason that was asked for, checked like any other; None where none is usable. It carries no scores."""
    _rows, reasons, _cut = find_items(answer[:ANSWER_CHARACTERS])
    said, _strangers = _reasons_by_label(reasons, {label})
    found = _reasoned(label, (), said.get(label), abstract, language)
    return found if found.reason else None


# --- finding the items -----------------------------------------------------------------------------


def find_items(text: str) -> tuple[list[Any], list[Any], bool]:
    """Rows, reasons and whether the answer was cut: from the first JSON object, or item by item."""
    for answer in _objects(text):
        if "rows" in answer or "reasons" in answer:
            return _list(answer.get("rows")), _list(answer.get("reasons")), False
    rows = list(_items_after(text, "rows"))
    reasons = list(_items_after(text, "reasons"))
    return rows, reasons, bool(rows or reasons)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Whole JSON objects that start at one of the first few braces: fences and chatter are stepped over."""
    start = text.find("{")
    for _attempt in range(8):
        if start < 0:
            return
        try:
            value, _end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            yield value
        start = text.find("{", start + 1)


def _items_after(text: str, name: str) -> Iterator[Any]:
    """The items of a list that may break off: each is decoded on its own."""
    opening = re.search(rf'"{name}"\s*:\s*\[', text)
    position = opening.end() if opening else -1
    while 0 <= position < len(text):
        while position < len(text) and text[position] in " \t\r\n,":
            position += 1
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            return
        yield value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _unlike_json(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_unlike_json, parse_int=lambda digits: int(digits[:30]))


# --- rows ------------------------------------------------------------------------------------------


def _scores_by_label(
    rows: Sequence[object], labels: set[str], interests: int
) -> tuple[dict[str, tuple[int, ...]], set[str], int]:
    """Valid scores by label, rejected labels, and how many rows named an unknown label."""
    seen: set[str] = set()
    scores: dict[str, tuple[int, ...]] = {}
    rejected: set[str] = set()
    unknown = 0
    for row in rows:
        label = row.strip()[:2] if isinstance(row, str) else ""
        if label not in labels:
            unknown += 1
            continue
        checked = _scores_of(str(row).strip(), interests)
        if label in seen or checked is None:
            rejected.add(label)
            scores.pop(label, None)
        else:
            scores[label] = checked
        seen.add(label)
    return scores, rejected, unknown


def _scores_of(row: str, interests: int) -> tuple[int, ...] | None:
    """The row's scores, 0 where none is given; None when anything in it breaks a rule."""
    match = ROW.fullmatch(row)
    if match is None:
        return None
    scores = [0] * interests
    named: set[int] = set()
    for number, score in ((int(n), int(s)) for n, s in PAIR.findall(match[2])):
        if not 1 <= number <= interests or score > 100 or number in named:
            return None
        named.add(number)
        scores[number - 1] = score
    return tuple(scores)


# --- reasons ---------------------------------------------------------------------------------------


def _reasons_by_label(entries: Sequence[object], labels: set[str]) -> tuple[dict[str, dict[str, Any]], int]:
    """Reasons by label, and how many named an unknown one. Two for one paper: neither is kept."""
    said: dict[str, dict[str, Any]] = {}
    doubled: set[str] = set()
    strangers = 0
    for entry in entries:
        label = entry.get("p") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(label, str) or label.strip() not in labels:
            strangers += 1
            continue
        label = label.strip()
        if label in said:
            doubled.add(label)
        said[label] = entry
    return {label: entry for label, entry in said.items() if label not in doubled}, strangers


def _verdict(
    label: str, scores: tuple[int, ...], said: dict[str, Any] | None, abstract: str, language: str
) -> Verdict:
    if max(scores, default=0) < rubric.REASON_THRESHOLD:
        return Verdict(label, scores)
    return _reasoned(label, scores, said, abstract, language)


def _reasoned(
    label: str, scores: tuple[int, ...], said: dict[str, Any] | None, abstract: str, language: str
) -> Verdict:
    if said is None:
        return Verdict(label, scores, flags=("no_reason",))
    reason = inert(said.get("r"), _reason_limit(language))
    if repeats_the_rules(reason):
        return Verdict(label, scores, flags=("no_reason", "leak"))
    quote = inert(said.get("q"), QUOTE_CHARACTERS)
    stands = stands_in(quote, abstract)
    flags = () if reason else ("no_reason",)
    return Verdict(
        label,
        scores,
        reason=reason,
        quote=quote if stands else "",
        is_quote_verified=stands,
        is_language_right=not reason or is_in_language(reason, language),
        flags=flags if stands or not reason else (*flags, "quote_unverified"),
    )


QUOTE_CHARACTERS = 160
_TAG = re.compile(r"<[^<>]{0,2000}>|<!--.*?-->", re.DOTALL)
_COMMAND = re.compile(
    r"\\(?:href|url|html\w*|includegraphics|input|def|let|newcommand|csname)\b", re.IGNORECASE
)
_SCHEME = re.compile(r"\b(?:javascript|data|vbscript|file|https?|ftp)\s*:", re.IGNORECASE)
# What leaks of a prompt or an answer's frame: marks, "Score: 8", "Field: …" at the end, brackets.
_LEAK = re.compile(
    r"\[\[[^\[\]]{0,40}\]\]|\b(?:score|rating)\s*[:：]\s*[0-9][0-9./]*|(?:评分|得分)\s*[:：]\s*[0-9][0-9./]*"
    r"|\bfield\s*[:：]\s*\S+\s*$|[{}\[\]`|]",
    re.IGNORECASE,
)


def inert(value: object, limit: int) -> str:
    """One plain line: no markup, links, commands, control or invisible characters; at most `limit` long.

    Escaping where it is shown is still the sink's duty; this only leaves nothing worth escaping.
    """
    if not isinstance(value, str):
        return ""
    text = rubric.clean(value[: 20 * limit], 20 * limit)
    for pattern in (_TAG, _COMMAND, _SCHEME, _LEAK):
        text = pattern.sub(" ", text)
    text = text.replace("<", " ").replace(">", " ").replace("\\", " ")
    text = re.sub(r"\s+", " ", text).strip(" \t-*#=+@")
    if len(text) <= limit:
        return text
    return text[: limit - 1].rstrip() + "…"


def _reason_limit(language: str) -> int:
    return 2 * rubric.REASON_CHARACTERS.get(language, 200)


def stands_in(quote: str, abstract: str) -> bool:
    """Whether the quote's letters and digits stand in the abstract in this order, whatever the signs between."""
    wanted = _bare(quote)
    return len(wanted) >= 8 and wanted in _bare(abstract)


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def repeats_the_rules(text: str) -> bool:
    """Whether six words in a row come from the rubric: a leaking model, not a reason."""
    words = _words(text)
    return any(words[at : at + _RUN] in _RULE_RUNS for at in range(len(words) - _RUN + 1))


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z]+", text.lower()))


_RUN = 6
_RULE_WORDS = _words(rubric.RULES.split("Example with")[0])
_RULE_RUNS = frozenset(_RULE_WORDS[at : at + _RUN] for at in range(len(_RULE_WORDS) - _RUN + 1))

_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]+")


def is_in_language(text: str, language: str) -> bool:
    """By script: Chinese is at least a third Han beside its Latin words; English has next to none.

    Names of methods stay Latin in Chinese sentences, so each Latin word counts as one sign.
    """
    han = len(_HAN.findall(text))
    words = len(_LATIN_WORD.findall(text))
    if language.startswith("zh"):
        return han >= 4 and han >= words
    return han <= 2 and words >= 2
