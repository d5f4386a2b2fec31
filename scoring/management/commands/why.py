"""`manage.py why PROFILE PAPER`: why a paper got its value, or why it does not stand in the day."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from papers.models import Paper
from scoring import answers
from scoring.models import Call
from scoring.models.providers import judge_name
from scoring.value import shown

from .report import USAGE, day_of, find_profile


class Command(BaseCommand):
    help = "Say from stored numbers why a paper got its value in a profile's day, or why it is not there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("profile", help="The profile's id, or its name where that is enough.")
        parser.add_argument("paper", help="The paper's arXiv id: 2601.21821.")
        parser.add_argument(
            "--user", help="Mail address of the profile's owner, where several have that name."
        )
        parser.add_argument("--day", help="The day of arXiv's list; else the one on which the paper came.")
        parser.add_argument("--json", action="store_true", help="The answer as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        profile = find_profile(options["profile"], options["user"])
        day = day_of(options["day"]) if options["day"] else None
        paper = Paper.objects.without_words().filter(arxiv_id=options["paper"]).first()
        if paper is None:
            message = _("No paper %(paper)s is stored here. Write its id without a version: 2601.21821.")
            raise CommandError(message % {"paper": options["paper"]}, returncode=USAGE)
        try:
            told = answers.about(profile, paper, day)
        except answers.NoEdition as error:
            message = _("The profile %(profile)s has no edition of that day.") % {"profile": profile.name}
            raise CommandError(message, returncode=USAGE) from error
        facts = answers.as_dict(told)
        self.stdout.write(
            json.dumps(facts, ensure_ascii=False)
            if options["json"]
            else "\n".join(_lines(facts, profile.name))
        )


def _lines(facts: dict[str, Any], profile: str) -> Iterator[str]:
    yield f"{facts['paper']}  {_plain(facts['title'])}"
    yield f"{_plain(profile)}, {facts['day']}: {facts['answer']}"
    if facts["reading"]:
        yield from _reading_lines(facts["reading"], facts["bar"])
    if facts["screening"]:
        yield from _screening_lines(facts["screening"])


def _reading_lines(reading: dict[str, Any], bar: int) -> Iterator[str]:
    yield _("Value %(value)s, bar %(bar)s; the highest of:") % {
        "value": shown(reading["value"]),
        "bar": shown(bar),
    }
    for part in reading["contributions"]:
        mark = "*" if part["is_best"] else " "
        sum_ = f"{shown(part['score'])} x {part['weight']:g} = {shown(part['value'])}"
        told = "" if part["said"] is None else _(" (said: %(score)s)") % {"score": shown(part["said"])}
        yield f"  {mark} {sum_}  {_plain(part['interest'])}{told}"
    if any(part["said"] is not None for part in reading["contributions"]):
        yield _("Its model means something else by its numbers; they count on the profile's scale.")
    if reading["reason"]:
        yield _("Reason: %(reason)s") % {"reason": _plain(reading["reason"])}
    if reading["quote"]:
        form = (
            _("Quote: “%(quote)s”") if reading["is_quote_verified"] else _("Quote, unverified: “%(quote)s”")
        )
        yield form % {"quote": _plain(reading["quote"])}
    if reading["is_of_earlier_words"]:
        yield _("Judged with an earlier text of the profile.")
    yield _("Read by %(model)s (%(kind)s), %(tokens)d tokens: its share of a call for %(papers)d papers.") % {
        "model": judge_name(reading["model"]),
        "kind": Call.Kind(reading["kind"]).label if reading["kind"] else "–",
        "tokens": reading["tokens"],
        "papers": reading["papers_of_call"],
    }
    if reading["second_look"]:
        yield _second_look_line(reading["second_look"])


def _second_look_line(look: dict[str, Any]) -> str:
    if look["values"] is None:
        return _("A second look is due.") if look["is_due"] else _("A second look brought nothing.")
    first, second = (shown(value) for value in look["values"])
    form = (
        _("Read twice: %(first)s, then %(second)s alone. The second counts.")
        if look["is_second_effective"]
        else _("Read twice: %(first)s, then %(second)s alone. The first counts.")
    )
    return form % {"first": first, "second": second}


def _screening_lines(found: dict[str, Any]) -> Iterator[str]:
    yield _(
        "Estimate %(estimate).4f: rank %(rank)d of %(of)d, cut at %(cut)d for a recall of %(recall).2f."
    ) % {
        **found,
        "recall": found["target_recall"],
    }
    yield _("Learned snapshot: %(snapshot)s.") % {"snapshot": found["snapshot"] or _("none, the words alone")}
    if found["is_audit"]:
        yield _("Drawn for the audit sample, with a chance of %(audit_chance).4f.") % found
    else:
        yield _("Not in the audit sample.")


def _plain(text: str) -> str:
    """One line without anything that a terminal would act on."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
