"""The two tables that expansion reads, both written from knowledge of arXiv's subjects, never from labels.

`terms_zh.tsv`: a Chinese term, its English equivalents (separated by "; ") and its subject, which is one of
arXiv's archives or "general" for words that any paper may hold ("method").
`related.tsv`: an English term and what papers about it also say.
"""

import csv
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from papers.features import tokens

HERE = Path(__file__).resolve().parent
GENERAL = "general"

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChineseTerm:
    """`equivalents` are English, the best first. A general term alone says nothing about a field."""

    zh: str
    equivalents: tuple[str, ...]
    subject: str

    @property
    def is_general(self) -> bool:
        return self.subject == GENERAL


def rows(name: str) -> list[list[str]]:
    """The rows of one of the tables, without its header."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]


@cache
def chinese_terms() -> dict[str, ChineseTerm]:
    return {zh: ChineseTerm(zh, tuple(en.split("; ")), subject) for zh, en, subject in rows("terms_zh.tsv")}


@cache
def longest_chinese_term() -> int:
    return max(map(len, chinese_terms()))


@cache
def related_terms() -> dict[Key, tuple[str, ...]]:
    """What goes with a term, by the term's stemmed words."""
    return {key_of(term): tuple(related.split("; ")) for term, related in rows("related.tsv")}


@cache
def general_words() -> frozenset[Key]:
    """The English terms, stemmed, that say nothing about a field."""
    general = {key_of(en) for term in chinese_terms().values() if term.is_general for en in term.equivalents}
    special = {
        key_of(en) for term in chinese_terms().values() if not term.is_general for en in term.equivalents
    }
    return frozenset(general - special)


@cache
def known_phrases() -> dict[Key, str]:
    """Every English term of either table, by its stemmed words."""
    found: dict[Key, str] = {}
    for term in chinese_terms().values():
        for en in term.equivalents:
            found.setdefault(key_of(en), en)
    for head, related in rows("related.tsv"):
        for en in (head, *related.split("; ")):
            found.setdefault(key_of(en), en)
    found.pop((), None)
    return found


@lru_cache(maxsize=65_536)
def key_of(term: str) -> Key:
    """The stemmed words of a term, by which two spellings of it meet. Kept: thousands of profiles share our tables."""
    return tuple(tokens.words(term))
