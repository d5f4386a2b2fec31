"""From rows to `scoring.screening` and back: a profile as a brief, papers as an index."""

import datetime as dt
from collections.abc import Sequence

from papers import filling
from papers.features import vectors
from papers.models import Announcement, Paper, PaperVersion
from profiles.models import Profile
from scoring.models import Edition
from scoring.packed import Entry
from scoring.screening.brief import Brief, Wish
from scoring.screening.kept import index_of
from scoring.screening.rank import Estimates, estimate

# Earlier papers of the categories, from which a small day learns the field's words.
BACKGROUND_DAYS = 31
BACKGROUND_PAPERS = 2_000
_FORMAT = bytes([vectors.FORMAT])


def brief_of(profile: Profile) -> Brief:
    """What screening reads of the profile as it is now."""
    wishes = (
        Wish(interest.name, interest.description, interest.weight, tuple(interest.terms))
        for interest in profile.interests.all()
    )
    return Brief(tuple(wishes), tuple(profile.exclusions))


def prior_for(edition: Edition, entries: Sequence[Entry], beside: Sequence[Entry] = ()) -> Estimates:
    """What the profile's words say of these entries, in their order, measured against the month before and those
    `beside`. Nothing learned is in it."""
    packed = features_of([*entries, *beside])
    return prior_of(edition, packed[: len(entries)], packed[len(entries) :])


def prior_of(edition: Edition, packed: Sequence[bytes], beside: Sequence[bytes]) -> Estimates:
    """The same of papers whose vectors are read already."""
    background = [*beside, *_background(edition)]
    return estimate(index_of(packed, background), brief_of(edition.profile))


def features_of(entries: Sequence[Entry]) -> list[bytes]:
    """The feature vector of each entry's text; what is missing or of an older format is computed and kept.

    A paper without any text is known by its title.
    """
    ids = [entry.paper_id for entry in entries]
    stored = PaperVersion.objects.filter(paper__in=ids).values_list("paper_id", "number", "pk", "features")
    found: dict[tuple[int, int], tuple[int, bytes]] = {}
    for paper_id, number, key, features in stored:
        found[paper_id, number] = (key, bytes(features))
    computed = filling.vectors_of([key for key, packed in found.values() if packed[:1] != _FORMAT])
    without_text = {entry.paper_id for entry in entries if (entry.paper_id, entry.version) not in found}
    titles = dict(Paper.objects.filter(pk__in=without_text).values_list("pk", "title"))
    result = []
    for entry in entries:
        if entry.paper_id in titles:
            result.append(vectors.features(titles[entry.paper_id], ""))
        else:
            key, packed = found[entry.paper_id, entry.version]
            result.append(computed.get(key, packed))
    return result


def _background(edition: Edition) -> list[bytes]:
    since = edition.day - dt.timedelta(days=BACKGROUND_DAYS)
    earlier = Announcement.objects.in_categories(edition.categories).filter(
        day__gte=since, day__lt=edition.day, kind__in=[Announcement.Kind.NEW, Announcement.Kind.CROSS]
    )
    known = PaperVersion.objects.filter(paper__in=earlier.values("paper"))
    newest = known.order_by("-paper_id", "-number").values_list("pk", "features")[:BACKGROUND_PAPERS]
    packed = {key: bytes(features) for key, features in newest}
    stale = [key for key, features in packed.items() if features[:1] != _FORMAT]
    return list((packed | filling.vectors_of(stale)).values())
