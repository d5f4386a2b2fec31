"""The account of an edition, and its audit: is every announced paper somewhere, and exactly once?

*Announced* is counted from `Announcement` by a query that looks at nothing we derived; every other number
comes from the packed list and its candidates. No numpy here: pages may ask.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import QuerySet, Sum

from papers.models import Announcement, AnnouncementQuerySet, Correction, Paper
from scoring import counted
from scoring.budget import Violation
from scoring.models import Candidate, Edition, FirstSeen, Score
from scoring.models.editions import CandidateQuerySet
from scoring.models.judging import booked_tokens
from scoring.packed import BadPacked, Code, Entry, counts, unpack

CODE_OF = {
    Candidate.State.WAITING: Code.WAITING,
    Candidate.State.CLAIMED: Code.IN_WORK,
    Candidate.State.JUDGED: Code.JUDGED,
    Candidate.State.ESTIMATED: Code.ESTIMATED,
    Candidate.State.FAILED: Code.FAILED,
    Candidate.State.WITHDRAWN: Code.WITHDRAWN,
    Candidate.State.EXPIRED: Code.EXPIRED,
}
# What cannot be said of a paper without a row that says it.
NEEDS_CANDIDATE = {Code.JUDGED, Code.ESTIMATED, Code.WAITING, Code.IN_WORK, Code.FAILED, Code.EXPIRED}


@dataclass(frozen=True)
class Account:
    """Where the papers of a day are, in the order of precedence. `lost` is 0, or a fault to be seen.

    `replacements`, tokens and cost (micro-dollars) stand beside the sum, and so does what arXiv itself counted as
    new (and cross-listed) in these categories, in entries of its lists: None where it is not known of all of them.
    `arxiv_missing` of these entries are not stored; `arxiv_is_cut` says that arXiv may have more.
    """

    announced: int
    judged: int
    estimated: int
    screened: int
    waiting_turn: int
    waiting_budget: int
    waiting_provider: int
    waiting_late: int
    in_work: int
    failed: int
    withdrawn: int
    seen: int
    parked: int
    expired: int
    replacements: int = 0
    arxiv_counted: int | None = None
    arxiv_missing: int | None = None
    arxiv_is_cut: bool = False
    tokens: int = 0
    cost_microusd: int = 0

    @property
    def waiting(self) -> int:
        return self.waiting_turn + self.waiting_budget + self.waiting_provider + self.waiting_late

    @property
    def accounted(self) -> int:
        """The sum of all terms."""
        read = self.judged + self.estimated + self.screened + self.waiting + self.in_work + self.failed
        return read + self.withdrawn + self.seen + self.parked + self.expired

    @property
    def lost(self) -> int:
        """Announced papers of which nothing is known; negative where there are more than were announced."""
        return self.announced - self.accounted

    @property
    def is_true(self) -> bool:
        return self.lost == 0

    def as_dict(self) -> dict[str, Any]:
        """As it is kept on a closed edition."""
        return asdict(self)


def account(edition: Edition) -> Account:
    """The account as the rows are now. Reads only; a sum that does not add up is shown, never mended."""
    owed = announced_to(edition)
    by_code = counts(edition.packed)
    waits = Counter(_candidates(edition).waiting().order_by().values_list("waits_for", flat=True))
    reasons: dict[str, Any] = {f"waiting_{reason}": waits[reason] for reason in Candidate.Waits.values}
    turn = by_code[Code.WAITING] - sum(waits.values()) + waits[Candidate.Waits.TURN]
    spent = edition.calls.aggregate(
        tokens=Sum(booked_tokens(), default=0), cost=Sum("cost_microusd", default=0)
    )
    terms: dict[str, Any] = {code.word: number for code, number in by_code.items() if code != Code.WAITING}
    return Account(
        announced=owed.paper_count() + kept_in(edition).count(),
        **terms,
        **{**reasons, "waiting_turn": turn, **counted.account_of(edition)},
        replacements=replaced_for(edition).paper_count(),
        tokens=spent["tokens"],
        cost_microusd=spent["cost"],
    )


def announced_to(edition: Edition) -> AnnouncementQuerySet:
    """What arXiv named to a reader of the edition's categories that day."""
    return Announcement.objects.announced_to(edition.categories, edition.day, cross_lists=edition.cross_lists)


def kept_in(edition: Edition) -> QuerySet[FirstSeen]:
    """What entered here by a derived announcement that arXiv has corrected since, and was not let go.

    It stays where it was read, is counted here, and is "seen before" on the day that arXiv names.
    """
    kinds = [Announcement.Kind.NEW, *([Announcement.Kind.CROSS] if edition.cross_lists else [])]
    corrected = Correction.objects.filter(
        day=edition.day, category__in=edition.categories, kind__in=kinds
    ).values("paper")
    entered = FirstSeen.objects.filter(profile=edition.profile_id, day=edition.day, paper__in=corrected)
    return entered.exclude(paper__in=announced_to(edition).values("paper"))


def replaced_for(edition: Edition) -> AnnouncementQuerySet:
    """The papers of its categories that only came as a new version that day."""
    here = Announcement.objects.on(edition.day).in_categories(edition.categories)
    owed = announced_to(edition).values("paper")
    return here.replacements().exclude(paper__in=owed)


# --- the audit -------------------------------------------------------------------------------------


def audit(day: dt.date | None = None) -> list[Violation]:
    """Recount every edition (of that day, or all) against Announcement, its candidates and their scores.

    Reads only; an empty list is a clean house. Editions that change while they are read may be reported:
    ask again before believing it.
    """
    editions = Edition.objects.all() if day is None else Edition.objects.on(day)
    return [found for edition in editions.order_by("pk").iterator(100) for found in audit_edition(edition)]


def audit_edition(edition: Edition) -> Iterator[Violation]:
    """What is wrong with one edition."""
    try:
        entries = unpack(edition.packed)
    except BadPacked as error:
        yield _violation("the packed list can be read", edition, problem=str(error))
        return
    yield from _audit_papers(edition, entries)
    candidates = list(_candidates(edition).order_by("pk"))
    yield from _audit_candidates(edition, {entry.paper_id: entry for entry in entries}, candidates)
    yield from _audit_scores(edition, candidates)
    if edition.state == Edition.State.CLOSED:
        unfinished = [c.paper_id for c in candidates if CODE_OF[Candidate.State(c.state)] in _UNFINISHED]
        if unfinished:
            yield _violation("a closed edition has nothing unread", edition, papers=unfinished[:10])


_UNFINISHED = {Code.WAITING, Code.IN_WORK}


def _audit_papers(edition: Edition, entries: list[Entry]) -> Iterator[Violation]:
    listed = Counter(entry.paper_id for entry in entries)
    named = set(announced_to(edition).values_list("paper_id", "is_parked"))
    yield from _audit_parked(edition, entries, named)
    owed = {paper for paper, _ in named}
    owed |= set(kept_in(edition).values_list("paper_id", flat=True))
    for invariant, papers in (
        ("no announced paper is lost", owed - listed.keys()),
        ("nothing is listed that was not announced", listed.keys() - owed),
        ("each paper is listed once", {paper for paper, times in listed.items() if times > 1}),
    ):
        if papers:
            yield _violation(invariant, edition, papers=sorted(papers)[:10], count=len(papers))


def _audit_parked(
    edition: Edition, entries: list[Entry], named: set[tuple[int, bool]]
) -> Iterator[Violation]:
    """What the day calls parked is parked by its announcements, in all of the edition's categories, and vice versa.

    What a model has read or is reading stays read; what was seen before or withdrawn is that first.
    """
    free = {paper for paper, is_parked in named if not is_parked}
    parked = {paper for paper, is_parked in named if is_parked} - free
    listed = {entry.paper_id for entry in entries if entry.code == Code.PARKED}
    unread = {entry.paper_id for entry in entries if entry.code in {Code.WAITING, Code.SCREENED}}
    for invariant, papers in (
        ("what a day calls parked is parked by its announcements", listed & free),
        ("what is parked is not given to a model", parked & unread),
    ):
        if papers:
            first = Paper.objects.filter(pk__in=sorted(papers)[:10]).order_by("arxiv_id")
            ids = list(first.values_list("arxiv_id", flat=True))
            yield _violation(invariant, edition, papers=ids, count=len(papers))
    said = edition.account.get("parked", len(listed))
    if edition.state == Edition.State.CLOSED and said != len(listed):
        yield _violation("a closed account counts what is parked", edition, account=said, listed=len(listed))


def _audit_candidates(
    edition: Edition, entries: dict[int, Entry], candidates: list[Candidate]
) -> Iterator[Violation]:
    rows = Counter(candidate.paper_id for candidate in candidates)
    for candidate in candidates:
        entry = entries.get(candidate.paper_id)
        if entry is None:
            yield _violation("a candidate is in its edition's list", edition, paper=candidate.paper_id)
        elif entry.code != CODE_OF[Candidate.State(candidate.state)]:
            said = {"state": str(candidate.state), "code": entry.code.word}
            yield _violation("candidate and list agree", edition, paper=candidate.paper_id, **said)
        if candidate.day != edition.day or candidate.profile_id != edition.profile_id:
            yield _violation("a candidate is of its edition's day and profile", edition, row=candidate.pk)
        if rows[candidate.paper_id] > 1:
            yield _violation("a paper has one candidate", edition, paper=candidate.paper_id)
    if edition.state != Edition.State.OPEN:
        missing = [e.paper_id for e in entries.values() if e.code in NEEDS_CANDIDATE and not rows[e.paper_id]]
        if missing:
            yield _violation("what was read or waits has a candidate", edition, papers=missing[:10])


def _audit_scores(edition: Edition, candidates: list[Candidate]) -> Iterator[Violation]:
    """A paper is judged or estimated if and only if its effective score says so."""
    named = [c.score_id for c in candidates if c.score_id is not None]
    scores = {score.pk: score for part in _parts(named) for score in Score.objects.filter(pk__in=part)}
    for candidate in candidates:
        score = scores.get(candidate.score_id) if candidate.score_id is not None else None
        is_read = candidate.state in {Candidate.State.JUDGED, Candidate.State.ESTIMATED}
        if is_read and score is None:
            yield _violation("what was read has its score", edition, paper=candidate.paper_id)
        elif score is not None and not _belongs(score, candidate):
            yield _violation("a score is its own paper's", edition, paper=candidate.paper_id, score=score.pk)
        elif is_read and score is not None and score.is_local == (candidate.state == Candidate.State.JUDGED):
            yield _violation("an estimate is no reading", edition, paper=candidate.paper_id, score=score.pk)


def _belongs(score: Score, candidate: Candidate) -> bool:
    return (score.paper_id, score.profile_id) == (candidate.paper_id, candidate.profile_id)


def _candidates(edition: Edition) -> CandidateQuerySet:
    return Candidate.objects.filter(edition=edition)


def _parts(keys: list[int], size: int = 5_000) -> Iterable[list[int]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def _violation(invariant: str, edition: Edition, **detail: Any) -> Violation:
    return Violation(invariant, f"edition {edition.pk} of {edition.day}", detail)
