"""Decide what the model need not read. Estimates are computed outside, written in one compare-and-swap."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from papers import bulk
from papers.models import Paper
from profiles import revisions
from profiles.models import Revision
from scoring import providers, rubric
from scoring.accounts import account
from scoring.models import Candidate, Edition
from scoring.packed import Code, Entry, pack, pack_estimates, unpack
from scoring.screening.cut import Cut, cut, seed_of
from scoring.screening.heights import heights_of
from scoring.screening.rank import Estimates
from scoring.transactions import retried

from . import learners
from .constancies import as_stored, constancy_of
from .expecting import Expected, expected_of, heights_before
from .forgotten import unless_forgotten

_COLUMNS = [field.attname for field in Candidate._meta.concrete_fields if not field.primary_key]
# What nobody has read yet, so that new words may change it. An estimate is no reading.
FREE_STATES = (Candidate.State.WAITING, Candidate.State.ESTIMATED)
_FREE_CODES = {Code.WAITING, Code.SCREENED, Code.ESTIMATED}
# What a candidate went through, which no new estimate undoes.
_HISTORY = (
    "batch", "waits_for", "attempts", "misreads", "solo_crashes", "largest_block", "not_before", "failure",
    "is_repeat",
)  # fmt: skip


@dataclass(frozen=True)
class Decision:
    """What screening decided about a list: its candidates, and what the edition keeps, the list among it."""

    candidates: list[Candidate]
    kept: dict[str, Any]


@unless_forgotten
def screen(edition: Edition, now: dt.datetime | None = None) -> bool:
    """Rank the day, draw the cut and the audit sample, make the candidates; whether this call did it.

    One transaction, by compare-and-swap on the edition's state: of several workers one wins, and a repeat
    changes nothing. With the local judge everything is a candidate, for its readings are free.
    """
    return _decided_once(edition, now or timezone.now())


@retried
def _decided_once(edition: Edition, now: dt.datetime) -> bool:
    learners.teach(edition.profile)
    while True:
        edition.refresh_from_db()
        if edition.state != Edition.State.OPEN:
            return False
        listed = bytes(edition.packed)
        revision = revisions.current(edition.profile, rubric.VERSION)
        decision = _decide(edition, revision, {Code.WAITING})
        with transaction.atomic():
            # A late paper may have joined the list meanwhile: then it is looked at again.
            unchanged = Edition.objects.filter(pk=edition.pk, state=Edition.State.OPEN, packed=listed)
            if unchanged.update(state=Edition.State.SCREENED, screened_at=now, **decision.kept):
                add(decision.candidates)
                keep_account(edition)
                return True


@unless_forgotten
@retried
def rescreen(edition: Edition, now: dt.datetime | None = None) -> bool:
    """Estimate again what nobody has read, by the words that `edits.adopt` brought; whether anything was done.

    Claimed and judged papers stay as they are. Estimates of the local judge are given anew. Safe to repeat:
    without new words nothing happens.
    """
    learners.teach(edition.profile)
    while True:
        edition.refresh_from_db()
        revision = edition.revision
        if revision is None or edition.state == Edition.State.OPEN or not _has_new_words(edition, revision):
            return False
        listed = bytes(edition.packed)
        decision = _decide(edition, revision, _FREE_CODES)
        with transaction.atomic():
            unchanged = Edition.objects.filter(pk=edition.pk, revision=revision, packed=listed)
            if unchanged.update(state=Edition.State.SCREENED, **decision.kept):
                _replace_free(edition, decision.candidates)
                keep_account(edition)
                return True


def keep_account(edition: Edition) -> None:
    """Store the account as it is now, in the caller's transaction."""
    edition.refresh_from_db()
    edition.account = account(edition).as_dict()
    edition.save(update_fields=["account"])


def _has_new_words(edition: Edition, revision: Revision) -> bool:
    estimated_by = edition.screening.get("revision")
    return estimated_by is not None and estimated_by != revision.content_hash


def _decide(edition: Edition, revision: Revision, codes: set[Code]) -> Decision:
    entries = unpack(edition.packed)
    open_ones = [entry for entry in entries if entry.code in codes]
    expected = expected_of(edition, open_ones, [entry for entry in entries if entry.code not in codes])
    estimates = expected.estimates
    seed = seed_of(edition.profile.public_id.hex, edition.day)
    reader = providers.provider_of(edition.profile)
    target = 1.0 if reader.is_local else edition.profile.target_recall
    judge = constancy_of(reader.provider_model)
    line = cut(
        estimates.combined,
        arxiv_ids(open_ones),
        target,
        seed,
        missed=expected.missed,
        before=heights_before(edition),
        judge=judge,
    )
    decided = {entry.paper_id: entry for entry in _estimated(open_ones, estimates, line)}
    listed = [decided.get(entry.paper_id, entry) for entry in entries]
    return Decision(
        candidates=_candidates(edition, open_ones, estimates, line),
        kept={
            "packed": pack(listed),
            "revision": revision,
            "snapshot": estimates.snapshot,
            "seed": seed,
            "cut_rank": line.rank,
            "target_recall": target,
            "expected_recall": line.expected_recall,
            "screening": _facts(expected, line, revision)
            | {"heights": heights_of([entry.estimate for entry in listed], judge)}
            | as_stored(judge),
        },
    )


def _candidates(
    edition: Edition, entries: Sequence[Entry], estimates: Estimates, line: Cut
) -> list[Candidate]:
    places = {paper: place for place, paper in enumerate(line.order, start=1)}
    made = []
    for i in line.chosen:
        candidate = candidate_for(edition, entries[i], estimates, i, places[i])
        candidate.is_audit, candidate.audit_chance = i in line.audit, line.audit.get(i, 0)
        made.append(candidate)
    return made


def _estimated(entries: Sequence[Entry], estimates: Estimates, line: Cut) -> list[Entry]:
    chosen = set(line.chosen)
    return [
        replace(
            entry,
            estimate=estimates.combined[i],
            interest=estimates.best_interest(i),
            code=Code.WAITING if i in chosen else Code.SCREENED,
        )
        for i, entry in enumerate(entries)
    ]


def candidate_for(edition: Edition, entry: Entry, estimates: Estimates, i: int, rank: int) -> Candidate:
    """The unsaved candidate of the i-th estimated paper."""
    return Candidate(
        day=edition.day,
        edition=edition,
        profile_id=edition.profile_id,
        paper_id=entry.paper_id,
        version=entry.version,
        batch=edition.batch,
        rank=rank,
        estimate=estimates.combined[i],
        estimate_interest=estimates.best_interest(i),
        interest_estimates=pack_estimates(estimates.by_interest[i]),
    )


def add(candidates: Sequence[Candidate]) -> None:
    """Store new candidates, in the caller's transaction; they don't learn their keys."""
    bulk.insert(Candidate, _COLUMNS, ([vars(one)[name] for name in _COLUMNS] for one in candidates))


def _facts(expected: Expected, line: Cut, revision: Revision) -> dict[str, Any]:
    estimates = expected.estimates
    last = line.order[line.rank - 1] if line.rank else None
    return {
        "weak": estimates.is_weak,
        "unknown": list(estimates.unknown),
        "strengths": [round(strength, 3) for strength in estimates.strengths],
        "audited": len(line.audit),
        "threshold": 0 if last is None or line.rank == len(line.order) else estimates.combined[last],
        "revision": revision.content_hash,
        "calibration": expected.calibration.as_list(),
        "missed": round(expected.missed, 4),
        "doubted": expected.is_doubted,
    }


def arxiv_ids(entries: Sequence[Entry]) -> list[str]:
    """The arXiv ids of these entries, in their order."""
    ids = dict(Paper.objects.filter(pk__in=[e.paper_id for e in entries]).values_list("pk", "arxiv_id"))
    return [ids[entry.paper_id] for entry in entries]


def _replace_free(edition: Edition, candidates: list[Candidate]) -> None:
    """Put new candidates in the place of those that nobody has read, keeping what these went through."""
    free = Candidate.objects.filter(edition=edition, state__in=FREE_STATES)
    before = {candidate.paper_id: candidate for candidate in free}
    for candidate in candidates:
        old = before.get(candidate.paper_id)
        for name in _HISTORY if old else ():
            setattr(candidate, name, getattr(old, name))
    free.delete()
    add(candidates)
