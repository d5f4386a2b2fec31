"""VERB. All that is stored of one paper in one profile's day, as the page shows it: for a terminal and for machines.

Reads only; the words and the arithmetic are those of `why_not` and `entries`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from papers.models import Announcement, Paper
from profiles.models import Profile
from scoring import feed, packed, why_not
from scoring.entries import Entry
from scoring.models import Call, Edition, FirstSeen
from scoring.screening.cut import CERTAIN


class NoEdition(Exception):
    """The profile has no edition on that day, or none at all."""


@dataclass(frozen=True)
class Told:
    """The answer about one paper, and the stored numbers behind it. `call` is the effective score's, if a model's."""

    edition: Edition
    paper: Paper
    entry: Entry | None
    answer: why_not.Answer
    listed: Sequence[packed.Entry]
    call: Call | None

    @property
    def found(self) -> packed.Entry | None:
        return next((row for row in self.listed if row.paper_id == self.paper.pk), None)

    @property
    def word(self) -> str:
        """What became of it, by the words of the account; "not_announced" where it is not in the day's list."""
        return self.found.code.word if self.found else "not_announced"


def about(profile: Profile, paper: Paper, day: dt.date | None) -> Told:
    """Of that day, or without one of the day on which the paper came to the profile. Raises NoEdition."""
    edition = _edition(profile, paper, day)
    entry = feed.of_profile(profile).on(edition.day).entry(paper)
    score_id = entry.candidate.score_id if entry and entry.score else None
    return Told(
        edition=edition,
        paper=paper,
        entry=entry,
        answer=why_not.explain(edition, paper, entry),
        listed=packed.unpack(bytes(edition.packed)),
        call=Call.objects.filter(scores__pk=score_id).first() if score_id else None,
    )


def as_dict(told: Told) -> dict[str, Any]:
    """Values, scores and the bar are 0-100, weights 0-1, estimates and chances 0-1; absent parts are null."""
    return {
        "paper": told.paper.arxiv_id,
        "title": told.paper.title,
        "profile": str(told.edition.profile.public_id),
        "day": told.edition.day.isoformat(),
        "became": told.word,
        "is_recommended": told.answer.is_in,
        "answer": str(told.answer.text),
        "bar": told.edition.profile.bar,
        "screening": screening_of(told),
        "reading": reading_of(told),
    }


def screening_of(told: Told) -> dict[str, Any] | None:
    """Where screening put it; None where the paper is not in the list, or nothing was screened yet."""
    found, edition = told.found, told.edition
    if found is None or edition.screened_at is None:
        return None
    candidate = told.entry.candidate if told.entry else None
    return {
        "estimate": found.estimate / packed.HIGHEST_ESTIMATE,
        "rank": candidate.rank if candidate else why_not.rank_of(found, list(told.listed)),
        "of": len(told.listed),
        "cut": edition.cut_rank,
        "target_recall": edition.target_recall,
        "snapshot": edition.snapshot,
        "is_audit": bool(candidate and candidate.is_audit),
        "audit_chance": candidate.audit_chance / CERTAIN if candidate and candidate.is_audit else None,
    }


def reading_of(told: Told) -> dict[str, Any] | None:
    """What a judge said of it and what that took; None where nothing has read it."""
    entry = told.entry
    if entry is None or not entry.score:
        return None
    return {
        "value": entry.value,
        "contributions": [
            {
                "interest": part.name,
                "score": part.score,
                "said": part.said,
                "weight": part.weight,
                "value": part.value,
                "is_best": part.is_best,
            }
            for part in entry.contributions
        ],
        "reason": entry.reason,
        "quote": entry.quote,
        "is_quote_verified": bool(entry.quote) and not entry.is_quote_unverified,
        "is_estimate": entry.is_estimate,
        "is_of_earlier_words": entry.is_of_earlier_words,
        "model": entry.model,
        "kind": told.call.kind if told.call else "",
        "papers_of_call": entry.block_size,
        "tokens": entry.tokens,
        "cost_microusd": round((entry.score.get("cost_microusd") or 0) / max(1, entry.block_size)),
        "second_look": _second_look(entry),
    }


def _second_look(entry: Entry) -> dict[str, Any] | None:
    """Why it was read again, what both readings came to, and whether the second counts; None where it was not."""
    if not entry.candidate.look:
        return None
    return {
        "because": entry.candidate.look,
        "is_due": entry.candidate.is_look_due,
        "values": list(entry.readings) if entry.readings else None,
        "is_second_effective": entry.is_second_look,
    }


def _edition(profile: Profile, paper: Paper, day: dt.date | None) -> Edition:
    of_profile = Edition.objects.filter(profile=profile).select_related("profile").order_by("-day")
    if day is not None:
        found = of_profile.on(day).first()
    else:
        first_seen = FirstSeen.objects.filter(profile=profile, paper=paper).values("day")
        announced = Announcement.objects.filter(paper=paper).values("day")
        found = (
            of_profile.filter(day__in=first_seen).first()
            or of_profile.filter(day__in=announced).first()
            or of_profile.first()
        )
    if found is None:
        raise NoEdition
    return found
