"""What is computed from a day's papers once, for all profiles that are shown them. Pure.

The key is the content of the feature vectors: a text that was replaced is another key, and nothing need be told.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from threading import Lock

from scoring.screening.basis import Basis, Rows
from scoring.screening.index import Index


class Kept[T]:
    """The last `most` results, each by its digest; threads may ask at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[bytes, T] = OrderedDict()
        self._lock = Lock()

    def of(self, key: bytes, make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        made = make()  # of two that ask at once for something new both make it
        with self._lock:
            self._found[key] = made
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return made


# Some 15 MB each for a day of 1,500 papers and a month behind it, and 4 MB. Two days, for learning from yesterday.
_indexes: Kept[Index] = Kept(2)
_rows: Kept[Rows] = Kept(2)


def index_of(packed: Sequence[bytes], background: Sequence[bytes]) -> Index:
    """The index of these papers, as `Index`."""
    key = _digest(f"{len(packed)}", *packed, *background)
    return _indexes.of(key, lambda: Index(packed, background))


def rows_of(basis: Basis, packed: Sequence[bytes]) -> Rows:
    """The papers along the basis, as `Basis.rows`."""
    return _rows.of(_digest(basis.name, *packed), lambda: basis.rows(packed))


def _digest(of: str, *packed: bytes) -> bytes:
    """Each vector states its own length, so that two lists with one digest are one list."""
    digest = blake2b(of.encode() + b"\0", digest_size=16)
    digest.update(b"".join(packed))
    return digest.digest()
