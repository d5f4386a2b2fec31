"""From a title or an abstract to the words that ranking compares. Pure and deterministic; no Django, no numpy.

A word is lower case, without accents, stemmed a little (plurals and the commonest English endings), and no
stop word. A hyphenated word counts as its parts and as one word, so that "pre-training" meets "pretraining".
Chinese has no spaces: a run of ideographs counts as its overlapping pairs. Mathematics is left out, for its
letters are no words.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

_STOP_WORDS = """
    a about above across after again against al all also although always among an and another any are
    as at be because been before being between both but by can cannot could did do does doing done due during
    each e.g either et etc even every few first for from further given had has have having hence her here his
    how however i i.e if in into is it its itself just least less let many may might more moreover most much
    must nor not of off often on once one only onto or other others our out over own per rather same second
    see several shall she should since so some such than that the their them then there thereby therefore
    these they this those three through throughout thus to together too toward towards two under until up
    upon us use used uses using very via was we well were what when where whereas whether which while who
    whom whose why will with within without would yet you your
    paper propose proposed proposes present presents show shows showing demonstrate demonstrates achieve
    achieves approach novel introduce introduces result results extensive significant significantly
    existing recent recently work works study studies address addresses new available github https http www
    com"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

_MATH = re.compile(r"\$\$.*?\$\$|\$[^$]{0,400}\$|\\\(.*?\\\)|\\\[.*?\\\]", re.DOTALL)
_ADDRESS = re.compile(r"https?://\S+|www\.\S+")
_COMMAND = re.compile(r"\\[a-zA-Z]+\*?")
_CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff"
_RUN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+(?:[-\u2010\u2011'\u2019][^\W_{_CJK}]+)*")
_BREAKS = r".,;:!?()\[\]{}\u3002\uff0c\uff1b\uff1a\uff01\uff1f\u3001\uff08\uff09"
_BREAK = re.compile(f"[{_BREAKS}]")
_RUN_OR_BREAK = re.compile(rf"{_RUN.pattern}|[{_BREAKS}]")
_IDEOGRAPH = re.compile(rf"[{_CJK}]")
_JOINT = re.compile(r"[-\u2010\u2011]")
_APOSTROPHE = re.compile(r"['\u2019]")
_LONGEST_WORD = 40


def plain(text: str) -> str:
    """The text without mathematics, addresses and TeX commands; accents folded, width folded."""
    # Most texts have none of these, and a look for one character is far cheaper than a pattern.
    has_command = "\\" in text
    if has_command or "$" in text:
        text = _MATH.sub(" ", text)
    if "http" in text or "www." in text:
        text = _ADDRESS.sub(" . ", text)
    if has_command:
        text = _COMMAND.sub(" ", text)
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return text.casefold()


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """A light stem: "optimizers" and "optimizer" meet, "training" and "trained" meet; never under 3 letters."""
    if len(word) <= 3 or not word.isascii() or not word.isalpha():
        return word
    word = _without_plural(word)
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return _undoubled(word[: -len(ending)] + instead)
    return word


_ENDINGS = (
    ("izations", "iz"),
    ("ization", "iz"),
    ("isation", "iz"),
    ("izing", "iz"),
    ("ising", "iz"),
    ("ized", "iz"),
    ("ised", "iz"),
    ("izer", "iz"),
    ("ize", "iz"),
    ("ability", "abl"),
    ("ibility", "ibl"),
    ("able", "abl"),
    ("ible", "ibl"),
    ("ations", "at"),
    ("ation", "at"),
    ("ating", "at"),
    ("ated", "at"),
    ("ative", "at"),
    ("ator", "at"),
    ("ate", "at"),
    ("ings", ""),
    ("ing", ""),
    ("edly", ""),
    ("ed", ""),
    ("ness", ""),
    ("ment", ""),
    ("ally", "al"),
    ("ly", ""),
    ("ies", "i"),
    ("y", "i"),
    ("e", ""),
)


def _without_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _undoubled(word: str) -> str:
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        return word[:-1]
    return word


def words(text: str) -> list[str]:
    """The stemmed words of the text in order, over all its clauses."""
    return [word for clause in clauses(text) for word in clause]


def clauses(text: str) -> Iterator[list[str]]:
    """The stemmed words, clause by clause: no phrase reaches over punctuation."""
    for clause in _clauses(text):
        if found := [word for each, _whole in clause for word in each]:
            yield found


def joined(text: str) -> Iterator[str]:
    """Each hyphenated word of the text as one stemmed word: "pre-training" gives the stem of "pretraining"."""
    return (whole for clause in _clauses(text) for _each, whole in clause if whole)


def terms(text: str) -> Iterator[str]:
    """Words, hyphenated words joined, and pairs of neighbours ("languag model"), with repetitions."""
    for clause in _clauses(text):
        found = [word for each, _whole in clause for word in each]
        yield from found
        yield from (f"{first} {second}" for first, second in pairwise(found))
        yield from (whole for _each, whole in clause if whole)


def _clauses(text: str) -> Iterator[list[tuple[tuple[str, ...], str]]]:
    clause: list[tuple[tuple[str, ...], str]] = []
    for run in runs(text):
        if (found := parsed(run)) is not None:
            clause.append(found)
        elif clause:
            yield clause
            clause = []
    yield clause


def runs(text: str) -> list[str]:
    """The text's words as they stand, stop words among them, and between them the marks that end a clause."""
    return _RUN_OR_BREAK.findall(plain(text))


@lru_cache(maxsize=100_000)
def parsed(run: str) -> tuple[tuple[str, ...], str] | None:
    """The stemmed words of a run and, if it is hyphenated, the stem of it as one word; None for a mark."""
    if _IDEOGRAPH.match(run):
        return tuple(run[i : i + 2] for i in range(max(1, len(run) - 1))), ""
    if _BREAK.match(run):
        return None
    parts = _JOINT.split(run)
    heads = (_APOSTROPHE.split(part, maxsplit=1)[0] for part in parts)
    is_joined = len(parts) > 1 and len(run) <= _LONGEST_WORD and all(part.isalnum() for part in parts)
    return tuple(stem(word) for word in heads if _is_word(word)), stem("".join(parts)) if is_joined else ""


def _is_word(part: str) -> bool:
    return 1 < len(part) <= _LONGEST_WORD and part not in STOP_WORDS and not part.isdigit()
