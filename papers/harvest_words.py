"""FACTS: the words for what is known of a day and a category, the same on the page and in the terminal."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

STATES: Mapping[str, Any] = {
    "complete": pgettext_lazy("state of a day", "complete"),
    "missing": pgettext_lazy("state of a day", "papers missing"),
    "parked": pgettext_lazy("state of a day", "surplus parked"),
    "cut": pgettext_lazy("state of a day", "feed was cut"),
    "derived": pgettext_lazy("state of a day", "by dates only"),
    "stale": pgettext_lazy("state of a day", "stale feed"),
    "running": pgettext_lazy("state of a day", "running"),
    "failed": pgettext_lazy("state of a day", "failed"),
    "uncounted": pgettext_lazy("state of a day", "not counted by arXiv"),
    "unasked": pgettext_lazy("state of a day", "not asked for yet"),
}
# What each state means, for who meets it the first time.
MEANINGS: Mapping[str, Any] = {
    "complete": gettext_lazy("All that arXiv counted is stored."),
    "missing": gettext_lazy("arXiv named papers of which something has not come yet."),
    "parked": gettext_lazy("Far more than usual were announced; the surplus waits for your decision."),
    "cut": gettext_lazy("arXiv's feed stops at 2,000 papers; the rest is put together from dates."),
    "derived": gettext_lazy("No feed was seen; the day is put together from the dates of first versions."),
    "stale": gettext_lazy("The feed still showed another day. It is asked again at the next due time."),
    "running": gettext_lazy("It is being brought in."),
    "failed": gettext_lazy("The last run could not do all. What it stored stays; the next one goes on."),
    "uncounted": gettext_lazy("It was asked for, and arXiv gave no count to compare with."),
    "unasked": gettext_lazy("Nobody has asked arXiv for it yet."),
}
PROBLEMS: Mapping[str, Any] = {
    "stale_feed": gettext_lazy("the feed was of another day"),
    "unavailable": gettext_lazy("arXiv did not answer, or asked to wait"),
    "not_well_formed": gettext_lazy("a page ended or broke in the middle"),
    "token_loops": gettext_lazy("arXiv's pages led in a circle"),
    "too_many_bad": gettext_lazy("too many records could not be read"),
    "html": gettext_lazy("a web page came instead of data"),
    "doctype": gettext_lazy("the XML declared a DOCTYPE, which is refused"),
    "not_xml": gettext_lazy("what came is no XML"),
    "not_expected": gettext_lazy("something else came than was asked for"),
    "too_large": gettext_lazy("the answer was too large"),
    "empty": gettext_lazy("the file is empty"),
    "no_file": gettext_lazy("the file could not be read"),
    "feedError": gettext_lazy("the feed says only that something is wrong"),
    "apiError": gettext_lazy("the API refused the request"),
    "redirect": gettext_lazy("the answer led to another server"),
    "badArgument": gettext_lazy("arXiv refuses the request: there is no such set or date"),
    "noSetHierarchy": gettext_lazy("arXiv says that it has no such set"),
    "badResumptionToken": gettext_lazy("arXiv would not go on with its pages"),
    "cut_off": gettext_lazy("the record ends in the middle"),
    "bad_encoding": gettext_lazy("bytes that are no UTF-8"),
    "unreadable": gettext_lazy("something that every paper has is missing"),
}
BACKFILLS: Mapping[str, Any] = {
    "waiting": gettext_lazy("waits for its turn"),
    "running": gettext_lazy("running"),
    "failed": gettext_lazy("failed; tried again at the next due time"),
    "done": gettext_lazy("done"),
}
SOURCES: Mapping[str, Any] = {
    "arxiv": gettext_lazy("arXiv, feed and records"),
    "backfill": gettext_lazy("the month before"),
    "reconciling": gettext_lazy("asked for by id"),
    "files": gettext_lazy("files"),
    "retry": gettext_lazy("quarantine, read again"),
}
ANSWERS: Mapping[str, Any] = {
    "": gettext_lazy("not asked yet"),
    "found": gettext_lazy("found, and something is still missing"),
    "no_text": gettext_lazy("found without an abstract"),
    "unreadable": gettext_lazy("answered in a way that could not be read"),
    "unknown": gettext_lazy("arXiv does not know it"),
    "refused": gettext_lazy("arXiv refuses the id"),
}
# More counted by arXiv than stored, by where it was counted and as what.
SHORTFALLS: Mapping[str, Mapping[str, Any]] = {
    "listing": {
        "new": gettext_lazy("arXiv's list counts %(counted)d new, we hold %(stored)d"),
        "cross": gettext_lazy("arXiv's list counts %(counted)d cross-lists, we hold %(stored)d"),
        "replacement": gettext_lazy("arXiv's list counts %(counted)d replacements, we hold %(stored)d"),
    },
    "rss": {
        "new": gettext_lazy("arXiv's feed counts %(counted)d new, we hold %(stored)d"),
        "cross": gettext_lazy("arXiv's feed counts %(counted)d cross-lists, we hold %(stored)d"),
        "replacement": gettext_lazy("arXiv's feed counts %(counted)d replacements, we hold %(stored)d"),
    },
}
# Of a day that arXiv kept beyond its morning: while it still does, and since it came.
KEPT_BACK: Mapping[str, tuple[Any, Any]] = {
    "unreachable": (
        gettext_lazy("not here yet: arXiv does not answer"),
        gettext_lazy("came only at %(at)s: arXiv had not answered"),
    ),
    "stale": (
        gettext_lazy("not here yet: arXiv's feed shows another day"),
        gettext_lazy("came only at %(at)s: arXiv's feed had shown another day"),
    ),
}
FACTS: Mapping[str, Any] = {
    "weekend": gettext_lazy("weekend: no list"),
    "holiday": gettext_lazy("arXiv's holiday: no list"),
}


def state(code: str) -> str:
    return str(STATES.get(code, code))


def shortfall(source: str, kind: str, counted: int, stored: int) -> str:
    return str(SHORTFALLS[source][kind]) % {"counted": counted, "stored": stored}


def kept_back(reason: str, until: dt.datetime | None, written: str = "%Y-%m-%d %H:%M") -> str:
    """Why arXiv kept a day, and until when in the current time zone."""
    still, was = KEPT_BACK[reason]
    return str(was) % {"at": localtime(until).strftime(written)} if until else str(still)


def backfill(state: str) -> str:
    """What a backfill does, from the state of its run, or "waiting"."""
    return str(BACKFILLS.get(state, state))


def problem(code: str) -> str:
    """In the reader's language; the code itself for one of a later version."""
    if code.startswith("http"):
        return _("arXiv answered with HTTP status %(status)s") % {"status": code.removeprefix("http")}
    return str(PROBLEMS.get(code, code))
