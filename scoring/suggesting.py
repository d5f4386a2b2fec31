"""VERB. Let a model suggest the English terms of interests that have none: leave the question, and take the answer over.

The question is a row; tokens are held when a worker takes it (`judging.suggestions`). Until an answer comes, and where none
does, the terms that are found locally hold. What a reader typed is never asked about and never written over.
No client for a model is loaded: pages call this.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from profiles.drafts import Draft, InterestDraft
from profiles.models import Interest, Profile
from scoring import doorbell, providers, terms
from scoring.budget.words import dollars
from scoring.models import Provider, SuggestedTerms
from scoring.models.providers import judge_name
from scoring.outcomes import problem_told
from scoring.prompting import DICE
from scoring.usage import Usage


class State(StrEnum):
    """Where an interest's terms come from, or are to come from."""

    BY_HAND = "by_hand"
    BY_MODEL = "by_model"
    ASKED = "asked"
    REFUSED = "refused"
    FAILED = "failed"
    LOCAL = "local"


@dataclass(frozen=True)
class Told:
    """What the page says of one interest's terms. `problem` is in words, where the model brought none."""

    state: State
    model: str = ""
    at: dt.datetime | None = None
    problem: str = ""


@dataclass(frozen=True)
class Price:
    """What asking for so many interests takes once, in tokens and micro-dollars."""

    interests: int = 0
    tokens: int = 0
    cost_microusd: int = 0

    @property
    def money(self) -> str:
        return dollars(self.cost_microusd) if self.cost_microusd else ""


def words_of(interest: Interest | InterestDraft) -> str:
    """Names what is asked about: name and description, and nothing else of the profile."""
    return hashlib.sha256(f"{interest.name}\n{interest.description}".encode()).hexdigest()


def without_terms(interests: Iterable[InterestDraft]) -> frozenset[str]:
    """The words of those that have no terms: what an edit left as it was is not asked about by it."""
    return frozenset(words_of(each) for each in interests if not each.terms)


@transaction.atomic
def ask(profile: Profile, left_as_they_were: Collection[str] = ()) -> int:
    """Leave a question for each interest without terms that nobody was asked about; how many.

    An answer that is there already is taken over, and costs nothing. With the local judge nothing is asked. Safe to
    repeat: the same words are asked about once.
    """
    if providers.provider_of(profile).is_local:
        return 0
    asked = 0
    for interest in _without_terms(profile):
        if words_of(interest) in left_as_they_were:
            continue
        row, is_new = SuggestedTerms.objects.get_or_create(profile=profile, words=words_of(interest))
        asked += is_new
        if row.terms:
            take_over(row)
    if asked:
        doorbell.ring("scoring.judge")
    return asked


@transaction.atomic
def ask_again(profile: Profile) -> int:
    """The same, and once more where the model brought none; how many questions are left."""
    wanted = [words_of(interest) for interest in _without_terms(profile)]
    failed = SuggestedTerms.objects.filter(profile=profile, words__in=wanted, terms=[], is_due=False)
    again = failed.update(is_due=True, calls=0, not_before=None, problem="", asked_at=timezone.now())
    if again:
        doorbell.ring("scoring.judge")
    return again + ask(profile)


def take_over(row: SuggestedTerms) -> int:
    """Give the answer to the interests of these words that have no terms, or a model's; how many took it.

    Call it in a transaction. The profile's row is locked: an edit comes before this, and is kept, or after.
    """
    Profile.objects.select_for_update().filter(pk=row.profile_id).first()
    taking = [each for each in Interest.objects.filter(profile=row.profile_id) if _takes(each, row)]
    for interest in taking:
        interest.terms, interest.suggested_by = list(row.terms), row.provider_model
        interest.terms_at = row.answered_at
        interest.save(update_fields=["terms", "suggested_by", "terms_at"])
    return len(taking)


def wanting(row: SuggestedTerms) -> Interest | None:
    """The interest that the question is still about; None where its words have changed or terms were typed."""
    return next((each for each in Interest.objects.filter(profile=row.profile_id) if _takes(each, row)), None)


def _takes(interest: Interest, row: SuggestedTerms) -> bool:
    return words_of(interest) == row.words and (not interest.terms or bool(interest.suggested_by))


def _without_terms(profile: Profile) -> Iterator[Interest]:
    return (interest for interest in profile.interests.all() if not interest.terms)


# --- what a page says ------------------------------------------------------------------------------


def told_of(profile: Profile) -> dict[str, Told]:
    """By its words, where each interest's terms come from. Two queries."""
    rows = {row.words: row for row in SuggestedTerms.objects.filter(profile=profile)}
    return {
        words_of(each): _told(each, rows.get(words_of(each)))
        for each in Interest.objects.filter(profile=profile)
    }


def _told(interest: Interest, row: SuggestedTerms | None) -> Told:
    if interest.terms:
        state = State.BY_MODEL if interest.suggested_by else State.BY_HAND
        return Told(state, str(judge_name(interest.suggested_by)), interest.terms_at)
    if row is None:
        return Told(State.LOCAL)
    if row.is_due:
        return Told(State.REFUSED if row.problem == "budget" else State.ASKED, at=row.asked_at)
    return Told(State.FAILED, at=row.answered_at, problem=str(problem_told(row.problem)))


def price_of_new(draft: Draft, provider: Provider) -> Price:
    """What a new profile asks for: the terms of each interest that has none."""
    return _price([each for each in draft.interests if not each.terms], provider)


def price_of_change(before: Draft, draft: Draft, profile: Profile, provider: Provider) -> Price:
    """What saving the draft asks for: the terms of new words, and of those whose terms were taken away."""
    asked = SuggestedTerms.objects.filter(profile=profile).values_list("words", flat=True)
    known = without_terms(before.interests) | set(asked)
    suggested = {each.terms for each in before.interests if each.suggested_by}
    fresh = (each for each in draft.interests if words_of(each) not in known)
    return _price([each for each in fresh if not each.terms or each.terms in suggested], provider)


def price_of_asking(profile: Profile, provider: Provider) -> Price:
    """What the button asks for: the terms of interests that have none and of which no question is open."""
    told = told_of(profile)
    open_ones = {State.LOCAL, State.FAILED}
    found = [each for each in profile.interests.all() if told[words_of(each)].state in open_ones]
    return _price(found, provider)


def _price(interests: Sequence[Interest | InterestDraft], provider: Provider) -> Price:
    if provider.is_local:
        return Price()
    prompts = (terms.prompt(each.name, each.description, dice=DICE) for each in interests)
    asked, told = sum(prompt.input_tokens for prompt in prompts), len(interests) * terms.USUAL_TOKENS
    return Price(len(interests), asked + told, provider.prices.of(Usage(asked, told)))
