"""The words that the judge reads, frozen: equal words are one revision, so an edit taken back costs nothing."""

from typing import Any

from django.db import IntegrityError, transaction

from .models import Profile, Revision


def content_of(profile: Profile, rubric_version: str) -> dict[str, Any]:
    """What is hashed. Weights, bar, recall, categories and terms are the profile's, and not in it."""
    return {
        "interests": [
            {"name": interest.name, "description": interest.description}
            for interest in profile.interests.all()
        ],
        "exclusions": list(profile.exclusions),
        "weighting_prompt": profile.weighting_prompt,
        "reason_language": profile.reason_language,
        "rubric_version": rubric_version,
    }


def current(profile: Profile, rubric_version: str) -> Revision:
    """The revision of the profile's words as they are now, made if it is new. Safe to repeat and to race.

    `rubric_version` is `scoring.rubric.VERSION`: profiles stands below scoring and is told.
    """
    content = content_of(profile, rubric_version)
    content_hash = Revision.hash_of(content)
    known = Revision.objects.filter(profile=profile, content_hash=content_hash)
    revision = known.first()
    if revision is not None:
        return revision
    try:
        with transaction.atomic():
            return Revision.objects.create(profile=profile, content_hash=content_hash, content=content)
    except IntegrityError:
        return known.get()
