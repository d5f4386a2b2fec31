"""`manage.py restore FILE`: what `manage.py backup` kept, in place of what is there."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal import keeping
from portal.keeping import Restored

from .audit import told


class Command(BaseCommand):
    help = "Replace the whole database by a backup. Stop web and workers first. Ends with the audit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--secrets", action="store_true", help="the backup's secrets into VAR_DIR too")
        parser.add_argument(
            "--force", action="store_true", help="although others are connected, or VAR_DIR has other secrets"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = keeping.restore(
                options["file"], timezone.now(), with_secrets=options["secrets"], force=options["force"]
            )
        except keeping.KeepingError as error:
            raise CommandError(str(error)) from error
        self._tell(found, with_secrets=options["secrets"])
        if found.violations:
            sys.exit(1)

    def _tell(self, found: Restored, *, with_secrets: bool) -> None:
        self.stdout.write(f"Restored as of {found.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC.")
        if found.manifest.secrets and not with_secrets:
            self.stdout.write("The backup's secrets were left in it; --secrets restores them too.")
        if found.mails_held_back:
            self.stdout.write(
                f"Digests that may have been sent since and are not sent again: {found.mails_held_back}."
            )
        for violation in found.violations:
            self.stdout.write(str(violation))
        self.stdout.write(told(len(found.violations)))
