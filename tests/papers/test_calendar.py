"""Days, evenings, holidays and daylight saving, in one table each."""

import datetime as dt

import pytest

from papers import calendar


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("day", "is_one", "why"),
    [
        ("2026-01-30", True, "a Friday: Thursday's mailing"),
        ("2026-01-31", False, "a Saturday: nothing is mailed on a Friday"),
        ("2026-02-01", False, "a Sunday: nothing is mailed on a Saturday"),
        ("2026-02-02", True, "a Monday: Sunday's mailing"),
        ("2026-01-02", False, "the evening of New Year's Day is skipped"),
        ("2026-01-01", True, "the evening before is of a year without entries"),
        ("2026-01-19", True, "the Sunday before the holiday mails"),
        ("2026-01-20", False, "the evening of the 19th is skipped"),
        ("2026-11-27", False, "the day after Thanksgiving's evening"),
        ("2026-12-30", False, "the evening of the 29th is skipped"),
        ("2026-12-31", True, "the evening of the 30th is not"),
        ("2027-01-01", False, "the evening of the 31st is skipped"),
    ],
)
def test_which_days_have_a_list(day: str, is_one: bool, why: str) -> None:
    assert calendar.is_announcement_day(dt.date.fromisoformat(day)) is is_one, why


def test_the_days_of_a_week_with_a_holiday() -> None:
    days = calendar.announcement_days(dt.date(2026, 1, 17), dt.date(2026, 1, 25))

    assert [day.day for day in days] == [19, 21, 22, 23]
    assert calendar.next_announcement_day(dt.date(2026, 1, 19)) == dt.date(2026, 1, 21)
    assert calendar.previous_announcement_day(dt.date(2026, 1, 21)) == dt.date(2026, 1, 19)


def test_before_arxiv_there_was_no_list() -> None:
    assert not calendar.is_announcement_day(dt.date.min)
    assert not calendar.is_announcement_day(dt.date(1991, 8, 13))


def test_holidays_are_data_with_the_year_they_were_entered_for() -> None:
    """The alarm for a year that is missing: `tests/scoring/test_harvesting.py`."""
    assert calendar.knows_holidays_of(2026)
    assert not calendar.knows_holidays_of(2027)
    for year, evenings in calendar.HOLIDAY_EVENINGS.items():
        assert {evening.year for evening in evenings} == {year}
        assert all(not calendar.is_mailing_evening(evening) for evening in evenings)


@pytest.mark.parametrize(
    ("now", "listed", "fed"),
    [
        ("2026-01-30T00:59:59", "2026-01-29", "2026-01-29"),  # 19:59:59 in winter
        ("2026-01-30T01:00:00", "2026-01-30", "2026-01-29"),  # 20:00: mailed, RSS still yesterday's
        ("2026-01-30T04:59:59", "2026-01-30", "2026-01-29"),
        ("2026-01-30T05:00:00", "2026-01-30", "2026-01-30"),  # midnight Eastern
        ("2026-01-31T12:00:00", "2026-01-30", "2026-01-30"),  # Saturday
        ("2026-02-02T00:59:59", "2026-01-30", "2026-01-30"),  # Sunday, before the mailing
        ("2026-02-02T01:00:00", "2026-02-02", "2026-01-30"),
        ("2026-07-01T00:00:00", "2026-07-01", "2026-06-30"),  # 20:00 in summer
        ("2026-03-09T00:00:00", "2026-03-09", "2026-03-06"),  # the clocks went forward that Sunday
        ("2026-03-06T01:00:00", "2026-03-06", "2026-03-05"),
        ("2026-11-02T00:59:59", "2026-10-30", "2026-10-30"),  # and back on this one
        ("2026-11-02T01:00:00", "2026-11-02", "2026-10-30"),
        ("2026-01-20T12:00:00", "2026-01-19", "2026-01-19"),  # a holiday
        # The clocks go forward on Sunday, 8 March at 2:00: its evening mails an hour earlier by UTC.
        ("2026-03-08T23:59:59", "2026-03-06", "2026-03-06"),
        ("2026-03-09T03:59:59", "2026-03-09", "2026-03-06"),
        ("2026-03-09T04:00:00", "2026-03-09", "2026-03-09"),
        # They go back on Sunday, 1 November at 2:00: its evening mails an hour later by UTC.
        ("2026-11-02T00:00:00", "2026-10-30", "2026-10-30"),
        ("2026-11-02T04:59:59", "2026-11-02", "2026-10-30"),
        ("2026-11-02T05:00:00", "2026-11-02", "2026-11-02"),
        # A Monday without an evening, after a weekend: Monday's list stands until Wednesday's.
        ("2026-09-08T23:59:59", "2026-09-07", "2026-09-07"),
        ("2026-09-09T00:00:00", "2026-09-09", "2026-09-07"),
        # A Thursday without one, before a weekend: Thursday's list stands until Monday's.
        ("2026-11-27T12:00:00", "2026-11-26", "2026-11-26"),
        ("2026-11-30T00:59:59", "2026-11-26", "2026-11-26"),
        ("2026-11-30T01:00:00", "2026-11-30", "2026-11-26"),
        # The year ends with two skipped evenings in three.
        ("2026-12-30T12:00:00", "2026-12-29", "2026-12-29"),
        ("2026-12-31T01:00:00", "2026-12-31", "2026-12-29"),
        ("2027-01-03T12:00:00", "2026-12-31", "2026-12-31"),
        ("2027-01-04T01:00:00", "2027-01-04", "2026-12-31"),
    ],
)
def test_the_newest_list_and_the_newest_feed(now: str, listed: str, fed: str) -> None:
    assert calendar.newest_day(utc(now)).isoformat() == listed
    assert calendar.newest_feed_day(utc(now)).isoformat() == fed


@pytest.mark.parametrize(
    ("submitted", "day"),
    [
        ("2026-01-28T18:59:59", "2026-01-29"),  # Wednesday 13:59:59 Eastern
        ("2026-01-28T19:00:00", "2026-01-30"),  # Wednesday 14:00 Eastern: Thursday's mailing
        ("2026-01-29T18:59:59", "2026-01-30"),
        ("2026-01-29T19:00:00", "2026-02-02"),  # Thursday afternoon: Sunday's mailing
        ("2026-01-30T18:59:59", "2026-02-02"),
        ("2026-01-30T19:00:00", "2026-02-03"),  # Friday afternoon: Monday's mailing
        ("2026-02-01T12:00:00", "2026-02-03"),  # Sunday
        ("2026-02-02T18:59:59", "2026-02-03"),
        ("2026-07-07T17:59:59", "2026-07-08"),  # daylight saving time
        ("2026-07-07T18:00:00", "2026-07-09"),
        ("2026-01-19T12:00:00", "2026-01-21"),  # its evening is a holiday
        ("2026-12-29T12:00:00", "2026-12-31"),
        ("2026-12-31T12:00:00", "2027-01-04"),  # a Thursday without evening: Sunday's mailing
        # The deadline of Friday, Saturday, Sunday and Monday, over the weekend on which the clocks go forward …
        ("2026-03-06T18:59:59", "2026-03-09"),  # Friday 13:59:59 EST: Sunday's mailing
        ("2026-03-06T19:00:00", "2026-03-10"),  # Friday 14:00 EST: Monday's
        ("2026-03-07T18:59:59", "2026-03-10"),  # Saturday, whatever the hour
        ("2026-03-07T19:00:00", "2026-03-10"),
        ("2026-03-08T17:59:59", "2026-03-10"),  # Sunday, now EDT
        ("2026-03-08T18:00:00", "2026-03-10"),
        ("2026-03-09T17:59:59", "2026-03-10"),  # Monday 13:59:59 EDT
        ("2026-03-09T18:00:00", "2026-03-11"),  # Monday 14:00 EDT: Tuesday's
        # … and over the one on which they go back.
        ("2026-10-30T17:59:59", "2026-11-02"),  # Friday 13:59:59 EDT
        ("2026-10-30T18:00:00", "2026-11-03"),
        ("2026-10-31T18:00:00", "2026-11-03"),
        ("2026-11-01T18:59:59", "2026-11-03"),
        ("2026-11-02T18:59:59", "2026-11-03"),  # Monday 13:59:59 EST
        ("2026-11-02T19:00:00", "2026-11-04"),
        # Holidays beside a weekend: Labor Day's Monday, Thanksgiving's Thursday, two Fridays that never mail.
        ("2026-09-04T18:00:00", "2026-09-09"),  # Friday afternoon, Monday's evening is skipped: Tuesday's
        ("2026-09-07T17:59:59", "2026-09-09"),
        ("2026-09-07T18:00:00", "2026-09-09"),
        ("2026-11-25T19:00:00", "2026-11-30"),  # Wednesday afternoon: Thursday's is skipped, Sunday's
        ("2026-11-27T18:59:59", "2026-11-30"),  # Friday, before 14:00: Sunday's as well
        ("2026-11-27T19:00:00", "2026-12-01"),
        ("2026-06-19T17:59:59", "2026-06-22"),
        ("2026-07-03T18:00:00", "2026-07-07"),
    ],
)
def test_the_day_of_a_first_version(submitted: str, day: str) -> None:
    assert calendar.day_of(utc(submitted)).isoformat() == day


def test_every_derived_day_has_a_list() -> None:
    start = utc("2026-01-05T00:30:00")

    for hours in range(0, 365 * 24, 7):
        assert calendar.is_announcement_day(calendar.day_of(start + dt.timedelta(hours=hours)))


def test_the_mailing_and_the_feed_are_instants_of_the_eastern_zone() -> None:
    assert calendar.mailed_at(dt.date(2026, 1, 30)) == utc("2026-01-30T01:00:00")
    assert calendar.mailed_at(dt.date(2026, 7, 1)) == utc("2026-07-01T00:00:00")
    assert calendar.feed_turns_at(dt.date(2026, 7, 1)) == utc("2026-07-01T04:00:00")
