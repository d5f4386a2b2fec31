"""The audit trail: keys and codes in rows that only grow, names in an erasable side table."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import connection

from . import growing, origins
from .models import AuditEvent, AuditOrigin, AuditPerson, Team, User

SYSTEM = uuid.UUID(int=0)


def record(
    actor: User | None,
    code: str,
    *,
    team: Team | None = None,
    subject: uuid.UUID | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write who did what, in the caller's transaction. `before` and `after` hold figures and codes, no texts.

    Each code has its sentence in `scoring.deeds`.
    """
    origin = origins.current()
    event = AuditEvent.objects.create(
        actor_key=SYSTEM if actor is None else actor.public_id,
        code=code,
        team_key=team.public_id if team else None,
        subject_key=subject,
        before=before or {},
        after=after or {},
        door=origin.door,
        token_key=origin.token_key,
    )
    if actor is not None:
        remember(actor)
        if origin.ip:
            AuditOrigin.objects.create(
                event=event, actor_key=actor.public_id, ip=origin.ip, user_agent=origin.user_agent
            )
    return event


def remember(person: User) -> None:
    """Keep what a key is called, in the row that is deleted with the person."""
    AuditPerson.objects.update_or_create(key=person.public_id, defaults={"name": person.email})


def remember_key(key: uuid.UUID, name: str) -> None:
    """Keep what another key is called, such as whom an invitation was for; erase it with `forget_keys`."""
    AuditPerson.objects.update_or_create(key=key, defaults={"name": name})


def forget_keys(keys: Iterable[uuid.UUID]) -> None:
    AuditPerson.objects.filter(key__in=list(keys)).delete()


def forget(person: User) -> None:
    """Erase who a key was and from where it came; the rows that only grow stay as they are."""
    AuditOrigin.objects.filter(actor_key=person.public_id).delete()
    AuditPerson.objects.filter(key=person.public_id).delete()


def unguarded() -> list[str]:
    """The guards of the trail that are missing in the database, by name: somebody took them away."""
    return growing.unguarded(connection, AuditEvent._meta.db_table)
