"""The packed list of an edition: every paper of a profile's day in a few bytes. Pure.

One byte format, then fourteen bytes an entry, little-endian: paper (8), version (2), code (1), estimate (2),
interest (1). The list is the whole day; Candidate rows are its working set. Whoever changes a candidate
replaces its code here in the same transaction (`editions.move`).
"""

import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

FORMAT = 1
HIGHEST_ESTIMATE = 10_000
_ENTRY = struct.Struct("<QHBHB")
# As a database gives bytes back.
type Stored = bytes | memoryview


class Code(IntEnum):
    """What became of a paper, in the order in which the account counts. Stored: never renumber."""

    JUDGED = 1
    ESTIMATED = 2
    SCREENED = 3
    WAITING = 4
    IN_WORK = 5
    FAILED = 6
    WITHDRAWN = 7
    SEEN = 8
    PARKED = 9
    EXPIRED = 10

    @property
    def word(self) -> str:
        """The word of the account: "in_work"."""
        return self.name.lower()


class BadPacked(ValueError):
    """The bytes are no packed list of this format: the edition's row is damaged."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper of the day. `paper_id` is the row's key; `estimate` is 0 to 10000, the probability that any
    interest wants the paper; `interest` is the position of the one that wants it most."""

    paper_id: int
    version: int
    code: Code
    estimate: int = 0
    interest: int = 0


def pack(entries: Iterable[Entry]) -> bytes:
    """The bytes of a list, in its order.

    Raises ValueError for a number out of range.
    """
    try:
        body = b"".join(_ENTRY.pack(e.paper_id, e.version, e.code, e.estimate, e.interest) for e in entries)
    except struct.error as error:
        raise ValueError(f"an entry out of range: {error}") from error
    return bytes([FORMAT]) + body


def unpack(packed: Stored) -> list[Entry]:
    """The entries in their order. No bytes at all are an empty list.

    Raises BadPacked for bytes of another format, cut short, or with a code that does not exist.
    """
    packed = bytes(packed)
    if not packed:
        return []
    if packed[0] != FORMAT or (len(packed) - 1) % _ENTRY.size:
        raise BadPacked("no packed list of this format")
    try:
        return [Entry(p, v, Code(c), e, i) for p, v, c, e, i in _ENTRY.iter_unpack(packed[1:])]
    except ValueError as error:
        raise BadPacked(str(error)) from error


def counts(packed: Stored) -> dict[Code, int]:
    """How many papers have each code; codes without a paper count 0."""
    found = Counter(entry.code for entry in unpack(packed))
    return {code: found[code] for code in Code}


def with_codes(packed: Stored, codes: Mapping[int, Code]) -> bytes:
    """The same list with other codes for some papers, by paper id.

    Raises KeyError if a paper is not in the list: nothing is added in silence.
    """
    entries = unpack(packed)
    strangers = codes.keys() - {entry.paper_id for entry in entries}
    if strangers:
        raise KeyError(f"papers that are not in the edition: {sorted(strangers)}")
    return pack(replace(e, code=codes[e.paper_id]) if e.paper_id in codes else e for e in entries)


def pack_estimates(estimates: Iterable[int]) -> bytes:
    """A paper's estimate for each interest, two bytes each, in the profile's order."""
    values = list(estimates)
    return struct.pack(f"<{len(values)}H", *values)


def unpack_estimates(packed: Stored) -> tuple[int, ...]:
    """The estimates for each interest, 0 to 10000; none from no bytes."""
    packed = bytes(packed)
    return struct.unpack(f"<{len(packed) // 2}H", packed)
