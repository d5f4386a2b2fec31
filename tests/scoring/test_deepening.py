"""A day whose audit finds more than was estimated is read deeper the same day."""

import datetime as dt

import pytest
from django.urls import reverse

from scoring import budget, editions, judging, tick
from scoring.daily import read_day
from scoring.models import Candidate, Edition
from scoring.packed import Code, counts
from scoring.simulated.brain import Labels, title_key
from tests import factories
from tests.scoring.reading import OTHER, TOPIC

pytestmark = pytest.mark.django_db(transaction=True)

MORNING = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)
GRAPHS, SALT = 60, 100
WISHED = "Graph Neural Networks"


@pytest.fixture
def reader(settings, fake_model):
    """Asks for graphs; of a day of 60 papers about graphs and 100 about salt the words choose the former."""
    settings.OFFLINE = True
    made = factories.profile(factories.user(), interests=[WISHED.lower()])
    factories.provider(fake_model.base_url, profile=made)
    for number in range(GRAPHS + SALT):
        name, abstract = ("Graph neural networks", TOPIC) if number < GRAPHS else ("Salt", OTHER)
        factories.announce(factories.paper(title=f"{name}, part {number}", abstract=abstract))
    return made


def wants(fake_model, *beginnings):
    """The model gives 90 to papers with such titles, and nothing to the others."""
    titles = [f"{'Graph neural networks' if n < GRAPHS else 'Salt'}, part {n}" for n in range(GRAPHS + SALT)]
    fake_model.settings.labels = Labels(
        {title_key(t): {"scores": {WISHED: 90}} for t in titles if t.startswith(beginnings)}
    )


def screened(edition):
    edition.refresh_from_db()
    return counts(bytes(edition.packed))[Code.SCREENED]


def test_the_cut_moves_down_the_same_day_and_the_page_says_why(reader, fake_model, client):
    wants(fake_model, "Graph", "Salt")
    edition = editions.open_edition(reader, factories.DAY)
    editions.screen(edition, MORNING)
    edition.refresh_from_db()
    before, cut_before = screened(edition), edition.cut_rank
    assert before > SALT / 2

    read_day(factories.DAY, MORNING, asks_arxiv=False)

    edition.refresh_from_db()
    assert edition.state == Edition.State.CLOSED
    assert edition.screening["deepened"] == before - screened(edition) > before / 2
    assert edition.cut_rank > cut_before
    assert edition.screening["doubted"]
    assert not Candidate.objects.exclude(state=Candidate.State.JUDGED).exists()
    assert editions.audit() == []
    assert list(budget.audit()) == []
    client.force_login(reader.owner)
    page = client.get(reverse("day", args=[factories.DAY]), {"profile": str(reader.public_id)}).text
    assert "Lately the random sample found more than was estimated" in page


def test_a_day_that_is_as_estimated_stays_cut(reader, fake_model):
    wants(fake_model, "Graph")

    (edition,) = read_day(factories.DAY, MORNING, asks_arxiv=False)

    assert edition.state == Edition.State.CLOSED
    assert "deepened" not in edition.screening
    assert screened(edition) > SALT / 2


def test_the_clock_moves_the_cut_once_and_closes_the_day_after(reader, fake_model):
    wants(fake_model, "Graph", "Salt")
    edition = editions.open_edition(reader, factories.DAY)
    editions.screen(edition, MORNING)
    judging.drain()
    before = screened(edition)

    assert tick.close_due(MORNING) == 0
    assert editions.deepen(edition) == 0  # what it chose waits

    waiting = Candidate.objects.filter(edition=edition).waiting().count()
    assert waiting == before - screened(edition) > 0
    judging.drain()
    assert editions.deepen(edition) == 0  # once a day
    assert tick.close_due(MORNING) == 1
    assert editions.audit() == []


def test_an_edition_closed_before_is_not_read_deeper(reader, fake_model):
    wants(fake_model, "Graph")
    (edition,) = read_day(factories.DAY, MORNING, asks_arxiv=False)
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.SCREENED)
    Candidate.objects.filter(is_audit=True).update(value=90)

    assert editions.deepen(edition) == 0
