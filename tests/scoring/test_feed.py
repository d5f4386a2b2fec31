"""The feed: order, groups, marks, and how many queries it takes."""

import datetime as dt

import pytest
from django.http import Http404

from profiles import marks
from profiles.models import Mark
from scoring import feed
from scoring.feed import PAGE_SIZE, Filters
from scoring.models import Candidate, Edition
from tests import factories
from tests.factories import DAY

pytestmark = pytest.mark.django_db


def a_day(**fields):
    alice = factories.user()
    edition = factories.edition(factories.profile(alice, interests=("graphs", "agents"), **fields))
    return alice, edition


def test_best_first_goes_by_value_then_second_then_estimate_then_id():
    alice, edition = a_day()
    low = factories.judged(edition, factories.paper("2601.00001"), [70, 0])
    late_id = factories.judged(edition, factories.paper("2601.00009"), [90, 10])
    second = factories.judged(edition, factories.paper("2601.00005"), [90, 80])
    early_id = factories.judged(edition, factories.paper("2601.00002"), [90, 10])
    factories.judged(edition, factories.paper(), [59, 59])

    entries = feed.of(alice).on(DAY).best_first()

    assert [entry.candidate for entry in entries] == [second, early_id, late_id, low]
    assert [entry.shown_value for entry in entries] == ["9.0", "9.0", "9.0", "7.0"]


def test_a_page_of_many_papers_takes_three_queries(django_assert_num_queries):
    alice, edition = a_day()
    judge = factories.provider("http://127.0.0.1:1/v1")
    for number in range(60):
        factories.judged(edition, factories.paper(), [60 + number % 40, 90 - number], by=judge)
    for _ in range(5):
        factories.waiting(edition, factories.paper())

    with django_assert_num_queries(3):
        page = feed.of(alice).on(DAY).for_page(Filters())
        shown = [entry.contributions for section in page.sections for entry in section.entries]
        sums = (page.recommended, [tally.count for tally in page.fields], page.models, page.edition.tokens)

    assert len(shown) == PAGE_SIZE
    assert sums[0] == sum(sums[1]) == 60
    assert page.has_more


def test_sections_are_the_fields_in_the_profiles_order_and_what_waits_comes_last():
    alice, edition = a_day()
    agents = factories.judged(edition, factories.paper(), [0, 95])
    graphs = factories.judged(edition, factories.paper(), [70, 0])
    waits = factories.waiting(edition, factories.paper(), Candidate.Waits.BUDGET, estimate=9000)

    page = feed.of(alice).on(DAY).for_page(Filters())
    ranking = feed.of(alice).on(DAY).for_page(Filters(is_ranking=True))

    assert [(s.kind, s.name, s.count) for s in page.sections] == [
        ("field", "Graphs", 1),
        ("field", "Agents", 1),
        ("waiting", "", 1),
    ]
    assert [entry.candidate for entry in page.entries] == [graphs, agents, waits]
    assert [entry.candidate for entry in ranking.entries] == [agents, graphs, waits]
    assert page.entries[-1].is_estimate
    assert page.entries[-1].shown_value == "9.0"


def test_every_paper_stands_on_exactly_one_page():
    alice, edition = a_day()
    judge = factories.provider("http://127.0.0.1:1/v1")
    made = {
        factories.judged(edition, factories.paper(), [60 + n % 7, n % 50], by=judge).paper_id
        for n in range(95)
    }

    pages = [feed.of(alice).on(DAY).for_page(Filters(page=number)) for number in range(1, 7)]
    shown = [entry.paper.pk for page in pages for entry in page.entries]

    assert sorted(shown) == sorted(made)
    assert [page.has_more for page in pages] == [True, True, True, True, False, False]


def test_a_dismissed_paper_leaves_the_page_and_waits_in_its_list():
    alice, edition = a_day()
    paper = factories.judged(edition, factories.paper(), [90, 0]).paper
    marks.set_mark(alice, paper, Mark.Kind.DISMISSED)

    chosen = feed.of(alice).on(DAY)

    assert chosen.best_first() == []
    assert [candidate.paper for candidate in chosen.dismissed()] == [paper]
    assert chosen.edition.dismissed_count == 1


def test_anothers_marks_are_not_seen_in_a_team_profile():
    alice, bob = factories.user(), factories.user()
    edition = factories.edition(factories.profile(None, team=factories.team(alice, bob)))
    paper = factories.judged(edition, factories.paper(), [90, 0]).paper
    marks.set_mark(bob, paper, Mark.Kind.SAVED)
    marks.set_mark(bob, paper, Mark.Kind.DISMISSED)
    marks.vote(bob, edition.profile, paper, -1)

    (entry,) = feed.of(alice).on(DAY).best_first()

    assert (entry.is_saved, entry.is_dismissed, entry.vote) == (False, False, 0)


def test_charlie_sees_nothing_of_alice():
    _, edition = a_day()
    charlie = factories.user()

    assert feed.of(charlie).on(DAY).edition is None
    with pytest.raises(Http404):
        _ = feed.of(charlie).in_profile(str(edition.profile.public_id)).on(DAY).edition


def test_without_a_day_the_newest_edition_is_chosen():
    alice, edition = a_day()
    newer = factories.edition(edition.profile, DAY + dt.timedelta(days=3))

    chosen = feed.of(alice)

    assert chosen.edition == newer
    assert chosen.edition.previous_day == DAY
    assert feed.of(alice).on(DAY).edition.next_day == newer.day


def test_an_earlier_text_is_said_and_an_edit_taken_back_is_not():
    alice, edition = a_day()
    factories.judged(edition, factories.paper(), [90, 0])
    profile = edition.profile
    type(profile).objects.filter(pk=profile.pk).update(weighting_prompt="Prefer theory.")
    (changed,) = feed.of(alice).on(DAY).best_first()
    type(profile).objects.filter(pk=profile.pk).update(weighting_prompt="")
    (back,) = feed.of(alice).on(DAY).best_first()

    assert changed.is_of_earlier_words
    assert not back.is_of_earlier_words


def test_a_bar_change_acts_at_once():
    alice, edition = a_day()
    factories.judged(edition, factories.paper(), [55, 0])

    assert feed.of(alice).on(DAY).best_first() == []
    type(edition.profile).objects.filter(pk=edition.profile_id).update(bar=50)
    assert len(feed.of(alice).on(DAY).best_first()) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"field": "x"},
        {"field": "0"},
        {"page": "-1"},
        {"page": "9" * 50},
        {"field": "²"},
        {"field": "9" * 5000},
        {"view": "<script>"},
    ],
)
def test_nonsense_in_the_address_is_ignored(query):
    alice, edition = a_day()
    factories.judged(edition, factories.paper(), [90, 0])

    assert feed.of(alice).on(DAY).for_page(Filters.from_query(query)).edition == edition


def test_an_edition_with_the_local_judge_says_so():
    alice, edition = a_day()
    factories.judged(edition, factories.paper(), [80, 0], by=factories.provider())

    (entry,) = feed.of(alice).on(DAY).best_first()

    assert entry.is_estimate
    assert entry.band == "is-estimate"


def test_the_page_knows_an_open_edition_from_a_closed_one():
    alice = factories.user()
    factories.edition(factories.profile(alice), state=Edition.State.SCREENED)

    assert feed.of(alice).on(DAY).for_sums().edition.state == Edition.State.SCREENED
