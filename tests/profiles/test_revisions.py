"""Equal words are one revision, and only words make a new one."""

import pytest

from profiles import drafts, revisions
from profiles.models import Revision
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_same_words_are_the_same_revision():
    profile = factories.profile(factories.user())

    first = revisions.current(profile, "1")
    second = revisions.current(profile, "1")

    assert first == second
    assert Revision.objects.count() == 1
    assert [each["name"] for each in first.content["interests"]] == [
        "Graph Neural Networks",
        "Reinforcement Learning",
    ]
    assert first.content_hash == Revision.hash_of(first.content)


def test_weights_bar_and_categories_make_no_new_revision():
    profile = factories.profile(factories.user())
    first = revisions.current(profile, "1")
    draft = drafts.draft_of(profile)

    lighter = drafts.replace(draft.interests[0], weight=0.2)
    drafts.store(
        drafts.replace(draft, bar=80, categories=("cs.CV",), interests=(lighter, draft.interests[1])), profile
    )

    assert revisions.current(profile, "1") == first


def test_words_make_a_new_revision_and_taking_them_back_finds_the_old_one():
    profile = factories.profile(factories.user())
    draft = drafts.draft_of(profile)
    first = revisions.current(profile, "1")

    drafts.store(drafts.replace(draft, weighting_prompt="Theory first."), profile)
    second = revisions.current(profile, "1")
    drafts.store(draft, profile)

    assert second != first
    assert revisions.current(profile, "1") == first


def test_another_rubric_is_another_revision():
    profile = factories.profile(factories.user())

    assert revisions.current(profile, "1") != revisions.current(profile, "2")
