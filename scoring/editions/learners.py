"""What a profile has learned, from rows to `scoring.screening` and back.

The newest `Directions` are the basis; a profile's `LearnerState` is a fold over its lessons in a stated order, day by day
and by arXiv id, so that the same rows give the same state. What no model has said teaches nothing.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from papers.models import PaperVersion
from profiles import revisions
from profiles.models import Profile, Revision, Vote
from scoring import rubric
from scoring.models import Candidate, Directions, Edition, FirstSeen, LearnerState, Score
from scoring.packed import Code, Entry, unpack
from scoring.screening import basis, learner
from scoring.screening.basis import Basis
from scoring.screening.cut import CERTAIN
from scoring.screening.learner import Learner, Lesson
from scoring.screening.rank import SCALE
from scoring.transactions import retried

from .estimating import features_of, prior_for

MOST_LESSONS = 20_000
# An audited paper stands for many like it, but must not outweigh a whole block.
MOST_COUNTS = 2.0
VOTE_COUNTS = 3.0
# What a score under other words still says, where those words may have changed what is wanted.
OLD_WORDS_COUNT = 0.3
_BATCH = 500


@dataclass(frozen=True)
class _Taken:
    """One lesson with where it comes from. `was` is what it had been learned as, where it only corrects."""

    paper: int
    lesson: Lesson
    words: str = ""
    candidate: int | None = None
    value: int = 0
    was: float | None = None


def current_basis() -> Basis | None:
    """The basis in use; None until one was fitted."""
    name = Directions.objects.values_list("name", flat=True).first()
    return _basis(name) if name else None


@lru_cache(maxsize=2)
def _basis(name: str) -> Basis:
    return basis.unpack(Directions.objects.values_list("data", flat=True).get(name=name))


def learner_of(profile: Profile) -> tuple[Basis, Learner] | None:
    """What the profile has learned by its present words; None where it has learned nothing yet."""
    known = current_basis()
    state = LearnerState.objects.filter(profile=profile).first()
    if known is None or state is None or state.signature != signature_of(profile, known):
        return None
    return known, learner.unpack(state.data, state.name)


def signature_of(profile: Profile, known: Basis) -> str:
    """What decides how lessons are labelled, in one word."""
    words = Revision.hash_of(revisions.content_of(profile, rubric.VERSION))
    weights = [[interest.name, interest.weight] for interest in profile.interests.all()]
    facts = [learner.METHOD, known.name, words, weights, profile.bar]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


def teach(profile: Profile) -> int:
    """Let the profile learn what models and readers said since; how many lessons.

    Safe to repeat and to race: the state is swapped by its version, in one transaction with the candidates it took
    in. After an edit, or with a new basis, all lessons are gone through again.
    """
    known = current_basis()
    if known is None:
        return 0
    through = timezone.now()  # before anything is read: a vote cast meanwhile is of the next lesson
    state = LearnerState.objects.filter(profile=profile).first()
    signature = signature_of(profile, known)
    is_new = state is None or state.signature != signature
    taken = _lessons(profile, None if is_new else state)
    if not taken and (state is None or not is_new):
        return 0
    pupil = _pupil(state, known, is_new=is_new)
    _fold(profile, known, pupil, taken)
    facts = {
        "directions": known.name,
        "signature": signature,
        "name": pupil.name,
        "data": pupil.pack(),
        "seen": pupil.seen,
        "wanted": pupil.wanted,
        "votes_through": through,
        "taught_at": through,
    }
    every = [one for lessons in taken.values() for one in lessons]
    learned = [(one.candidate, one.value) for one in every if one.candidate is not None]
    return len(every) if _swap(profile, state, facts, learned) else 0


def as_if_taught(profile: Profile, days: Sequence[dt.date]) -> Iterator[tuple[Basis, Learner] | None]:
    """For each of these ascending days what the profile, as it is in memory, would have learned before it.

    Nothing is stored. One learner goes on from day to day: use each before the next is asked for. None while
    there was nothing to learn.
    """
    known = current_basis()
    lessons = _lessons(profile, None) if known is not None else {}
    day_of = dict(Edition.objects.filter(pk__in=lessons).values_list("pk", "day"))
    pupil = _pupil(None, known, is_new=True) if known is not None else None
    for day in days:
        due = {key: lessons.pop(key) for key in list(lessons) if day_of[key] < day}
        if known is not None and pupil is not None and due:
            _fold(profile, known, pupil, due)
        yield (known, pupil) if known is not None and pupil is not None and pupil.seen else None


@retried
def _swap(
    profile: Profile,
    state: LearnerState | None,
    facts: dict[str, object],
    learned: Sequence[tuple[int, int]],
) -> bool:
    try:
        with transaction.atomic():
            if state is None:
                LearnerState.objects.create(profile=profile, **facts)
            else:
                mine = LearnerState.objects.filter(pk=state.pk, version=state.version)
                if not mine.update(version=F("version") + 1, **facts):
                    return False
            for start in range(0, len(learned), _BATCH):
                _take_in(dict(learned[start : start + _BATCH]))
    except IntegrityError:
        return False  # another made the first state meanwhile
    return True


def _take_in(learned: Mapping[int, int]) -> None:
    """Mark what was learned, by the value it had; a second look that came meanwhile is still to be learned."""
    locked = Candidate.objects.select_for_update().filter(pk__in=list(learned)).order_by("pk")
    other = {pk for pk, value in locked.values_list("pk", "value") if value != learned[pk]}
    same = [pk for pk in learned if pk not in other]
    Candidate.objects.filter(pk__in=same).update(is_taught=True, taught_value=None)
    for pk in other:
        Candidate.objects.filter(pk=pk).update(taught_value=learned[pk])


def _pupil(state: LearnerState | None, known: Basis, *, is_new: bool) -> Learner:
    if state is None or is_new:
        return Learner.fresh(known.width, len(known.hashes))
    return learner.unpack(state.data)


def _lessons(profile: Profile, state: LearnerState | None) -> dict[int, list[_Taken]]:
    """What is to be learned, by edition in order of days; with no state everything that was ever said."""
    rows = Candidate.objects.filter(profile=profile, state=Candidate.State.JUDGED, value__isnull=False)
    votes = Vote.objects.filter(profile=profile)
    if state is not None:
        rows = rows.filter(is_taught=False)
        if state.votes_through is not None:
            votes = votes.filter(voted_at__gt=state.votes_through)
    newest = rows.filter(score_id__isnull=False).order_by("-day", "-pk")[:MOST_LESSONS]
    columns = newest.values_list(
        "day", "edition", "paper", "pk", "value", "score_id", "audit_chance", "taught_value"
    )
    facts = _facts_of_scores(profile, [row[5] for row in columns if row[5] is not None])
    by_edition: dict[int, list[_Taken]] = {}
    for _day, edition, paper, candidate, value, score, chance, taught in sorted(
        columns, key=lambda row: row[:4]
    ):
        words, trust = facts.get(score or 0, ("", 0.0))
        if not trust:
            continue
        wanted = 1.0 if (value or 0) >= profile.bar else 0.0
        drawn = min(CERTAIN / chance, MOST_COUNTS) if chance else 1.0
        lesson = Lesson(wanted, drawn * (1.0 if wanted else trust))
        was = None if state is None or taught is None else float(taught >= profile.bar)
        by_edition.setdefault(edition, []).append(_Taken(paper, lesson, words, candidate, value or 0, was))
    _add_votes(by_edition, list(votes.values_list("paper", "direction", "voted_at")), profile)
    return by_edition


def _facts_of_scores(profile: Profile, keys: Sequence[int]) -> dict[int, tuple[str, float]]:
    """Of each score the hash of its words, and how far a "no" under them is one today; local ones teach nothing."""
    now = Revision.hash_of(revisions.content_of(profile, rubric.VERSION))
    found: dict[int, tuple[str, float]] = {}
    for start in range(0, len(keys), _BATCH):
        part = Score.objects.filter(pk__in=keys[start : start + _BATCH], is_local=False)
        for key, words in part.values_list("pk", "revision__content_hash"):
            found[key] = (words, 1.0 if words == now else OLD_WORDS_COUNT)
    return found


def _add_votes(
    by_edition: dict[int, list[_Taken]], cast: Sequence[tuple[int, int, dt.datetime]], profile: Profile
) -> None:
    """Each vote as a lesson of the day that brought its paper, read or not; of any other paper as one of the newest
    day when it was cast."""
    if not cast:
        return
    edition_on = dict(Edition.objects.filter(profile=profile).order_by("day").values_list("day", "pk"))
    papers = [paper for paper, *_ in cast]
    seen = FirstSeen.objects.filter(profile=profile, paper__in=papers).values_list("paper", "day")
    edition_of = {paper: edition_on[day] for paper, day in seen if day in edition_on}
    places = Candidate.objects.filter(profile=profile, paper__in=papers)
    edition_of |= dict(places.order_by("day").values_list("paper", "edition"))
    for paper, direction, voted_at in sorted(cast):
        edition = edition_of.get(paper) or _newest_on(edition_on, voted_at.date())
        if edition is not None:
            lesson = Lesson(1.0 if direction > 0 else 0.0, VOTE_COUNTS)
            by_edition.setdefault(edition, []).append(_Taken(paper, lesson))


def _newest_on(edition_on: Mapping[dt.date, int], day: dt.date) -> int | None:
    """The edition of the newest day until then, else the first one; None where there is none."""
    before = [each for each in edition_on if each <= day]
    if before or edition_on:
        return edition_on[max(before) if before else min(edition_on)]
    return None


def _fold(profile: Profile, known: Basis, pupil: Learner, by_edition: dict[int, list[_Taken]]) -> None:
    """Teach it all, edition by edition. Where the reader's words changed, it becomes readier to learn."""
    editions = Edition.objects.filter(pk__in=by_edition).order_by("day", "pk")
    words = ""
    for edition in editions:
        edition.profile = profile
        lessons = by_edition[edition.pk]
        entries, prior = _estimated(edition, lessons)
        rows = known.rows(features_of([entries[one.paper] for one in lessons]))
        for place, one in enumerate(lessons):
            if one.was is not None:
                pupil.correct(rows, place, prior[one.paper], one.lesson, one.was)
                continue
            if one.words and words and one.words != words:
                pupil.loosen()
            words = one.words or words
            pupil.teach(rows, place, prior[one.paper], one.lesson)


def _estimated(edition: Edition, lessons: Sequence[_Taken]) -> tuple[dict[int, Entry], dict[int, float]]:
    """The papers of the lessons as entries, and what the profile's words say of each. What the day does not hold is
    estimated beside it, at its newest version."""
    listed = unpack(edition.packed)
    entries = {entry.paper_id: entry for entry in listed}
    prior = _chances(listed, prior_for(edition, listed).combined)
    strange = {one.paper for one in lessons} - entries.keys()
    if strange:
        texts = PaperVersion.objects.filter(paper__in=strange).order_by("number")
        newest = dict(texts.values_list("paper", "number"))
        beside = [Entry(paper, newest.get(paper, 1), Code.SCREENED) for paper in sorted(strange)]
        prior |= _chances(beside, prior_for(edition, beside, listed).combined)
        entries |= {entry.paper_id: entry for entry in beside}
    return entries, prior


def _chances(entries: Sequence[Entry], estimates: Sequence[int]) -> dict[int, float]:
    return {entry.paper_id: one / SCALE for entry, one in zip(entries, estimates, strict=True)}
