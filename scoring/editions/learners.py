"""What a profile has learned, from rows to `scoring.screening` and back.

The newest `Directions` are the basis; a profile's `LearnerState` is a fold over its lessons in a stated order, day by day
and by arXiv id, so that the same rows give the same state. What no model has said teaches nothing.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from profiles import revisions
from profiles.models import Profile, Revision, Vote
from scoring import rubric
from scoring.models import Candidate, Directions, Edition, LearnerState, Score
from scoring.packed import unpack
from scoring.screening import basis, learner
from scoring.screening.basis import Basis
from scoring.screening.cut import CERTAIN
from scoring.screening.learner import Learner, Lesson

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
    """One lesson with where it comes from."""

    candidate: int | None
    paper: int
    lesson: Lesson
    words: str


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
    return known, learner.unpack(state.data)


def signature_of(profile: Profile, known: Basis) -> str:
    """What decides how lessons are labelled, in one word."""
    words = Revision.hash_of(revisions.content_of(profile, rubric.VERSION))
    weights = [[interest.name, interest.weight] for interest in profile.interests.all()]
    facts = [known.name, words, weights, profile.bar]
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
    keys = [one.candidate for lessons in taken.values() for one in lessons if one.candidate is not None]
    return sum(map(len, taken.values())) if _swap(profile, state, facts, keys) else 0


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


def _swap(profile: Profile, state: LearnerState | None, facts: dict[str, object], keys: list[int]) -> bool:
    try:
        with transaction.atomic():
            if state is None:
                LearnerState.objects.create(profile=profile, **facts)
            else:
                mine = LearnerState.objects.filter(pk=state.pk, version=state.version)
                if not mine.update(version=F("version") + 1, **facts):
                    return False
            for start in range(0, len(keys), _BATCH):
                Candidate.objects.filter(pk__in=keys[start : start + _BATCH]).update(is_taught=True)
    except IntegrityError:
        return False  # another made the first state meanwhile
    return True


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
    columns = newest.values_list("day", "edition", "paper", "pk", "value", "score_id", "audit_chance")
    facts = _facts_of_scores(profile, [score for *_, score, _ in columns if score is not None])
    by_edition: dict[int, list[_Taken]] = {}
    for _day, edition, paper, candidate, value, score, chance in sorted(columns, key=lambda row: row[:4]):
        words, trust = facts.get(score or 0, ("", 0.0))
        if not trust:
            continue
        wanted = 1.0 if (value or 0) >= profile.bar else 0.0
        drawn = min(CERTAIN / chance, MOST_COUNTS) if chance else 1.0
        lesson = Lesson(wanted, drawn * (1.0 if wanted else trust))
        by_edition.setdefault(edition, []).append(_Taken(candidate, paper, lesson, words))
    _add_votes(by_edition, list(votes.values_list("paper", "direction")), profile)
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
    by_edition: dict[int, list[_Taken]], cast: Sequence[tuple[int, int]], profile: Profile
) -> None:
    if not cast:
        return
    places = Candidate.objects.filter(profile=profile, paper__in=[paper for paper, _ in cast])
    edition_of = dict(places.order_by("day").values_list("paper", "edition"))
    for paper, direction in sorted(cast):
        if edition := edition_of.get(paper):
            lesson = Lesson(1.0 if direction > 0 else 0.0, VOTE_COUNTS)
            by_edition.setdefault(edition, []).append(_Taken(None, paper, lesson, ""))


def _fold(profile: Profile, known: Basis, pupil: Learner, by_edition: dict[int, list[_Taken]]) -> None:
    """Teach it all, edition by edition. Where the reader's words changed, it becomes readier to learn."""
    editions = Edition.objects.filter(pk__in=by_edition).order_by("day", "pk")
    words = ""
    for edition in editions:
        entries = unpack(edition.packed)
        at = {entry.paper_id: place for place, entry in enumerate(entries)}
        lessons = [one for one in by_edition[edition.pk] if one.paper in at]
        if not lessons:
            continue
        edition.profile = profile
        prior = prior_for(edition, entries).combined
        rows = known.rows(features_of([entries[at[one.paper]] for one in lessons]))
        for place, one in enumerate(lessons):
            if one.words and words and one.words != words:
                pupil.loosen()
            words = one.words or words
            pupil.teach(rows, place, prior[at[one.paper]] / 10_000, one.lesson)
