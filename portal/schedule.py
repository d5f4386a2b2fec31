"""The day's rhythm on one screen. Facts only: `scoring.tick` reads them, beat sends them, nothing is stored.

Instants are arXiv's own, in Eastern time (`docs`: arXiv's mailing goes out at 20:00 for the next day's list).
RSS turns at midnight Eastern, so at 23:15 only OAI-PMH knows the new day; the later runs repair the earlier.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Due:
    """A time of day at which something runs once, whoever comes first."""

    name: str
    at: dt.time

    def last(self, now: dt.datetime) -> dt.datetime:
        """The newest instant of this slot that is not after `now`, in UTC; right across a change of clocks."""
        local = now.astimezone(EASTERN)
        due = dt.datetime.combine(local.date(), self.at, EASTERN)
        if due > local:
            due = dt.datetime.combine(local.date() - dt.timedelta(days=1), self.at, EASTERN)
        return due.astimezone(dt.UTC)

    def next(self, now: dt.datetime) -> dt.datetime:
        """The first instant of this slot after `now`, in UTC."""
        local = now.astimezone(EASTERN)
        due = dt.datetime.combine(local.date(), self.at, EASTERN)
        if due <= local:
            due = dt.datetime.combine(local.date() + dt.timedelta(days=1), self.at, EASTERN)
        return due.astimezone(dt.UTC)


HARVESTS = (
    Due("harvest-first", dt.time(23, 15)),
    Due("harvest-rss", dt.time(0, 30)),
    Due("harvest-morning", dt.time(4, 0)),
    Due("harvest-noon", dt.time(12, 0)),
)

# A slot that nobody took within this time (the machine was off) is left to the next one.
HARVEST_SLOT_LASTS = dt.timedelta(hours=12)

# How often whatever is due is looked for. A message that waited longer than the period is of no use.
TICK_SECONDS = 15
EMBEDDED_TICK_SECONDS = 1

BEAT = {
    "tick": {"task": "scoring.tick", "schedule": TICK_SECONDS, "options": {"expires": TICK_SECONDS}},
}
