"""VERB. What the portal tells a reader in the app, and by mail where they want it: each thing once."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from . import letters
from .models import Notice, User
from .tidings import Params, Words, words_of


def tell(
    users: Collection[User],
    key: str,
    code: str,
    params: Params,
    *,
    by_mail: bool = True,
    now: dt.datetime | None = None,
) -> list[User]:
    """One notice and one letter to each of these readers, in the caller's transaction. Safe to repeat.

    `key` makes it once for each reader; `code` is one of settings.TIDINGS. One who was forgotten meanwhile or
    may not sign in gets nothing; one who wants no letters gets the notice. Locks the readers' rows: call it
    after all other locks. Returns who got it, locked until the caller's transaction ends.
    """
    now = now or timezone.now()
    with transaction.atomic():
        there = User.objects.select_for_update(no_key=True).filter(pk__in=[user.pk for user in users])
        readers = list(there.filter(is_active=True).order_by("pk"))
        Notice.objects.bulk_create(
            (Notice(user=reader, key=key, code=code, params=dict(params), at=now) for reader in readers),
            ignore_conflicts=True,
        )
        if by_mail:
            letters.owe_all(readers, key, code, params, now)
    return readers


# --- reading -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """One notice and its words in the language that is active."""

    notice: Notice
    words: Words


def told(notices: Iterable[Notice]) -> list[Told]:
    """The notices with their words, in their order; without those about which nothing can be said any more."""
    shown = list(notices)
    by_code: dict[str, list[Notice]] = defaultdict(list)
    for notice in shown:
        by_code[notice.code].append(notice)
    words: dict[int, Words | None] = {}
    for code, rows in by_code.items():
        found = words_of(code, [row.params for row in rows])
        words.update({row.pk: said for row, said in zip(rows, found, strict=True)})
    return [Told(notice, said) for notice in shown if (said := words[notice.pk]) is not None]


def see_all(user: User, now: dt.datetime, *, up_to: dt.datetime | None = None) -> int:
    """Mark a reader's notices as seen, or those told up to that instant; how many were new. Safe to repeat."""
    unseen = Notice.objects.of(user).unseen()
    if up_to is not None:
        unseen = unseen.filter(at__lte=up_to)
    return unseen.update(seen_at=now)


def see(notice: Notice, now: dt.datetime) -> None:
    """Mark one notice as seen. Safe to repeat: the first time stays."""
    Notice.objects.filter(pk=notice.pk, seen_at=None).update(seen_at=now)
