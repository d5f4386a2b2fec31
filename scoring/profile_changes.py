"""A profile is made, changed or put away, with what scoring owes it at once. Page and API both come here."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from profiles import audit, drafts
from profiles.drafts import Draft
from profiles.models import Profile, Team, User

from . import doorbell, edits

OPEN_PROFILE = "scoring.open_profile"


# A second click on "Save" sends the same words again.
SAME_AGAIN = dt.timedelta(minutes=1)


@transaction.atomic
def create(draft: Draft, *, owner: User | None, team: Team) -> Profile:
    """A new profile; its newest announced day is opened and screened by the next worker or tick.

    Raises BadDraft. Repeated within a minute with the same words, it returns the profile that was made.
    """
    Team.objects.select_for_update().get(pk=team.pk)
    recent = Profile.objects.filter(
        owner=owner, team=team, archived_at=None, created_at__gt=timezone.now() - SAME_AGAIN
    )
    for profile in recent:
        if drafts.draft_of(profile) == drafts.tidied(draft):
            return profile
    profile = drafts.create(draft, owner=owner, team=team)
    doorbell.ring(OPEN_PROFILE, profile.pk)
    return profile


@transaction.atomic
def store(draft: Draft, profile: Profile) -> Profile:
    """What the draft says; days ranked again by its weights, unclaimed papers to be read by its words.

    Raises BadDraft. Safe to repeat.
    """
    before = drafts.draft_of(profile).interests
    drafts.store(draft, profile)
    if drafts.draft_of(profile).interests != before:
        edits.reweigh(profile)
    edits.adopt(profile)
    doorbell.ring(OPEN_PROFILE, profile.pk)
    return profile


def pause(profile: Profile) -> None:
    """No further edition, no cost."""
    profile.is_paused = True
    profile.save(update_fields=["is_paused"])


@transaction.atomic
def go_on(profile: Profile) -> None:
    profile.is_paused = False
    profile.save(update_fields=["is_paused"])
    doorbell.ring(OPEN_PROFILE, profile.pk)


@transaction.atomic
def archive(actor: User, profile: Profile) -> None:
    """Put a profile away: its editions vanish from every page, what was paid for stays in the books."""
    profile.archived_at = timezone.now()
    profile.save(update_fields=["archived_at"])
    audit.record(actor, "profile.archived", team=profile.team, subject=profile.public_id)
