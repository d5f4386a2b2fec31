"""Move papers between the codes of an edition; close a day; give up what has waited too long."""

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from scoring.models import Candidate, Edition
from scoring.packed import Code, with_codes
from scoring.transactions import retried

from .forgotten import unless_forgotten
from .recalling import recall_of
from .screening import keep_account

UNFINISHED = (Candidate.State.WAITING, Candidate.State.CLAIMED)
# After so many days a paper that still waits is no news any more. Counted from the opening, not from the day:
# a reader may open an old one.
WAITING_DAYS = 14


def move(edition: Edition, codes: Mapping[int, Code]) -> None:
    """Give papers (by id) other codes, under the edition's row lock; call it where their candidates change.

    Raises KeyError for a paper that is not in the list; then nothing has changed.
    """
    with transaction.atomic():
        rows = Edition.objects.filter(pk=edition.pk)
        packed = rows.select_for_update().values_list("packed", flat=True).get()
        edition.packed = with_codes(packed, codes)
        rows.update(packed=edition.packed)


@unless_forgotten
@retried
def close(edition: Edition, now: dt.datetime) -> bool:
    """Close a screened edition of which nothing waits or is in work, with its account; whether it did.

    Safe to repeat. Closed is not final: `reopen` takes in what came late.
    """
    with transaction.atomic():
        locked = Edition.objects.select_for_update().get(pk=edition.pk)
        is_ready = locked.state == Edition.State.SCREENED
        if not is_ready or Candidate.objects.filter(edition=edition, state__in=UNFINISHED).exists():
            return False
        locked.state, locked.closed_at = Edition.State.CLOSED, now
        locked.blocked_by, locked.blocked_until, locked.stopped_at = {}, None, None
        locked.recall = recall_of(locked)
        locked.save(
            update_fields=["state", "closed_at", "blocked_by", "blocked_until", "stopped_at", "recall"]
        )
        keep_account(locked)
    edition.refresh_from_db()
    return True


@retried
def expire_waiting(now: dt.datetime) -> int:
    """Give up papers that still wait in editions opened so long ago; how many. They stay listed, as expired.

    Each edition in a transaction of its own. Safe to repeat; what is claimed is left alone.
    """
    stale = Edition.objects.filter(
        opened_at__lt=now - dt.timedelta(days=WAITING_DAYS),
        state=Edition.State.SCREENED,
        candidates__state=Candidate.State.WAITING,
    ).distinct()
    return sum(_expire(edition, now) for edition in stale)


@unless_forgotten
def _expire(edition: Edition, now: dt.datetime) -> int:
    with transaction.atomic():
        Edition.objects.select_for_update().get(pk=edition.pk)
        waiting = Candidate.objects.filter(edition=edition).waiting().select_for_update()
        papers = {candidate.pk: candidate.paper_id for candidate in waiting}
        Candidate.objects.filter(pk__in=papers).update(state=Candidate.State.EXPIRED, changed_at=now)
        move(edition, dict.fromkeys(papers.values(), Code.EXPIRED))
        keep_account(edition)
    return len(papers)
