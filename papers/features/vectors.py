"""The features of a paper version as bytes: a sparse vector of hashed terms. Pure: no Django, no numpy.

Layout, little-endian: one byte format, two bytes number of terms n, two bytes length of the text in words,
then n hashes of four bytes in ascending order, then n bytes of counts. The lower seven bits of a count are
how often the term occurs (127 at most); the highest bit is set if it occurs in the title.
A vector is about 1.4 KB. It is computed where papers are stored; the web process only ever reads it.
"""

import struct
import sys
import zlib
from array import array
from collections import Counter
from dataclasses import dataclass

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
    return zlib.crc32(term.encode())


def features(title: str, abstract: str) -> bytes:
    """The packed vector of a paper. A paper without any word gives an empty vector."""
    in_title = set(tokens.terms(title))
    counts = Counter(tokens.terms(title))
    counts.update(tokens.terms(abstract))
    length = sum(count for term, count in counts.items() if " " not in term)
    by_hash: dict[int, int] = {}
    for term, count in counts.items():
        mark = IN_TITLE if term in in_title else 0
        by_hash[term_hash(term)] = min(count, MOST_COUNTED) | mark
    return _pack(min(length, 0xFFFF), sorted(by_hash.items())[:_MOST_TERMS])


def _pack(length: int, pairs: list[tuple[int, int]]) -> bytes:
    hashes = array("I", (h for h, _ in pairs))
    if sys.byteorder == "big":
        hashes.byteswap()
    return _HEAD.pack(FORMAT, len(pairs), length) + hashes.tobytes() + bytes(count for _, count in pairs)


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
