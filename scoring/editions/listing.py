"""Which papers an edition owes its reader, and as what each enters its list."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Max, Q

from papers.models import PaperVersion
from scoring.accounts import announced_to
from scoring.models import Edition, FirstSeen
from scoring.packed import Code, Entry

_BATCH = 500


@dataclass(frozen=True)
class Owed:
    """A paper announced to the edition. `version` is one that has a text, where any has.

    `is_parked`: in all its categories it is of a surge's surplus.
    """

    paper_id: int
    version: int
    is_withdrawn: bool
    is_parked: bool = False


def owed_to(edition: Edition) -> list[Owed]:
    """The papers of the day in the edition's categories, by arXiv id, as announced now."""
    announced = announced_to(edition)
    texts: dict[int, set[int]] = defaultdict(set)
    stored = PaperVersion.objects.filter(paper__in=announced.values("paper"))
    for paper_id, number in stored.values_list("paper_id", "number"):
        texts[paper_id].add(number)
    rows = (
        announced.values_list("paper_id", "paper__arxiv_id", "paper__is_withdrawn")
        .annotate(version=Max("version"), free=Count("pk", filter=Q(is_parked=False)))
        .order_by("paper__arxiv_id")
    )
    return [
        Owed(paper_id, _with_text(version, texts[paper_id]), is_withdrawn, is_parked=not free)
        for paper_id, _, is_withdrawn, version, free in rows
    ]


def _with_text(version: int, stored: set[int]) -> int:
    """The announced version if its text is stored, else the newest that is."""
    return version if version in stored or not stored else max(stored)


def entries_for(edition: Edition, owed: Iterable[Owed]) -> list[Entry]:
    """New entries for the list; call it in the transaction that writes the list.

    A paper enters a profile's editions once: whoever inserts the *first seen* row has it, everybody else,
    earlier day or later, lists it as seen before.
    """
    owed = list(owed)
    rows = (FirstSeen(profile_id=edition.profile_id, paper_id=one.paper_id, day=edition.day) for one in owed)
    FirstSeen.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)
    here = FirstSeen.objects.filter(profile=edition.profile_id, day=edition.day)
    entered = set(here.values_list("paper_id", flat=True))
    return [Entry(one.paper_id, one.version, _code(one, one.paper_id in entered)) for one in owed]


def _code(owed: Owed, is_first_here: bool) -> Code:
    if owed.is_withdrawn:
        return Code.WITHDRAWN
    if not is_first_here:
        return Code.SEEN
    return Code.PARKED if owed.is_parked else Code.WAITING
