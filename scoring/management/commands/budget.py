"""`manage.py budget show|set|reconcile`: limits and use, a limit changed, counters made true again."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from profiles import origins, quotas
from profiles.models import Membership, Period, Scope, Team
from profiles.quotas import INSTANCE, Leg, Subject
from scoring import budget
from scoring.models import BudgetWindow


class Command(BaseCommand):
    help = "Show budgets, set a limit, or make the counters agree with the ledger."

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
        reconcile = deeds.add_parser("reconcile", help="windows by the ledger and the limits in force")
        reconcile.add_argument("--json", action="store_true")

    @origins.through(origins.COMMAND)
    def handle(self, *args: Any, **options: Any) -> None:
        {"show": self._show, "set": self._set, "reconcile": self._reconcile}[options["deed"]](options)

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
