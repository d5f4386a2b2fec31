"""`manage.py report --profile P --day D --format md|json|csv|bib|ris`: a day's report on standard output."""

import datetime as dt
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from profiles.models import Profile, User
from scoring import report

USAGE = 2  # the exit code of a wrong argument, as argparse has it


class Command(BaseCommand):
    help = "Write the report of a profile's day (docs/report-format.md) to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--profile", required=True, help="The profile's id, or its name where that is enough."
        )
        parser.add_argument(
            "--user", help="Mail address of the profile's owner, where several have that name."
        )
        parser.add_argument("--day", required=True, help="The day of arXiv's list: 2026-01-30.")
        parser.add_argument("--format", default="md", choices=sorted(report.MEDIA_TYPES), dest="form")
        parser.add_argument(
            "--json", action="store_const", const="json", dest="form", help="Same as --format json."
        )
        parser.add_argument(
            "--language", help="Of the report's own words: en or zh-Hans; else the profile's."
        )
        parser.add_argument("--zone", help="Time zone of the times in it; else the owner's.")

    def handle(self, *args: Any, **options: Any) -> None:
        profile = find_profile(options["profile"], options["user"])
        day = day_of(options["day"])
        zone = options["zone"] or (profile.owner.time_zone if profile.owner else profile.team.time_zone)
        if zone not in report.zones():
            raise CommandError(f"--zone: {zone!r} is no time zone; a name like Europe/Berlin is.")
        text = report.written(
            profile, day, zone, options["language"] or profile.reason_language, options["form"]
        )
        self.stdout.write(text, ending="")


def find_profile(named: str, mail: str | None) -> Profile:
    """The profile of that id or name. Raises CommandError that says how to be exact."""
    profiles = Profile.objects.filter(archived_at=None).select_related("owner", "team")
    if mail:
        owner = User.objects.filter(email__iexact=mail).first()
        if owner is None:
            raise CommandError(f"--user: nobody here has the address {mail}.", returncode=USAGE)
        profiles = profiles.filter(pk__in=Profile.objects.visible_to(owner))
    try:
        found = list(profiles.filter(public_id=uuid.UUID(named)))
    except ValueError:
        found = list(profiles.filter(name=named)[:2])
    if not found:
        message = f"--profile: there is no profile {named!r}. Its address on its page is its id."
        raise CommandError(message, returncode=USAGE)
    if len(found) > 1:
        message = f"--profile: several are named {named!r}; add --user MAIL, or give the id."
        raise CommandError(message, returncode=USAGE)
    return found[0]


def day_of(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        message = f"--day: {text!r} is no date; write it like 2026-01-30."
        raise CommandError(message, returncode=USAGE) from error
