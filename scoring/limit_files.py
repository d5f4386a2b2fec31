"""VERB. A team's limits as a CSV file, out and in; and one amount for many. All of it is right, or nothing changes.

A line is a limit set for just that subject: `kind` (pool, default, member, share), `id` (the member's mail address,
the team profile's id), `name` (for people, not read), `period`, `tokens`. Empty tokens take a limit away; a limit
that is not in the file stays as it is.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from profiles import quotas
from profiles.access import Deed, membership_of, require
from profiles.models import Membership, Period, Profile, Quota, Scope, Team, User
from profiles.quotas import Subject

from . import budget
from .report_text import defused
from .transactions import retried

COLUMNS = ("kind", "id", "name", "period", "tokens")
MOST_BYTES, MOST_LINES = 512_000, 5_000
FORMULAS = ("=", "+", "@", "\t", "\r")
_NEGATIVE = re.compile(r"[-\u2212]\s*\d")


@dataclass(frozen=True)
class Change:
    """One limit to be set, or with None taken away; `before` is the subject's own limit now."""

    subject: Subject
    name: str
    period: Period
    before: int | None
    tokens: int | None

    @property
    def is_change(self) -> bool:
        return self.before != self.tokens


@dataclass(frozen=True)
class Problem:
    """What is wrong with a line of the file; 0 is the file as a whole."""

    line: int
    message: str


@dataclass(frozen=True)
class Reading:
    changes: list[Change]
    problems: list[Problem]

    @property
    def real(self) -> list[Change]:
        return [change for change in self.changes if change.is_change]


# --- out ---------------------------------------------------------------------------------------------------


def as_csv(team: Team) -> str:
    """The limits set in the team, and a line for each member without one, to be filled in. Cells are defused."""
    known = _Known(team)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for kind, key, subject in known.subjects():
        own = known.own(subject)
        for period in [each for each in Period if each in own] or [Period.DAY]:
            if not own and kind == "share":
                continue
            cells = [kind, key, known.name(subject), period.value, own.get(period, "")]
            writer.writerow([defused(str(cell)) for cell in cells])
    return out.getvalue()


# --- in ----------------------------------------------------------------------------------------------------


def read(team: Team, content: bytes) -> Reading:
    """What the file would change, and all that is wrong with it, line by line. Changes nothing."""
    if len(content) > MOST_BYTES:
        return Reading([], [Problem(0, _("The file is too large for a list of limits."))])
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError:
        return Reading([], [Problem(0, _("The file is not UTF-8 text."))])
    except csv.Error:
        return Reading([], [Problem(0, _("The file is not CSV."))])
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    missing = [name for name in COLUMNS if name not in head and name != "name"]
    if missing:
        return Reading(
            [], [Problem(1, _("The columns %(names)s are missing.") % {"names": ", ".join(missing)})]
        )
    if len(rows) > MOST_LINES:
        return Reading([], [Problem(0, _("The file has too many lines."))])
    return _read(_Known(team), head, rows[1:])


def _read(known: "_Known", head: Sequence[str], rows: Iterable[Sequence[str]]) -> Reading:
    changes: list[Change] = []
    problems: list[Problem] = []
    seen: dict[tuple[Subject, Period], int] = {}
    for number, cells in enumerate(rows, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(head):
            problems.append(Problem(number, _("The line has another number of cells than the first.")))
            continue
        try:
            change = known.change(dict(zip(head, (cell.strip() for cell in cells), strict=True)))
        except ValidationError as error:
            problems.append(Problem(number, error.messages[0]))
            continue
        earlier = seen.setdefault((change.subject, change.period), number)
        if earlier != number:
            problems.append(Problem(number, _("The same limit stands in line %(line)s.") % {"line": earlier}))
            continue
        changes.append(change)
    if not changes and not problems:
        problems.append(Problem(0, _("The file holds no limit.")))
    return Reading(changes, problems)


class _Known:
    """The subjects of a team, by what a file calls them, and the limits set for just them: three queries."""

    def __init__(self, team: Team) -> None:
        self.team = team
        members = (
            Membership.objects.filter(team=team).select_related("user", "team").order_by("joined_at", "pk")
        )
        self.members = {each.user.email.lower(): each for each in members}
        shared = Profile.objects.filter(team=team, owner=None, archived_at=None).select_related("team")
        self.shares = {str(each.public_id): each for each in shared.order_by("pk")}
        self._own: dict[tuple[int, int, int], dict[Period, int]] = {}
        for row in Quota.objects.filter(team=team):
            key = (row.scope, row.membership_id or 0, row.profile_id or 0)
            self._own.setdefault(key, {})[Period(row.period)] = row.limit_tokens

    def subjects(self) -> Iterable[tuple[str, str, Subject]]:
        yield "pool", "", quotas.pool(self.team)
        yield "default", "", quotas.member_default(self.team)
        for mail, member in self.members.items():
            yield "member", mail, quotas.member(member)
        for key, profile in self.shares.items():
            yield "share", key, quotas.share(profile)

    def own(self, subject: Subject) -> dict[Period, int]:
        member, profile = subject.membership, subject.profile
        key = (
            int(subject.scope),
            member.pk if member is not None else 0,
            profile.pk if profile is not None else 0,
        )
        return self._own.get(key, {})

    def name(self, subject: Subject) -> str:
        if subject.membership is not None:
            return subject.membership.user.display_name
        if subject.profile is not None:
            return subject.profile.name
        return _("the pool") if subject.scope == Scope.TEAM else _("members without a limit of their own")

    def change(self, cells: dict[str, str]) -> Change:
        """One line; ValidationError says what is wrong with it."""
        subject = self._subject(cells["kind"].lower(), _undefused(cells["id"]))
        if cells["period"].lower() not in Period.values:
            raise ValidationError(_("Choose a day, a week or a month."))
        period = Period(cells["period"].lower())
        tokens = _tokens(_undefused(cells["tokens"]))
        own = self.own(subject)
        return Change(subject, self.name(subject), period, own.get(period), tokens)

    def _subject(self, kind: str, key: str) -> Subject:
        if kind == "pool":
            return quotas.pool(self.team)
        if kind == "default":
            return quotas.member_default(self.team)
        if kind == "member":
            member = self.members.get(key.lower())
            if member is None:
                raise ValidationError(_("“%(id)s” is no member of this team."), params={"id": key[:80]})
            return quotas.member(member)
        if kind == "share":
            profile = self.shares.get(key.lower())
            if profile is None:
                raise ValidationError(_("“%(id)s” is no profile of this team."), params={"id": key[:80]})
            return quotas.share(profile)
        raise ValidationError(
            _("“%(kind)s” is none of pool, default, member, share."), params={"kind": kind[:40]}
        )


def _undefused(cell: str) -> str:
    """The cell as it was before `defused`."""
    return cell[1:] if cell[:1] == "'" and defused(cell[1:]) == cell else cell


def _tokens(text: str) -> int | None:
    if not text:
        return None
    if text.startswith(FORMULAS) or (text.startswith(("-", "\u2212")) and not _NEGATIVE.match(text)):
        raise ValidationError(
            _("“%(text)s” is a formula, not a number of tokens."), params={"text": text[:40]}
        )
    return quotas.parse_tokens(text)


# --- at once -----------------------------------------------------------------------------------------------


@retried
@transaction.atomic
def set_all(actor: User | None, team: Team, changes: Sequence[Change]) -> int:
    """Set every one of these limits, or none; how many changed. Raises as `budget.change_quota`, naming whose."""
    if actor is not None and not actor.is_staff:
        require(membership_of(actor, team), Deed.SET_QUOTAS)
    done = 0
    for change in sorted(changes, key=_order):
        if not change.is_change:
            continue
        try:
            budget.change_quota(actor, change.subject, change.period, change.tokens)
        except ValidationError as error:
            raise ValidationError(f"{change.name}: {error.messages[0]}") from error
        done += 1
    return done


def _order(change: Change) -> tuple[Any, ...]:
    leg = change.subject.leg
    return (change.subject.scope, leg.subject_id if leg is not None else 0, change.period.value)


def for_many(team: Team, chosen: Sequence[str], period: str, typed: str, *, is_removal: bool) -> list[Change]:
    """The same amount for each of the chosen members (`member:ID`) and team profiles (`share:ID`).

    Http404 for one that is not of this team; ValidationError for a wrong amount, or where nobody is chosen.
    """
    if period not in Period.values:
        raise ValidationError(_("Choose a day, a week or a month."))
    tokens = None if is_removal else quotas.parse_tokens(typed)
    if not chosen:
        raise ValidationError(_("Choose at least one member or team profile."))
    known = _Known(team)
    members = {f"member:{each.public_id}": quotas.member(each) for each in known.members.values()}
    shares = {f"share:{key}": quotas.share(each) for key, each in known.shares.items()}
    found = members | shares
    if not set(chosen) <= set(found):
        raise Http404
    given = [found[key] for key in dict.fromkeys(chosen)]
    return [
        Change(each, known.name(each), Period(period), known.own(each).get(Period(period)), tokens)
        for each in given
    ]
