"""`manage.py providers show|rotate`: who judges for whom, and keys encrypted anew."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from scoring import providers
from scoring.models import Provider


class Command(BaseCommand):
    help = "Show the providers, or encrypt all keys with the first of FIELD_KEYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        for name, told in (
            ("show", "every provider with its team, model and state; never a key"),
            ("rotate", "encrypt every key anew, so that older FIELD_KEYS may be taken away"),
        ):
            deeds.add_parser(name, help=told).add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        {"show": self._show, "rotate": self._rotate}[options["deed"]](as_json=options["json"])

    def _show(self, *, as_json: bool) -> None:
        rows = [_row(each) for each in Provider.objects.select_related("team").order_by("team_id", "pk")]
        if as_json:
            self.stdout.write(json.dumps({"providers": rows}))
            return
        for row in rows:
            self.stdout.write(f"{row['team'] or '-':<16}{row['name']:<24}{row['model']:<32}{row['state']}")

    def _rotate(self, *, as_json: bool) -> None:
        done = providers.rotate()
        unreadable = [_row(each) for each in done.unreadable]
        if as_json:
            self.stdout.write(json.dumps({"rotated": done.rotated, "unreadable": unreadable}))
        else:
            self.stdout.write(f"{done.rotated} keys are encrypted with the first of FIELD_KEYS.")
            for row in unreadable:
                self.stdout.write(
                    f"Unreadable: {row['name']} of {row['team'] or 'the operator'}. "
                    "Put the FIELD_KEY back that encrypted it, or type its key again."
                )
        if unreadable:
            sys.exit(1)


def _row(provider: Provider) -> dict[str, Any]:
    if not provider.is_active:
        state = "retired"
    else:
        state = f"stopped: {provider.paused_reason}" if provider.paused_at else "in use"
    return {
        "id": str(provider.public_id),
        "team": provider.team.slug if provider.team else "",
        "name": provider.name,
        "model": provider.model,
        "state": state,
    }
