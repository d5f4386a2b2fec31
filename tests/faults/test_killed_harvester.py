"""A harvester that is killed at each page (F38): the next goes on, without a gap and without a duplicate.

The harvester is a process of its own that kills itself with SIGKILL; arXiv is a server on loopback.
"""

import datetime as dt
import json
import signal

import pytest
from django.core.management import call_command

from papers.models import Announcement, Harvest, Paper
from tests.papers.fake_arxiv import FakeArxiv
from tests.papers.loopback import serving, started
from tests.papers.pages import feed, feed_item

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("processes")]

DAY = dt.date(2026, 2, 3)
NEW = [f"2602.0000{number}" for number in range(1, 5)]
PAGES = 1 + 2 + 2  # the feed, and two formats of two pages
HARVEST = """
import datetime as dt, json
from papers.harvest import harvest_day, open_transport
with open_transport() as transport:
    report = harvest_day("cs.LG", dt.date(2026, 2, 3), transport, now=dt.datetime(2026, 2, 3, 5, 30, tzinfo=dt.UTC))
print(json.dumps(report.as_dict()))
"""


def arxiv() -> FakeArxiv:
    server = FakeArxiv(page_size=2)
    server.papers = {arxiv_id: {} for arxiv_id in NEW}
    server.feeds["cs.LG"] = feed(*(feed_item(arxiv_id) for arxiv_id in NEW))
    return server


@pytest.mark.parametrize(
    ("crash_at", "asked_again"),
    [("page_read:2", PAGES - 1), ("page_stored:2", PAGES - 1), ("page_committed:1", 0)],
)
def test_a_harvester_killed_at_each_page_loses_and_doubles_nothing(tmp_path, crash_at, asked_again):
    """Each process commits one page more than the one before; what was committed is not asked for again."""
    kills = 0
    with serving(arxiv()) as server:
        surroundings = {**server.addresses, "ARXIV_PACE_SECONDS": "0", "BROADSHEET_CRASH_AT": crash_at}
        while (process := started(HARVEST, tmp_path, **surroundings)).wait(timeout=120) == -signal.SIGKILL:
            kills += 1
            assert kills <= PAGES
    said, problem = process.communicate()

    assert process.returncode == 0, problem
    assert kills == (PAGES if asked_again == 0 else PAGES - 1)
    assert len(server.log) == PAGES + asked_again
    run = Harvest.objects.get()
    assert (run.state, json.loads(said)["problems"]) == ("done", [])
    assert run.announced == run.stored + run.without_text + run.skipped == 3 * len(NEW)
    rows = Announcement.objects.values_list("paper__arxiv_id", "category", "day", "kind", "source")
    assert sorted(rows) == [(arxiv_id, "cs.LG", DAY, "new", "rss") for arxiv_id in NEW]
    assert Paper.objects.filter(author_names="Ada Lovelace").count() == len(NEW)
    call_command("audit")
