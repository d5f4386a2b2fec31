"""VERB. Somebody takes their data along, or leaves for good: each app answers for what it knows.

`papers` knows no user.
"""

import datetime as dt
import tempfile
import zipfile
from collections.abc import Iterator
from itertools import chain
from typing import IO

from django.db import transaction

import profiles.leaving
import scoring.leaving
from profiles import audit
from profiles.models import User
from scoring.transactions import retried

# A larger archive is written to the disk.
BYTES_IN_MEMORY = 10_000_000


def export(user: User, now: dt.datetime) -> IO[bytes]:
    """All that the house knows of the person: a ZIP of JSON, Markdown and TOML, open at its beginning. Leaves a line in the trail."""
    audit.record(user, "data.taken", subject=user.public_id)
    archive = tempfile.SpooledTemporaryFile(BYTES_IN_MEMORY)  # noqa: SIM115 (whoever answers closes it)
    written_at = now.timetuple()[:6]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in _files(user):
            entry = zipfile.ZipInfo(name, written_at)
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, text)
    archive.seek(0)
    return archive


def _files(user: User) -> Iterator[tuple[str, str]]:
    return chain(profiles.leaving.export(user), scoring.leaving.export(user))


@retried
@transaction.atomic
def forget(user: User) -> None:
    """Delete the person and all that is theirs, at once and for good; the ledger keeps its sums.

    Tokens and sessions are dead with the commit; a call in flight books its bill and nothing else. Raises
    profiles.leaving.NotHandedOver while others are in a team that only this person owns; then nothing has
    changed. A second click finds nobody and does nothing.
    """
    profiles.leaving.require_handed_over(user)
    # After the teams, as everywhere.
    if User.objects.select_for_update().filter(pk=user.pk).first() is None:
        return
    scoring.leaving.forget(user)
    profiles.leaving.forget(user)
