"""`manage.py parked`: the surplus of days with far more papers than usual, and what is done with it."""

import datetime as dt
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from papers.models import Announcement, Surge
from scoring import parking, tick

USAGE = 2  # the exit code of a wrong argument, as argparse has it


class Command(BaseCommand):
    help = "Show what surges of papers were parked; release a day's surplus, or leave it parked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        deed = parser.add_mutually_exclusive_group()
        for name, told in (
            ("--release", "let the surplus of that day be read"),
            ("--keep", "leave it parked, and ask no more"),
        ):
            deed.add_argument(name, nargs=2, metavar=("DAY", "CATEGORY"), help=told)
        parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        if named := options["release"] or options["keep"]:
            self._decide(_day(named[0]), named[1], releases=bool(options["release"]), as_json=options["json"])
        else:
            self._show(as_json=options["json"])

    def _decide(self, day: dt.date, category: str, *, releases: bool, as_json: bool) -> None:
        verb = parking.release if releases else parking.leave_parked
        try:
            count = verb(day, category, None)
        except parking.NoSurge as error:
            message = _("Nothing is parked in %(category)s on %(day)s.")
            raise CommandError(message % {"category": category, "day": day}, returncode=USAGE) from error
        taken = tick.take_released_in(timezone.now()) if releases else 0
        if as_json:
            self.stdout.write(json.dumps({"papers": count, "taken_in": taken}))
        elif releases:
            sentence = ngettext("%(count)d paper is released.", "%(count)d papers are released.", count)
            self.stdout.write(sentence % {"count": count})
        else:
            sentence = ngettext("%(count)d paper stays parked.", "%(count)d papers stay parked.", count)
            self.stdout.write(sentence % {"count": count})

    def _show(self, *, as_json: bool) -> None:
        rows = [
            _row(each) for each in Surge.objects.filter(about=Surge.About.PAPERS).order_by("-day", "category")
        ]
        if as_json:
            self.stdout.write(json.dumps({"surges": rows}))
            return
        if not rows:
            self.stdout.write(_("No day had far more papers than usual."))
        for row in rows:
            sentence = _(
                "%(day)s %(category)s: %(found)d papers, usual %(usual)d; parked %(parked)d (%(state)s)"
            )
            self.stdout.write(sentence % row)


def _row(surge: Surge) -> dict[str, Any]:
    parked = Announcement.objects.on(surge.day).in_categories([surge.category]).filter(is_parked=True)
    return {
        "day": surge.day.isoformat(),
        "category": surge.category,
        "state": surge.state,
        "usual": surge.usual,
        "found": surge.found,
        "parked": parked.count(),
    }


def _day(written: str) -> dt.date:
    try:
        return dt.date.fromisoformat(written)
    except ValueError as error:
        message = _("%(day)s is no date. Write it as YYYY-MM-DD, such as 2026-01-30.") % {"day": written}
        raise CommandError(message, returncode=USAGE) from error
