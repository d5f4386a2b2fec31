"""Terms as hashed features, the way `papers.features` sees a paper. Pure; no numpy, so any door may use it."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from papers.features import tokens
from papers.features.vectors import term_hash
from scoring.screening import vocabulary
from scoring.screening.expand import Term

# Of a phrase, its pairs tell more than its words; a single word stands for itself. Chosen by `bench.ranking`.
PAIR = 0.5
WORD_OF_PHRASE = 0.3


def features_of(terms: Iterable[Term]) -> dict[int, float]:
    """The weight of each hashed feature of these terms; of two claims on a feature the heavier holds."""
    weights: dict[int, float] = {}
    for term in terms:
        for key, share in _hashed(term.text):
            weights[key] = max(weights.get(key, 0.0), share * term.weight)
    return weights


@lru_cache(maxsize=65_536)
def _hashed(text: str) -> tuple[tuple[int, float], ...]:
    """A term's features. Kept: most terms come from our tables, and thousands of profiles share them."""
    return tuple((term_hash(feature), share) for feature, share in _parts(text))


def _parts(text: str) -> Iterable[tuple[str, float]]:
    for clause in tokens.clauses(text):
        if len(clause) == 1:
            yield clause[0], 1.0
            continue
        for first, second in pairwise(clause):
            yield f"{first} {second}", PAIR / (len(clause) - 1) ** 0.5
        for word in clause:
            yield word, WORD_OF_PHRASE / len(clause) ** 0.5
    for word in tokens.joined(text):
        yield word, PAIR


def held_by(title: str, abstract: str) -> frozenset[str]:
    """Every word and pair of a paper, to be asked with `occurring`."""
    return frozenset((*tokens.terms(title), *tokens.terms(abstract)))


def occurring(terms: Iterable[Term], held: frozenset[str]) -> list[Term]:
    """The terms that stand in the paper, as one word or with all their pairs, the weightiest first."""
    return sorted((term for term in terms if _occurs(term.text, held)), key=lambda term: -term.weight)


def words_occurring(terms: Iterable[Term], held: frozenset[str]) -> list[str]:
    """The single words of the terms' phrases that stand in the paper, each once, words of no field left out."""
    words = (word for term in terms for word in term.text.split())
    keys = {word: vocabulary.key_of(word) for word in words}
    general = vocabulary.general_words()
    return [w for w, key in keys.items() if key and key not in general and held.issuperset(key)]


def _occurs(text: str, held: frozenset[str]) -> bool:
    joined, whole = _spellings(text)
    return any(word in held for word in joined) or (bool(whole) and all(part in held for part in whole))


@lru_cache(maxsize=16_384)
def _spellings(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A term as one joined word (any will do), and as words or pairs (all are needed)."""
    whole = []
    for clause in tokens.clauses(text):
        pairs = [f"{first} {second}" for first, second in pairwise(clause)]
        whole.extend(pairs or clause)
    return tuple(tokens.joined(text)), tuple(whole)
