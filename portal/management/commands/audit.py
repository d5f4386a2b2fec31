"""`manage.py audit`: every invariant of the house, and the rows that break one."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.auditing import audit_house


class Command(BaseCommand):
    help = (
        "Check every invariant: budgets, the account of each day, harvests. Exit code 1 if a row breaks one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="the violations as JSON on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        violations = audit_house()
        if options["json"]:
            rows = [asdict(violation) for violation in violations]
            self.stdout.write(json.dumps({"violations": rows}, default=str, ensure_ascii=False))
        else:
            for violation in violations:
                self.stdout.write(str(violation))
            self.stdout.write(told(len(violations)))
        if violations:
            sys.exit(1)


def told(count: int) -> str:
    if not count:
        return _("Audit: nothing is wrong.")
    return ngettext(
        "Audit: %(n)s row breaks an invariant.", "Audit: %(n)s rows break an invariant.", count
    ) % {"n": count}
