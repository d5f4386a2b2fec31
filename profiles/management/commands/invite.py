"""`manage.py invite MAIL [--team SLUG --role ROLE]`: the first people of an instance that is by invitation."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from profiles import invitations, origins
from profiles.models import Invitation, Role, Team
from profiles.teams import TeamError


class Command(BaseCommand):
    help = "Invite an address to this instance, or to a team of it; prints the link, which is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("mail", help="For whom it is; nobody else can use it.")
        parser.add_argument("--team", metavar="SLUG", help="The team to join; without it only an account.")
        parser.add_argument("--role", choices=Role.values, help="The role in that team (member).")
        parser.add_argument("--json", action="store_true", help="Print the link as JSON.")

    @origins.through(origins.COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_email(options["mail"])
            made = self.invite(options["mail"], options["team"], options["role"])
        except ValidationError as error:
            raise CommandError(f"{options['mail']} is no mail address") from error
        except TeamError as error:
            raise CommandError(str(error)) from error
        link = invitations.link_of(made)
        if options["json"]:
            self.stdout.write(json.dumps({"link": link, "ends": made.expires_at.isoformat()}))
        else:
            self.stdout.write(link)

    def invite(self, mail: str, slug: str | None, role: str | None) -> Invitation:
        if slug is None:
            if role is not None:
                raise CommandError("a role is one in a team: name it with --team")
            return invitations.invite_to_instance(None, mail)
        team = Team.objects.filter(slug=slug).first()
        if team is None:
            raise CommandError(f"no team has the address {slug}; it is the last part of /teams/{slug}/")
        return invitations.invite(None, team, mail, role or Role.MEMBER)
