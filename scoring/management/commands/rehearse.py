"""`manage.py rehearse PROFILE FILE --days N`: what a changed profile would have made of the last days. Changes nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from profiles import drafts, toml
from profiles.drafts import BadDraft, Draft
from scoring import rehearsal
from scoring.budget.words import dollars
from scoring.rehearsal import Day, Rehearsal

from .report import USAGE, find_profile

_COLUMNS = ("up", "down", "new", "gone", "mean", "enter", "leave", "read", "tokens")


class Command(BaseCommand):
    help = "Say what a profile's last days would be like with the profile in FILE. No call is made, nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("profile", help="The profile's id, or its name where that is enough.")
        parser.add_argument(
            "file", type=Path, help="A profile as `manage.py profile export` writes it, changed."
        )
        parser.add_argument(
            "--user", help="Mail address of the profile's owner, where several have that name."
        )
        parser.add_argument(
            "--days", type=int, default=5, help="How many of its last editions; 5 unless given."
        )
        parser.add_argument("--json", action="store_true", help="The figures as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < 1:
            raise CommandError("--days: a whole number from 1.", returncode=USAGE)
        profile = find_profile(options["profile"], options["user"])
        try:
            told = rehearsal.rehearse(profile, _draft(options["file"]), options["days"])
        except rehearsal.Wrote as error:
            message = _("The settings name a model that nothing has used yet: run `manage.py tick` once.")
            raise CommandError(message) from error
        if options["json"]:
            self.stdout.write(json.dumps(_facts(told), ensure_ascii=False))
        else:
            self.stdout.write("\n".join(_table(told)))


def _draft(file: Path) -> Draft:
    try:
        draft = toml.parse(file.read_text(encoding="utf-8"))
        drafts.check(draft)
    except (OSError, UnicodeDecodeError, BadDraft) as error:
        raise CommandError(f"{file}: {error}", returncode=USAGE) from error
    return draft


def _facts(told: Rehearsal) -> dict[str, Any]:
    return {
        "by": "scores" if told.by_scores else "estimates",
        "days": [_day(day) for day in told.days],
        "tokens": sum(day.tokens for day in told.days),
        "cost_microusd": sum(day.cost_microusd for day in told.days),
        "largest": [
            {
                "day": move.day,
                "paper": told.papers[move.paper_id].arxiv_id,
                "title": told.papers[move.paper_id].title,
                "before": move.before,
                "after": move.after,
            }
            for move in told.largest
        ],
    }


def _day(day: Day) -> dict[str, Any]:
    return {
        "day": day.day,
        "up": day.up,
        "down": day.down,
        "new": day.new,
        "gone": day.gone,
        "mean_change": round(day.mean_change, 2),
        "entering": day.entering,
        "leaving": day.leaving,
        "to_read": day.to_read,
        "tokens": day.tokens,
        "cost_microusd": day.cost_microusd,
    }


def _table(told: Rehearsal) -> Iterator[str]:
    if not told.days:
        yield _("The profile has no edition yet.")
        return
    yield (
        _("Places among the recommended papers, by the stored scores.")
        if told.by_scores
        else _("Places above the cut, by local estimates: the words changed, and no stored score holds.")
    )
    yield _row("", _COLUMNS) + "  cost"
    for day in told.days:
        cells = _day(day)
        cost = dollars(cells.pop("cost_microusd"))
        yield _row(cells.pop("day"), [str(cell) for cell in cells.values()]) + f"  {cost}"
    facts = _facts(told)
    yield _("To read again: %(tokens)d tokens, %(cost)s.") % {
        "tokens": facts["tokens"],
        "cost": dollars(facts["cost_microusd"]),
    }
    for move in facts["largest"]:
        yield f"  {move['day']} {move['paper']:<12} {move['before'] or '–':>4} -> {move['after'] or '–':<4} {_plain(move['title'])}"


def _row(label: str, cells: Any) -> str:
    return f"{label:<12}" + "".join(f"{cell:>9}" for cell in cells)


def _plain(text: str) -> str:
    """One line without anything that a terminal would act on."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
