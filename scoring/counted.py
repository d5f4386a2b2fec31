"""What arXiv itself counted in the lists of an edition's categories, beside what is stored of each list.

Compared is like with like: arXiv counts a paper once in each list that names it, and so is what is stored counted
here. The day's account counts papers, each once.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from papers.models import Announcement, ArxivCount
from scoring.models import Edition

# Of two counts of a category the one from the stronger source holds.
_STRENGTH: list[str] = [ArxivCount.Source.OAI, ArxivCount.Source.RSS, ArxivCount.Source.LISTING]


@dataclass(frozen=True)
class ListCount:
    """One category's list of one kind, in entries. `is_cut`: arXiv's feed stopped at its limit, there are more."""

    category: str
    kind: str
    counted: int
    stored: int
    is_cut: bool

    @property
    def missing(self) -> int:
        return max(0, self.counted - self.stored)

    @property
    def kind_word(self) -> str:
        return str(ArxivCount.Kind(self.kind).label)


@dataclass(frozen=True)
class Counted:
    """All lists of an edition, by category in its order, new before cross-listed. Sums are of entries, not of papers."""

    lists: tuple[ListCount, ...]

    @property
    def counted(self) -> int:
        return sum(each.counted for each in self.lists)

    @property
    def stored(self) -> int:
        return sum(each.stored for each in self.lists)

    @property
    def missing(self) -> int:
        """What more stands in one list makes up for nothing in another."""
        return sum(each.missing for each in self.lists)

    @property
    def is_cut(self) -> bool:
        return any(each.is_cut for each in self.lists)

    def as_account(self) -> dict[str, Any]:
        """As it stands in an edition's account."""
        return {
            "arxiv_counted": self.counted,
            "arxiv_missing": self.missing,
            "arxiv_is_cut": self.is_cut,
        }


NOT_COUNTED: dict[str, Any] = {"arxiv_counted": None, "arxiv_missing": None, "arxiv_is_cut": False}


def counted_for(edition: Edition) -> Counted | None:
    """None where arXiv's count of any of its categories is unknown: half a comparison proves nothing. One query."""
    kinds: list[str] = [ArxivCount.Kind.NEW, *([ArxivCount.Kind.CROSS] if edition.cross_lists else [])]
    here = Announcement.objects.filter(
        day=edition.day, category=OuterRef("category"), kind=OuterRef("kind")
    ).order_by()
    stored = Subquery(here.values("kind").annotate(all=Count("pk")).values("all"), IntegerField())
    rows = ArxivCount.objects.filter(day=edition.day, category__in=edition.categories, kind__in=kinds)
    best: dict[tuple[str, str], ListCount] = {}
    for row in sorted(rows.annotate(stored=Coalesce(stored, 0)), key=lambda row: _STRENGTH.index(row.source)):
        best[row.category, row.kind] = ListCount(row.category, row.kind, row.count, row.stored, row.is_cut)
    if not best or {category for category, _kind in best} != set(edition.categories):
        return None
    order = {category: place for place, category in enumerate(edition.categories)}
    return Counted(
        tuple(sorted(best.values(), key=lambda each: (order[each.category], kinds.index(each.kind))))
    )


def account_of(edition: Edition) -> dict[str, Any]:
    """What the account says of it; `arxiv_counted` is None where arXiv's count is not whole."""
    counted = counted_for(edition)
    return counted.as_account() if counted is not None else dict(NOT_COUNTED)
