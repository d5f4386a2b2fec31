"""How the simulated model reads a prompt and what it says. Pure and deterministic: same prompt, same answer.

It finds the papers by their marks and the interests by their numbers, as a model would; a paper scores by the
words it shares with an interest, with a little noise from the seed, or as a file of labels says.
"""

import hashlib
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scoring.screening.expand import expand

MARK = re.compile(r"^\[\[(\w+) (\w+)\]\]$", re.MULTILINE)
INTEREST = re.compile(r"^([0-9]{1,2})\. (.+)$", re.MULTILINE)
WORD = re.compile(r"[a-z][a-z0-9]+|[\u4e00-\u9fff]{2,}")
COMMON = frozenset(
    re.findall(
        r"\S+",
        """the and for with from that this are was our its into via using based new towards toward model models
        method methods learning paper approach etc other such than can not but all any has have how their they
        more most over under large""",
    )
)
_WIDER = ("theory", "benchmark", "scaling", "training", "evaluation")
# Noise on a score, as a share of its distance from 0 and 100.
NOISE = 0.12
# With fewer labels than this the share of picks among them says nothing.
FEW_LABELS = 50


@dataclass(frozen=True)
class ReadPaper:
    label: str
    title: str
    abstract: str


@dataclass(frozen=True)
class ReadPrompt:
    """What the model understood of a request."""

    interests: tuple[tuple[str, str], ...]
    papers: tuple[ReadPaper, ...]
    is_chinese: bool


@dataclass(frozen=True)
class Opinion:
    """What it thinks of one paper."""

    label: str
    scores: tuple[int, ...]
    reason: str = ""
    quote: str = ""


@dataclass(frozen=True)
class Labels:
    """Recorded judgements by title: `{"title", "scores": {interest name: 0-100}, "reason"}`. Unknown: all zero.

    Where the truth is known and not one reading of it, `chances` (from 0 to 1, by interest) stand in place of
    `scores`: how probably a reading picks the paper. Only a model with noise uses them.
    """

    by_title: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _shares: dict[tuple[str, ...], float] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_lines(cls, lines: Sequence[str]) -> "Labels":
        rows = (json.loads(line) for line in lines if line.strip())
        return cls({title_key(row["title"]): row for row in rows})

    def share_of_picks(self, names: tuple[str, ...]) -> float | None:
        """Which share of the papers has a score of 60 or more for one of these interests; None if few are labelled."""
        if len(self.by_title) < FEW_LABELS:
            return None
        if names not in self._shares:
            picked = sum(
                any(row.get("scores", {}).get(name, 0) >= 60 for name in names)
                for row in self.by_title.values()
            )
            self._shares[names] = picked / len(self.by_title)
        return self._shares[names]


def title_key(title: str) -> str:
    return re.sub(r"\W+", "", title).casefold()


def understand(system: str, user: str) -> ReadPrompt:
    """The interests and papers of a judging prompt."""
    own_words = system.rpartition("The reader's interests\n")[2]
    before_lists = re.split(r"^The reader's (?:exclusions|note)", own_words, flags=re.MULTILINE)[0]
    interests = tuple(
        (name, description.strip())
        for name, _, description in (found[1].partition(": ") for found in INTEREST.findall(before_lists))
    )
    return ReadPrompt(interests, tuple(_papers(user)), "Simplified Chinese" in own_words)


def _papers(user: str) -> list[ReadPaper]:
    marks = list(MARK.finditer(user))
    papers = []
    for mark, following in itertools.pairwise(marks):
        title, _, abstract = user[mark.end() : following.start()].strip().partition("\n")
        papers.append(ReadPaper(mark[2], title.strip(), abstract.strip()))
    return papers


def opinions(prompt: ReadPrompt, *, labels: Labels | None, seed: int) -> list[Opinion]:
    return [_opinion(paper, prompt, labels, seed) for paper in prompt.papers]


def _opinion(paper: ReadPaper, prompt: ReadPrompt, labels: Labels | None, seed: int) -> Opinion:
    recorded = labels.by_title.get(title_key(paper.title), {}) if labels else {}
    if labels is not None:
        named = recorded.get("scores", {})
        scores = tuple(int(named.get(name, 0)) for name, _description in prompt.interests)
    else:
        scores = tuple(
            with_noise(overlap_score(paper, f"{name} {description}"), f"{seed}/{paper.title}/{name}")
            for name, description in prompt.interests
        )
    return opinion_of(paper, prompt, scores, str(recorded.get("reason") or ""))


def opinion_of(paper: ReadPaper, prompt: ReadPrompt, scores: tuple[int, ...], reason: str = "") -> Opinion:
    """The scores with a reason and a quote, where they ask for one."""
    best = max(range(len(scores)), key=scores.__getitem__, default=None)
    if best is None or scores[best] < 60:
        return Opinion(paper.label, scores)
    shared = shared_words(paper, " ".join(prompt.interests[best])) or words(paper.title)[:2]
    reason = reason or reason_about(shared, is_chinese=prompt.is_chinese)
    return Opinion(paper.label, scores, reason, quote_about(paper.abstract, shared))


def words(text: str) -> list[str]:
    """Words that say something, in order, without a plural's s."""
    found = (word.rstrip("s") if len(word) > 3 else word for word in WORD.findall(text.lower()))
    return [word for word in found if word not in COMMON and len(word) > 2]


def shared_words(paper: ReadPaper, interest: str) -> list[str]:
    wanted = set(words(interest))
    return list(dict.fromkeys(word for word in words(f"{paper.title} {paper.abstract}") if word in wanted))


def overlap_score(paper: ReadPaper, interest: str) -> int:
    """0 to 97: how much of the interest's vocabulary the paper uses, its title counting double."""
    wanted = set(words(interest))
    title, body = set(words(paper.title)), words(paper.abstract)
    weight = sum(1.6 * (word in title) + min(2, body.count(word)) * 0.55 for word in wanted)
    return round(97 * (1 - math.exp(-weight / 3.4)))


def with_noise(score: int, key: str) -> int:
    """A repeatable nudge; 0 stays 0."""
    if score == 0:
        return 0
    draw = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32 - 0.5
    return max(0, min(100, round(score + 2 * NOISE * draw * min(score, 100 - score) + 6 * draw)))


def reason_about(shared: Sequence[str], *, is_chinese: bool) -> str:
    about = list(shared[:3])
    if is_chinese:
        return f"围绕{'、'.join(about)}提出了新的做法，并在摘要中给出了支持其有效性的结果。"
    return f"Presents new work on {', '.join(about)} and reports results in support of it."


def quote_about(abstract: str, shared: Sequence[str]) -> str:
    """Six words of the abstract, around the first shared one."""
    spoken = abstract.split()
    at = next((i for i, word in enumerate(spoken) if any(s in word.lower() for s in shared)), 0)
    start = max(0, min(at - 2, len(spoken) - 6))
    return " ".join(spoken[start : start + 6])


def translations(system: str, user: str) -> str | None:
    """The answer to a repair prompt; None when the prompt is none."""
    if not system.startswith('Translate each "r" into'):
        return None
    entries = json.loads(user)
    is_chinese = "Simplified Chinese" in system
    told = [
        {"p": entry["p"], "r": reason_about(words(entry["r"])[:2] or ["this"], is_chinese=is_chinese)}
        for entry in entries
    ]
    return json.dumps({"reasons": told}, ensure_ascii=False, separators=(",", ":"))


def explanation(system: str, user: str) -> str | None:
    """The answer to a question why; None when the prompt is none."""
    if "\nYour scores: " not in user:
        return None
    prompt = understand(system, user)
    told = [_why(paper, prompt) for paper in prompt.papers]
    return json.dumps({"reasons": told}, ensure_ascii=False, separators=(",", ":"))


def suggestion(system: str, user: str) -> str | None:
    """The answer to a question for terms; None when the prompt is none."""
    if not system.startswith("You name search terms"):
        return None
    _mark, name, *description = [line for line in user.splitlines() if line][:-1]
    found = [term.text for term in expand(name, " ".join(description)).terms]
    told = [*found, *(f"{word} {head}" for head in words(name)[:2] or ["open"] for word in _WIDER)]
    return json.dumps({"terms": told}, ensure_ascii=False, separators=(",", ":"))


def _why(paper: ReadPaper, prompt: ReadPrompt) -> dict[str, str]:
    shared = shared_words(paper, " ".join(f"{name} {text}" for name, text in prompt.interests))
    about = shared or words(paper.title)[:2] or ["this"]
    said = reason_about(about, is_chinese=prompt.is_chinese)
    return {"p": paper.label, "r": said, "q": quote_about(paper.abstract, about)}


def answer_of(given: Sequence[Opinion]) -> str:
    """The rubric's wire form, as compact as it asks for."""
    rows = [
        " ".join([o.label, *(f"{n}:{score}" for n, score in enumerate(o.scores, start=1) if score >= 20)])
        for o in given
    ]
    reasons = [{"p": o.label, "r": o.reason, "q": o.quote} for o in given if max(o.scores, default=0) >= 60]
    return json.dumps({"rows": rows, "reasons": reasons}, ensure_ascii=False, separators=(",", ":"))
