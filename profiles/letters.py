"""VERB. Mails about teams and budgets: owed in the transaction of what they tell, sent later, each once.

A letter to a reader can be ended by them (`wants_alerts`, one click). A letter to an address answers
something that was done with that very address (an invitation): it is sent whatever its owner wants.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from papers.markdown import one_line

from . import ways_out
from .models import Letter, User
from .outbox import NothingToSay, Outbox, message_id, since_words
from .tidings import Params, Words, words_of

SALT = "letters.unsubscribe"


def owe(
    key: str,
    code: str,
    params: Params,
    *,
    user: User | None = None,
    address: str = "",
    language: str = "en",
    now: dt.datetime | None = None,
) -> Letter:
    """Queue one letter, to a reader or to an address, in the caller's transaction; the clock sends it.

    A repeat of the key is the same letter, whatever became of it. `code` is one of settings.TIDINGS.
    """
    if (user is None) == (not address):
        raise ValueError("a letter goes to a reader or to an address")
    now = now or timezone.now()
    made = {"code": code, "params": dict(params), "user": user, "address": address, "language": language}
    letter, _is_new = Letter.objects.get_or_create(
        key=key, defaults={**made, "not_before": now, "queued_at": now}
    )
    return letter


def owe_all(users: Iterable[User], key: str, code: str, params: Params, now: dt.datetime) -> None:
    """One letter to each of these readers, in one statement; `key` and the reader make it once only.

    Call it with the readers' rows locked: one who is forgotten meanwhile gets none.
    """
    Letter.objects.bulk_create(
        (
            Letter(
                key=key_for(user, key),
                code=code,
                params=dict(params),
                user=user,
                not_before=now,
                queued_at=now,
            )
            for user in users
            if user.wants_alerts
        ),
        ignore_conflicts=True,
    )


def key_for(user: User, key: str) -> str:
    return f"{key}:{user.pk}"


def send_due(now: dt.datetime) -> int:
    """Claim and send what is due; how many letters were certainly sent. Safe to repeat and to race."""
    OUTBOX.give_up_abandoned(now)
    return OUTBOX.send_due(now)


def send_one(pk: int, now: dt.datetime) -> bool:
    """Send one letter, if this caller wins it. Slow: no transaction may be open here."""
    return OUTBOX.send_one(pk, now)


def retry(chosen: QuerySet[Letter]) -> int:
    """Queue those of the chosen anew that were refused, as if never tried; how many. Safe to repeat."""
    refused = chosen.filter(state=Letter.State.REFUSED)
    return refused.update(
        state=Letter.State.QUEUED, attempts=0, not_before=timezone.now(), problem="", ended_at=None
    )


def assume_sent(since: dt.datetime, now: dt.datetime) -> int:
    """After a restore of what was kept at `since`: write off every letter that may have left since; how many."""
    return OUTBOX.write_off(since_words(since), now)


def forget_address(address: str) -> None:
    """Nothing is sent to that address any more, and nothing says that something was."""
    Letter.objects.filter(address__iexact=address).delete()


# --- the message ---------------------------------------------------------------------------------------


def message_of(letter: Letter) -> EmailMultiAlternatives:
    """The mail in the reader's language and zone: text first, the same as HTML. Raises NothingToSay."""
    user = letter.user
    if user is not None and not (user.is_active and user.wants_alerts):
        raise NothingToSay("its reader wants no letters")
    language = letter.language if user is None else user.language
    with translation.override(language), timezone.override("UTC" if user is None else user.zone):
        (words,) = words_of(letter.code, [letter.params])
        if words is None:
            raise NothingToSay("what it was about is gone")
        stop = settings.PORTAL_URL + reverse("letters_off", args=[token_of(user)]) if user is not None else ""
        context = {"words": folded(words), "portal": settings.PORTAL_URL, "stop": stop}
        message = EmailMultiAlternatives(
            one_line(words.title),
            render_to_string("emails/letter.txt", context),
            settings.DEFAULT_FROM_EMAIL,
            [letter.address if user is None else user.email],
            headers=headers_of(letter, stop),
        )
        message.attach_alternative(render_to_string("emails/letter.html", context), "text/html")
    return message


def folded(words: Words) -> dict[str, Any]:
    """The words with each text on one line: a line break in a name could pass for a line of ours."""
    return {
        "title": one_line(words.title),
        "paragraphs": [one_line(text) for text in words.paragraphs],
        "items": [one_line(text) for text in words.items],
        "path": words.path,
        "action": one_line(words.action),
        "why": one_line(words.why),
    }


def headers_of(letter: Letter, stop: str) -> dict[str, str]:
    """RFC 3834 (no auto-replies), an id that is the same for the same letter, RFC 8058 where it can be ended."""
    headers = {"Auto-Submitted": "auto-generated", "Message-ID": message_id("letter", letter.key)}
    if stop:
        headers |= {
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return headers


OUTBOX = Outbox("letter", Letter, message_of)


# --- leaving the list ----------------------------------------------------------------------------------


def token_of(user: User) -> str:
    """The signed token of the address that ends the reader's letters; it does nothing else."""
    return ways_out.token_of(SALT, user)


def user_of_token(token: str) -> User | None:
    """Whose token it is; None for one that we did not sign or whose user is gone."""
    return ways_out.user_of(SALT, token)


def unsubscribe(user: User) -> None:
    """No further letter; what is queued is not sent. Notices in the app go on. Safe to repeat."""
    user.wants_alerts = False
    user.save(update_fields=["wants_alerts"])
    Letter.objects.filter(user=user, state=Letter.State.QUEUED).delete()
