"""F31: orders in papers, in two languages, seen and hidden, and models that obey them in full and by halves."""

import pytest

from bench import injection, payloads
from bench.injection import QUIET, Reader, day_with, shield
from bench.payloads import ABOUT, PAYLOADS
from scoring import rubric, suspicion
from scoring.models import Score
from scoring.rubric import PaperText
from tests.scoring.reading import assert_books_are_right

pytestmark = pytest.mark.django_db
READ = [each for each in PAYLOADS if each.place in {"abstract", "title"}]
KNOWN = [each for each in READ if each.is_known]
UNKNOWN = [each for each in READ if not each.is_known]


def named(payload):
    return f"{payload.name} {payload.language} {payload.place}"


@pytest.mark.parametrize("payload", READ, ids=named)
def test_a_pattern_finds_what_it_is_meant_to_find(payload):
    words = QUIET | injection._with(payload)

    assert suspicion.addresses_the_model(words["title"], words["abstract"]) is payload.is_known


@pytest.mark.parametrize("payload", KNOWN, ids=named)
def test_nothing_of_a_known_order_is_left_for_the_second_look(payload):
    words = QUIET | injection._with(payload)
    left = PaperText(suspicion.without_orders(words["title"]), suspicion.without_orders(words["abstract"]))

    assert not suspicion.addresses_the_model(left.title, left.abstract)


@pytest.mark.parametrize("payload", READ, ids=named)
def test_no_hidden_sign_reaches_a_prompt(payload):
    words = QUIET | injection._with(payload)
    sent = f"{rubric.clean(words['title'], 400)}\n{rubric.clean(words['abstract'], 2400)}"

    assert suspicion.HIDDEN.search(sent) is None


@pytest.mark.parametrize("title", [title for title, _abstract in ABOUT])
def test_a_paper_about_injection_keeps_its_score_to_the_digit(fake_model, settings, title):
    abstract = dict(ABOUT)[title]
    told = []
    for is_on in (False, True):
        with shield(is_on):
            reader = Reader(fake_model, "honest")
            paper = reader.paper(title=title, abstract=abstract)
            told.append(reader.scores_of_day(paper)[paper.pk])

    assert told[0] == told[1]


@pytest.mark.parametrize("personality", ["obedient", "lifts_others"])
def test_names_and_comments_reach_no_model(fake_model, settings, personality):
    reader = Reader(fake_model, personality)
    fake_model.keeps_requests = True
    unread = [each for each in PAYLOADS if each.place not in {"abstract", "title"}]

    for payload in unread:
        day = day_with(reader, payload)
        assert (day.others, day.own_first, day.is_flagged) == (0, 0, False)

    assert fake_model.requests
    assert not any(each.order in str(fake_model.requests) for each in unread)


@pytest.mark.parametrize("personality", ["obeys_in_full", "lowers_others", "zeroes_some"])
def test_a_known_order_moves_nothing_but_its_own_score_and_that_for_one_reading(
    fake_model, settings, personality
):
    reader = Reader(fake_model, personality)

    for payload in (KNOWN[0], KNOWN[1], KNOWN[3]):
        day = day_with(reader, payload)
        assert (day.others, day.is_flagged) == (0, True), payload.name
        assert day.own_first >= 90
        assert day.own_standing < 20, payload.name


@pytest.mark.parametrize("personality", ["obeys_in_full", "lifts_others", "lowers_others"])
def test_an_order_that_no_pattern_knows_moves_no_other_paper(fake_model, settings, personality):
    reader = Reader(fake_model, personality)
    reader.get_to_know()

    for payload in UNKNOWN[1:]:
        day = day_with(reader, payload)
        assert day.others == 0
        assert set(day.caught_by) & {"canary", "lone crown"}


@pytest.mark.parametrize("personality", ["obeys_in_full", "lifts_others", "lowers_others", "zeroes_some"])
def test_the_control_without_the_shield_moves_the_others(fake_model, settings, personality):
    with shield(False):
        day = day_with(Reader(fake_model, personality), KNOWN[0])

    assert day.others >= 3  # of eleven; the one that zeroes some is chosen by lot
    assert not day.is_flagged


def test_an_order_in_ones_own_profile_is_obeyed_there_and_nowhere_else(fake_model, settings):
    beside = injection.order_in_a_profile(fake_model, KNOWN[0].order)

    assert beside.own == injection.OTHERS + 1  # the model does obey
    assert (beside.others, beside.together) == (0, 0)


def test_the_books_are_right_after_an_answer_that_was_not_believed(fake_model, settings):
    reader = Reader(fake_model, "lifts_others")
    attacker = reader.paper(**QUIET | injection._with(UNKNOWN[0]))

    reader._read([attacker, *reader._papers(8)])

    assert Score.objects.filter(purpose=Score.Purpose.FIRST).count() == 9
    assert_books_are_right(fake_model)


def test_the_corpus_is_in_two_languages_and_every_place():
    assert {each.language for each in PAYLOADS} == {"en", "zh"}
    assert {each.place for each in PAYLOADS} == {"abstract", "title", "authors", "comment"}
    assert len(payloads.PAYLOADS) == len({named(each) + each.order for each in PAYLOADS})
