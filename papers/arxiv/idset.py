"""Which ids were seen, at two bytes each: a run over millions of records must not grow with them."""

from array import array
from bisect import bisect_left
from collections import defaultdict


class IdSet:
    """arXiv ids without version, kept as sorted numbers under what stands before their last four digits."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, array[int]] = defaultdict(lambda: array("H"))

    def add(self, arxiv_id: str) -> bool:
        """Take it in; whether it is new."""
        number = int(arxiv_id[-4:])
        numbers = self._seen[arxiv_id[:-4]]
        if not numbers or numbers[-1] < number:  # as most files have them
            numbers.append(number)
            return True
        place = bisect_left(numbers, number)
        if place < len(numbers) and numbers[place] == number:
            return False
        numbers.insert(place, number)
        return True

    def update(self, other: "IdSet") -> None:
        for before, numbers in other._seen.items():
            mine = self._seen.get(before, ())
            self._seen[before] = array("H", sorted({*mine, *numbers}))

    def __len__(self) -> int:
        return sum(map(len, self._seen.values()))
