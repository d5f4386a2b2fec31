"""The rhythm in Eastern time, whatever the clocks do."""

import datetime as dt

import pytest

from portal.schedule import BEAT, HARVESTS, Due

UTC = dt.UTC


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (dt.datetime(2026, 1, 30, 5, 0, tzinfo=UTC), dt.datetime(2026, 1, 29, 5, 30, tzinfo=UTC)),
        (dt.datetime(2026, 1, 30, 5, 30, tzinfo=UTC), dt.datetime(2026, 1, 30, 5, 30, tzinfo=UTC)),
        (dt.datetime(2026, 7, 30, 4, 45, tzinfo=UTC), dt.datetime(2026, 7, 30, 4, 30, tzinfo=UTC)),
        (dt.datetime(2026, 3, 8, 12, 0, tzinfo=UTC), dt.datetime(2026, 3, 8, 5, 30, tzinfo=UTC)),
        (dt.datetime(2026, 3, 9, 12, 0, tzinfo=UTC), dt.datetime(2026, 3, 9, 4, 30, tzinfo=UTC)),
    ],
)
def test_half_past_midnight_is_eastern_in_winter_summer_and_between(now, last):
    assert Due("rss", dt.time(0, 30)).last(now) == last


def test_the_day_is_harvested_four_times_and_each_slot_has_a_name_of_its_own():
    assert [due.at for due in HARVESTS] == [dt.time(23, 15), dt.time(0, 30), dt.time(4, 0), dt.time(12, 0)]
    assert len({due.name for due in HARVESTS}) == 4


def test_beat_sends_one_message_that_does_not_pile_up():
    (entry,) = BEAT.values()

    assert entry["task"] == "scoring.tick"
    assert entry["options"]["expires"] <= entry["schedule"]
