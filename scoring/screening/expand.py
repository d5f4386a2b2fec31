"""An interest in its owner's words becomes some 35 English terms. Local, pure, deterministic.

English words are kept; Chinese is cut by longest match over `terms_zh.tsv`; terms that usually go with what
was found are added from `related.tsv`. The owner sees the terms and may edit them: a list of their own (or
a model's) is taken as it is, beside the words of the interest.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from papers.features import tokens
from scoring.screening import vocabulary

MOST_TERMS = 35
_LONGEST_PHRASE = 4
_LONGEST_KNOWN_PHRASE = 5
_MOST_CHARACTERS = 20_000

_CHINESE_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_CLAUSE = re.compile(
    r"[,.;:!?()\[\]{}/|\n\r\t\"\u3002\uff0c\uff1b\uff1a\uff01\uff1f\u3001\uff08\uff09\u201c\u201d]+"
)
_OWN_CLAUSE = re.compile(r"[,;\n\u3001\uff0c\uff1b]+")
_EXCEPTION = re.compile(r"\b(?:unless|except)\b|除非|除了|但", re.IGNORECASE)


class Origin(StrEnum):
    """Where a term comes from. The owner is told, and it weighs differently."""

    TYPED = "typed"
    MENTIONED = "mentioned"
    TRANSLATED = "translated"
    GENERAL = "general"
    RELATED = "related"
    GIVEN = "given"


WEIGHTS = {
    Origin.TYPED: 1.0,
    Origin.TRANSLATED: 1.0,
    Origin.GIVEN: 1.0,
    Origin.RELATED: 0.7,
    Origin.MENTIONED: 0.4,
    Origin.GENERAL: 0.3,
}


@dataclass(frozen=True, slots=True)
class Term:
    """An English word or phrase with its weight from 0 to 1."""

    text: str
    weight: float
    origin: Origin


@dataclass(frozen=True, slots=True)
class Expansion:
    """The terms of one interest, the weightiest first.

    `is_known` is false where no word of the interest belongs to a field that we know, in any language:
    its owner is told, and the cut reads generously.
    """

    terms: tuple[Term, ...]
    is_known: bool
    unknown_chinese: tuple[str, ...] = ()

    @property
    def texts(self) -> list[str]:
        return [term.text for term in self.terms]


@lru_cache(maxsize=4096)
def expand(
    name: str, description: str = "", given: tuple[str, ...] = (), most: int = MOST_TERMS
) -> Expansion:
    """The terms of an interest. `given` are terms that its owner or a model wrote: they replace the related.

    At most `most` terms; text beyond 20,000 characters is not read.
    """
    text = f"{name}\n{description}"[:_MOST_CHARACTERS]
    pool = _Pool()
    translated, unknown = _translate(text)
    for term in translated:
        origin = Origin.GENERAL if term.is_general else Origin.TRANSLATED
        pool.add_all(term.equivalents, origin)
    phrases, single_words = _english(text)
    pool.add_all(phrases, Origin.TYPED)
    for term in translated:
        pool.add_all((en for inner in _inner(term.zh) for en in inner.equivalents), Origin.RELATED)
    own = [term.strip() for line in given for term in _OWN_CLAUSE.split(line) if term.strip()]
    pool.add_all(own, Origin.GIVEN)
    if not own:
        pool.add_all(_related(pool.keys()), Origin.RELATED)
    pool.add_all(single_words, Origin.MENTIONED)
    return Expansion(pool.best(most), pool.is_known(), tuple(unknown))


def without_exception(text: str) -> str:
    """An exclusion as far as its exception: "medical imaging, unless central to an interest"."""
    head = _EXCEPTION.split(text, maxsplit=1)[0]
    return head if head.strip() else text


def is_contradicted(wished: Expansion, exclusion: str) -> bool:
    """Whether an exclusion without an exception names nothing but what the interest asks for in its own words."""
    if without_exception(exclusion) != exclusion:
        return False
    unwanted = _own_words(expand(exclusion))
    return bool(unwanted) and unwanted <= _own_words(wished)


def _own_words(expansion: Expansion) -> set[vocabulary.Key]:
    own = (term.text for term in expansion.terms if term.origin in {Origin.TYPED, Origin.TRANSLATED})
    return {vocabulary.key_of(text) for text in own}


class _Pool:
    """Terms by their stemmed words; the first origin of a term is kept unless a weightier one comes."""

    def __init__(self) -> None:
        self._terms: dict[vocabulary.Key, Term] = {}

    def add_all(self, texts: Iterable[str], origin: Origin) -> None:
        for text in texts:
            key = vocabulary.key_of(text)
            if not key:
                continue
            found = Origin.GENERAL if key in vocabulary.general_words() and origin != Origin.GIVEN else origin
            old = self._terms.get(key)
            if old is None or old.weight < WEIGHTS[found]:
                self._terms[key] = Term(text, WEIGHTS[found], found)

    def keys(self) -> list[vocabulary.Key]:
        return list(self._terms)

    def is_known(self) -> bool:
        return any(
            term.origin in {Origin.TRANSLATED, Origin.GIVEN} or _is_known_english(key)
            for key, term in self._terms.items()
            if term.origin not in {Origin.GENERAL, Origin.RELATED}
        )

    def best(self, most: int) -> tuple[Term, ...]:
        ordered = sorted(enumerate(self._terms.values()), key=lambda pair: (-pair[1].weight, pair[0]))
        return tuple(term for _, term in ordered[:most])


def _is_known_english(key: vocabulary.Key) -> bool:
    known = vocabulary.known_phrases()
    general = vocabulary.general_words()
    if key in known:
        return key not in general
    parts = (key[i:j] for i in range(len(key)) for j in range(i + 1, len(key) + 1))
    return any(part in known and part not in general for part in parts)


def _translate(text: str) -> tuple[list[vocabulary.ChineseTerm], list[str]]:
    """The Chinese terms of a text in order, and the stretches of Chinese in which none was known."""
    found: dict[str, vocabulary.ChineseTerm] = {}
    unknown = []
    for run in _CHINESE_RUN.findall(text):
        terms = list(longest_matches(run))
        if not terms:
            unknown.append(run)
        found.update((term.zh, term) for term in terms)
    return list(found.values()), unknown


def longest_matches(run: str) -> Iterator[vocabulary.ChineseTerm]:
    """The terms in a run of ideographs, each the longest at its place; none lies inside another.

    Two may overlap: in 原生多模态大模型 both 原生多模态 and 多模态大模型 are meant.
    """
    terms = vocabulary.chinese_terms()
    reached = 0
    for start in range(len(run)):
        furthest = min(len(run), start + vocabulary.longest_chinese_term())
        for end in range(furthest, max(start, reached), -1):
            if run[start:end] in terms:
                yield terms[run[start:end]]
                reached = end
                break


def _inner(zh: str) -> Iterator[vocabulary.ChineseTerm]:
    """The terms of a field that a longer term is made of: 多智能体强化学习 holds 多智能体 and 强化学习."""
    terms = vocabulary.chinese_terms()
    for start in range(len(zh)):
        for end in range(len(zh), start + 1, -1):
            part = terms.get(zh[start:end])
            if part is not None and part.zh != zh and not part.is_general:
                yield part


def _english(text: str) -> tuple[list[str], list[str]]:
    """Short clauses as they stand and the known phrases of sentences; and the sentences' other words."""
    phrases: list[str] = []
    sentences: list[list[str]] = []
    for clause in (clause for part in _CHINESE_RUN.split(text) for clause in _CLAUSE.split(part)):
        words = [word for word in clause.split() if tokens.words(word)]
        if 0 < len(words) <= _LONGEST_PHRASE:
            phrases.append(" ".join(clause.split()))
        else:
            sentences.append(words)
    others: list[str] = []
    for words in sentences:
        for phrase, is_known in _cut_sentence(words):
            (phrases if is_known else others).append(phrase)
    return phrases, others


def _cut_sentence(words: list[str]) -> Iterator[tuple[str, bool]]:
    """The words of a sentence, the longest known phrases kept together and told as known."""
    known = vocabulary.known_phrases()
    at = 0
    while at < len(words):
        ends = range(min(len(words), at + _LONGEST_KNOWN_PHRASE), at, -1)
        keys = ((end, tuple(tokens.words(" ".join(words[at:end])))) for end in ends)
        found = next(((end, known[key]) for end, key in keys if key in known), None)
        yield (found[1], True) if found else (words[at], False)
        at = found[0] if found else at + 1


def _related(keys: list[vocabulary.Key]) -> Iterator[str]:
    """What goes with the terms, taken in turns, so that each term brings its best before any its last."""
    table = vocabulary.related_terms()
    lists = [iter(table[key]) for key in keys if key in table]
    while lists:
        still = []
        for terms in lists:
            term = next(terms, None)
            if term is not None:
                still.append(terms)
                yield term
        lists = still
