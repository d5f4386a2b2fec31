"""`manage.py tick`: whatever is due, once or for as long as it runs."""

import json
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from scoring import slots
from scoring.clock import Clock
from scoring.tick import tick


class Command(BaseCommand):
    help = "Do whatever is due: harvest, open, screen, read, close, send. Safe to repeat and to run twice."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--forever", action="store_true", help="until SIGTERM or Ctrl-C")
        parser.add_argument("--status", action="store_true", help="when a clock last ran; 1 if none ever did")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["status"]:
            self._print_status(as_json=options["json"])
        elif options["forever"]:
            clock = Clock()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: clock.stop())
            clock.run()
        else:
            tick(timezone.now())

    def _print_status(self, *, as_json: bool) -> None:
        last = slots.last_beat()
        if as_json:
            self.stdout.write(json.dumps({"last_tick_at": last.isoformat() if last else None}))
        else:
            self.stdout.write(
                f"The clock last ran at {last:%Y-%m-%d %H:%M:%S} UTC." if last else "No clock ran yet."
            )
        if last is None:
            sys.exit(1)
