"""`manage.py backup FILE`: everything in one file, while it runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal import keeping


class Command(BaseCommand):
    help = "Write the whole database into one private file, while web and workers run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--secrets",
            action="store_true",
            help="the secrets that VAR_DIR keeps too: whoever has the file can then read the providers' keys",
        )
        parser.add_argument("--force", action="store_true", help="overwrite FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"]
        try:
            manifest = keeping.backup(
                target, timezone.now(), with_secrets=options["secrets"], overwrite=options["force"]
            )
        except keeping.KeepingError as error:
            raise CommandError(str(error)) from error
        secrets = (
            "with its secrets" if manifest.secrets else "without secrets: keep FIELD_KEYS or SECRET_KEY apart"
        )
        self.stdout.write(f"{target}: {target.stat().st_size:,} bytes of {manifest.vendor}, {secrets}.")
