"""`manage.py profile import|export FILE --user MAIL [--team SLUG] [--name NAME]`."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from profiles import access, audit, origins, teams, toml
from profiles.drafts import BadDraft
from profiles.models import Profile, User


class Command(BaseCommand):
    help = "Bring a profile in from a TOML file, or write one out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("deed", choices=["import", "export"])
        parser.add_argument("file", help="The TOML file; - is standard input or output.")
        parser.add_argument("--user", required=True, metavar="MAIL", help="Whose profile it is.")
        parser.add_argument("--team", metavar="SLUG", help="The team that pays; else the personal one.")
        parser.add_argument(
            "--profile", metavar="NAME", help="Export: name or public id, if there are several."
        )
        parser.add_argument("--json", action="store_true", help="Print what was done as JSON.")

    @origins.through(origins.COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["user"]).first()
        if user is None:
            raise CommandError(f"nobody has the mail address {options['user']}; sign up first")
        if options["deed"] == "import":
            self.bring_in(user, options)
        else:
            self.write_out(user, options)

    def bring_in(self, user: User, options: dict[str, Any]) -> None:
        team = teams.personal_team_of(user)
        if options["team"]:
            membership = user.memberships.select_related("team").filter(team__slug=options["team"]).first()
            if membership is None or not access.may(membership, access.Deed.SPEND):
                raise CommandError(f"{user.email} cannot spend in a team called {options['team']}")
            team = membership.team
        try:
            with transaction.atomic():
                profile = toml.load(self.read(options["file"]), user, team)
                audit.record(user, "profile.created", subject=profile.public_id)
        except BadDraft as error:
            lines = [
                f"{each.where}: {each.message}" if each.where else each.message for each in error.problems
            ]
            raise CommandError("\n".join([f"{options['file']} was not imported:", *lines])) from error
        if options["json"]:
            self.stdout.write(json.dumps({"profile": str(profile.public_id), "name": profile.name}))
        else:
            self.stdout.write(f"imported {profile.name} as {profile.public_id}")

    def write_out(self, user: User, options: dict[str, Any]) -> None:
        profile = self.chosen(user, options["profile"])
        text = toml.dump(profile)
        if options["file"] == "-":
            self.stdout.write(text, ending="")
            return
        Path(options["file"]).write_text(text, encoding="utf-8", newline="\n")
        if options["json"]:
            self.stdout.write(json.dumps({"profile": str(profile.public_id), "file": options["file"]}))
        else:
            self.stdout.write(f"wrote {profile.name} to {options['file']}")

    def chosen(self, user: User, wanted: str | None) -> Profile:
        visible = list(Profile.objects.visible_to(user))
        found = [each for each in visible if wanted is None or wanted in {each.name, str(each.public_id)}]
        if len(found) == 1:
            return found[0]
        names = ", ".join(f"{each.name} ({each.public_id})" for each in visible) or "none"
        raise CommandError(f"name one profile with --profile; {user.email} has: {names}")

    def read(self, name: str) -> str:
        try:
            raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}") from error
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise CommandError(f"{name} is not UTF-8 text") from error
