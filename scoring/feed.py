"""What a reader gets: `feed.of(reader).on(day).best_first()`, and all that the page of a day shows.

The page takes two queries of its own besides the interests (the edition with its sums, the cards with their
scores, texts and marks): a list page must not become slower with what it shows.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import Q, QuerySet, Subquery
from django.http import Http404

from papers.models import SEARCHED_OF_PAPER, Paper
from profiles.access import MAY, Deed
from profiles.models import Interest, Mark, Profile, Revision, User
from profiles.revisions import content_of
from scoring import edits, rubric
from scoring.entries import UNREAD_STATES, EarlierWords, Entry
from scoring.explaining import Question
from scoring.feed_queries import (
    RANKING,
    READ_STATES,
    WAITING_LAST,
    marked,
    recommended,
    with_card_rows,
    with_sums,
)
from scoring.models import Candidate, Edition, Score
from scoring.models.providers import judge_name

# A card takes a good millisecond to render; the next ones follow on a click.
PAGE_SIZE = 20


@dataclass(frozen=True)
class Filters:
    """What stands in the address: `?field=2&view=ranking&page=3`. Nonsense is ignored, never an error."""

    field: int | None = None  # position of a research field, from 0; from 1 in the address
    is_ranking: bool = False
    page: int = 1

    @classmethod
    def from_query(cls, query: Any) -> Self:
        number = query.get("field", "")
        page = query.get("page", "")
        return cls(
            field=int(number[:3]) - 1 if number.isdecimal() and int(number[:3]) > 0 else None,
            is_ranking=query.get("view") == "ranking",
            page=max(1, int(page[:4])) if page.isdecimal() else 1,
        )


@dataclass(frozen=True)
class FieldTally:
    """A research field and how many of the day's recommended papers stand under it. `number` is from 1."""

    number: int
    name: str
    weight: float
    count: int


@dataclass(frozen=True)
class Section:
    """Entries under one heading: a research field, the whole ranking, or what still waits."""

    kind: str  # "field", "ranking" or "waiting"
    name: str
    count: int
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class Feed:
    """The choice of what to show: whose, of which profile, on which day. Every word returns a new one."""

    reader: User | None
    day: dt.date | None = None
    profile_id: uuid.UUID | None = None

    def on(self, day: dt.date) -> "Feed":
        return replace(self, day=day)

    def in_profile(self, public_id: str) -> "Feed":
        """Of that profile; an address that is no id at all, or empty, leaves the choice open."""
        try:
            return replace(self, profile_id=uuid.UUID(public_id))
        except ValueError:
            return self

    @cached_property
    def editions(self) -> list[Edition]:
        """The reader's editions of the day (the newest that there is, without one), oldest profile first."""
        visible = self._visible()
        newest = visible.order_by("-day").values("day")[:1]
        if self.profile_id and self.day is None:
            newest = visible.filter(profile__public_id=self.profile_id).order_by("-day").values("day")[:1]
        of_day = visible.filter(day=self.day if self.day else Subquery(newest))
        summed = with_sums(of_day, self.reader).select_related("profile__team", "revision")
        return list(summed.prefetch_related("profile__interests").order_by("profile__created_at", "pk"))

    @cached_property
    def edition(self) -> Edition | None:
        """The chosen profile's edition, or the first; Http404 for a profile that has none that day."""
        if self.profile_id is None:
            return self.editions[0] if self.editions else None
        chosen = [edition for edition in self.editions if edition.profile.public_id == self.profile_id]
        if not chosen and not self._visible_profiles().filter(public_id=self.profile_id).exists():
            raise Http404
        return chosen[0] if chosen else None

    @cached_property
    def interests(self) -> list[Interest]:
        return list(self.edition.profile.interests.all()) if self.edition else []

    def _may(self, deed: Deed) -> bool:
        """By the reader's role in the team that pays."""
        return deed in MAY.get(getattr(self.edition, "reader_role", None) or "", set())

    @property
    def may_vote(self) -> bool:
        """In one's own profile always; of a team's profile viewers have no vote."""
        if self.edition is None or self.reader is None:
            return False
        return not self.edition.profile.is_team_profile or self._may(Deed.EDIT_TEAM_PROFILES)

    @property
    def may_stop(self) -> bool:
        """Who may change the profile may also stop its reading."""
        return self.may_vote

    def best_first(self) -> list[Entry]:
        """Every recommended paper of the day, best first; dismissed ones are left out."""
        return self._entries(self._cards().filter(recommended(self._bar)).order_by(*RANKING))

    def read_cards(self) -> QuerySet[Candidate]:
        """Every paper of the day that was read or estimated, best first, dismissed ones too. For the API."""
        return self._cards(with_dismissed=True).filter(state__in=READ_STATES).order_by(*RANKING)

    def entries_of(self, cards: Iterable[Candidate]) -> list[Entry]:
        """The entries of a page of `read_cards`."""
        return self._entries(cards)

    def below_the_bar(self) -> QuerySet[Candidate]:
        kept = self._candidates().annotate(is_dismissed=marked(self.reader, Mark.Kind.DISMISSED))
        return (
            kept.filter(is_dismissed=False)
            .filter(state__in=READ_STATES, value__lt=self._bar)
            .order_by(*RANKING)
        )

    def dismissed(self) -> QuerySet[Candidate]:
        """What the reader dismissed of this day; it stays in lists of its own."""
        return self._candidates().filter(marked(self.reader, Mark.Kind.DISMISSED)).order_by(*RANKING)

    def entry(self, paper: Paper) -> Entry | None:
        """The paper's entry of the day, whatever its state; None where it is no candidate."""
        found = self._entries(self._cards(with_dismissed=True).filter(paper=paper))
        return found[0] if found else None

    def for_sums(self) -> "DayPage":
        """The page without its cards: sums and tallies only."""
        return DayPage(self, Filters(), [])

    def for_page(self, filters: Filters) -> "DayPage":
        """All that the page shows; only where there is an edition. Raises Http404 for a stranger's profile."""
        shown = recommended(self._bar) | Q(state__in=UNREAD_STATES)
        cards = self._cards().filter(shown)
        if filters.field is not None:
            cards = cards.filter(recommended(self._bar), interest=filters.field)
        order = RANKING if filters.is_ranking else (WAITING_LAST, "interest", *RANKING)
        start = (filters.page - 1) * PAGE_SIZE
        return DayPage(self, filters, self._entries(cards.order_by(*order)[start : start + PAGE_SIZE + 1]))

    def _visible(self) -> QuerySet[Edition]:
        return Edition.objects.filter(profile__in=self._visible_profiles())

    def _visible_profiles(self) -> QuerySet[Profile]:
        """The reader's; without a reader the one profile of the report."""
        if self.reader is None:
            assert self.profile_id is not None
            return Profile.objects.filter(public_id=self.profile_id)
        return Profile.objects.visible_to(self.reader)

    # --- queries -----------------------------------------------------------------------------------

    @property
    def _bar(self) -> int:
        return self.edition.profile.bar if self.edition else 0

    def _candidates(self) -> QuerySet[Candidate]:
        if self.edition is None:
            return Candidate.objects.none()
        return Candidate.objects.filter(edition=self.edition, day=self.edition.day)

    def _cards(self, *, with_dismissed: bool = False) -> QuerySet[Candidate]:
        cards = with_card_rows(self._candidates(), self.reader).select_related("paper")
        cards = cards.defer(*SEARCHED_OF_PAPER)
        return cards if with_dismissed else cards.exclude(marked(self.reader, Mark.Kind.DISMISSED))

    def _entries(self, candidates: Iterable[Candidate]) -> list[Entry]:
        if self.edition is None:
            return []
        categories = self.edition.categories
        entries = [Entry(each, self.interests, self._words_hash, categories) for each in candidates]
        question = Question(self._content) if self._may(Deed.SPEND) else None
        for entry in entries:
            entry.may_vote, entry.question = self.may_vote, question
            entry.is_stopped = self.edition.stopped_at is not None
        self._recall_earlier_words([entry for entry in entries if entry.is_of_earlier_words])
        self._recall_both_readings([entry for entry in entries if entry.candidate.look])
        return entries

    def _recall_both_readings(self, entries: list[Entry]) -> None:
        """What the first reading and the second look came to. One query, and only where a paper was read twice."""
        if not entries:
            return
        booked = Score.objects.filter(
            profile=entries[0].candidate.profile_id,
            paper_id__in=[entry.candidate.paper_id for entry in entries],
            purpose__in=[Score.Purpose.FIRST, Score.Purpose.SECOND_LOOK],
            is_local=False,
        ).select_related("revision")
        found: dict[tuple[int, int, str, str], dict[str, int]] = {}
        for each in booked:
            value = edits.weighing(each.revision, self.interests).value(each.interest_scores).value
            key = (each.paper_id, each.version, each.provider_model, each.revision.content_hash)
            found.setdefault(key, {})[each.purpose] = value
        for entry in entries:
            mine = entry.candidate
            words = str(entry.score.get("words_hash", ""))
            both = found.get((mine.paper_id, mine.version, entry.model, words), {})
            if len(both) == 2:
                entry.readings = (both[Score.Purpose.FIRST], both[Score.Purpose.SECOND_LOOK])

    def _recall_earlier_words(self, entries: list[Entry]) -> None:
        """One query, and only where a score stands in the order of words that were changed since."""
        if not entries or self.edition is None:
            return
        hashes = {entry.score["words_hash"] for entry in entries}
        earlier = {
            revision.content_hash: EarlierWords(
                [words["name"] for words in revision.content["interests"]],
                edits.weighing(revision, self.interests),
            )
            for revision in Revision.objects.filter(profile=self.edition.profile_id, content_hash__in=hashes)
        }
        for entry in entries:
            entry.earlier = earlier.get(entry.score["words_hash"])

    @cached_property
    def _words_hash(self) -> str:
        return Revision.hash_of(self._content)

    @cached_property
    def _content(self) -> dict[str, Any]:
        """The profile's words as the next paper would be read by."""
        assert self.edition is not None
        return content_of(self.edition.profile, rubric.VERSION)


def of(reader: User) -> Feed:
    """The reader's feed; say `.on(day)` and `.in_profile(id)` to choose."""
    return Feed(reader)


def of_profile(profile: Profile) -> Feed:
    """The profile's feed as nobody in particular reads it: no marks, nothing dismissed. For reports."""
    return Feed(None, profile_id=profile.public_id)


class DayPage:
    """The page of a day: cards in sections, tallies by field, where to go from here."""

    def __init__(self, feed: Feed, filters: Filters, entries: list[Entry]) -> None:
        self.feed = feed
        self.filters = filters
        self.has_more = len(entries) > PAGE_SIZE
        self.entries = entries[:PAGE_SIZE]
        assert feed.edition is not None, "a day without an edition has no page"
        self.edition: Edition = feed.edition
        for place, entry in enumerate(self.entries, start=(filters.page - 1) * PAGE_SIZE + 1):
            entry.place = place

    @cached_property
    def picks(self) -> list[int]:
        """The field positions of all recommended papers of the day, one a paper."""
        return list(getattr(self.edition, "picks", None) or [])

    @property
    def recommended(self) -> int:
        return len(self.picks)

    @cached_property
    def fields(self) -> list[FieldTally]:
        return [
            FieldTally(number, interest.name, interest.weight, self.picks.count(interest.position))
            for number, interest in enumerate(self.feed.interests, start=1)
        ]

    @cached_property
    def sections(self) -> list[Section]:
        """The page's entries in their groups; a group that goes on from the page before keeps its name."""
        sections: list[Section] = []
        for entry in self.entries:
            kind, name = self._group(entry)
            if not sections or (sections[-1].kind, sections[-1].name) != (kind, name):
                sections.append(Section(kind, name, self._count(kind, entry)))
            sections[-1].entries.append(entry)
        return sections

    def _group(self, entry: Entry) -> tuple[str, str]:
        if entry.is_waiting:
            return "waiting", ""
        if self.filters.is_ranking:
            return "ranking", ""
        return "field", entry.field.name if entry.field else ""

    def _count(self, kind: str, entry: Entry) -> int:
        if kind == "waiting":
            return getattr(self.edition, "unread_count", 0)
        return self.recommended if kind == "ranking" else self.picks.count(entry.candidate.interest or 0)

    forms = (("md", "Markdown"), ("json", "JSON"), ("csv", "CSV"), ("bib", "BibTeX"), ("ris", "RIS"))

    @property
    def more_address(self) -> str:
        """The query of the next page, with the same filters."""
        query: dict[str, Any] = {"profile": self.edition.profile.public_id, "page": self.filters.page + 1}
        if self.filters.field is not None:
            query["field"] = self.filters.field + 1
        if self.filters.is_ranking:
            query["view"] = "ranking"
        return "?" + urlencode(query)

    @property
    def recall_percent(self) -> int | None:
        """The recall that the cut was chosen for, where one was estimated."""
        expected = self.edition.expected_recall
        return None if expected is None else round(100 * expected)

    @property
    def stated_recall(self) -> dict[str, int] | None:
        """What the days up to this one are believed to have found, in per cent with the bounds; None where unknown."""
        said = self.edition.recall.get("stated")
        if not said:
            return None
        share, low, high = (round(100 * part) for part in said[:3])
        return {"share": share, "low": low, "high": high, "days": said[3]}

    @property
    def models(self) -> list[Any]:
        """The judges of the day, from their calls."""
        return list(dict.fromkeys(judge_name(name) for name in self._judges))

    @property
    def is_of_many_models(self) -> bool:
        """More than one language model has read: it was changed in the middle of the day."""
        return sum(judge_name(name) == name for name in self._judges) > 1

    @property
    def _judges(self) -> list[str]:
        return sorted(set(getattr(self.edition, "judges", None) or []))
