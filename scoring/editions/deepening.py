"""Move a day's cut down where its own audit found more below it than was estimated: the same day, before it closes."""

from dataclasses import replace
from typing import Any

from django.db import transaction

from scoring import providers
from scoring.models import Candidate, Edition
from scoring.packed import Code, Entry, pack, unpack
from scoring.screening import recall
from scoring.screening.cut import Cut, cut
from scoring.transactions import retried

from .closing import UNFINISHED
from .constancies import stored_with
from .expecting import expected_of
from .forgotten import unless_forgotten
from .recalling import audits_of, seen_of
from .screening import add, arxiv_ids, candidate_for, keep_account

# What has an estimate of this day's screening and was not taken out of the reader's sight.
_RANKED = {Code.WAITING, Code.IN_WORK, Code.JUDGED, Code.SCREENED, Code.FAILED, Code.EXPIRED}


@unless_forgotten
@retried
def deepen(edition: Edition) -> int:
    """Give the model what the estimates wrongly kept from it; how many papers.

    Only when all that was chosen has been read, and once a day of a profile: before its first closing. Estimates stay
    as they are; how much is missed below them is what the audits say, today's among them. One transaction, by
    compare-and-swap on the list; a repeat changes nothing.
    """
    edition.refresh_from_db()
    if not _may_move(edition):
        return 0
    audits = [seen_of(edition), *audits_of(edition)]
    missed = recall.missed_ratio(audits)
    if not recall.is_doubted(audits) or missed <= edition.screening.get("missed", 1.0):
        return 0
    listed = bytes(edition.packed)
    entries = unpack(listed)
    line, ranked = _line(edition, entries, missed)
    deeper = {ranked[i].paper_id: place for place, i in enumerate(line.order[: line.rank], start=1)}
    newly = [e for e in entries if e.code == Code.SCREENED and e.paper_id in deeper]
    candidates = _candidates(edition, entries, newly, deeper)
    chosen = {entry.paper_id for entry in newly}
    packed = pack(replace(e, code=Code.WAITING) if e.paper_id in chosen else e for e in entries)
    facts = edition.screening | _facts(line, ranked, missed, len(newly))
    with transaction.atomic():
        unchanged = Edition.objects.filter(pk=edition.pk, state=Edition.State.SCREENED, packed=listed)
        if not unchanged.update(
            packed=packed,
            screening=facts,
            cut_rank=max(line.rank, edition.cut_rank),
            expected_recall=line.expected_recall,
        ):
            return 0
        add(candidates)
        keep_account(edition)
    return len(newly)


def _may_move(edition: Edition) -> bool:
    """A day that a model has read as far as it was cut, for the first time, and that was cut at all."""
    if edition.state != Edition.State.SCREENED or edition.closed_at is not None:
        return False
    if "deepened" in edition.screening or (edition.target_recall or 1.0) >= 1.0:
        return False
    if Candidate.objects.filter(edition=edition, state__in=UNFINISHED).exists():
        return False
    return not providers.provider_of(edition.profile).is_local


def _line(edition: Edition, entries: list[Entry], missed: float) -> tuple[Cut, list[Entry]]:
    """The cut over the day's estimates as they were stored, and the papers that it orders."""
    ranked = [entry for entry in entries if entry.code in _RANKED]
    estimates = [entry.estimate for entry in ranked]
    target = edition.target_recall or 1.0
    judge = stored_with(edition.screening)
    return cut(estimates, arxiv_ids(ranked), target, edition.seed, missed=missed, judge=judge), ranked


def _candidates(
    edition: Edition, entries: list[Entry], newly: list[Entry], places: dict[int, int]
) -> list[Candidate]:
    """What to read besides. The estimate that decided stays; only that of each interest is computed again."""
    chosen = {entry.paper_id for entry in newly}
    beside = [entry for entry in entries if entry.paper_id not in chosen]
    estimates = expected_of(edition, newly, beside).estimates
    made = []
    for i, entry in enumerate(newly):
        candidate = candidate_for(edition, entry, estimates, i, places[entry.paper_id])
        candidate.estimate, candidate.estimate_interest = entry.estimate, entry.interest
        made.append(candidate)
    return made


def _facts(line: Cut, ranked: list[Entry], missed: float, count: int) -> dict[str, Any]:
    last = line.order[line.rank - 1] if line.rank else None
    return {
        "missed": round(missed, 4),
        "doubted": True,
        "deepened": count,
        "threshold": 0 if last is None or line.rank == len(line.order) else ranked[last].estimate,
    }
