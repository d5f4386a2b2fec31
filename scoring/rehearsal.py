"""VERB. What a changed profile would have made of its last days: from stored numbers, without a call and without a write.

While the judge's words stay, what was judged is ranked anew by arithmetic. Where they change, no stored score says
what the model would find: then the local estimates are compared, and what reading again would take is told.
"""

import copy
import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from django.db import connection

from papers import filling
from papers.models import SEARCHED_OF_PAPER, Paper
from profiles import revisions
from profiles.drafts import Draft, draft_of
from profiles.models import Interest, Profile, Revision
from scoring import edits, price, providers, rubric
from scoring.accounts import announced_to
from scoring.editions.constancies import stored_with
from scoring.editions.expecting import TOGETHER, expected_by, heights_of_late
from scoring.editions.learners import as_if_taught
from scoring.editions.listing import owed_to
from scoring.editions.screening import arxiv_ids
from scoring.models import Candidate, Edition, FirstSeen, Provider, Score
from scoring.packed import Code, Entry, unpack
from scoring.screening.basis import Basis
from scoring.screening.cut import cut, seed_of
from scoring.screening.heights import Heights, heights_of, together
from scoring.screening.learner import Learner
from scoring.usage import Usage

MOVES_NAMED = 10
_READ_STATES = {Candidate.State.JUDGED, Candidate.State.ESTIMATED}
_NEVER_READ = {Code.SEEN, Code.WITHDRAWN, Code.PARKED}


class Wrote(Exception):
    """A rehearsal was about to change a row, and was stopped: nothing was changed.

    It can be no more than the row of a provider that the settings name, and that nothing has used yet.
    """


@dataclass(frozen=True)
class Move:
    """A paper's place from 1 among the recommended (or above the cut), before and after; None where it has none."""

    day: str
    paper_id: int
    before: int | None
    after: int | None
    size: int


@dataclass(frozen=True)
class Day:
    """`entering` and `leaving` the cut; `to_read` papers, what they take in tokens and micro-dollars."""

    day: str
    moves: Sequence[Move]
    entering: int
    leaving: int
    to_read: int
    tokens: int
    cost_microusd: int

    def count(self, is_wanted: Callable[[int | None, int | None], bool]) -> int:
        return sum(is_wanted(move.before, move.after) for move in self.moves)

    @property
    def up(self) -> int:
        return self.count(lambda before, after: bool(before and after and after < before))

    @property
    def down(self) -> int:
        return self.count(lambda before, after: bool(before and after and after > before))

    @property
    def new(self) -> int:
        return self.count(lambda before, _after: before is None)

    @property
    def gone(self) -> int:
        return self.count(lambda _before, after: after is None)

    @property
    def mean_change(self) -> float:
        """Places, over the papers that stand in both orders."""
        both = [abs(move.after - move.before) for move in self.moves if move.before and move.after]
        return fmean(both) if both else 0.0


@dataclass(frozen=True)
class Rehearsal:
    """`by_scores`: the places are those of stored scores among the recommended; else of estimates above the cut."""

    by_scores: bool
    days: Sequence[Day]
    papers: Mapping[int, Paper]

    @property
    def largest(self) -> list[Move]:
        moves = [move for day in self.days for move in day.moves if move.size]
        moves.sort(key=lambda move: (-move.size, move.day, self.papers[move.paper_id].arxiv_id))
        return moves[:MOVES_NAMED]


def rehearse(profile: Profile, draft: Draft, days: int) -> Rehearsal:
    """Over the profile's last `days` editions that were screened. Reads only; raises Wrote rather than write."""
    with filling.without_storing(), connection.execute_wrapper(_reads_only):
        newest = Edition.objects.filter(profile=profile).exclude(state=Edition.State.OPEN).order_by("-day")
        editions = list(newest.select_related("revision")[:days])[::-1]
        if not editions:
            return Rehearsal(by_scores=True, days=[], papers={})
        change = _Change(profile, draft)
        known = change.learned([edition.day for edition in editions])
        done = [
            _Day(change, edition, learned).told() for edition, learned in zip(editions, known, strict=True)
        ]
        keys = {move.paper_id for day in done for move in day.moves}
        papers = Paper.objects.without_words().in_bulk(keys)
    return Rehearsal(not change.words, done, papers)


def as_if(profile: Profile, draft: Draft) -> Profile:
    """The profile as the draft would make it, in memory only: never save it."""
    made = copy.copy(profile)
    for name in ("bar", "target_recall", "cross_lists", "weighting_prompt", "reason_language"):
        setattr(made, name, getattr(draft, name))
    made.categories, made.exclusions = list(draft.categories), list(draft.exclusions)
    wanted = [
        Interest(
            profile=made,
            position=place,
            name=each.name,
            description=each.description,
            weight=each.weight,
            terms=list(each.terms),
        )
        for place, each in enumerate(draft.interests)
    ]
    # Where Django keeps what prefetch_related() found: `interests.all()` gives these without a query.
    vars(made)["_prefetched_objects_cache"] = {"interests": wanted}
    return made


def _reads_only(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    if sql.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE"}:
        raise Wrote(sql[:80])
    return execute(sql, params, many, context)


class _Change:
    """What the draft changes, and what all days share."""

    def __init__(self, profile: Profile, draft: Draft) -> None:
        before = draft_of(profile)
        self.before, self.after, self.draft = profile, as_if(profile, draft), draft
        self.words = before.words() != draft.words()
        self.reach = (set(before.categories), before.cross_lists) != (
            set(draft.categories),
            draft.cross_lists,
        )
        terms = [each.terms for each in before.interests] != [each.terms for each in draft.interests]
        self.estimates = self.words or terms or self.reach
        self.cut = self.estimates or before.target_recall != draft.target_recall
        content = revisions.content_of(self.after, rubric.VERSION)
        self.revision = Revision(content_hash=Revision.hash_of(content), content=content)
        self.provider: Provider = providers.provider_of(profile)
        self.target = 1.0 if self.provider.is_local else draft.target_recall
        self.tokens_a_paper = (
            0 if self.provider.is_local else price.tokens_a_paper(draft, profile, self.provider)
        )
        # What each day held that was told so far, the newest first, and the first of these days.
        self.heights: list[Heights] = []
        self.since: dt.date | None = None

    def learned(self, days: Sequence[dt.date]) -> Iterable[tuple[Basis, Learner] | None]:
        return as_if_taught(self.after, days) if self.estimates else [None] * len(days)


class _Day:
    """One edition under the change. Built, asked once with `told`, and forgotten."""

    def __init__(self, change: _Change, edition: Edition, known: tuple[Basis, Learner] | None) -> None:
        self.change, self.edition, self.known = change, edition, known
        rows = Candidate.objects.filter(edition=edition, day=edition.day).select_related("paper")
        self.candidates = list(rows.defer(*SEARCHED_OF_PAPER))

    def told(self) -> Day:
        was = {each.paper_id for each in self.candidates}
        order, chosen = self._cut() if self.change.cut else (self._order_before(), was)
        if self.change.words:
            before, after = self._order_before(), order
        else:
            before, after = self._recommended(), self._recommended_after(chosen)
        due = self._unread(chosen) if self.change.words else chosen - was
        tokens = self._tokens(due)
        written = min(tokens, len(due) * price.ANSWER_TOKENS)
        return Day(
            day=self.edition.day.isoformat(),
            moves=_moves(self.edition.day.isoformat(), before, after),
            entering=len(chosen - was),
            leaving=len(was - chosen),
            to_read=len(due),
            tokens=tokens,
            cost_microusd=self.change.provider.prices.of(Usage(tokens - written, written)),
        )

    def _order_before(self) -> list[int]:
        above = [each for each in self.candidates if not each.is_audit]
        return [each.paper_id for each in sorted(above, key=lambda each: (each.rank, each.pk))]

    def _cut(self) -> tuple[list[int], set[int]]:
        """The papers above the new cut, best first; and all that would be read, the audit sample among them."""
        entries = self._entries()
        open_ones = [entry for entry in entries if entry.code not in _NEVER_READ]
        if self.change.estimates:
            beside = [entry for entry in entries if entry.code in _NEVER_READ]
            expected = expected_by(self.known, self._as_if(), open_ones, beside)
            estimates, missed = list(expected.estimates.combined), expected.missed
        else:
            estimates = [entry.estimate for entry in open_ones]
            missed = self.edition.screening.get("missed", 1.0)
        seed = seed_of(self.change.before.public_id.hex, self.edition.day)
        judge = stored_with(self.edition.screening)
        before = self._heights_before()
        never = [entry.estimate for entry in entries if entry.code in _NEVER_READ]
        self.change.heights.insert(0, heights_of([*estimates, *never], judge))
        line = cut(
            estimates,
            arxiv_ids(open_ones),
            self.change.target,
            seed,
            missed=missed,
            before=before,
            judge=judge,
        )
        above = [open_ones[i].paper_id for i in line.order[: line.rank]]
        return above, {open_ones[i].paper_id for i in line.chosen}

    def _heights_before(self) -> list[int]:
        """Of the days before as the change would have had them, and of those before all of these as they are stored."""
        first = self._as_if()
        self.change.since = first.day = self.change.since or self.edition.day
        return together([*self.change.heights, *heights_of_late(first)][:TOGETHER])

    def _as_if(self) -> Edition:
        made = copy.copy(self.edition)
        made.profile, made.revision = self.change.after, self.change.revision
        made.categories, made.cross_lists = list(self.change.after.categories), self.change.after.cross_lists
        return made

    def _entries(self) -> list[Entry]:
        """The day's list, without what other categories would leave out, with what they would bring."""
        stored = unpack(self.edition.packed)
        if not self.change.reach:
            return stored
        here = set(announced_to(self.edition).values_list("paper_id", flat=True))
        owed = {one.paper_id: one for one in owed_to(self._as_if())}
        kept = [entry for entry in stored if entry.paper_id in owed or entry.paper_id not in here]
        listed = {entry.paper_id for entry in stored}
        seen = FirstSeen.objects.filter(profile=self.change.before, paper__in=owed.keys() - listed)
        known = listed | set(seen.values_list("paper_id", flat=True))
        return kept + [
            Entry(one.paper_id, one.version, Code.WAITING)
            for one in owed.values()
            if one.paper_id not in known and not one.is_withdrawn and not one.is_parked
        ]

    def _recommended(self) -> list[int]:
        read = [each for each in self.candidates if each.state in _READ_STATES and each.value is not None]
        values = {each.paper_id: (each.value or 0, each.second_value or 0) for each in read}
        return self._best_first(values, self.change.before.bar)

    def _recommended_after(self, chosen: Collection[int]) -> list[int]:
        """By the stored scores and the draft's weights and bar, of what would still be read."""
        interests = list(self.change.after.interests.all())
        read = {each.score_id: each for each in self.candidates if each.state in _READ_STATES}
        scores = Score.objects.filter(pk__in=[key for key in read if key], day=self.edition.day)
        weighings: dict[int, edits.Weighing] = {}
        values: dict[int, tuple[int, int]] = {}
        for score in scores.select_related("revision"):
            if score.paper_id not in chosen:
                continue
            weighing = weighings.get(score.revision_id) or edits.weighing(score.revision, interests)
            weighings[score.revision_id] = weighing
            found = weighing.value(score.interest_scores)
            values[score.paper_id] = (found.value, found.second)
        return self._best_first(values, self.change.draft.bar)

    def _best_first(self, values: Mapping[int, tuple[int, int]], bar: int) -> list[int]:
        """The order of the page."""
        above = [each for each in self.candidates if values.get(each.paper_id, (-1, 0))[0] >= bar]
        above.sort(
            key=lambda each: (
                *(-number for number in values[each.paper_id]),
                -each.estimate,
                each.paper.arxiv_id,
            )
        )
        return [each.paper_id for each in above]

    def _unread(self, papers: Collection[int]) -> set[int]:
        """Those without a model's score under the draft's words: an edit that is taken back costs nothing."""
        told = Score.objects.filter(
            profile=self.change.before,
            revision__content_hash=self.change.revision.content_hash,
            provider_model=self.change.provider.provider_model,
            purpose=Score.Purpose.FIRST,
            paper__in=papers,
        )
        return set(papers) - set(told.values_list("paper_id", flat=True))

    def _tokens(self, papers: Collection[int]) -> int:
        """What each took when it was read, else what the profile's papers take on average. Nothing for a local judge."""
        if self.change.provider.is_local or not papers:
            return 0
        read = {each.score_id for each in self.candidates if each.paper_id in papers and each.score_id}
        rows = Score.objects.filter(pk__in=read, day=self.edition.day, is_local=False)
        shares = {
            paper: used / max(1, len(block))
            for paper, used, block in rows.values_list("paper_id", "call__hold__used_tokens", "call__block")
            if used
        }
        return round(sum(shares.get(paper, self.change.tokens_a_paper) for paper in papers))


def _moves(day: str, before: Sequence[int], after: Sequence[int]) -> list[Move]:
    """Every paper of either order. One that has no place in one counts as standing behind all that have."""
    was = {paper: place for place, paper in enumerate(before, start=1)}
    now = {paper: place for place, paper in enumerate(after, start=1)}
    behind = max(len(was), len(now)) + 1
    return [
        Move(
            day,
            paper,
            was.get(paper),
            now.get(paper),
            size=abs(was.get(paper, behind) - now.get(paper, behind)),
        )
        for paper in dict.fromkeys([*before, *after])
    ]
