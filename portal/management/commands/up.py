"""`manage.py up`: the web and the clock that reads for everybody, in one terminal."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from portal.household import Household, PortTaken, manage_command, require_free_port, web_command
from portal.preparation import prepare


class Command(BaseCommand):
    help = "Serve the portal and read what is due, until Ctrl-C. Migrates first."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_free_port(settings.HOST, settings.PORT)
        except PortTaken as taken:
            self.stderr.write(f"{taken}; choose another port:\n    PORT={settings.PORT + 1} manage.py up")
            sys.exit(1)
        prepare()
        with Household() as household:
            household.start("web", web_command())
            household.start("clock", manage_command("tick", "--forever"))
            self.stdout.write(f"Broadsheet is on {settings.PORTAL_URL}/  (Ctrl-C stops it)")
            self.stdout.flush()
            sys.exit(household.live())
