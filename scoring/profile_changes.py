"""A profile is made, changed or put away, with what scoring owes it at once. Page and API both come here."""

import datetime as dt
from dataclasses import fields, replace

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from profiles import audit, drafts, teams
from profiles.access import Deed, may
from profiles.drafts import Draft
from profiles.models import Membership, Profile, Team, User, Vote

from . import doorbell, edits, suggesting

OPEN_PROFILE = "scoring.open_profile"


# A second click on "Save" sends the same words again.
SAME_AGAIN = dt.timedelta(minutes=1)


@transaction.atomic
def create(draft: Draft, *, owner: User | None, team: Team, actor: User | None = None) -> Profile:
    """A new profile; its newest announced day is opened and screened by the next worker or tick.

    Raises BadDraft. Repeated within a minute with the same words, it returns the profile that was made.
    """
    Team.objects.select_for_update().get(pk=team.pk)
    recent = Profile.objects.filter(
        owner=owner, team=team, archived_at=None, created_at__gt=timezone.now() - SAME_AGAIN
    )
    for profile in recent:
        if drafts.draft_of(profile).as_written() == drafts.tidied(draft).as_written():
            return profile
    profile = drafts.create(draft, owner=owner, team=team)
    _record(actor or owner, "profile.created", profile)
    suggesting.ask(profile)
    doorbell.ring(OPEN_PROFILE, profile.pk)
    return profile


@transaction.atomic
def fork(reader: User, profile: Profile, team: Team) -> Profile:
    """A copy of a team profile that is the reader's own, paid by `team`: the same words, bar and weights.

    What it has learned comes along as far as it is the reader's: their own votes. (A learner has no rows of its
    own yet; the others' votes are theirs.) Scores do not: its first day is read anew. Raises BadDraft. Repeated
    within a minute, it returns the copy that was made.
    """
    name = _name_of_copy(profile.name)
    return _copied(reader, profile, replace(drafts.draft_of(profile), name=name), reader, team)


@transaction.atomic
def share(reader: User, profile: Profile, team: Team) -> Profile:
    """A copy of one's profile that belongs to the team together: judged once, read by all, paid by its share.

    The original stays as it is. Raises BadDraft. Repeated within a minute, it returns the copy that was made.
    """
    return _copied(reader, profile, drafts.draft_of(profile), None, team)


def _copied(reader: User, profile: Profile, draft: Draft, owner: User | None, team: Team) -> Profile:
    begun_at = timezone.now()
    copy = create(draft, owner=owner, team=team, actor=reader)
    if copy.created_at < begun_at:
        return copy
    mine = Vote.objects.filter(user=reader, profile=profile)
    Vote.objects.bulk_create(
        Vote(user=reader, profile=copy, paper_id=paper, direction=direction, voted_at=voted_at)
        for paper, direction, voted_at in mine.values_list("paper", "direction", "voted_at")
    )
    audit.record(
        reader,
        "profile.shared" if owner is None else "profile.forked",
        team=team if owner is None else None,
        subject=copy.public_id,
        before={"profile": str(profile.public_id)},
    )
    return copy


def _name_of_copy(name: str) -> str:
    tail = _(" (my copy)")
    return name[: drafts.NAME_CHARACTERS - len(tail)] + tail


def forking_team(reader: User, profile: Profile) -> Team:
    """Who pays for a copy unless the reader chooses: the profile's team, or their own where they may not spend."""
    membership = Membership.objects.filter(user=reader, team=profile.team).select_related("team").first()
    if membership is not None and may(membership, Deed.SPEND):
        return membership.team
    return teams.personal_team_of(reader)


@transaction.atomic
def store(draft: Draft, profile: Profile, actor: User | None = None) -> Profile:
    """What the draft says; days ranked again by its weights, unclaimed papers to be read by its words.

    Raises BadDraft. Safe to repeat, also at the same instant: one edit of a profile comes after another.
    """
    locked = Profile.objects.select_for_update().filter(pk=profile.pk).first()
    before = drafts.draft_of(locked or profile)
    drafts.store(draft, profile)
    changed = _changed(before, drafts.draft_of(profile))
    if changed:
        _record(actor or profile.owner, "profile.edited", profile, after={"changed": changed})
    if "interests" in changed:
        edits.reweigh(profile)
    edits.adopt(profile)
    suggesting.ask(profile, suggesting.without_terms(before.interests))
    doorbell.ring(OPEN_PROFILE, profile.pk)
    return profile


@transaction.atomic
def pause(profile: Profile, actor: User | None = None) -> None:
    """No further edition, no cost. A repeat changes nothing."""
    profile.is_paused = True
    if Profile.objects.filter(pk=profile.pk, is_paused=False).update(is_paused=True):
        _record(actor or profile.owner, "profile.paused", profile)


@transaction.atomic
def go_on(profile: Profile, actor: User | None = None) -> None:
    """Read it again. A repeat changes nothing."""
    profile.is_paused = False
    if Profile.objects.filter(pk=profile.pk, is_paused=True).update(is_paused=False):
        _record(actor or profile.owner, "profile.resumed", profile)
    doorbell.ring(OPEN_PROFILE, profile.pk)


@transaction.atomic
def archive(actor: User, profile: Profile) -> None:
    """Put a profile away: its editions vanish from every page, what was paid for stays in the books.

    A repeat changes nothing, also at the same instant.
    """
    now = timezone.now()
    if Profile.objects.filter(pk=profile.pk, archived_at=None).update(archived_at=now):
        profile.archived_at = now
        _record(actor, "profile.archived", profile)


def _changed(before: Draft, after: Draft) -> list[str]:
    """Which parts are others now; never what they say."""
    return [part.name for part in fields(Draft) if getattr(before, part.name) != getattr(after, part.name)]


def _record(
    actor: User | None, code: str, profile: Profile, after: dict[str, list[str]] | None = None
) -> None:
    """In the team's trail where the profile is the team's; else in nobody's but the owner's."""
    team = profile.team if profile.is_team_profile else None
    audit.record(actor, code, team=team, subject=profile.public_id, after=after)
