"""A model is changed in the middle of a day: what was read stays, what is in flight is booked, the rest is read once."""

from dataclasses import replace

import pytest
from django.utils import timezone

from scoring import judging, providers, report
from scoring.judging import second_looks
from scoring.models import Candidate, Provider, Score
from scoring.simulated.faults import Fault
from tests import factories
from tests.scoring.reading import assert_books_are_right, papers, read_all, states

pytestmark = pytest.mark.django_db
TWO_MODELS = "More than one model has read this day"


@pytest.fixture
def judge(fake_model):
    """The operator's model for all teams."""
    return factories.provider(fake_model.base_url, name="op", model="first", concurrency=4)


def change_the_model(judge, model="second"):
    judge.refresh_from_db()
    return providers.edit(None, judge, replace(providers.facts_of(judge), model=model), "")


@pytest.fixture
def changed_day(alice, judge):
    """Of sixty papers twenty are read, twenty in flight when the model is changed, and twenty wait."""
    edition = factories.edition_to_read(alice, papers(60))
    judging.judge_block(judging.claim(timezone.now()))
    in_flight = judging.claim(timezone.now())
    change_the_model(judge)
    judging.judge_block(in_flight)
    read_all()
    return edition


def test_each_paper_is_read_once_by_the_model_that_was_asked(changed_day, fake_model):
    assert set(states(changed_day)) == {Candidate.State.JUDGED}
    by_model = [Score.objects.filter(provider_model=f"op/{model}").count() for model in ("first", "second")]
    assert by_model == [40, 20]
    assert [request["model"] for request in fake_model.requests] == ["first", "first", "second"]
    assert Score.objects.values("paper").distinct().count() == 60
    assert_books_are_right(fake_model)


def test_both_models_readings_are_ranked_by_one_bar_and_are_lessons(changed_day):
    for score in Score.objects.all():
        candidate = Candidate.objects.get(paper=score.paper_id)
        assert (candidate.score_id, candidate.value) == (score.pk, max(score.interest_scores))

    taught = Candidate.objects.to_teach().values_list("score_id", flat=True)
    models = Score.objects.filter(pk__in=taught).values_list("provider_model", flat=True)
    assert sorted(models) == ["op/first"] * 40 + ["op/second"] * 20


def test_the_page_and_the_report_name_both(changed_day, alice, client, judge):
    client.force_login(alice.owner)

    page = client.get(f"/feed/{changed_day.day}/").text
    told = report.markdown(alice, changed_day.day, "UTC", "en")

    assert TWO_MODELS in page
    assert "op/first" in page and "op/second" in page
    assert "> Model: first (simulated), second |" in told
    change_the_model(judge, "third")
    assert report.markdown(alice, changed_day.day, "UTC", "en") == told


def test_a_day_of_one_model_says_nothing_of_it_though_another_has_failed(alice, judge, fake_model, client):
    edition = factories.edition_to_read(alice, papers(20))
    fake_model.settings.faults.add(Fault(status=401))
    judging.run_once(timezone.now())
    change_the_model(judge)
    read_all()
    client.force_login(alice.owner)

    page = client.get(f"/feed/{edition.day}/").text

    assert set(states(edition)) == {Candidate.State.JUDGED}
    assert TWO_MODELS not in page
    assert "op/first" not in page


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=429), Fault(status=401), None])
def test_what_the_old_model_does_says_nothing_of_the_new_one(alice, judge, fake_model, fault):
    factories.edition_to_read(alice, papers(20))
    in_flight = judging.claim(timezone.now())
    changed = change_the_model(judge)
    fake_model.settings.faults.add(fault)

    judging.judge_block(in_flight)

    kept = ("failures", "open_until", "allowed_at_once", "paused_at", "abilities")
    assert Provider.objects.values(*kept).get() == {name: getattr(changed, name) for name in kept}
    assert changed.abilities == {}


def test_what_a_429_taught_of_the_old_server_is_forgotten(judge):
    now = timezone.now()
    providers.note_throttled(judge, now, now)
    providers.pause(judge, now, 60)

    change_the_model(judge)

    judge.refresh_from_db()
    assert (judge.calls_at_once, judge.shrunk_at, judge.opened_at) == (4, None, None)


def test_a_second_look_by_another_model_is_not_taken_and_the_first_reading_stands(alice, judge, fake_model):
    edition = factories.edition_to_read(alice, papers(30))
    read_all()
    due = Candidate.objects.filter(edition=edition).first()
    Candidate.objects.filter(pk=due.pk).update(look="far", is_look_due=True)
    asked = len(fake_model.requests)
    change_the_model(judge)

    assert second_looks.claim(timezone.now()) is None

    due.refresh_from_db()
    assert not due.is_look_due
    assert Score.objects.get(pk=due.score_id).provider_model == "op/first"
    assert len(fake_model.requests) == asked
