"""What a reader did with a paper: marks are theirs alone, votes train one profile. Every verb may be repeated."""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from papers.models import Paper

from .access import Deed, membership_of, require
from .models import Mark, Profile, User, Vote


def set_mark(user: User, paper: Paper, kind: str) -> Mark:
    mark, _is_new = Mark.objects.get_or_create(user=user, paper=paper, kind=Mark.Kind(kind))
    return mark


def clear_mark(user: User, paper: Paper, kind: str) -> None:
    Mark.objects.of(user).filter(paper=paper, kind=Mark.Kind(kind)).delete()


def mark_many(user: User, papers: Iterable[Paper], kind: str, now: dt.datetime) -> None:
    """Set one mark on many papers at one instant, by which `clear_marked_at` finds them again."""
    rows = [Mark(user=user, paper=paper, kind=Mark.Kind(kind), marked_at=now) for paper in papers]
    Mark.objects.bulk_create(rows, ignore_conflicts=True)


def clear_marked_at(user: User, kind: str, at: dt.datetime) -> int:
    """Take back what one `mark_many` set; the number of papers."""
    return Mark.objects.of(user).filter(kind=Mark.Kind(kind), marked_at=at).delete()[0]


def vote_of(user: User, profile: Profile, paper: Paper) -> int:
    """The user's vote on that paper in that profile: +1, -1, or 0 for none."""
    row = Vote.objects.filter(user=user, profile=profile, paper=paper).first()
    return row.direction if row else 0


@transaction.atomic
def vote(user: User, profile: Profile, paper: Paper, direction: int) -> Vote | None:
    """One vote a reader: +1, -1, or 0 to take it back. PermissionDenied for a viewer of a team profile."""
    if direction not in {-1, 0, 1}:
        raise ValueError(f"a vote is -1, 0 or 1, not {direction}")
    if profile.is_team_profile:
        require(membership_of(user, profile.team), Deed.EDIT_TEAM_PROFILES)
    if direction == 0:
        Vote.objects.filter(user=user, profile=profile, paper=paper).delete()
        return None
    row, _is_new = Vote.objects.update_or_create(
        user=user, profile=profile, paper=paper, defaults={"direction": direction, "voted_at": timezone.now()}
    )
    return row
