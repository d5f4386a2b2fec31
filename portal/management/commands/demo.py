"""`manage.py demo` (`make demo`): a portal with three people in it, from nothing, on the real path."""

import datetime as dt
import os
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from portal.demo.announcement import announce
from portal.demo.cast import Cast, Person, assemble, judge_the_student_by
from portal.household import Household, PortTaken, manage_command, require_free_port, web_command
from portal.preparation import prepare
from profiles.drafts import draft_of
from profiles.models import Period, Scope
from profiles.quotas import limits_in_force
from scoring import harvesting, price, providers
from scoring.daily import read_day, sentence
from scoring.judging import Drained


class Command(BaseCommand):
    help = (
        "Make a team of three, read a day for it and serve it until Ctrl-C. Repeating it changes nothing "
        "that is there. SERVE=0 in the environment, or --no-serve, does everything but serve."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true")
        parser.add_argument(
            "--tokens",
            type=int,
            default=os.environ.get("TOKENS") or None,
            help="what a real model may use a day (TOKENS in the environment; 60000 on the first run)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        serves = not options["no_serve"] and os.environ.get("SERVE", "1") != "0"
        if serves:
            self._require_port()
        started = time.monotonic()
        with Household() as household:
            base_url = household.start_and_read("model", manage_command("simulate_model", "--port", "0"))
            prepare()
            cast = assemble(options["tokens"])
            judge_the_student_by(cast, base_url.split()[0].partition("=")[2])
            announced = announce(harvesting.followed_categories(), timezone.now(), self._say)
            self._say(announced.sentence)
            self._forecast(cast)
            self._read(announced.day)
            self._print_people(cast.people)
            if not serves:
                self._say(f"Ready after {time.monotonic() - started:.1f} s; to serve it: make demo")
                return
            household.start("web", web_command())
            household.start("clock", manage_command("tick", "--forever"))
            self._say(f"Broadsheet is on {settings.PORTAL_URL}/  (Ctrl-C stops it)")
            code = household.live()
        sys.exit(code)

    def _require_port(self) -> None:
        try:
            require_free_port(settings.HOST, settings.PORT)
        except PortTaken as taken:
            self.stderr.write(f"{taken}; choose another port:\n    PORT={settings.PORT + 1} make demo")
            sys.exit(1)

    def _forecast(self, cast: Cast) -> None:
        """What a day of the researcher's costs at a real model, said before any of it is spent."""
        provider = providers.provider_of(cast.researcher)
        if provider.is_local:
            return
        forecast = price.of_new(draft_of(cast.researcher), provider)
        self._say(
            f"{provider.model} would read {forecast.papers} papers of {forecast.day} for about "
            f"{forecast.tokens:,} tokens; today at most {_limit():,} are used (TOKENS=... make demo changes that)."
        )

    def _read(self, day: dt.date) -> None:
        found = read_day(day, timezone.now(), asks_arxiv=False, after_each=self._progress)
        if self.stderr.isatty():
            self.stderr.write("\r\x1b[K", ending="")
        for edition in found:
            self._say(f"  {sentence(edition)}")

    def _progress(self, drained: Drained) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r\x1b[K{drained.scores} papers read in {drained.calls} calls", ending="")

    def _print_people(self, people: tuple[Person, ...]) -> None:
        rows = [("role", "mail", "password", "address"), *(tuple(vars(person).values()) for person in people)]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            self._say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


def _limit() -> int:
    return limits_in_force(Scope.INSTANCE, 0, 0)[Period.DAY]
