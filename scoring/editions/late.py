"""Bring an edition in line with what arXiv says now: late papers, withdrawals, corrections, what is parked or released."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from scoring import counted, providers
from scoring.models import Candidate, Edition, FirstSeen
from scoring.packed import Code, Entry, pack, unpack
from scoring.screening.cut import draw, seed_of
from scoring.transactions import retried

from .expecting import expected_of
from .forgotten import unless_forgotten
from .listing import Owed, entries_for, owed_to
from .screening import add, arxiv_ids, candidate_for, keep_account

# What a model has read or is reading stays, even where arXiv corrects its day: `accounts.kept_in` counts it here.
_KEPT = {Code.JUDGED, Code.IN_WORK}


@unless_forgotten
@retried
def reopen(edition: Edition, now: dt.datetime) -> int:
    """Take in what was announced since the edition was opened; how many papers came late.

    On a screened or closed edition they are a numbered batch: those that the stored cut would have let
    through, and a sample of the rest, wait as "late", and the edition is open again. So are those that were
    parked and are released. Papers withdrawn or parked meanwhile are set aside; unread ones whose announcement
    arXiv corrected away leave the list. One transaction; safe to repeat.
    """
    with transaction.atomic():
        locked = Edition.objects.select_for_update(of=("self",)).select_related("profile").get(pk=edition.pk)
        owed = {one.paper_id: one for one in owed_to(locked)}
        entries = _set_withdrawn_aside(
            locked, _without_corrected(locked, unpack(locked.packed), owed), owed, now
        )
        entries = _without_released(_set_parked_aside(locked, entries, owed), owed)
        known = {entry.paper_id for entry in entries}
        late = entries_for(locked, [one for paper_id, one in owed.items() if paper_id not in known])
        if late and locked.state != Edition.State.OPEN:
            late = _screen_late(locked, entries, late)
        packed = pack([*entries, *late])
        if packed != bytes(locked.packed):
            locked.packed = packed
            locked.save(update_fields=["packed", "batch", "state", "cut_rank"])
            keep_account(locked)
        else:
            _keep_counts(locked)
    edition.refresh_from_db()
    return len(late)


@unless_forgotten
@retried
def recount(edition: Edition) -> bool:
    """Keep what arXiv counts by now in the edition's account; whether that is new. Safe to repeat."""
    with transaction.atomic():
        return _keep_counts(Edition.objects.select_for_update().get(pk=edition.pk))


def _keep_counts(edition: Edition) -> bool:
    told = counted.account_of(edition)
    if told.items() <= edition.account.items():
        return False
    edition.account |= told
    edition.save(update_fields=["account"])
    return True


def _screen_late(edition: Edition, entries: Sequence[Entry], late: list[Entry]) -> list[Entry]:
    """Estimate late papers and make candidates of those above the edition's own cut."""
    edition.batch += 1
    open_ones = [entry for entry in late if entry.code == Code.WAITING]
    estimates = expected_of(edition, open_ones, entries).estimates
    is_local = providers.provider_of(edition.profile).is_local
    threshold = 0 if is_local else edition.screening.get("threshold", 0)
    above = {i for i, estimate in enumerate(estimates.combined) if estimate >= threshold}
    seed = seed_of(edition.profile.public_id.hex, edition.day, edition.batch)
    below = [i for i in range(len(open_ones)) if i not in above]
    audit = draw(below, estimates.combined, arxiv_ids(open_ones), seed)
    chosen = above | set(audit)
    decided = {}
    candidates = []
    for i, entry in enumerate(open_ones):
        estimate, interest = estimates.combined[i], estimates.best_interest(i)
        code = Code.WAITING if i in chosen else Code.SCREENED
        decided[entry.paper_id] = Entry(entry.paper_id, entry.version, code, estimate, interest)
        if i in chosen:
            rank = 1 + sum(other.estimate > estimate for other in entries)
            candidate = candidate_for(edition, entry, estimates, i, rank)
            candidate.waits_for, candidate.is_audit = Candidate.Waits.LATE, i in audit
            candidate.audit_chance = audit.get(i, 0)
            candidates.append(candidate)
    add(candidates)
    edition.cut_rank += len(above)
    if candidates:
        edition.state = Edition.State.SCREENED
    return [decided.get(entry.paper_id, entry) for entry in late]


def _without_corrected(edition: Edition, entries: list[Entry], owed: dict[int, Owed]) -> list[Entry]:
    """The list without unread papers that are not announced to it any more; they may enter another day."""
    gone = [e.paper_id for e in entries if e.paper_id not in owed and e.code not in _KEPT]
    if gone:
        Candidate.objects.filter(edition=edition, paper__in=gone).delete()
        FirstSeen.objects.filter(profile=edition.profile_id, day=edition.day, paper__in=gone).delete()
    return [entry for entry in entries if entry.paper_id not in gone]


def _set_withdrawn_aside(
    edition: Edition, entries: list[Entry], owed: dict[int, Owed], now: dt.datetime
) -> list[Entry]:
    """Unread papers that were withdrawn are not read any more."""
    is_gone = {
        e.paper_id
        for e in entries
        if e.code in {Code.WAITING, Code.SCREENED, Code.PARKED}
        and e.paper_id in owed
        and owed[e.paper_id].is_withdrawn
    }
    if is_gone:
        rows = Candidate.objects.filter(edition=edition, paper__in=is_gone).waiting()
        rows.update(state=Candidate.State.WITHDRAWN, changed_at=now)
    return [
        Entry(e.paper_id, e.version, Code.WITHDRAWN, e.estimate, e.interest) if e.paper_id in is_gone else e
        for e in entries
    ]


def _set_parked_aside(edition: Edition, entries: list[Entry], owed: dict[int, Owed]) -> list[Entry]:
    """What nobody has begun to read is not read while it is parked: a day may be opened before its surge shows."""
    is_surplus = {
        e.paper_id
        for e in entries
        if e.code in {Code.WAITING, Code.SCREENED} and e.paper_id in owed and owed[e.paper_id].is_parked
    }
    if is_surplus:
        Candidate.objects.filter(edition=edition, paper__in=is_surplus).waiting().delete()
    return [Entry(e.paper_id, e.version, Code.PARKED) if e.paper_id in is_surplus else e for e in entries]


def _without_released(entries: list[Entry], owed: dict[int, Owed]) -> list[Entry]:
    """The list without what was released: it comes in anew, with what is late."""
    return [
        e for e in entries if e.code != Code.PARKED or e.paper_id not in owed or owed[e.paper_id].is_parked
    ]
