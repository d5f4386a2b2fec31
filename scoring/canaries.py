"""FACTS: papers of our own that ride along in a block, and what their scores tell of the whole answer. Pure.

A low canary is about nothing that anybody asked for: an answer in which it is worth something has lifted
everything. A high canary is a title alone that names what the reader asked for (the rubric keeps a paper
without an abstract under the threshold of reasons): an answer in which it sinks far below its own earlier readings
has pushed everything down. Their words are no secret; labels and places are random.

What they take: about 85 tokens a block, some four a paper in blocks of twenty.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from scoring.rubric import PaperText, RevisionText, clean

# In smaller company a canary costs more than it tells.
LEAST_COMPANY = 4
# A label alone means less than this: a low canary that is named in the answer has been lifted.
LOW_TRIPS_FROM = 20
# So many earlier readings tell what a high canary is worth to this model, and so far below it trips.
LEAST_HISTORY = 3
HIGH_TRIPS_BELOW = 20
# Where its usual score is less than this, it says nothing: the model does not take it for what it is meant to be.
LEAST_USUAL = 35
TRIPPED = "canary"

_LOW = {
    "lighthouse": (
        "On the dating of three lighthouse logbooks",
        "We compare ink and paper of three coastal logbooks and date each of them to within four years.",
    ),
    "bells": (
        "The casting marks of two village bells",
        "Two bells in neighbouring parishes carry one founder's mark; we describe how the mark was cut.",
    ),
    "cheese": (
        "Rind colour in a cellar-ripened mountain cheese",
        "We photograph forty wheels during one winter and note when the rind turns from ivory to brown.",
    ),
    "timetables": (
        "Misprints in a branch line's timetable of 1911",
        "A printed timetable lists two trains that never ran; station ledgers show how the error came about.",
    ),
    "hedges": (
        "Boundary hedges along a parish road",
        "We count the shrubs of eleven hedges and compare them with the enclosure map of the parish.",
    ),
    "knots": (
        "Rope work in a fishermen's chapel",
        "Four votive ropes in a chapel are described, with drawings of their splices and their mending.",
    ),
    "almanacs": (
        "Marginal notes in a farmer's almanac",
        "A farmer's almanac holds notes on frost and fairs; we transcribe them and name three writers.",
    ),
    "tiles": (
        "Roof tiles with a potter's thumb print",
        "Nine roof tiles from one barn show a thumb print; we describe the clay and the place of firing.",
    ),
}


@dataclass(frozen=True)
class Canary:
    """`name` is its key, "high" for the one that says what the reader asked for."""

    name: str
    text: PaperText

    @property
    def is_high(self) -> bool:
        return self.name == HIGH


HIGH = "high"


def chosen(key: str, revision: RevisionText, share: float, spent: Collection[str]) -> tuple[Canary, ...]:
    """The canaries of one block. The same key draws the same ones; who writes papers does not know the key.

    `share` is the share of blocks that have any, `spent` names those that cried lately and are not heard again.
    """
    drawn = int.from_bytes(hashlib.sha256(f"canary {key}".encode()).digest()[:8])
    if (drawn % 10_000) >= share * 10_000:
        return ()
    low = _least_akin(drawn // 10_000, revision, spent)
    high = [Canary(HIGH, _what_is_asked_for(revision))] if revision.interests else []
    return tuple(([low] if low is not None else []) + high)


def _least_akin(drawn: int, revision: RevisionText, spent: Collection[str]) -> Canary | None:
    """One of those that share the fewest words with what the reader asked for."""
    wanted = _words(" ".join(f"{each.name} {each.description}" for each in revision.interests))
    left = {name: text for name, text in _LOW.items() if name not in spent}
    shared = {name: len(wanted & _words(" ".join(text))) for name, text in left.items()}
    best = [name for name in left if shared[name] == min(shared.values())]
    if not best or shared[best[0]] > 2:
        return None
    name = best[drawn % len(best)]
    return Canary(name, PaperText(*_LOW[name]))


def _what_is_asked_for(revision: RevisionText) -> PaperText:
    """The same text for a revision each time, so that its readings can be compared."""
    name = clean(revision.interests[0].name, 120)
    return PaperText(f"A new method and a general result for {name}", "")


def is_tripped(scores: Mapping[str, int], history: Sequence[int]) -> bool:
    """Whether an answer is not to be believed, by the best score of each canary and the high one's history."""
    if any(score >= LOW_TRIPS_FROM for name, score in scores.items() if name != HIGH):
        return True
    if HIGH not in scores or len(history) < LEAST_HISTORY:
        return False
    usual = median(history)
    return usual >= LEAST_USUAL and usual - scores[HIGH] >= HIGH_TRIPS_BELOW


def allowance(papers: int) -> int:
    """How many blocks of a day may be read apart because of a canary: a tenth of its papers in blocks of twenty."""
    return max(1, papers // 200)


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"[a-z]{4,}", text.lower()) if word not in _COMMON)


_COMMON = frozenset(
    ["from", "with", "that", "them", "their", "each", "when", "which", "other", "what", "have"]
)
