"""Take back what a dead worker had claimed."""

import datetime as dt
import uuid

from django.db import transaction

from scoring import budget, editions
from scoring.models import Call, Candidate, Edition, Hold
from scoring.packed import Code
from scoring.transactions import retried

from .records import fail, save_returned

# After a crash in company a block is read in a quarter of it; alone, the third crash is a poison's.
CRASH_SHARE = 4
SOLO_CRASHES_TO_FAIL = 3
Waits = Candidate.Waits


def reap(now: dt.datetime) -> int:
    """Return the papers of claims whose lease has run out to the queue; how many. Safe to repeat and to race.

    Ends overdue holds first: a claim is never taken away while its hold is open.
    """
    budget.reap(now)
    tokens = Candidate.objects.abandoned(now).order_by().values_list("claim_token", "edition_id").distinct()
    return sum(_return(token, edition_id, now) for token, edition_id in list(tokens) if token is not None)


@retried
@transaction.atomic
def _return(token: uuid.UUID, edition_id: int, now: dt.datetime) -> int:
    edition = Edition.objects.select_for_update().filter(pk=edition_id).first()
    if edition is None:
        return 0
    call = Call.objects.filter(claim_token=token).select_related("hold").first()
    if call is not None and call.hold.state == Hold.State.OPEN:
        return 0
    lost = list(Candidate.objects.claimed_by(token).filter(lease_until__lt=now))
    size = len(call.block) if call is not None else 1
    for each in lost:
        _after_a_crash(each, size, now)
    save_returned(lost)
    if lost:
        editions.move(edition, {each.paper_id: Code[each.state.upper()] for each in lost})
    return len(lost)


def _after_a_crash(candidate: Candidate, size: int, now: dt.datetime) -> None:
    candidate.state, candidate.claim_token, candidate.lease_until = Candidate.State.WAITING, None, None
    candidate.attempts, candidate.changed_at, candidate.waits_for = candidate.attempts + 1, now, Waits.TURN
    if size > 1:
        candidate.largest_block = max(1, min(candidate.largest_block, size) // CRASH_SHARE)
        return
    candidate.solo_crashes += 1
    if candidate.solo_crashes >= SOLO_CRASHES_TO_FAIL:
        fail(candidate, "poison")
