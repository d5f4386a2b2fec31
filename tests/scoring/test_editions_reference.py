"""The reference profile's day of 2026-01-30, from arXiv's own feeds; skips where they are not here."""

import datetime as dt

import pytest

from bench import recorded
from papers import harvest
from papers.models import Announcement
from profiles.models import Interest
from scoring import editions
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.shared_data]

DAY = dt.date(2026, 1, 30)
NOW = dt.datetime(2026, 1, 30, 6, 0, tzinfo=dt.UTC)


@pytest.fixture
def reference(shared_data):
    """The reference's seven fields in its four categories, the day harvested from the RSS files."""
    harvest.import_files(sorted((shared_data / "wire").glob("2026-01-30_rss_*.xml")))
    profile = factories.profile(
        factories.user("alice@example.org"),
        interests=[],
        categories=["cs.CV", "cs.LG", "cs.AI", "cs.RO"],
        exclusions=list(recorded.reference_brief(shared_data).exclusions),
        reason_language="zh-Hans",
    )
    for position, wish in enumerate(recorded.reference_brief(shared_data).wishes):
        Interest.objects.create(
            profile=profile, position=position, name=wish.name, description=wish.description
        )
    return profile


def test_the_reference_profile_is_owed_442_papers(reference):
    edition = editions.open_edition(reference, DAY)
    editions.screen(edition, NOW)

    account = editions.account(edition)
    of_ai = Announcement.objects.announced_to(["cs.AI"], DAY, cross_lists=False)
    assert account.announced == 442
    assert of_ai.paper_count() == 107
    assert account.is_true
    assert account.replacements > 0
    assert editions.audit() == []


def test_screening_by_a_model_saves_a_quarter_of_it(reference):
    factories.provider("http://127.0.0.1:9/v1", team=reference.team)
    edition = editions.open_edition(reference, DAY)
    editions.screen(edition, NOW)

    account = editions.account(edition)
    assert account.announced == 442 == account.waiting + account.screened
    assert 0.5 < account.waiting / 442 < 0.8
    assert edition.expected_recall == pytest.approx(0.9, abs=0.01)
    assert edition.screening["unknown"] == []
