"""`manage.py daily`: a whole day in one process: harvest, open, screen, read, close."""

import datetime as dt
import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from papers import calendar, harvest_words
from papers.harvest import Problem
from profiles.models import Profile
from scoring.accounts import account
from scoring.daily import read_day, sentence
from scoring.judging import Drained
from scoring.models import Edition


class Command(BaseCommand):
    help = "Read one day for every active profile, from arXiv's announcement to the closed account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--day", help="the date of arXiv's list, YYYY-MM-DD; the newest if left out")
        parser.add_argument("--json", action="store_true", help="the accounts as JSON on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        day = _day(options["day"], now)
        if not Profile.objects.active().exists():
            raise CommandError(
                _("Nobody reads yet. Make a profile first: manage.py profile import FILE --user MAIL")
            )
        problems: list[Problem] = []
        found = read_day(
            day,
            now,
            asks_arxiv=not settings.OFFLINE,
            after_each=self._progress,
            after_harvest=lambda report: problems.extend(report.problems),
        )
        if self.stderr.isatty():
            self.stderr.write("")
        self._tell(problems)
        if not found:
            raise CommandError(
                _(
                    "Nothing announced on %(day)s is stored. Bring it in first: manage.py harvest --day %(day)s"
                )
                % {"day": day}
            )
        if options["json"]:
            self.stdout.write(json.dumps([_as_dict(edition) for edition in found], ensure_ascii=False))
        else:
            for edition in found:
                self.stdout.write(sentence(edition))
        if problems:
            raise CommandError(_("The day may be incomplete. See: manage.py harvest --status"))

    def _tell(self, problems: list[Problem]) -> None:
        """What arXiv did wrong, on standard error: what could be read is stored, and read by the models."""
        for problem in problems:
            self.stderr.write(f"{problem.place}: {harvest_words.problem(problem.code)} ({problem.message})")

    def _progress(self, drained: Drained) -> None:
        if self.stderr.isatty():
            text = _("%(scores)d papers read in %(calls)d calls")
            self.stderr.write("\r\x1b[K" + text % vars(drained), ending="")


def _day(text: str | None, now: dt.datetime) -> dt.date:
    if not text:
        return calendar.newest_feed_day(now)
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            _("%(text)s is no date like 2026-01-30.") % {"text": text}, returncode=2
        ) from error
    newest = calendar.newest_day(now)
    if day > newest:
        message = _("The list of %(day)s is not out yet. The newest is %(newest)s.")
        raise CommandError(message % {"day": day, "newest": newest}, returncode=2)
    return day


def _as_dict(edition: Edition) -> dict[str, Any]:
    return {
        "profile": str(edition.profile.public_id),
        "day": edition.day.isoformat(),
        **account(edition).as_dict(),
    }
