"""Why a page of a day has no papers, and the one step that helps. Every empty page is one of these."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from papers import calendar
from papers.models import Announcement
from profiles.models import Profile
from scoring.feed import DayPage, Feed
from scoring.models import Edition
from scoring.tally import Tally
from scoring.value import shown


@dataclass(frozen=True)
class Nothing:
    """A page that explains itself: what is so, why, and one step. `polls`: it may change within seconds."""

    code: str
    heading: Any
    text: Any
    step: Any
    step_url: str
    polls: bool = False


def without_edition(chosen: Feed, now: dt.datetime) -> Nothing:
    """Why the reader has no edition on the chosen day, or none at all."""
    assert chosen.reader is not None
    profiles = Profile.objects.visible_to(chosen.reader)
    if not profiles.exists():
        return _no_profile()
    newest = Edition.objects.visible_to(chosen.reader).order_by("-day").first()
    back = (_("To the newest day"), reverse("today")) if newest else (_("To your profiles"), "/profiles/")
    day = chosen.day
    if day is not None and day > calendar.newest_day(now):
        return Nothing("future", _("This day is not announced yet"), _future(day), *back)
    if day is not None and not calendar.is_announcement_day(day):
        return _no_mailing(day, back)
    of_day = Announcement.objects.filter(day=day) if day else Announcement.objects.all()
    if not of_day.exists():
        return Nothing(
            "unreachable",
            _("arXiv's list of this day has not arrived"),
            _(
                "We ask arXiv several times a day and fetch a missed day later. Nothing is lost; look again in an hour."
            ),
            *back,
        )
    if newest is None:
        return Nothing(
            "opening",
            _("Your first paper is being set"),
            _(
                "The newest day is being ranked for your profile. This page shows it by itself, in a few seconds."
            ),
            *back,
            polls=True,
        )
    return Nothing(
        "no_edition",
        _("You have no paper of this day"),
        _("Your profile is younger than this day, or it was paused."),
        *back,
    )


def within(page: DayPage) -> Nothing:
    """Why an edition that exists shows no card."""
    edition = page.edition
    tally = Tally(edition)
    here = f"?profile={edition.profile.public_id}"
    if edition.state == Edition.State.OPEN:
        return _being_set(here)
    if page.filters.field is not None or page.filters.page > 1:
        return Nothing(
            "filtered",
            _("Nothing here"),
            _("No paper of this day stands under this filter."),
            _("Show the whole day"),
            here,
        )
    if not tally.announced:
        return Nothing(
            "nothing_announced",
            _("No new papers in your categories"),
            _("arXiv announced papers on this day, but none in the categories of this profile."),
            _("Change the categories"),
            f"/profiles/{edition.profile.public_id}/",
        )
    if tally.below:
        return _nothing_over_the_bar(page, here, tally.below)
    return Nothing(
        "all_gone",
        _("You have put everything away"),
        _("Every paper that was recommended on this day is dismissed. They wait in a list of their own."),
        _("Show the dismissed papers"),
        f"{here}&show=dismissed",
    )


def _no_profile() -> Nothing:
    return Nothing(
        "no_profile",
        _("Your paper has no readers' wishes yet"),
        _(
            "Say in your own words what you want to read, and the newest day is ranked for you within seconds."
        ),
        _("Describe your research fields"),
        "/profiles/new/",
    )


def _being_set(here: str) -> Nothing:
    return Nothing(
        "opening",
        _("Your paper is being set"),
        _(
            "The day's papers are being ranked for your profile. This page shows them by itself, in a few seconds."
        ),
        _("Look now"),
        here,
        polls=True,
    )


def _future(day: dt.date) -> str:
    at = date_format(calendar.mailed_at(day), "Y-m-d H:i")
    return _("arXiv will mail the list of %(day)s at %(at)s UTC.") % {"day": date_format(day), "at": at}


def _no_mailing(day: dt.date, back: tuple[Any, str]) -> Nothing:
    before = calendar.previous_announcement_day(day)
    text = _("arXiv announces no papers on %(day)s. Its last list before is that of %(before)s.") % {
        "day": date_format(day, str(_("l, j F Y"))),
        "before": date_format(before, str(_("l, j F Y"))),
    }
    heading = _("No paper at the weekend") if day.weekday() >= 5 else _("A holiday at arXiv")
    code = "weekend" if day.weekday() >= 5 else "holiday"
    return Nothing(code, heading, text, _("Read the day before"), reverse("day", args=[before]))


def _nothing_over_the_bar(page: DayPage, here: str, below: int) -> Nothing:
    best = page.feed.below_the_bar().first()
    text = ngettext(
        "%(count)d paper was rated, and its value is %(best)s; your bar is %(bar)s.",
        "%(count)d papers were rated; the best has %(best)s, and your bar is %(bar)s.",
        below,
    ) % {
        "count": below,
        "best": shown((best.value or 0) if best else 0),
        "bar": shown(page.edition.profile.bar),
    }
    return Nothing(
        "below_the_bar", _("Nothing reached your bar"), text, _("Show what came close"), f"{here}&show=below"
    )
