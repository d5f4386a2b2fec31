"""What somebody wants a profile to be, before it is one.

The page, a TOML file and the API each read their own form into a Draft; here it is checked as a whole and
stored as a whole, so that nothing is ever half-written.
"""

import datetime as dt
import difflib
import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from papers import taxonomy

from .models import REASON_LANGUAGES, Interest, Profile, Team, User

NAME_CHARACTERS = 100
TEXT_CHARACTERS = 4000
EXCLUSION_CHARACTERS = 400
TERM_CHARACTERS = 80
MAX_INTERESTS = 20
MAX_EXCLUSIONS = 20
MAX_TERMS = 60
MAX_CATEGORIES = 60
TARGET_RECALL = (0.5, 1.0)
_STORED = (
    "name", "categories", "cross_lists", "reason_language", "bar", "target_recall", "weighting_prompt",
    "exclusions", "updated_at",
)  # fmt: skip


@dataclass(frozen=True)
class InterestDraft:
    """`weight` is 0 to 1. Empty `terms` are filled in by screening.

    `suggested_by` is the model that suggested the terms; a form and a file leave it empty.
    """

    name: str
    description: str = ""
    weight: float = 1.0
    terms: tuple[str, ...] = ()
    suggested_by: str = field(default="", compare=False)


@dataclass(frozen=True)
class Draft:
    """`bar` is a value of 0 to 100, `target_recall` a share."""

    name: str
    interests: tuple[InterestDraft, ...]
    categories: tuple[str, ...]
    cross_lists: bool = False
    reason_language: str = "en"
    bar: int = 60
    target_recall: float = 0.9
    weighting_prompt: str = ""
    exclusions: tuple[str, ...] = ()

    def words(self) -> tuple[object, ...]:
        """What the judge reads: a change here is what costs tokens."""
        texts = tuple((interest.name, interest.description) for interest in self.interests)
        return texts, self.exclusions, self.weighting_prompt, self.reason_language

    def as_written(self) -> "Draft":
        """Without what a model suggested: what its owner said."""
        own = (replace(each, terms=()) if each.suggested_by else each for each in self.interests)
        return replace(self, interests=tuple(own))

    def weights(self) -> tuple[object, ...]:
        """What ranks what was judged: a change here is arithmetic and costs nothing."""
        return tuple(interest.weight for interest in self.interests), self.bar

    def reach(self) -> tuple[object, ...]:
        """Which papers a later edition holds, and how many of them the model reads."""
        terms = tuple(interest.terms for interest in self.interests)
        return frozenset(self.categories), self.cross_lists, self.target_recall, terms


@dataclass(frozen=True)
class Problem:
    """`where` is a path such as "bar" or "interests.2.description"; the message says what to do."""

    where: str
    message: str


class BadDraft(Exception):
    """A draft that cannot be a profile. Nothing was stored."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(problem.message for problem in problems))


def draft_of(profile: Profile) -> Draft:
    return Draft(
        name=profile.name,
        interests=tuple(
            InterestDraft(each.name, each.description, each.weight, tuple(each.terms), each.suggested_by)
            for each in profile.interests.all()
        ),
        categories=tuple(profile.categories),
        cross_lists=profile.cross_lists,
        reason_language=profile.reason_language,
        bar=profile.bar,
        target_recall=profile.target_recall,
        weighting_prompt=profile.weighting_prompt,
        exclusions=tuple(profile.exclusions),
    )


def create(draft: Draft, *, owner: User | None, team: Team) -> Profile:
    """A new profile of that owner, or of the team together without one. Raises BadDraft."""
    return _write(draft, Profile(owner=owner, team=team))


def store(draft: Draft, profile: Profile) -> Profile:
    """Make the profile what the draft says. Raises BadDraft. A repeat changes nothing."""
    return _write(draft, profile)


@transaction.atomic
def _write(draft: Draft, profile: Profile) -> Profile:
    draft = tidied(draft)
    check(draft)
    profile.name = draft.name
    profile.categories = list(draft.categories)
    profile.cross_lists = draft.cross_lists
    profile.reason_language = draft.reason_language
    profile.bar = draft.bar
    profile.target_recall = draft.target_recall
    profile.weighting_prompt = draft.weighting_prompt
    profile.exclusions = list(draft.exclusions)
    profile.updated_at = timezone.now()
    # Not whether it is paused or put away: another click may have done that meanwhile.
    profile.save(update_fields=None if profile.pk is None else _STORED)
    before = list(Interest.objects.filter(profile=profile))
    Interest.objects.filter(profile=profile).delete()
    Interest.objects.bulk_create(
        Interest(
            profile=profile,
            position=position,
            name=interest.name,
            description=interest.description,
            weight=interest.weight,
            **_terms_of(interest, before, profile.updated_at),
        )
        for position, interest in enumerate(draft.interests)
    )
    profile.refresh_from_db(fields=["interests"])
    return profile


def _terms_of(interest: InterestDraft, before: Sequence[Interest], now: dt.datetime) -> dict[str, Any]:
    """The terms with where they come from. A list that a model suggested for other words is dropped; one that was
    changed is its owner's from then on."""
    terms = list(interest.terms)
    if not terms:
        return {}
    words = (interest.name, interest.description)
    same = [each for each in before if each.terms == terms]
    known = next((each for each in same if (each.name, each.description) == words), None)
    if known is None and any(each.suggested_by for each in same):
        return {}
    known = known or next(iter(same), None)
    if known is None:
        # A copy brings them along; in an edit a list that was not there before is typed.
        return {"terms": terms, "suggested_by": "" if before else interest.suggested_by, "terms_at": now}
    return {"terms": terms, "suggested_by": known.suggested_by, "terms_at": known.terms_at}


def tidied(draft: Draft) -> Draft:
    """The draft without blank edges, empty rows and repeats; what it means is unchanged."""
    return replace(
        draft,
        name=_name(draft.name),
        weighting_prompt=_lines(draft.weighting_prompt),
        categories=tuple(dict.fromkeys(each.strip() for each in draft.categories if each.strip())),
        exclusions=tuple(_lines(each) for each in draft.exclusions if each.strip()),
        interests=tuple(
            replace(
                each,
                name=_name(each.name),
                description=_lines(each.description),
                weight=round(each.weight, 2) if math.isfinite(each.weight) else each.weight,
                terms=tuple(dict.fromkeys(term.strip() for term in each.terms if term.strip())),
            )
            for each in draft.interests
        ),
    )


def check(draft: Draft) -> None:
    """Raise BadDraft with every problem of a tidied draft, each saying what to do."""
    problems = [
        *_check_frame(draft),
        *_check_categories(draft.categories),
        *_check_interests(draft.interests),
        *_check_exclusions(draft.exclusions),
    ]
    if problems:
        raise BadDraft(problems)


def _check_frame(draft: Draft) -> Iterator[Problem]:
    if not draft.name:
        yield Problem("name", _("Give the profile a name."))
    yield from _check_text("name", draft.name, NAME_CHARACTERS)
    yield from _check_text("weighting_prompt", draft.weighting_prompt, TEXT_CHARACTERS)
    if not 0 <= draft.bar <= 100:
        yield Problem("bar", _("The bar must be a whole number from 0 to 100."))
    low, high = TARGET_RECALL
    if not low <= draft.target_recall <= high:
        yield Problem("target_recall", _("The target recall must lie between 0.5 and 1.0."))
    known = [code for code, _name in REASON_LANGUAGES]
    if draft.reason_language not in known:
        yield Problem(
            "reason_language",
            _("The language of the reasons must be one of %(known)s.") % {"known": ", ".join(known)},
        )


def _check_categories(categories: Sequence[str]) -> Iterator[Problem]:
    if not categories:
        yield Problem("categories", _("Choose at least one arXiv category, such as cs.LG."))
    if len(categories) > MAX_CATEGORIES:
        yield Problem("categories", _("Choose at most %(most)d categories.") % {"most": MAX_CATEGORIES})
    for category in categories:
        if not taxonomy.is_category(category):
            yield Problem("categories", _unknown_category(category))


def _unknown_category(category: str) -> str:
    shown = category[:40]
    near = difflib.get_close_matches(category[:40], taxonomy.CATEGORIES, n=1, cutoff=0.6)
    if near:
        return _("arXiv has no category %(wrong)s. Did you mean %(right)s?") % {
            "wrong": shown,
            "right": near[0],
        }
    return _("arXiv has no category %(wrong)s. Use codes such as cs.LG or math.CO.") % {"wrong": shown}


def _check_interests(interests: Sequence[InterestDraft]) -> Iterator[Problem]:
    if not interests:
        yield Problem("interests", _("Describe at least one research field."))
    if len(interests) > MAX_INTERESTS:
        yield Problem(
            "interests", _("A profile has at most %(most)d research fields.") % {"most": MAX_INTERESTS}
        )
    counts = Counter(interest.name.casefold() for interest in interests)
    for number, interest in enumerate(interests):
        where = f"interests.{number}"
        if not interest.name:
            yield Problem(
                f"{where}.name", _("Give research field %(number)d a name.") % {"number": number + 1}
            )
        elif counts[interest.name.casefold()] > 1:
            yield Problem(
                f"{where}.name", _("Two research fields are called %(name)s.") % {"name": interest.name[:40]}
            )
        yield from _check_text(f"{where}.name", interest.name, NAME_CHARACTERS)
        yield from _check_text(f"{where}.description", interest.description, TEXT_CHARACTERS)
        if not 0 <= interest.weight <= 1:
            yield Problem(f"{where}.weight", _("A weight must lie between 0 and 1."))
        yield from _check_terms(f"{where}.terms", interest.terms)
    if interests and all(interest.weight == 0 for interest in interests):
        # Every paper would be read, at full price, and none recommended.
        yield Problem("interests", _("Give at least one research field a weight above 0."))


def _check_terms(where: str, terms: Sequence[str]) -> Iterator[Problem]:
    if len(terms) > MAX_TERMS:
        yield Problem(where, _("A research field has at most %(most)d terms.") % {"most": MAX_TERMS})
    for term in terms:
        yield from _check_text(where, term, TERM_CHARACTERS)


def _check_exclusions(exclusions: Sequence[str]) -> Iterator[Problem]:
    if len(exclusions) > MAX_EXCLUSIONS:
        yield Problem(
            "exclusions", _("A profile has at most %(most)d exclusions.") % {"most": MAX_EXCLUSIONS}
        )
    for number, text in enumerate(exclusions):
        yield from _check_text(f"exclusions.{number}", text, EXCLUSION_CHARACTERS)


def _check_text(where: str, text: str, most: int) -> Iterator[Problem]:
    if len(text) > most:
        yield Problem(
            where,
            ngettext(
                "This text has %(length)d characters; shorten it to %(most)d.",
                "This text has %(length)d characters; shorten it to %(most)d.",
                len(text),
            )
            % {"length": len(text), "most": most},
        )
    if any(unicodedata.category(sign) == "Cc" and sign not in "\n\t" for sign in text):
        yield Problem(where, _("This text holds control characters; type it again without them."))


def _name(text: str) -> str:
    """Without blank edges and without signs that nobody sees or that turn the reading direction."""
    # Joiners stay: scripts and emoji are written with them.
    seen = (sign for sign in text if unicodedata.category(sign) != "Cf" or sign in "\u200c\u200d")
    name = "".join(seen).strip()
    return name if name.strip("\u200c\u200d") else ""


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
