"""Everything that can be told: each code has a function that answers for none, for many, and for what is gone."""

import uuid

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from profiles.tidings import Params, words_of

pytestmark = pytest.mark.django_db
NOBODY = str(uuid.UUID(int=0))
# Parameters as they are stored, of subjects that are not there (any more).
GONE: dict[str, Params] = {
    "budget.asked": {"request": NOBODY, "to": 0},
    "budget.decided": {"request": NOBODY},
    "budget.alert": {"window": 0, "percent": 100, "limit": 1_000, "used": 1_000},
    "budget.full_list": {"team": 0, "at": "2026-01-30T12:00:00+00:00"},
    "provider.stopped": {"provider": 0, "code": "auth"},
    "provider.repeats": {"provider": 0},
    "judge.drift": {"profile": 0, "day": "2026-01-30", "finding": "alike", "model": "m"},
    "invitation": {"invitation": NOBODY, "ends": "2026-01-30T12:00:00+00:00"},
}


def test_every_code_is_tried_here():
    assert set(GONE) == set(settings.TIDINGS)


@pytest.mark.parametrize("code", settings.TIDINGS)
def test_its_function_is_there(code):
    assert callable(import_string(settings.TIDINGS[code]))


@pytest.mark.parametrize("code", settings.TIDINGS)
def test_no_rows_are_no_words(code, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        assert words_of(code, []) == []


@pytest.mark.parametrize("code", settings.TIDINGS)
def test_nothing_is_said_of_what_is_gone(code):
    assert words_of(code, [GONE[code], GONE[code]]) == [None, None]


def test_a_code_of_another_version_says_nothing():
    assert words_of("of.tomorrow", [{"x": 1}]) == [None]
