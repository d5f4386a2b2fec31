"""What a change of a profile will cost, before it is saved. Reads only; the figures are estimates and say so."""

import datetime as dt
from dataclasses import dataclass, field

from papers.models import Announcement
from profiles.drafts import Draft, draft_of
from profiles.models import Profile

from . import rubric, suggesting, tokens
from .budget.words import dollars
from .models import Call, Candidate, Edition, Provider
from .usage import Prices, Usage

# What a paper's title and abstract and its row of the answer take on an arXiv day, in tokens.
PAPER_TOKENS = 255
ANSWER_TOKENS = 30
RECENT_CALLS = 20


@dataclass(frozen=True)
class Price:
    """`papers` are those that would be read with the new words; `judged` stay as they are; `tokens` is at most."""

    is_new: bool
    words_changed: bool
    weights_changed: bool
    reach_changed: bool
    day: dt.date | None
    papers: int
    judged: int
    tokens_a_paper: int
    is_local: bool
    model: str
    prices: Prices = field(default_factory=Prices)
    terms: suggesting.Price = field(default_factory=suggesting.Price)

    @property
    def tokens(self) -> int:
        return 0 if self.is_local else self.papers * self.tokens_a_paper

    @property
    def money(self) -> str:
        """The same in dollars, as if nothing were cached; nothing where no price is known."""
        if not self.prices.is_known or not self.tokens:
            return ""
        written = self.papers * ANSWER_TOKENS
        return dollars(self.prices.of(Usage(max(0, self.tokens - written), min(written, self.tokens))))

    @property
    def is_free(self) -> bool:
        """Nothing will be read because of this change: it is arithmetic, or changes nothing."""
        return not (self.is_new or self.words_changed or self.reach_changed)


def newest_day(categories: tuple[str, ...], *, cross_lists: bool) -> dt.date | None:
    """The newest day on which something was announced in these categories, as far as it was harvested."""
    named = Announcement.objects.entering(categories, cross_lists=cross_lists)
    return named.order_by("-day").values_list("day", flat=True).first()


def of_new(draft: Draft, provider: Provider) -> Price:
    """What the newest day costs a new profile: at most every paper of the day is read."""
    day = newest_day(draft.categories, cross_lists=draft.cross_lists)
    papers = 0
    if day is not None:
        announced = Announcement.objects.announced_to(draft.categories, day, cross_lists=draft.cross_lists)
        papers = announced.paper_count()
    return Price(
        is_new=True,
        words_changed=True,
        weights_changed=True,
        reach_changed=True,
        day=day,
        papers=papers,
        judged=0,
        tokens_a_paper=tokens_a_paper(draft, None, provider),
        is_local=provider.is_local,
        model=provider.model,
        prices=provider.prices,
        terms=suggesting.price_of_new(draft, provider),
    )


def of_change(profile: Profile, draft: Draft, provider: Provider) -> Price:
    """What saving the draft costs: papers not yet claimed are read with the new words, judged ones stay."""
    before = draft_of(profile)
    mine = Candidate.objects.filter(edition__in=Edition.objects.filter(profile=profile).unclosed())
    return Price(
        is_new=False,
        words_changed=before.words() != draft.words(),
        weights_changed=before.weights() != draft.weights(),
        reach_changed=before.reach() != draft.reach(),
        day=Edition.objects.filter(profile=profile).order_by("-day").values_list("day", flat=True).first(),
        papers=mine.waiting().count(),
        judged=Candidate.objects.filter(profile=profile, state=Candidate.State.JUDGED).count(),
        tokens_a_paper=tokens_a_paper(draft, profile, provider),
        is_local=provider.is_local,
        model=provider.model,
        prices=provider.prices,
        terms=suggesting.price_of_change(before, draft, profile, provider),
    )


def tokens_a_paper(draft: Draft, profile: Profile | None, provider: Provider) -> int:
    """Measured on the profile's last calls to this model; else estimated from the prompt's own words."""
    if profile is not None:
        measured = _measured(profile, provider)
        if measured:
            return measured
    revision = rubric.RevisionText(
        interests=tuple(rubric.InterestText(each.name, each.description) for each in draft.interests),
        exclusions=draft.exclusions,
        weighting_prompt=draft.weighting_prompt,
        reason_language=draft.reason_language,
    )
    prefix = tokens.estimate(rubric.RULES) + tokens.estimate(rubric.revision_text(revision))
    return prefix // rubric.PAPERS_A_CALL + PAPER_TOKENS + ANSWER_TOKENS


def _measured(profile: Profile, provider: Provider) -> int:
    calls = Call.objects.filter(
        profile=profile,
        kind=Call.Kind.JUDGE,
        provider_model=provider.provider_model,
        outcome="judged",
        is_usage_flagged=False,
    ).order_by("-created_at")[:RECENT_CALLS]
    papers = sum(len(call.block) for call in calls)
    used = sum(call.input_tokens + call.output_tokens for call in calls)
    return -(-used // papers) if papers else 0
