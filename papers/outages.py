"""When arXiv kept a day from us beyond its morning, and until when. Read from the runs that were tried."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from papers import calendar
from papers.harvest import FROM_ARXIV
from papers.models import Harvest

# Later than this after the feed's turn a day is late: its night and its morning were missed.
IN_TIME = dt.timedelta(hours=10)
# How a run ends that did not reach arXiv: no answer, or a web page that says "maintenance".
_NOT_REACHED = {"unavailable", "html"}


@dataclass(frozen=True)
class KeptBack:
    """`reason` is a word for machines, unreachable or stale; `until` when the day came, None while it has not."""

    reason: str
    until: dt.datetime | None


def unreachable_until(day: dt.date, categories: Collection[str]) -> dt.datetime | None:
    """When the first of these categories brought that day, where arXiv had been out of reach till then; else None.

    None also for a day that simply came late, as one that is harvested for a new reader does. One query.
    """
    runs = Harvest.objects.filter(day=day, category__in=list(categories), source=FROM_ARXIV)
    found = _kept_back(day, runs, _unreached)
    return found.until if found is not None else None


def kept_back(day: dt.date, runs: Iterable[Harvest]) -> KeptBack | None:
    """Whether arXiv kept this day of one category beyond its morning, though it was asked; by all runs for it.

    None for a day that nobody asked for in time: that is not arXiv's doing. Asks no query.
    """
    return _kept_back(day, runs, lambda run: _unreached(run) or _stale(run))


def _kept_back(day: dt.date, runs: Iterable[Harvest], in_vain: Callable[[Harvest], str]) -> KeptBack | None:
    missed: list[Harvest] = []
    ended = [run for run in runs if run.source == FROM_ARXIV and run.state != Harvest.State.RUNNING]
    for run in sorted(ended, key=_ended_at):
        if in_vain(run):
            missed.append(run)
            continue
        is_late = _ended_at(run) > calendar.feed_turns_at(day) + IN_TIME
        return KeptBack(in_vain(missed[-1]), run.finished_at) if is_late and missed else None
    if missed and _ended_at(missed[-1]) > calendar.feed_turns_at(day) + IN_TIME:
        return KeptBack(in_vain(missed[-1]), None)
    return None


def _ended_at(run: Harvest) -> dt.datetime:
    return run.finished_at or run.started_at


def _unreached(run: Harvest) -> str:
    has_failed = run.state == Harvest.State.FAILED and run.problem in _NOT_REACHED
    return "unreachable" if has_failed and not run.stored else ""


def _stale(run: Harvest) -> str:
    return "stale" if run.state == Harvest.State.FAILED and run.problem == "stale_feed" else ""
