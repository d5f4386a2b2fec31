"""`manage.py budget`: limits and use, limits and top-ups given, requests decided, counters made true again."""

import datetime as dt
import json
import zoneinfo
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from profiles import origins, quotas
from profiles.models import Membership, Period, QuotaRequest, Scope, Team
from profiles.quotas import INSTANCE, Leg, Subject
from scoring import asking, budget, limit_files
from scoring.models import BudgetWindow


class Command(BaseCommand):
    help = "Show budgets, set limits, give top-ups, decide requests, make the counters agree with the ledger."

    def add_arguments(self, parser: ArgumentParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        show = deeds.add_parser("show", help="limits in force and what is gone of them")
        show.add_argument("--team", metavar="SLUG", help="one team with all its members")
        show.add_argument("--json", action="store_true")
        change = deeds.add_parser("set", help="set a limit of the instance, a team, its default or a member")
        change.add_argument("--team", metavar="SLUG", help="the team's pool; without it the instance")
        change.add_argument("--default", action="store_true", help="of the team's members without their own")
        change.add_argument("--member", metavar="MAIL", help="of this member of the team")
        change.add_argument("--period", choices=Period.values, default=Period.DAY.value)
        amount = change.add_mutually_exclusive_group(required=True)
        amount.add_argument("--tokens", metavar="N", help="such as 250000, 250k, 2M")
        amount.add_argument("--remove", action="store_true", help="fall back to the default")
        gift = deeds.add_parser("topup", help="tokens on top of a limit, once, until a day ends")
        gift.add_argument("--team", metavar="SLUG", help="the team's pool; without it the instance")
        gift.add_argument("--member", metavar="MAIL", help="of this member of the team")
        gift.add_argument("--tokens", metavar="N", required=True, help="such as 250000, 250k, 2M")
        gift.add_argument(
            "--until", metavar="DAY", required=True, help="YYYY-MM-DD, the last day, in the team's zone"
        )
        asked = deeds.add_parser("requests", help="who asks for more; grant or decline one")
        decision = asked.add_mutually_exclusive_group()
        decision.add_argument("--grant", metavar="ID")
        decision.add_argument("--decline", metavar="ID")
        asked.add_argument("--json", action="store_true")
        taken = deeds.add_parser("export", help="a team's limits as CSV on standard output")
        taken.add_argument("--team", metavar="SLUG", required=True)
        brought = deeds.add_parser(
            "import", help="set a team's limits from such a file: all of it, or nothing"
        )
        brought.add_argument("file", metavar="FILE")
        brought.add_argument("--team", metavar="SLUG", required=True)
        reconcile = deeds.add_parser("reconcile", help="windows by the ledger and the limits in force")
        reconcile.add_argument("--json", action="store_true")

    @origins.through(origins.COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        deeds = {
            "show": self._show,
            "set": self._set,
            "topup": self._top_up,
            "requests": self._requests,
            "export": self._export,
            "import": self._import,
            "reconcile": self._reconcile,
        }
        deeds[options["deed"]](options)

    def _show(self, options: dict[str, Any]) -> None:
        rows = _rows(options["team"])
        if options["json"]:
            self.stdout.write(json.dumps({"figures": rows}))
            return
        for row in rows:
            self.stdout.write(
                f"{row['scope']:<9}{row['name']:<32}{row['period']:<6}"
                f"{row['limit']:>15,}{row['used']:>15,}{row['held']:>12,}  {row['resets_at'][:16]}"
            )

    def _set(self, options: dict[str, Any]) -> None:
        try:
            subject = _subject(options["team"], options["member"], is_default=options["default"])
            tokens = None if options["remove"] else quotas.parse_tokens(options["tokens"])
            freed = budget.change_quota(None, subject, Period(options["period"]), tokens)
        except ValidationError as error:
            raise CommandError(error.messages[0]) from error
        self.stdout.write(_("The limit is set; %(n)s editions may go on.") % {"n": len(freed)})

    def _top_up(self, options: dict[str, Any]) -> None:
        subject = _subject(options["team"], options["member"], is_default=False)
        zone = (
            subject.team.zone if subject.team is not None else zoneinfo.ZoneInfo(settings.INSTANCE_TIME_ZONE)
        )
        try:
            last = dt.date.fromisoformat(options["until"])
            ends_at = dt.datetime.combine(last + dt.timedelta(days=1), dt.time.min, zone)
            freed = budget.give_top_up(None, subject, quotas.parse_tokens(options["tokens"]), ends_at)
        except ValidationError as error:
            raise CommandError(error.messages[0]) from error
        except ValueError as error:
            message = _("%(day)s is no date. Write it as YYYY-MM-DD, such as 2026-01-30.")
            raise CommandError(message % {"day": options["until"]}) from error
        self.stdout.write(_("The top-up is given; %(n)s editions may go on.") % {"n": len(freed)})

    def _requests(self, options: dict[str, Any]) -> None:
        for name, decide in (("grant", asking.grant), ("decline", asking.decline)):
            if options[name]:
                self._decide(options[name], decide)
                return
        rows = [_asked(each) for each in _open_requests()]
        if options["json"]:
            self.stdout.write(json.dumps({"requests": rows}))
            return
        for row in rows:
            self.stdout.write(
                f"{row['id']}  {row['by']:<32}{row['scope']:<9}{row['tokens']:>12,}  {row['ends_at'][:16]}"
            )
        if not rows:
            self.stdout.write(_("Nobody asks for more."))

    def _decide(self, public_id: str, decide: Callable[[None, QuotaRequest], bool]) -> None:
        found = [each for each in _open_requests() if str(each.public_id) == public_id]
        if not found:
            raise CommandError(_("There is no open request %(id)s.") % {"id": public_id})
        if not decide(None, found[0]):
            raise CommandError(_("Somebody decided it before."))
        self.stdout.write(_("Done."))

    def _export(self, options: dict[str, Any]) -> None:
        self.stdout.write(limit_files.as_csv(_team(options["team"])), ending="")

    def _import(self, options: dict[str, Any]) -> None:
        team = _team(options["team"])
        try:
            reading = limit_files.read(team, Path(options["file"]).read_bytes())
            for problem in reading.problems:
                self.stderr.write(
                    f"{problem.line}: {problem.message}" if problem.line else str(problem.message)
                )
            if reading.problems:
                raise CommandError(_("Nothing was changed. Put the file right and repeat it."))
            done = limit_files.set_all(None, team, reading.changes)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        except ValidationError as error:
            raise CommandError(error.messages[0]) from error
        self.stdout.write(_("%(n)s limits were changed.") % {"n": done})

    def _reconcile(self, options: dict[str, Any]) -> None:
        repairs = budget.reconcile(timezone.now())
        if options["json"]:
            rows = [{"window": r.window.pk, "before": r.before, "after": r.after} for r in repairs]
            self.stdout.write(json.dumps({"repairs": rows}))
            return
        for repair in repairs:
            changed = [
                f"{name} {repair.before[name]} -> {after}"
                for name, after in repair.after.items()
                if after != repair.before[name]
            ]
            self.stdout.write(f"{repair.window}: {', '.join(changed)}")
        if not repairs:
            self.stdout.write(_("There was nothing to repair."))


def _subject(slug: str | None, mail: str | None, *, is_default: bool) -> Subject:
    if slug is None:
        if mail or is_default:
            raise CommandError(_("A member and a default belong to a team: add --team SLUG."))
        return quotas.instance()
    team = _team(slug)
    if mail is None:
        return quotas.member_default(team) if is_default else quotas.pool(team)
    member = Membership.objects.select_related("team").filter(team=team, user__email__iexact=mail).first()
    if member is None:
        raise CommandError(_("%(mail)s is no member of %(team)s.") % {"mail": mail, "team": slug})
    return quotas.member(member)


def _open_requests() -> list[QuotaRequest]:
    """Of all teams, and those that only the operator decides."""
    now = timezone.now()
    found = [*asking.open_of(None, now), *asking.open_of(Team.objects.all(), now)]
    return list({each.pk: each for each in found}.values())


def _asked(request: QuotaRequest) -> dict[str, Any]:
    return {
        "id": str(request.public_id),
        "by": request.asked_by.user.email,
        "team": request.asked_by.team.slug,
        "scope": Scope(request.scope).name.lower(),
        "period": request.period,
        "tokens": request.tokens,
        "ends_at": request.window_ends_at.isoformat(),
    }


def _team(slug: str) -> Team:
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise CommandError(_("There is no team %(slug)s.") % {"slug": slug})
    return team


def _rows(slug: str | None) -> list[dict[str, Any]]:
    """The instance, the teams, and who spends now; of one team, everybody."""
    now = timezone.now()
    if slug is not None:
        sheet = budget.sheet_of(_team(slug), now)
        named = [(slug, figure) for figure in sheet.pool]
        for row in sheet.members + sheet.shares:
            named += [(str(getattr(row.subject, "user", row.subject)), figure) for figure in row.figures]
        return [_row(name, figure) for name, figure in named]
    names = {INSTANCE: "-"}
    names |= {Leg(Scope.TEAM, team.pk, team.pk): team.slug for team in Team.objects.order_by("pk")}
    spending = BudgetWindow.objects.filter(scope=Scope.MEMBER, starts_at__lte=now, ends_at__gt=now)
    members = Membership.objects.filter(pk__in=spending.values("subject_id")).select_related("user")
    names |= {Leg(Scope.MEMBER, each.pk, each.team_id): each.user.email for each in members}
    figures = budget.figures_of(list(names), now)
    return [_row(names[leg], figure) for leg in names for figure in figures[leg]]


def _row(name: str, figure: budget.Figure) -> dict[str, Any]:
    return {
        "scope": figure.leg.scope.name.lower(),
        "name": name,
        "period": str(figure.period),
        "limit": figure.limit,
        "used": figure.used,
        "held": figure.held,
        "overrun": figure.overrun,
        "cost_microusd": figure.cost_microusd,
        "resets_at": figure.resets_at.isoformat(),
    }
