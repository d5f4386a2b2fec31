"""What is read together: up to twenty papers of one edition, in order of estimate, and the words of their call."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from papers.models import Paper, PaperVersion
from profiles.models import Profile, Revision
from scoring import canaries, rubric, suspicion
from scoring.canaries import Canary
from scoring.models import Call, Candidate, Edition, Hold, Provider
from scoring.prompting import DICE, cache_key, revision_text, tokens_to_hold
from scoring.rubric import PaperText, Prompt


@dataclass(frozen=True)
class Row:
    """One candidate of a block with the words that are judged."""

    candidate: Candidate
    text: PaperText
    is_suspect: bool = False

    @property
    def paper_id(self) -> int:
        return self.candidate.paper_id


@dataclass(frozen=True)
class Draft:
    """A block before it is paid for: rows in order of estimate and, for a model, the prompt's own order.

    `labels` are those of the rows; `canaries` ride along, each with a label of its own.
    """

    rows: tuple[Row, ...]
    prompt: Prompt | None
    tokens: int
    labels: tuple[str, ...] = ()
    canaries: tuple[tuple[str, Canary], ...] = ()

    def smaller(self, count: int, revision: Revision, provider: Provider) -> "Draft":
        """The best `count` papers of it."""
        best = sorted(self.rows, key=lambda row: row.candidate.rank)[:count]
        return draft(best, revision, provider, [canary for _label, canary in self.canaries])


@dataclass(frozen=True)
class Block:
    """A claimed block with its hold: everything that `judge_block` needs, and no open transaction."""

    edition: Edition
    profile: Profile
    revision: Revision
    provider: Provider
    call: Call
    hold: Hold
    token: uuid.UUID
    rows: tuple[Row, ...]
    prompt: Prompt | None
    labels: tuple[str, ...] = ()
    canaries: tuple[tuple[str, Canary], ...] = ()

    @property
    def titles(self) -> str:
        return "\n".join(row.text.title for row in self.rows)


def rows_of(candidates: Sequence[Candidate]) -> list[Row]:
    """The candidates with the texts of the versions that they are about; without one, the title alone."""
    wanted = {(each.paper_id, each.version) for each in candidates}
    found = PaperVersion.objects.filter(
        paper_id__in={paper for paper, _ in wanted}, number__in={number for _, number in wanted}
    ).values_list("paper_id", "number", "title", "abstract")
    texts = {(paper, number): PaperText(title, abstract) for paper, number, title, abstract in found}
    textless = {paper for paper, number in wanted if (paper, number) not in texts}
    titles = dict(Paper.objects.filter(pk__in=textless).values_list("pk", "title")) if textless else {}
    rows = []
    for each in candidates:
        text = texts.get((each.paper_id, each.version)) or PaperText(titles[each.paper_id], "")
        rows.append(Row(each, text, suspicion.addresses_the_model(text.title, text.abstract)))
    return rows


def without_company_for_suspects(rows: Sequence[Row]) -> list[Row]:
    """A paper that addresses the model is judged alone; the others do not wait for it."""
    if rows and rows[0].is_suspect:
        return [rows[0]]
    return [row for row in rows if not row.is_suspect]


def draft(rows: Sequence[Row], revision: Revision, provider: Provider, watch: Sequence[Canary] = ()) -> Draft:
    """The block's prompt, and how many tokens are to be held for it: prompt and cap, reasoning included.

    The canaries of `watch` ride along where there is company enough.
    """
    if provider.is_local:
        return Draft(tuple(rows), None, 0)
    shuffled: list[Row | Canary] = [*rows, *(watch if len(rows) >= canaries.LEAST_COMPANY else ())]
    DICE.shuffle(shuffled)
    prompt = rubric.judging_prompt(
        revision_text(revision), [each.text for each in shuffled], dice=DICE, cache_key=cache_key(revision)
    )
    labelled = list(zip(prompt.labels, shuffled, strict=True))
    papers = [(label, each) for label, each in labelled if isinstance(each, Row)]
    return Draft(
        rows=tuple(row for _label, row in papers),
        prompt=prompt,
        tokens=tokens_to_hold(prompt, provider),
        labels=tuple(label for label, _row in papers),
        canaries=tuple((label, each) for label, each in labelled if isinstance(each, Canary)),
    )


def block_json(given: Draft) -> list[list[object]]:
    """The call's record of what was sent, in this order."""
    labels = given.labels or ("",) * len(given.rows)
    return [
        [label, row.paper_id, row.candidate.version] for label, row in zip(labels, given.rows, strict=True)
    ]
