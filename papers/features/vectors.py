"""The features of a paper version as bytes: a sparse vector of hashed terms. Pure: no Django, no numpy.

Layout, little-endian: one byte format, two bytes number of terms n, two bytes length of the text in words,
then n hashes of four bytes in ascending order, then n bytes of counts. The lower seven bits of a count are
how often the term occurs (127 at most); the highest bit is set if it occurs in the title.
A vector is about 1.4 KB. It is computed after papers are stored; the web process only ever reads it.
"""

import struct
import sys
from array import array
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from papers.features import tokens

FORMAT = 1
IN_TITLE = 0x80
MOST_COUNTED = 0x7F
_HEAD = struct.Struct("<BHH")
_MOST_TERMS = 0xFFFF


class BadFeatures(ValueError):
    """The bytes are no feature vector of this format: compute it again from the text."""


@dataclass(frozen=True, slots=True)
class Vector:
    """`hashes` ascend; `counts` run beside them, with the title's bit. `length` is in words."""

    length: int
    hashes: array
    counts: bytes


def term_hash(term: str) -> int:
    """The 32 bits that stand for a term; the same in every process and on every machine."""
    return crc32(term.encode())


def features(title: str, abstract: str) -> bytes:
    """The packed vector of a paper. A paper without any word gives an empty vector.

    Terms that share a hash are counted together.
    """
    titles_words, titles_pairs = _hashes(title)
    words, pairs = _hashes(abstract)
    counts = Counter(titles_words + titles_pairs + words + pairs)
    in_title = {*titles_words, *titles_pairs}
    return _pack(min(len(titles_words) + len(words), 0xFFFF), counts, in_title)


def _hashes(text: str) -> tuple[list[int], list[int]]:
    """The hashes of the text's `tokens.terms`: of words, whole and joined, and of pairs of neighbours."""
    words: list[int] = []
    pairs: list[int] = []
    before = None
    for run in tokens.runs(text):
        if (found := _hashed(run)) is None:
            before = None
            continue
        for word, begun, end in found[0]:
            words.append(word)
            if before is not None:
                pairs.append(crc32(end, before))
            before = begun
        words += found[1]
    return words, pairs


# A word's hash, the hash of it and a blank, and its bytes: a pair's hash goes on from its first word's.
type _Word = tuple[int, int, bytes]


@lru_cache(maxsize=100_000)
def _hashed(run: str) -> tuple[tuple[_Word, ...], tuple[int, ...]] | None:
    if (found := tokens.parsed(run)) is None:
        return None
    words, whole = found
    hashed = tuple((term_hash(word), term_hash(f"{word} "), word.encode()) for word in words)
    return hashed, (term_hash(whole),) if whole else ()


def _pack(length: int, counts: Mapping[int, int], in_title: Set[int]) -> bytes:
    ascending = sorted(counts)[:_MOST_TERMS]
    hashes = array("I", ascending)
    if sys.byteorder == "big":
        hashes.byteswap()
    packed = bytes(
        min(counts[each], MOST_COUNTED) | (IN_TITLE if each in in_title else 0) for each in ascending
    )
    return _HEAD.pack(FORMAT, len(ascending), length) + hashes.tobytes() + packed


def parts(packed: bytes | memoryview) -> tuple[int, bytes, bytes]:
    """The length in words, the bytes of the hashes and those of the counts, for readers in bulk.

    Raises BadFeatures if they are of another format or cut short.
    """
    packed = bytes(packed)
    if len(packed) < _HEAD.size or packed[0] != FORMAT:
        raise BadFeatures("no feature vector of this format")
    _, number, length = _HEAD.unpack_from(packed)
    end = _HEAD.size + 4 * number
    if len(packed) != end + number:
        raise BadFeatures("a feature vector that was cut short")
    return length, packed[_HEAD.size : end], packed[end:]


def unpack(packed: bytes | memoryview) -> Vector:
    """The vector of the bytes. Raises BadFeatures as `parts` does."""
    length, hashed, counts = parts(packed)
    hashes = array("I", hashed)
    if sys.byteorder == "big":
        hashes.byteswap()
    return Vector(length, hashes, counts)
