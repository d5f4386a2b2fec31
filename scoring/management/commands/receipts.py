"""`manage.py receipts [--profile P] [--day D]`: what each edition's calls took, to lay beside a provider's bill."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from scoring import receipts
from scoring.budget.words import dollars
from scoring.models import Call
from scoring.receipts import Line, Sums

from .report import day_of, find_profile

_COLUMNS = ("calls", "papers", "input", "cached", "output", "reasoning", "tokens")


class Command(BaseCommand):
    help = "Show what each edition's calls to a model took, by kind, with assumed and failed ones apart."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--profile", help="Only that profile: its id, or its name where that is enough.")
        parser.add_argument(
            "--user", help="Mail address of the profile's owner, where several have that name."
        )
        parser.add_argument("--day", help="Only that day of arXiv's list: 2026-01-30.")
        parser.add_argument("--json", action="store_true", help="The figures as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        profile = find_profile(options["profile"], options["user"]) if options["profile"] else None
        found = receipts.lines(profile, day_of(options["day"]) if options["day"] else None)
        if options["json"]:
            self.stdout.write(json.dumps(_facts(found), ensure_ascii=False))
        else:
            self.stdout.write("\n".join(_table(found)))


def _facts(found: Sequence[Line]) -> dict[str, Any]:
    return {
        "lines": [
            {
                "day": line.day.isoformat(),
                "profile": line.profile,
                "profile_name": line.profile_name,
                "edition": line.edition,
                "kind": line.kind,
                **asdict(line.sums),
            }
            for line in found
        ],
        "kinds": {kind: asdict(sums) for kind, sums in receipts.by_kind(found).items()},
        "total": asdict(receipts.total(found)),
    }


def _table(found: Sequence[Line]) -> Iterator[str]:
    if not found:
        yield _("No model was called.")
        return
    yield _row("", _COLUMNS) + "  cost"
    for line in found:
        yield _sums(f"{line.day} {line.kind}", line.sums) + f"  {line.profile_name}"
    if len(found) > 1:
        yield ""
        for kind, sums in receipts.by_kind(found).items():
            yield _sums(str(Call.Kind(kind).label), sums)
    total = receipts.total(found)
    yield _sums(_("total"), total)
    yield from _apart(total)


def _apart(total: Sums) -> Iterator[str]:
    """What is in the sums and wants to be known: calls that did not say what they took, or brought nothing."""
    if total.assumed_calls:
        yield _(
            "Of it assumed: %(assumed)d tokens of %(assumed_calls)d calls that did not say what they took."
        ) % asdict(total)
    if total.failed_calls:
        yield _(
            "Of it in vain: %(failed_tokens)d tokens of %(failed_calls)d calls that brought nothing usable."
        ) % asdict(total)
    if total.held:
        yield _("Held for calls in flight: %(held)d tokens, in no sum above.") % asdict(total)


def _sums(label: str, sums: Sums) -> str:
    row = _row(label, [str(getattr(sums, name)) for name in _COLUMNS])
    return f"{row}  {dollars(sums.cost_microusd)}"


def _row(label: str, cells: Sequence[str]) -> str:
    return f"{label:<24}" + "".join(f"{cell:>11}" for cell in cells)
