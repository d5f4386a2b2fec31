"""One paper as a reader sees it on a day: what its card says, from rows that are already loaded. No query."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from papers.markdown import one_line
from papers.models import Paper
from profiles.models import Interest
from scoring.budget.words import dollars
from scoring.edits import Weighing
from scoring.explaining import Price, Question
from scoring.models import Candidate, Hold
from scoring.models.providers import judge_name
from scoring.paper_facts import FIRST_AUTHORS, FoundLink, People, author_line, found_links
from scoring.usage import Prices
from scoring.value import shown, value_of

UNREAD_STATES = {Candidate.State.WAITING, Candidate.State.CLAIMED}


@dataclass(frozen=True)
class Contribution:
    """What one research field gave: score 0-100, weight 0-1, product 0-100."""

    name: str
    score: int
    weight: float
    value: int
    is_best: bool
    said: int | None = None  # by the model, where that counts as another score

    @property
    def shown(self) -> str:
        return shown(self.value)

    @property
    def shown_score(self) -> str:
        return shown(self.score)


@dataclass(frozen=True)
class EarlierWords:
    """The research fields that a score was given by, and what each of its numbers counts for today."""

    names: Sequence[str]
    weighing: Weighing


class Entry:
    """A candidate with its paper, effective score and the reader's marks, as `feed` loaded them."""

    def __init__(
        self, candidate: Candidate, fields: Sequence[Interest], words_hash: str, categories: Sequence[str]
    ) -> None:
        self.candidate = candidate
        self.categories = categories
        self.place = 0  # number on the page of the day, from 1; 0 where it stands alone
        self.may_vote = True
        self.is_stopped = False
        self.question: Question | None = None  # what a reason would take; None where the reader may not spend
        self.fields = fields
        self.words_hash = words_hash
        self.readings: tuple[int, int] | None = None  # the values of the first reading and the second look
        self.earlier: EarlierWords | None = None  # where the score stands in the order of other words
        self.paper: Paper = candidate.paper
        self.score: dict[str, Any] = _object(candidate.score_row)  # type: ignore[attr-defined]
        self.text: dict[str, Any] = _object(candidate.text_row)  # type: ignore[attr-defined]
        self.is_saved = bool(candidate.is_saved)  # type: ignore[attr-defined]
        self.is_read = bool(candidate.is_read)  # type: ignore[attr-defined]
        self.is_dismissed = bool(candidate.is_dismissed)  # type: ignore[attr-defined]
        self.vote: int = candidate.vote or 0  # type: ignore[attr-defined]

    # --- what it is worth --------------------------------------------------------------------------

    @property
    def is_waiting(self) -> bool:
        return self.candidate.state in UNREAD_STATES

    @property
    def is_estimate(self) -> bool:
        """Not read by a language model: a local judge's score, or only the screening's estimate."""
        return not self.score or bool(self.score["is_local"])

    @property
    def is_simulated(self) -> bool:
        return bool(self.score.get("is_simulated"))

    @cached_property
    def value(self) -> int:
        """0-100; while the model has not read it, the local estimate on the same scale."""
        if self.candidate.value is not None:
            return self.candidate.value
        return min(100, (self.candidate.estimate + 50) // 100)

    @property
    def shown_value(self) -> str:
        return shown(self.value)

    @property
    def band(self) -> str:
        """The colour of the chip; the number in it says the same."""
        if self.is_estimate:
            return "is-estimate"
        return next(
            (
                name
                for least, name in ((90, "chip-top"), (75, "chip-high"), (50, "chip-mid"))
                if self.value >= least
            ),
            "chip-low",
        )

    @cached_property
    def field(self) -> Interest | None:
        position = self.candidate.interest
        if position is None:
            position = self.candidate.estimate_interest
        return self.fields[position] if position < len(self.fields) else None

    @cached_property
    def contributions(self) -> list[Contribution]:
        """Each research field's score, weight and product; empty where nothing judged the paper."""
        scores: Sequence[int] = _list(self.score.get("interest_scores"))
        said: Sequence[int | None] = _list(self.score.get("said_scores")) or [None] * len(scores)
        now = [(field.name, field.weight, field.position) for field in self.fields]
        if self.earlier is not None:
            weighing = self.earlier.weighing
            now = list(zip(self.earlier.names, weighing.weights, weighing.positions, strict=True))
        best = self.field.position if self.field else None
        return [
            Contribution(
                name,
                score,
                weight,
                value_of([score], [weight]).value if score else 0,
                bool(weight) and position == best,
                told,
            )
            for score, told, (name, weight, position) in zip(scores, said, now, strict=False)
        ]

    @property
    def telling_contributions(self) -> list[Contribution]:
        """Those above nothing, the best first."""
        return sorted((part for part in self.contributions if part.score), key=lambda part: -part.value)

    @property
    def is_rescaled(self) -> bool:
        """Its scores count as others than the model said."""
        return any(part.said is not None for part in self.contributions)

    @property
    def silent_fields(self) -> list[str]:
        return [part.name for part in self.contributions if not part.score]

    # --- what was said of it -----------------------------------------------------------------------

    @property
    def reason(self) -> str:
        return self.score.get("reason") or ""

    @property
    def is_reason_missing(self) -> bool:
        """A model has scored it and gave no reason: it scored too little, or left it out."""
        return bool(self.score) and not self.score["is_local"] and not self.reason

    @property
    def is_asked(self) -> bool:
        """A reader has asked for the reason, and the model has not answered yet."""
        return self.is_reason_missing and self.score.get("question_state") == Hold.State.OPEN

    @property
    def is_unanswered(self) -> bool:
        """It was asked for in vain."""
        return self.is_reason_missing and not self.is_asked and bool(self.score.get("question_state"))

    @cached_property
    def reason_price(self) -> Price | None:
        """What asking for the reason takes; None where there is nothing to ask or nobody who may."""
        if self.question is None or not self.is_reason_missing or not self.score.get("may_be_asked"):
            return None
        prices = Prices(
            input_microusd=self.score.get("price_input") or 0,
            output_microusd=self.score.get("price_output") or 0,
        )
        return self.question.price(self.title, self.abstract, prices)

    @property
    def reason_language(self) -> str:
        return self.score.get("reason_language") or ""

    @property
    def quote(self) -> str:
        return self.score.get("quote") or ""

    @property
    def is_quote_unverified(self) -> bool:
        return bool(self.quote) and not self.score["is_quote_verified"]

    @property
    def is_language_wrong(self) -> bool:
        return bool(self.reason) and not self.score["is_language_right"]

    @property
    def is_of_earlier_words(self) -> bool:
        """Judged before the reader last changed the texts of the profile."""
        return bool(self.score) and self.score["words_hash"] != self.words_hash

    @property
    def model(self) -> str:
        return self.score.get("provider_model") or ""

    @property
    def judge(self) -> Any:
        """The model as a page names it."""
        return judge_name(self.model)

    @property
    def rubric(self) -> str:
        return self.score.get("rubric") or ""

    @property
    def block_size(self) -> int:
        return len(_list(self.score.get("block"))) or 1

    @property
    def is_flagged(self) -> bool:
        """The paper's text addresses a language model."""
        return "addresses_the_model" in _list(self.score.get("flags"))

    @property
    def is_crowned(self) -> bool:
        """An answer put it above all others and gave those nothing; it was not believed."""
        return "crowned_alone" in _list(self.score.get("flags"))

    @property
    def shown_readings(self) -> tuple[str, str] | None:
        return (shown(self.readings[0]), shown(self.readings[1])) if self.readings else None

    @property
    def is_second_look(self) -> bool:
        """The second look is what counts: it differs from the first reading by more than noise."""
        return self.score.get("purpose") == "second_look"

    @property
    def money(self) -> str:
        """The paper's even share of what its call cost; nothing where no price was known."""
        cost = self.score.get("cost_microusd") or 0
        return dollars(round(cost / max(1, self.block_size))) if cost else ""

    @property
    def tokens(self) -> int:
        """The paper's even share of what its call was charged, as the account of the day counts it."""
        booked = self.score.get("booked_tokens")
        if booked is None:
            booked = (self.score.get("input_tokens") or 0) + (self.score.get("output_tokens") or 0)
        return round(booked / self.block_size)

    # --- the paper itself --------------------------------------------------------------------------

    @property
    def abstract(self) -> str:
        return self.text.get("abstract") or ""

    @property
    def title(self) -> str:
        return self.text.get("title") or self.paper.title

    @property
    def is_sample(self) -> bool:
        return bool(self.text.get("is_sample"))

    @property
    def is_new_version(self) -> bool:
        return self.candidate.version > 1

    @property
    def is_cross_list(self) -> bool:
        """It came to this profile by another category than its own."""
        return self.paper.primary_category not in self.categories

    @property
    def anchor(self) -> str:
        return "p-" + self.paper.arxiv_id.replace("/", "-")

    @property
    def day(self) -> str:
        """The day of announcement: 2026-01-30."""
        return self.candidate.day.isoformat()

    @property
    def anchor_selector(self) -> str:
        """The anchor as it stands in a CSS selector."""
        return self.anchor.replace(".", "\\.")

    @cached_property
    def people(self) -> People:
        return People(self.paper.authors)

    @cached_property
    def links(self) -> list[FoundLink]:
        """Code, data and pages that the authors name; our own sample texts name none."""
        return found_links(self.paper, "" if self.is_sample else self.abstract)

    @property
    def byline(self) -> str:
        """The names in one short line, for a mail."""
        names = [one_line(author_line(author)) for author in self.paper.authors]
        return (
            ", ".join(names)
            if len(names) <= FIRST_AUTHORS + 1
            else f"{', '.join(names[:FIRST_AUTHORS])}, … {names[-1]}"
        )

    @property
    def other_categories(self) -> list[str]:
        return [name for name in self.paper.categories if name != self.paper.primary_category]

    @property
    def waits_for(self) -> str:
        if self.candidate.state == Candidate.State.CLAIMED:
            return _("The model is reading it now.")  # type: ignore[return-value]
        if self.is_stopped:
            return _("Waits: the reading of this day is stopped.")  # type: ignore[return-value]
        return WAITING_TEXTS.get(self.candidate.waits_for or "", _("Waits for its turn."))


WAITING_TEXTS: dict[str, Any] = {
    Candidate.Waits.TURN: _("Waits for its turn."),
    Candidate.Waits.BUDGET: _("Waits for budget."),
    Candidate.Waits.PROVIDER: _("Waits for the model's provider."),
    Candidate.Waits.LATE: _("Announced late; waits for its turn."),
}


def count_of_papers(count: int) -> str:
    return ngettext("%(count)d paper", "%(count)d papers", count) % {"count": count}


def _object(row: Any) -> dict[str, Any]:
    """A JSON object from a subquery; SQLite hands nested JSON over as text."""
    loaded = json.loads(row) if isinstance(row, str) else row
    return loaded or {}


def _list(row: Any) -> list[Any]:
    loaded = json.loads(row) if isinstance(row, str) else row
    return loaded or []
