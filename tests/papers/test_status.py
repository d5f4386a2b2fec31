"""What is stored of a day, beside what arXiv counted, and what is missing by name."""

import datetime as dt
import json

import pytest
from django.core.management import call_command

from papers.models import ArxivCount, Gap, Harvest, Paper
from papers.status import day_status
from tests import factories

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 2, 3)
WHOLE_AT = dt.datetime(2026, 2, 3, 6, tzinfo=dt.UTC)


def counted(source: str, count: int, kind: str = "new", **fields: bool) -> None:
    ArxivCount.objects.create(category="cs.LG", day=DAY, kind=kind, source=source, count=count, **fields)


def whole(at: dt.datetime = WHOLE_AT) -> None:
    Harvest.objects.create(
        category="cs.LG", day=DAY, source="arxiv", state="done", started_at=at, finished_at=at
    )


def status():
    (found,) = day_status(DAY)
    return found


def test_the_list_page_has_the_word_over_the_feed_and_oai_counts_other_things():
    factories.announced_papers(3, DAY)
    counted("rss", 2)
    counted("listing", 4)
    counted("oai", 60, kind="record")

    found = status()

    assert (found.counted, found.missing, found.verdict) == ({"new": 4}, 1, "missing")
    assert found.counts == {"rss": {"new": 2}, "listing": {"new": 4}, "oai": {"record": 60}}


def test_oai_alone_is_no_count_of_what_was_announced():
    counted("oai", 60, kind="record")

    assert (status().counted, status().verdict) == (None, "uncounted")


def test_what_came_after_the_first_whole_harvest_is_late():
    early = factories.announced_papers(2, DAY)
    for announcement in [paper.announcements.get() for paper in early]:
        announcement.stored_at = WHOLE_AT
        announcement.save()
    whole()
    whole(WHOLE_AT + dt.timedelta(hours=4))
    factories.announced_papers(3, DAY)

    assert status().late == 3


def test_before_anything_was_whole_nothing_is_late():
    factories.announced_papers(3, DAY)

    assert status().late == 0


def test_withdrawn_papers_are_counted():
    first, _second = factories.announced_papers(2, DAY)
    Paper.objects.filter(pk=first.pk).update(is_withdrawn=True)

    assert status().withdrawn == 1


def test_a_feed_that_was_cut_counts_too_few():
    factories.announced_papers(2, DAY)
    counted("rss", 2, is_cut=True)

    assert (status().is_cut, status().verdict) == (True, "cut")


def test_what_is_missing_is_named(capsys):
    factories.announced_papers(1, DAY)
    counted("rss", 1)
    Gap.objects.create(arxiv_id="2602.00009", category="cs.LG", day=DAY, reason="unreadable", asked=2)
    Gap.objects.create(arxiv_id="2602.00008", category="cs.LG", day=DAY, reason="no_text", filled_at=WHOLE_AT)

    call_command("harvest", "--status", "--json", "--day", DAY.isoformat())

    (row,) = json.loads(capsys.readouterr().out)["days"]
    assert row["state"] == "missing"
    (paper,) = row["missing_papers"]
    assert (paper["arxiv_id"], paper["reason"], paper["asked"]) == ("2602.00009", "unreadable", 2)
