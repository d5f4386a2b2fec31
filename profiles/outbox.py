"""VERB. From a row that says which mail is owed to a mail that is sent: at most once, whatever the server does.

A row is claimed by one conditional UPDATE, then the mail is sent outside any transaction, then the row ends:
sent, refused or unknown. Whoever dies in between leaves a claimed row whose lease runs out; it becomes
unknown, and unknown is never sent again.
"""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F

from . import mailing
from .models import OwedMail

log = structlog.get_logger(__name__)

LEASE = dt.timedelta(minutes=10)
FIRST_RETRY = dt.timedelta(minutes=5)
LONGEST_RETRY = dt.timedelta(hours=4)
MOST_ATTEMPTS = 12
State = OwedMail.State


class NothingToSay(Exception):
    """What the mail was about is gone, or its reader wants none. `str()` is a line for the operator."""


@dataclass(frozen=True)
class Outbox[Row: OwedMail]:
    """One table of owed mails, and how the message of a row is made at the moment of sending.

    `message_of` gets a row with its `user` and may raise NothingToSay: the row ends as refused.
    """

    name: str
    table: type[Row]
    message_of: Callable[[Row], EmailMessage]

    def send_due(self, now: dt.datetime) -> int:
        """Claim and send what is due, oldest first; how many were certainly sent. Safe to repeat and to race."""
        due = self.table._default_manager.filter(state=State.QUEUED, not_before__lte=now)
        return sum(
            self.send_one(pk, now) for pk in due.order_by("not_before", "pk").values_list("pk", flat=True)
        )

    def send_one(self, pk: int, now: dt.datetime) -> bool:
        """Send the mail of one row, if this caller wins it. Slow: no transaction may be open here."""
        queued = self.table._default_manager.filter(pk=pk, state=State.QUEUED, not_before__lte=now)
        if not queued.update(state=State.CLAIMED, attempts=F("attempts") + 1, not_before=now + LEASE):
            return False
        mail = self.table._default_manager.select_related("user").filter(pk=pk).first()
        if mail is None:  # its reader was forgotten meanwhile
            return False
        try:
            mailing.send(self.message_of(mail))
        except mailing.MailUnavailable as error:
            self._try_later(mail, str(error), now)
        except (mailing.MailRefused, NothingToSay) as error:
            self._end(mail, State.REFUSED, str(error), now)
        except mailing.MailUnknown as error:
            self._end(mail, State.UNKNOWN, str(error), now)
        else:
            return self._end(mail, State.SENT, "", now)
        return False

    def give_up_abandoned(self, now: dt.datetime) -> int:
        """Rows whose sender died: nobody can say whether the mail left, so it stays unsent for good."""
        abandoned = self.table._default_manager.filter(state=State.CLAIMED, not_before__lt=now)
        return abandoned.update(state=State.UNKNOWN, ended_at=now, problem="the sender died")

    def write_off(self, problem: str, now: dt.datetime) -> int:
        """Send nothing of what is queued or claimed: after a restore it may have been sent already."""
        queued = self.table._default_manager.filter(state__in=[State.QUEUED, State.CLAIMED])
        return queued.update(state=State.UNKNOWN, ended_at=now, problem=problem)

    def _try_later(self, mail: Row, problem: str, now: dt.datetime) -> None:
        """Back to the queue, each time twice as late, until it has been tried too often."""
        if mail.attempts >= MOST_ATTEMPTS:
            self._end(mail, State.REFUSED, problem, now)
            return
        wait = min(FIRST_RETRY * 2 ** (mail.attempts - 1), LONGEST_RETRY)
        claimed = self.table._default_manager.filter(pk=mail.pk, state=State.CLAIMED)
        claimed.update(state=State.QUEUED, not_before=now + wait, problem=problem)
        log.warning(f"{self.name}_put_off", row=mail.pk, attempts=mail.attempts, problem=problem)

    def _end(self, mail: Row, state: State, problem: str, now: dt.datetime) -> bool:
        """The end of a claimed row; False where it was given up in the meantime."""
        claimed = self.table._default_manager.filter(pk=mail.pk, state=State.CLAIMED)
        if state != State.SENT:
            log.warning(f"{self.name}_not_sent", row=mail.pk, state=str(state), problem=problem)
        return bool(claimed.update(state=state, problem=problem, ended_at=now))


def host() -> str:
    """The portal's name in the ids of its messages."""
    return urlsplit(settings.PORTAL_URL).hostname or "localhost"


def message_id(kind: str, key: str) -> str:
    """An id that is the same for the same mail and says nothing of what it is about."""
    return f"<{kind}.{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host()}>"


def since_words(since: dt.datetime) -> str:
    """Why a mail is written off after a restore, for the operator."""
    return f"may have been sent after {since:%Y-%m-%d %H:%M} UTC, of which the restored backup is"
