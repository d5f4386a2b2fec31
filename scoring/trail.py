"""VERB. The audit trail as a person reads it: who did what to whom, before and after, from where. Reads only.

Rows hold keys; names are looked up for the rows of one page. A name that was erased, or that the reader has no
business to know (a private profile's), stays a key.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from profiles import audit
from profiles.models import ApiToken, AuditEvent, AuditPerson, Door, Membership, Profile, Team, User
from scoring import deeds
from scoring.models import Provider

LINES_A_PAGE = 50
LINES_A_CHUNK = 1_000


@dataclass(frozen=True)
class Place:
    """After which line to go on: its instant, and how many lines of that very instant were shown already.

    No row's number is told: it would count the deeds of everybody.
    """

    at: dt.datetime
    shown: int

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for nothing and for nonsense: then one begins with the newest."""
        instant, _tilde, shown = text.partition("~")
        try:
            return cls(dt.datetime.fromtimestamp(int(instant) / 1e6, dt.UTC), max(0, int(shown)))
        except (ValueError, OverflowError, OSError):
            return None

    def __str__(self) -> str:
        epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return f"{(self.at - epoch) // dt.timedelta(microseconds=1)}~{self.shown}"


@dataclass(frozen=True)
class Asked:
    """What of the trail is wanted. `person` is as typed: a mail address or a key; whoever did or suffered it."""

    person: str = ""
    code: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    zone: dt.tzinfo = dt.UTC

    @classmethod
    def read(cls, query: Mapping[str, str], zone: dt.tzinfo) -> Self:
        return cls(
            person=query.get("person", "").strip()[:254].replace("\x00", ""),
            code=query.get("code", "") if query.get("code", "") in deeds.WHAT else "",
            first=_date(query.get("first", "")),
            last=_date(query.get("last", "")),
            zone=zone,
        )

    def key(self) -> uuid.UUID | None:
        """Of the person; the key of nobody where nobody is called so."""
        if not self.person:
            return None
        try:
            return uuid.UUID(self.person)
        except ValueError:
            named = AuditPerson.objects.filter(name__iexact=self.person).values_list("key", flat=True)
            living = User.objects.filter(email__iexact=self.person).values_list("public_id", flat=True)
            return living.first() or named.first() or uuid.uuid4()

    def query(self) -> dict[str, str]:
        """As it stands in an address."""
        told = {"person": self.person, "code": self.code, "first": self.first, "last": self.last}
        return {name: str(value) for name, value in told.items() if value}


def _date(text: str) -> dt.date | None:
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return found if found and 2000 <= found.year <= 2200 else None


@dataclass(frozen=True)
class Scope:
    """Whose trail it is: a team's, one person's own, or all of the house. Says who may read from where."""

    team: Team | None = None
    person: User | None = None
    shows_addresses: bool = False

    def events(self) -> Any:
        events = AuditEvent.objects.all()
        if self.team is not None:
            events = events.filter(team_key=self.team.public_id)
        if self.person is not None:
            events = events.filter(actor_key=self.person.public_id)
        return events.select_related("origin") if self.shows_addresses else events


def of_team(team: Team) -> Scope:
    """For its owners and admins: from which address somebody came is none of their business."""
    return Scope(team=team)


def of_person(user: User) -> Scope:
    """What was done in one's own name, with the addresses one came from."""
    return Scope(person=user, shows_addresses=True)


def of_house() -> Scope:
    """For the operator."""
    return Scope(shows_addresses=True)


@dataclass(frozen=True)
class Line:
    at: dt.datetime
    code: str
    what: str
    who_key: uuid.UUID
    who: str
    whom_key: uuid.UUID | None
    whom: str
    figures: list[str]
    before: dict[str, Any]
    after: dict[str, Any]
    team: str
    door: str
    ip: str
    user_agent: str

    @property
    def is_of_a_person(self) -> bool:
        return self.who_key != audit.SYSTEM


@dataclass(frozen=True)
class Page:
    lines: list[Line]
    older: Place | None


def page(scope: Scope, asked: Asked, place: Place | None = None, count: int = LINES_A_PAGE) -> Page:
    """The newest lines that fit, or those after `place`; at most ten queries, whatever the count."""
    return _page(scope, asked, asked.key(), place, count)


def every_line(scope: Scope, asked: Asked) -> Iterator[Line]:
    """All lines that fit, newest first, in chunks that are looked up together."""
    key, place, is_more = asked.key(), None, True
    while is_more:
        chunk = _page(scope, asked, key, place, LINES_A_CHUNK)
        yield from chunk.lines
        place, is_more = chunk.older, chunk.older is not None


def _page(scope: Scope, asked: Asked, key: uuid.UUID | None, place: Place | None, count: int) -> Page:
    events, skipped = scope.events(), 0
    if asked.code:
        events = events.filter(code=asked.code)
    if asked.first:
        events = events.filter(at__gte=dt.datetime.combine(asked.first, dt.time(), asked.zone))
    if asked.last:
        end = dt.datetime.combine(asked.last + dt.timedelta(days=1), dt.time(), asked.zone)
        events = events.filter(at__lt=end)
    if place is not None:
        events, skipped = events.filter(at__lte=place.at), place.shown
    # One query for each index rather than one OR, which no index answers in order.
    ways = (
        [events]
        if key is None
        else [events.filter(actor_key=key), events.filter(subject_key=key).exclude(actor_key=key)]
    )
    found = [row for way in ways for row in way.order_by("-at", "-id")[: skipped + count + 1]]
    found.sort(key=lambda row: (row.at, row.pk), reverse=True)
    shown = found[skipped : skipped + count]
    older = None
    if len(found) > skipped + count:
        last = shown[-1].at
        before = place.shown if place is not None and place.at == last else 0
        older = Place(last, before + sum(row.at == last for row in shown))
    return Page(_lines(shown, scope), older)


def _lines(events: list[AuditEvent], scope: Scope) -> list[Line]:
    names = _Names(scope)
    names.look_up(events)
    doors = dict(Door.choices)
    lines = []
    for event in events:
        origin = getattr(event, "origin", None) if scope.shows_addresses else None
        door = str(doors.get(event.door, event.door))
        if event.token_key:
            door = _("%(door)s, token %(token)s") % {"door": door, "token": names.of(event.token_key)}
        lines.append(
            Line(
                at=event.at,
                code=event.code,
                what=deeds.what(event.code),
                who_key=event.actor_key,
                who=names.of(event.actor_key),
                whom_key=event.subject_key,
                whom=names.of(event.subject_key) if event.subject_key else "",
                figures=deeds.figures(event.before, event.after, names.told),
                before=event.before,
                after=event.after,
                team=names.of(event.team_key) if event.team_key else "",
                door=door,
                ip=(origin.ip or "") if origin else "",
                user_agent=origin.user_agent if origin else "",
            )
        )
    return lines


@dataclass
class _Names:
    """What the keys of some lines are called, for whoever reads the trail of that scope."""

    scope: Scope
    told: dict[str, str] = field(default_factory=dict)

    def look_up(self, events: Iterable[AuditEvent]) -> None:
        keys = {key for event in events for key in _keys(event)}
        self._tell(ApiToken.objects.filter(public_id__in=keys, **self._own()), "public_id", "name")
        self._tell(Provider.objects.filter(public_id__in=keys), "public_id", "name")
        self._tell(Profile.objects.filter(public_id__in=keys, **self._seen()), "public_id", "name")
        self._tell(Team.objects.filter(public_id__in=keys), "public_id", "name")
        self._tell(Membership.objects.filter(public_id__in=keys), "public_id", "user__email")
        self._tell(User.objects.filter(public_id__in=keys), "public_id", "email")
        self._tell(AuditPerson.objects.filter(key__in=keys), "key", "name")

    def of(self, key: uuid.UUID) -> str:
        if key == audit.SYSTEM:
            return _("the system")
        return self.told.get(str(key)) or _("(no name: %(key)s)") % {"key": str(key)[:8]}

    def _tell(self, rows: Any, key: str, name: str) -> None:
        self.told |= {str(found): called for found, called in rows.values_list(key, name)}

    def _own(self) -> dict[str, Any]:
        """A token is called by its name only before whoever gave it."""
        return {"user": self.scope.person}

    def _seen(self) -> dict[str, Any]:
        """A profile is called by its name only before its owner and, if it is the team's, before the team."""
        if self.scope.person is not None:
            return {"owner": self.scope.person}
        return {"owner": None, "team": self.scope.team} if self.scope.team else {"pk": None}


def _keys(event: AuditEvent) -> Iterator[uuid.UUID]:
    yield event.actor_key
    for key in (event.subject_key, event.team_key, event.token_key):
        if key is not None:
            yield key
    for value in (*event.before.values(), *event.after.values()):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and len(each) == len(str(audit.SYSTEM)):
                try:
                    yield uuid.UUID(each)
                except ValueError:
                    continue
