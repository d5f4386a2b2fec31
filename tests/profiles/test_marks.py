"""Marks are a reader's own; a vote is one, and a viewer has none."""

import pytest
from django.core.exceptions import PermissionDenied

from profiles import marks
from profiles.models import Mark, Role, Vote
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_mark_is_set_once_and_cleared():
    alice, paper = factories.user(), factories.paper()

    marks.set_mark(alice, paper, Mark.Kind.SAVED)
    marks.set_mark(alice, paper, Mark.Kind.SAVED)
    assert Mark.objects.of(alice).count() == 1

    marks.clear_mark(alice, paper, Mark.Kind.SAVED)
    marks.clear_mark(alice, paper, Mark.Kind.SAVED)
    assert not Mark.objects.exists()


def test_a_mark_of_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="framed"):
        marks.set_mark(factories.user(), factories.paper(), "framed")


def test_a_vote_can_be_turned_and_taken_back():
    alice, paper = factories.user(), factories.paper()
    profile = factories.profile(alice)

    marks.vote(alice, profile, paper, +1)
    marks.vote(alice, profile, paper, -1)
    assert Vote.objects.get().direction == -1

    assert marks.vote(alice, profile, paper, 0) is None
    assert not Vote.objects.exists()


def test_each_member_has_one_vote_and_a_viewer_none():
    alice, bob, charlie, paper = factories.user(), factories.user(), factories.user(), factories.paper()
    lab = factories.team(alice, bob)
    factories.membership(lab, charlie, Role.VIEWER)
    shared = factories.profile(None, team=lab)

    marks.vote(alice, shared, paper, +1)
    marks.vote(bob, shared, paper, -1)
    with pytest.raises(PermissionDenied):
        marks.vote(charlie, shared, paper, +1)

    assert Vote.objects.count() == 2
