"""The account of a day as it is shown: one sum of terms, each with the list behind it, and a run's progress."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _

from papers.models import Paper
from scoring import packed
from scoring.accounts import replaced_for
from scoring.budget.words import dollars
from scoring.counted import Counted, counted_for
from scoring.feed import Feed
from scoring.models import Call, Candidate, Edition
from scoring.models.judging import booked_tokens
from scoring.outcomes import failure_told
from scoring.packed import Code
from scoring.report_text import TERMS
from scoring.value import shown

ROWS_A_PAGE = 100
LABELS = {
    "judged": _("read by the model"),
    "estimated": _("estimated only"),
    "screened": _("screened out"),
    "waiting_turn": _("waiting for their turn"),
    "waiting_budget": _("waiting for budget"),
    "waiting_provider": _("waiting for the model"),
    "waiting_late": _("late, waiting"),
    "in_work": _("being read"),
    "failed": _("failed"),
    "withdrawn": _("withdrawn"),
    "seen": _("seen before"),
    "parked": _("parked"),
    "expired": _("expired"),
}
# Lists that are no terms of the sum, but stand behind a number of the page as well.
ASIDE = {
    "announced": _("announced"),
    "below": _("below the bar"),
    "replaced": _("replaced"),
    "dismissed": _("dismissed"),
    "tokens": _("tokens"),
    "counted": _("Counted by arXiv"),
}


# Set aside before anything was estimated: no number is better than a nought that nobody computed.
_NOT_ESTIMATED = {Code.SEEN, Code.WITHDRAWN, Code.PARKED}


@dataclass(frozen=True)
class Term:
    """One number of the account and the word that opens its list (`?show=key`)."""

    key: str
    label: Any
    count: int
    money: str = ""


class Tally:
    """The sums of one edition. `lost` is announced minus the sum of all terms: 0, or a fault to be seen."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition

    @cached_property
    def counts(self) -> dict[str, int]:
        """Papers by the names of `report_text.TERMS`."""
        by_code = packed.counts(bytes(self.edition.packed))
        counts = {code.word: count for code, count in by_code.items() if code != Code.WAITING}
        waits = Counter(getattr(self.edition, "waits", None) or [])
        for reason in Candidate.Waits.values:
            counts[f"waiting_{reason}"] = waits[reason]
        counts["waiting_turn"] += by_code[Code.WAITING] - waits.total()
        return counts

    @property
    def announced(self) -> int:
        """By arXiv's announcements, counted independently at closing; while the day is open, by its list."""
        return self.edition.account.get("announced", sum(self.counts.values()))

    @property
    def lost(self) -> int:
        return self.announced - sum(self.counts.values())

    @property
    def terms(self) -> list[Term]:
        return [Term(name, self._label(name), self.counts[name]) for name in TERMS if self.counts.get(name)]

    def _label(self, name: str) -> Any:
        """Nothing has a turn while the reading is stopped."""
        is_stopped = name == "waiting_turn" and self.edition.stopped_at is not None
        return _("waiting, stopped") if is_stopped else LABELS[name]

    @property
    def recommended(self) -> int:
        return len(getattr(self.edition, "picks", None) or [])

    @property
    def below(self) -> int:
        dismissed = getattr(self.edition, "dismissed_count", 0)
        return max(0, self.counts["judged"] + self.counts["estimated"] - self.recommended - dismissed)

    @property
    def replacements(self) -> int:
        return self.edition.account.get("replacements", 0)

    @property
    def arxiv(self) -> dict[str, Any] | None:
        """What arXiv itself counted in its lists of these categories, as it was when last looked at."""
        account = self.edition.account
        if account.get("arxiv_counted") is None or account.get("arxiv_missing") is None:
            return None
        return {name: account[f"arxiv_{name}"] for name in ("counted", "missing", "is_cut")}

    @property
    def asides(self) -> list[Term]:
        """What stands beside the sum."""
        numbers = {
            "below": self.below,
            "dismissed": getattr(self.edition, "dismissed_count", 0),
            "replaced": self.replacements,
            "tokens": getattr(self.edition, "tokens", 0),
        }
        money = {"tokens": self.money}
        return [
            Term(key, ASIDE[key], count, money.get(key, ""))
            for key, count in numbers.items()
            if count or key == "tokens"
        ]

    @property
    def money(self) -> str:
        """What its calls cost; nothing where no price was known."""
        cost = getattr(self.edition, "cost_microusd", 0)
        return dollars(cost) if cost else ""


@dataclass(frozen=True)
class Run:
    """A day that is being read: `done` of `total`, in papers; `seconds_left` once there is a pace to go by.

    `waiting` and `in_work` are the rest. A stopped run finishes what is in work and no more.
    """

    done: int
    total: int
    tokens: int
    seconds_left: int | None
    waiting: int = 0
    in_work: int = 0
    is_stopped: bool = False
    money: str = ""

    @property
    def may_change(self) -> bool:
        """Whether a look in a few seconds may show something new."""
        return not self.is_stopped or self.in_work > 0

    @property
    def minutes_left(self) -> int | None:
        return None if self.seconds_left is None else max(1, round(self.seconds_left / 60))


def run_of(edition: Edition, now: dt.datetime) -> Run | None:
    """The progress of an edition that is not closed; None for a closed one."""
    if edition.state == Edition.State.CLOSED:
        return None
    counts = Tally(edition).counts
    done = counts["judged"] + counts["estimated"] + counts["failed"]
    waiting = sum(counts[f"waiting_{reason}"] for reason in Candidate.Waits.values)
    left = counts["in_work"] + waiting
    is_stopped = edition.stopped_at is not None
    spent = (now - edition.screened_at).total_seconds() if edition.screened_at else 0
    is_paced = done >= 10 and spent > 0 and not edition.blocked_by and not is_stopped
    return Run(
        done=done,
        total=done + left,
        tokens=getattr(edition, "tokens", 0),
        seconds_left=round(spent / done * left) if is_paced else None,
        waiting=waiting,
        in_work=counts["in_work"],
        is_stopped=is_stopped,
        money=Tally(edition).money,
    )


@dataclass(frozen=True)
class Row:
    """A paper that is listed, not presented. `value` is shown 0.0-10.0, `note` says what became of it."""

    paper: Paper
    value: str
    is_estimate: bool
    note: Any


@dataclass(frozen=True)
class Listing:
    """One page of the list behind a number."""

    key: str
    label: Any
    count: int
    page: int
    rows: list[Row] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    counted: Counted | None = None

    @property
    def has_more(self) -> bool:
        return self.page * ROWS_A_PAGE < self.count

    @property
    def is_priced(self) -> bool:
        return any(call.cost_microusd for call in self.calls)


def listing(chosen: Feed, key: str, page_text: str) -> Listing:
    """The list behind the number `key`; Http404 for a word that is no term. A page out of range is empty."""
    assert chosen.edition is not None
    page = int(page_text) if page_text.isdecimal() and 0 < len(page_text) <= 4 else 1
    span = slice((max(page, 1) - 1) * ROWS_A_PAGE, max(page, 1) * ROWS_A_PAGE)
    if key == "tokens":
        calls = Call.objects.filter(edition=chosen.edition).annotate(booked=booked_tokens())
        calls = calls.order_by("created_at", "pk")
        return Listing(key, ASIDE[key], calls.count(), page, calls=list(calls[span]))
    if key == "counted":
        counted = counted_for(chosen.edition)
        return Listing(key, ASIDE[key], counted.counted if counted else 0, 1, counted=counted)
    label = LABELS.get(key) or ASIDE.get(key)
    if label is None:
        raise Http404
    ids = _paper_ids(chosen, key)
    return Listing(key, label, len(ids), page, rows=_rows(chosen.edition, ids[span]))


def _paper_ids(chosen: Feed, key: str) -> list[int]:
    """The papers behind a term, in the order of the day: by value where there is one, else by estimate."""
    edition = chosen.edition
    assert edition is not None
    if key == "below":
        return list(chosen.below_the_bar().values_list("paper_id", flat=True))
    if key == "dismissed":
        return list(chosen.dismissed().values_list("paper_id", flat=True))
    if key == "replaced":
        replaced = replaced_for(edition)
        return list(replaced.order_by("paper__arxiv_id").values_list("paper_id", flat=True).distinct())
    rated = Candidate.objects.filter(edition=edition, day=edition.day, value__isnull=False)
    values = {paper_id: value or 0 for paper_id, value in rated.values_list("paper_id", "value")}
    entries = sorted(
        packed.unpack(bytes(edition.packed)),
        key=lambda entry: (-values.get(entry.paper_id, -1), -entry.estimate, entry.paper_id),
    )
    if key.startswith("waiting_"):
        waiting = Candidate.objects.filter(edition=edition, day=edition.day).waiting()
        elsewhere = waiting.exclude(waits_for=key.removeprefix("waiting_")).values_list("paper_id", flat=True)
        others = set(elsewhere)
        return [e.paper_id for e in entries if e.code == Code.WAITING and e.paper_id not in others]
    return [entry.paper_id for entry in entries if key in {"announced", entry.code.word}]


def _rows(edition: Edition, ids: Iterable[int]) -> list[Row]:
    """The papers in the order of `ids`, with what the packed list and their candidates say."""
    wanted = list(ids)
    papers = Paper.objects.in_bulk(wanted)
    entries = {entry.paper_id: entry for entry in packed.unpack(bytes(edition.packed))}
    of_day = Candidate.objects.filter(edition=edition, day=edition.day, paper_id__in=wanted)
    candidates = {candidate.paper_id: candidate for candidate in of_day}
    return [_row(papers[pk], entries.get(pk), candidates.get(pk)) for pk in wanted if pk in papers]


def _row(paper: Paper, entry: packed.Entry | None, candidate: Candidate | None) -> Row:
    if candidate is not None and candidate.value is not None:
        is_estimate = candidate.state == Candidate.State.ESTIMATED
        return Row(paper, shown(candidate.value), is_estimate, LABELS[candidate.state])
    if entry is None:
        return Row(paper, "", False, "")
    if entry.code in _NOT_ESTIMATED and not entry.estimate:
        return Row(paper, "–", False, LABELS[entry.code.word])
    estimate = shown(min(100, (entry.estimate + 50) // 100))
    if candidate is not None and candidate.state == Candidate.State.WAITING:
        return Row(paper, estimate, True, LABELS[f"waiting_{candidate.waits_for}"])
    if candidate is not None and candidate.failure:
        return Row(paper, estimate, True, f"{LABELS['failed']}: {failure_told(candidate.failure)}")
    word = "waiting_turn" if entry.code == Code.WAITING else entry.code.word
    return Row(paper, estimate, True, LABELS[word])
