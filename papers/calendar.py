"""When arXiv announces: mailings at 20:00 Eastern, Sunday to Thursday, for the next day's list.

A *day* is the date of the list and of the RSS feed (`pubDate`), Monday to Friday, never the evening before.
https://info.arxiv.org/help/availability.html. Zone rules move with daylight saving; no UTC hour is fixed here.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ARXIV_ZONE = ZoneInfo("America/New_York")
FIRST_DAY = date(1991, 8, 14)  # arXiv's first
DEADLINE = time(14, 0)  # a submission before it is in the same weekday's mailing
MAILING = time(20, 0)
FEED_TURNS = time(0, 0)  # of the day itself: until then RSS still shows the day before

# Evenings without a mailing, as arXiv publishes them for each year; the list of the day after does not appear.
HOLIDAY_EVENINGS: dict[int, frozenset[date]] = {
    2026: frozenset(
        {
            date(2026, 1, 1),
            date(2026, 1, 19),
            date(2026, 6, 19),
            date(2026, 7, 3),
            date(2026, 9, 7),
            date(2026, 11, 26),
            date(2026, 12, 25),
            date(2026, 12, 29),
            date(2026, 12, 31),
        }
    ),
}


def knows_holidays_of(year: int) -> bool:
    """Whether that year's holidays were entered. Where not, only weekends are taken as days off."""
    return year in HOLIDAY_EVENINGS


def is_mailing_evening(evening: date) -> bool:
    is_holiday = evening in HOLIDAY_EVENINGS.get(evening.year, frozenset())
    return evening.weekday() in {6, 0, 1, 2, 3} and not is_holiday


def is_announcement_day(day: date) -> bool:
    return day >= FIRST_DAY and is_mailing_evening(day - timedelta(days=1))


def next_announcement_day(day: date) -> date:
    """The first announcement day after `day`."""
    day += timedelta(days=1)
    while not is_announcement_day(day):
        day += timedelta(days=1)
    return day


def previous_announcement_day(day: date) -> date:
    """The last announcement day before `day`."""
    day -= timedelta(days=1)
    while not is_announcement_day(day):
        day -= timedelta(days=1)
    return day


def announcement_days(first: date, last: date) -> list[date]:
    """Every announcement day from `first` to `last`, both included."""
    span = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in span if is_announcement_day(day)]


def mailed_at(day: date) -> datetime:
    """The instant of the mailing for that day's list, in UTC."""
    return _instant(day - timedelta(days=1), MAILING)


def feed_turns_at(day: date) -> datetime:
    """The instant from which RSS shows that day, in UTC."""
    return _instant(day, FEED_TURNS)


def newest_day(now: datetime) -> date:
    """The newest day whose list is out. Until midnight Eastern its RSS feed is not: `newest_feed_day`."""
    day = now.astimezone(ARXIV_ZONE).date() + timedelta(days=1)
    while not (is_announcement_day(day) and mailed_at(day) <= now):
        day -= timedelta(days=1)
    return day


def newest_feed_day(now: datetime) -> date:
    """The day that RSS should show."""
    day = now.astimezone(ARXIV_ZONE).date()
    while not is_announcement_day(day):
        day -= timedelta(days=1)
    return day


def day_of(submitted_at: datetime) -> date:
    """The list on which a paper whose first version came in then appears as new, if nothing holds it up.

    Received before 14:00 Eastern on a weekday: that evening's mailing (Friday's: Sunday's), or the next one
    where that evening is a holiday.
    """
    local = submitted_at.astimezone(ARXIV_ZONE)
    closes = local.date() if local.time() < DEADLINE else local.date() + timedelta(days=1)
    while closes.weekday() > 4:
        closes += timedelta(days=1)
    evening = closes
    while not is_mailing_evening(evening):
        evening += timedelta(days=1)
    return evening + timedelta(days=1)


def _instant(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ARXIV_ZONE).astimezone(UTC)
