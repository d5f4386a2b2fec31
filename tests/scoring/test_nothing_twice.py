"""A weekend, a replay, an edition that is opened again: the model is asked nothing it has answered, 0 tokens."""

import datetime as dt
from dataclasses import replace

import pytest

from bench import recorded, synthetic, twice
from papers import calendar
from papers.models import Announcement
from scoring import budget, editions
from scoring.daily import read_day
from scoring.models import Candidate, Edition, FirstSeen, Score
from tests import factories
from tests.scoring.reading import assert_books_are_right

pytestmark = pytest.mark.django_db(transaction=True)

MORNING = dt.datetime(2026, 1, 31, 6, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def enough(settings):
    """Five evenings fall into one day of the budget: none of its limits is what these tests are about."""
    settings.OFFLINE = True
    for name in twice.LIMITS:
        setattr(settings, name, 10_000_000)


def assert_nothing_was_asked_twice(lists, found):
    told = found.told
    assert found.receipts == found.billed > 0
    assert [one.tokens_again for one in told] == [0] * len(lists)
    assert [one.asked_twice for one in told] == [[]] * len(lists)
    for one, asked in zip(lists, told, strict=True):
        firsts = {paper for kind, paper, _version, _words in asked.questions if kind == "judge"}
        assert len(firsts) == asked.papers == len(one.papers)
        assert asked.tokens_first > 0
    assert editions.audit() == []
    assert list(budget.audit()) == []


@pytest.mark.shared_data
def test_five_lists_that_the_reference_paid_twice_are_paid_once(shared_data, tmp_path):
    """Friday's 360 papers whole, and the head of the other four lists; `python -m bench.twice` reads all of them."""
    whole = twice.recorded_lists(shared_data)
    lists = [*(replace(one, papers=one.papers[:40]) for one in whole[:-1]), whole[-1]]

    found = twice.measure(
        lists, twice.recorded_labels(shared_data), recorded.reference_brief(shared_data), tmp_path
    )

    print(*twice.rows(lists, found.told), sep="\n")
    assert_nothing_was_asked_twice(lists, found)
    assert [len(one.papers) for one in whole] == [215, 211, 665, 431, 360]
    assert [one.tokens_again for one in whole] == [110_291, 113_249, 341_376, 233_082, 188_882]


def test_lists_that_come_twice_are_read_once(tmp_path):
    lists, said = twice.synthetic_lists(lists=5, papers=8)

    found = twice.measure(lists, said, synthetic.streams(0, days=1)[0].brief, tmp_path)

    assert_nothing_was_asked_twice(lists, found)


def test_an_edition_opened_again_for_a_late_paper_pays_for_that_paper_alone(fake_model):
    reader = factories.profile(factories.user(), target_recall=1.0)
    factories.provider(fake_model.base_url, profile=reader)
    factories.announced_papers(12)
    read_day(factories.DAY, MORNING, asks_arxiv=False)
    billed = fake_model.bill.total_tokens
    late = factories.announced_papers(1)[0]

    read_day(factories.DAY, MORNING + dt.timedelta(hours=1), asks_arxiv=False)

    (scored,) = Score.objects.filter(paper=late)
    assert fake_model.bill.total_tokens - billed == scored.call.input_tokens + scored.call.output_tokens
    assert [paper for _label, paper, _version in scored.call.block] == [late.pk]
    assert Score.objects.filter(purpose=Score.Purpose.FIRST).count() == 13
    assert_books_are_right(fake_model)


def test_two_rows_stand_in_the_way_of_a_second_bill(fake_model):
    """Monday's feed names Friday's list again. The control, with both rows gone, pays for it."""
    reader = factories.profile(factories.user(), target_recall=1.0)
    factories.provider(fake_model.base_url, profile=reader)
    papers = factories.announced_papers(8)
    read_day(factories.DAY, MORNING, asks_arxiv=False)
    billed = [fake_model.bill.total_tokens]

    for forgotten in ((), (FirstSeen,), (FirstSeen, Candidate, Score)):
        monday = calendar.next_announcement_day(factories.DAY)
        for rows in forgotten:
            rows.objects.filter(profile=reader).delete()
        Edition.objects.filter(day=monday).delete()
        for paper in papers:
            Announcement.objects.get_or_create(
                paper=paper, category="cs.LG", day=monday, kind=Announcement.Kind.NEW
            )
        read_day(monday, MORNING + dt.timedelta(days=2), asks_arxiv=False)
        billed.append(fake_model.bill.total_tokens)

    before, first_seen_guards, score_guards, control = billed
    assert before == first_seen_guards == score_guards < control
