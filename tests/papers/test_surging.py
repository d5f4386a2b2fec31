"""More than three times the usual: the surplus is parked, changed records are told, and a busy day is neither."""

import datetime as dt

import pytest

from papers import calendar, surging
from papers.models import Announcement, ArxivCount, Paper, Surge
from papers.status import day_status
from papers.surging import SMALL_DAY, NoSurge, count_records, park_surplus

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 2, 20)
USUAL = 40


def announce(day: dt.date, count: int, *, kind: str = "new", source: str = "rss") -> None:
    first = Paper.objects.count()
    papers = Paper.objects.bulk_create(
        Paper(
            arxiv_id=f"26{first // 100000:02}.{first % 100000 + i:05}",
            title="A title",
            primary_category="cs.LG",
        )
        for i in range(count)
    )
    Announcement.objects.bulk_create(
        Announcement(paper=paper, category="cs.LG", day=day, kind=kind, source=source) for paper in papers
    )


def history(days: int = 6, count: int = USUAL, until: dt.date = DAY) -> None:
    day = until
    for _ in range(days):
        day = calendar.previous_announcement_day(day)
        announce(day, count)


def parked() -> int:
    return Announcement.objects.filter(is_parked=True).count()


def test_what_is_above_three_times_the_usual_is_parked() -> None:
    history()
    announce(DAY, 3 * USUAL + 7)

    assert park_surplus("cs.LG", {DAY}) == 7
    assert park_surplus("cs.LG", {DAY}) == 0

    surge = Surge.objects.get()
    assert (surge.state, surge.usual, surge.found, parked()) == ("parked", USUAL, 127, 7)


@pytest.mark.parametrize("count", [2 * USUAL, 3 * USUAL])
def test_a_busy_day_is_no_surge(count: int) -> None:
    history()
    announce(DAY, count)

    assert park_surplus("cs.LG", {DAY}) == 0


def test_a_new_instance_has_no_usual() -> None:
    history(days=surging.KNOWN_FROM - 1)
    announce(DAY, 20 * USUAL)

    assert park_surplus("cs.LG", {DAY}) == 0
    assert not Surge.objects.exists()


def test_a_small_category_has_five_times_the_usual_by_chance() -> None:
    history(count=2)
    announce(DAY, SMALL_DAY)

    assert park_surplus("cs.LG", {DAY}) == 0


def test_what_arxiv_left_out_for_days_comes_at_once_and_is_no_surge() -> None:
    """Two announcements failed to come: the third has the papers of all three."""
    missed = calendar.previous_announcement_day(DAY)
    history(until=calendar.previous_announcement_day(missed))
    announce(DAY, 5 * USUAL)

    assert park_surplus("cs.LG", {DAY}) == 0


def test_a_surge_of_cross_lists_parks_cross_lists_and_of_what_was_derived_first() -> None:
    history()
    announce(DAY, 4 * USUAL, kind="cross", source="derived")
    announce(DAY, USUAL)
    announce(DAY, USUAL, kind="cross")

    assert park_surplus("cs.LG", {DAY}) == 3 * USUAL

    parked_ones = Announcement.objects.filter(is_parked=True)
    assert set(parked_ones.values_list("kind", "source")) == {("cross", "derived")}


def test_what_went_on_stays_while_more_comes() -> None:
    history()
    announce(DAY, 3 * USUAL, source="derived")
    park_surplus("cs.LG", {DAY})
    gone_on = set(Announcement.objects.on(DAY).values_list("pk", flat=True))
    announce(DAY, 10)

    assert park_surplus("cs.LG", {DAY}) == 10

    free = Announcement.objects.on(DAY).filter(is_parked=False)
    assert len(free) == 3 * USUAL
    assert Surge.objects.get().found == 3 * USUAL + 10
    assert gone_on & set(free.values_list("pk", flat=True))


def test_what_is_released_goes_on_and_is_never_parked_again() -> None:
    history()
    announce(DAY, 5 * USUAL)
    park_surplus("cs.LG", {DAY})

    assert surging.release("cs.LG", DAY) == 2 * USUAL
    assert surging.release("cs.LG", DAY) == 0
    announce(DAY, USUAL)
    assert park_surplus("cs.LG", {DAY}) == 0

    assert (parked(), Surge.objects.get().state) == (0, "released")


def test_what_is_left_parked_stays_and_may_still_be_released() -> None:
    history()
    announce(DAY, 5 * USUAL)
    park_surplus("cs.LG", {DAY})

    assert surging.leave_parked("cs.LG", DAY) == 2 * USUAL
    assert Surge.objects.get().state == "kept"
    assert surging.release("cs.LG", DAY) == 2 * USUAL


def test_there_is_nothing_to_decide_where_nothing_is_parked() -> None:
    with pytest.raises(NoSurge):
        surging.release("cs.LG", DAY)
    with pytest.raises(NoSurge):
        surging.leave_parked("cs.LG", DAY)


def test_the_status_says_how_many_are_parked() -> None:
    history()
    announce(DAY, 3 * USUAL + 7)
    park_surplus("cs.LG", {DAY})

    (status,) = day_status(DAY)

    assert (status.parked, status.surge, status.usual, status.verdict) == (7, "parked", USUAL, "parked")


# --- changed records -------------------------------------------------------------------------------


def test_far_more_records_than_usual_are_told_and_nothing_is_parked() -> None:
    day = DAY
    for _ in range(6):
        day = calendar.previous_announcement_day(day)
        count_records("cs.LG", day, 400)

    count_records("cs.LG", DAY, 1200)
    assert not Surge.objects.exists()
    count_records("cs.LG", DAY, 50_000)
    count_records("cs.LG", DAY, 300)

    surge = Surge.objects.get()
    assert (surge.about, surge.state, surge.usual, surge.found) == ("records", "told", 400, 50_000)
    assert ArxivCount.objects.get(day=DAY).count == 50_000
    assert day_status(DAY)[0].counts == {"oai": {"record": 50_000}}
