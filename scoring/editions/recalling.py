"""What an edition found of what its profile wants, as far as reading and audit can tell (`scoring.screening.recall`)."""

from typing import Any

from scoring.models import Candidate, Edition
from scoring.packed import Code, unpack
from scoring.screening.rank import SCALE
from scoring.screening.recall import MOST_EDITIONS, Seen, Stated, stated, stated_of_late

from .constancies import stored_with


def recall_of(edition: Edition) -> dict[str, Any]:
    """What is kept of a day at its closing; empty where no model read it. Reads only."""
    seen = seen_of(edition)
    if not seen.expected_picks:
        return {}
    audits = [seen, *audits_of(edition)]
    seed = int(edition.seed[:12] or "0", 16)
    own = stated([seen], audits, seed)
    late = stated_of_late(audits[:MOST_EDITIONS], audits, seed)
    return {"seen": seen.as_json(), "own": _json(own), "stated": _json(late)}


def seen_of(edition: Edition) -> Seen:
    """The sums of a day, from its candidates and its packed list."""
    bar = edition.profile.bar
    judge = stored_with(edition.screening)
    picks = expected = constant = audited = expected_audited = 0.0
    read = Candidate.objects.filter(edition=edition, state=Candidate.State.JUDGED, value__isnull=False)
    for estimate, value, is_audit in read.values_list("estimate", "value", "is_audit"):
        chance, is_pick = estimate / SCALE, (value or 0) >= bar
        constant += is_pick * judge.again(chance)
        if is_audit:
            audited, expected_audited = audited + is_pick, expected_audited + chance
        else:
            picks, expected = picks + is_pick, expected + chance
    unread = (entry.estimate / SCALE for entry in unpack(edition.packed) if entry.code == Code.SCREENED)
    return Seen(
        picks=picks + audited,
        expected_picks=expected + expected_audited,
        constant=constant,
        unread=sum(chance * judge.again(chance) for chance in unread),
        audited=audited,
        expected_audited=expected_audited,
    )


def audits_of(edition: Edition) -> list[Seen]:
    """What the days before this one saw, under the same words, the newest first."""
    before = Edition.objects.filter(profile=edition.profile, day__lt=edition.day).exclude(recall={})
    if edition.revision is not None:
        before = before.filter(screening__revision=edition.revision.content_hash)
    rows = before.order_by("-day").values_list("recall", flat=True)[:MOST_EDITIONS]
    return [Seen(**row["seen"]) for row in rows if row.get("seen")]


def _json(said: Stated | None) -> list[float] | None:
    if said is None:
        return None
    return [round(said.recall, 4), round(said.low, 4), round(said.high, 4), said.editions]
