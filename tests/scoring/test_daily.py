"""A whole day by one command, and the clock that does the same for as long as it runs."""

import datetime as dt
import io
import json
import threading
from contextlib import AbstractContextManager, nullcontext

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection

from scoring import budget, slots
from scoring.clock import Clock
from scoring.models import Candidate, Edition, Score
from tests import factories
from tests.papers.fake_arxiv import FakeArxiv
from tests.papers.loopback import serving
from tests.papers.pages import feed, feed_item
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def offline(settings):
    settings.OFFLINE = True


def daily(*words: str) -> str:
    out = io.StringIO()
    call_command("daily", *words, stdout=out)
    return out.getvalue()


def test_a_day_is_read_to_its_end(fake_model):
    reader = factories.profile(factories.user(), categories=["cs.LG"], target_recall=1.0, name="Morning")
    factories.provider(fake_model.base_url, profile=reader)
    factories.announced_papers(30)

    said = daily("--day", "2026-01-30")

    assert said.startswith("Morning: announced 30 = judged 30, ")
    assert Edition.objects.get().state == Edition.State.CLOSED
    assert budget.audit() == []


def test_a_second_time_costs_nothing(fake_model):
    reader = factories.profile(factories.user(), categories=["cs.LG"], target_recall=1.0)
    factories.provider(fake_model.base_url, profile=reader)
    factories.announced_papers(30)
    daily("--day", "2026-01-30")
    asked = len(fake_model.bill.lines)

    (account,) = json.loads(daily("--day", "2026-01-30", "--json"))

    assert account["judged"] == 30
    assert len(fake_model.bill.lines) == asked
    assert Score.objects.count() == 30


def test_a_late_paper_is_read_with_its_day():
    factories.profile(factories.user(), categories=["cs.LG"])
    factories.announced_papers(3)
    daily("--day", "2026-01-30")
    factories.announced_papers(1)

    assert "announced 4 = estimated 4" in daily("--day", "2026-01-30")


def test_a_day_of_which_nothing_is_stored_says_what_to_do():
    factories.profile(factories.user())

    with pytest.raises(CommandError, match=r"manage\.py harvest --day 2026-01-30"):
        daily("--day", "2026-01-30")


def test_a_bad_date_is_refused():
    with pytest.raises(CommandError, match="no date like 2026-01-30") as refused:
        daily("--day", "yesterday")

    assert refused.value.returncode == 2


def test_a_day_that_is_not_out_and_a_house_without_readers_are_told_apart():
    with pytest.raises(CommandError, match="Nobody reads yet"):
        daily("--day", "2026-01-30")
    factories.profile(factories.user())
    with pytest.raises(CommandError, match="The list of 9999-12-31 is not out yet"):
        daily("--day", "9999-12-31")


def test_the_clock_reads_what_is_due_and_stops_when_told():
    factories.profile(factories.user(), categories=["cs.LG"])
    factories.announced_papers(5)
    clock = Clock(seconds=0.05)

    def run() -> None:
        clock.run()
        connection.close()

    running = threading.Thread(target=run)
    running.start()
    try:
        wait_until(lambda: Edition.objects.filter(state=Edition.State.CLOSED).exists(), "the day is closed")
    finally:
        clock.stop()
        running.join()

    assert Candidate.objects.filter(state=Candidate.State.ESTIMATED).count() == 5
    assert isinstance(slots.last_beat(), dt.datetime)


NEW = [f"2602.0000{number}" for number in range(1, 4)]


INCOMPLETE = "The day may be incomplete. See: manage.py harvest --status"


def a_tuesday_of(
    arxiv: FakeArxiv, settings, *words: str, ending: AbstractContextManager | None = None
) -> tuple[str, str]:
    """`manage.py daily` early on 2026-02-03, with that arXiv on loopback; what it says, and what it complains of."""
    out, complaints = io.StringIO(), io.StringIO()
    with (
        serving(arxiv) as server,
        time_machine.travel(dt.datetime(2026, 2, 3, 5, 30, tzinfo=dt.UTC), tick=False),
    ):
        settings.OFFLINE, settings.ARXIV_PACE_SECONDS = False, 0
        for name in ("ARXIV_OAI_URL", "ARXIV_RSS_URL", "ARXIV_API_URL"):
            setattr(settings, name, server.addresses[name])
        with ending or nullcontext():
            call_command("daily", *words, stdout=out, stderr=complaints)
    return out.getvalue(), complaints.getvalue()


def arxiv_of_tuesday() -> FakeArxiv:
    arxiv = FakeArxiv()
    arxiv.papers = {arxiv_id: {} for arxiv_id in NEW}
    arxiv.feeds["cs.LG"] = feed(*(feed_item(arxiv_id) for arxiv_id in NEW))
    return arxiv


def test_what_arxiv_did_wrong_is_said_beside_the_result(settings):
    """One category's feed still shows Monday: the other is read, and the day says that it may be incomplete."""
    factories.profile(factories.user(), categories=["cs.LG", "math.PR"], name="Morning")

    said, complaints = a_tuesday_of(
        arxiv_of_tuesday(), settings, ending=pytest.raises(CommandError, match=INCOMPLETE)
    )

    assert said.startswith("Morning: announced 3 = estimated 3")
    assert "the feed was of another day" in complaints
    assert "math.PR" in complaints


def test_machines_get_the_result_alone(settings):
    factories.profile(factories.user(), categories=["cs.LG", "math.PR"])

    said, complaints = a_tuesday_of(
        arxiv_of_tuesday(), settings, "--json", ending=pytest.raises(CommandError, match=INCOMPLETE)
    )

    assert [account["announced"] for account in json.loads(said)] == [3]
    assert "the feed was of another day" in complaints


def test_a_day_on_which_nothing_is_wrong_complains_of_nothing(settings):
    factories.profile(factories.user(), categories=["cs.LG"])

    said, complaints = a_tuesday_of(arxiv_of_tuesday(), settings)

    assert "announced 3 = estimated 3" in said
    assert complaints == ""
