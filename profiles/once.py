"""VERB. A form that is sent twice has one effect: a double click, a replay, a page that is loaded again.

Most of our forms say what should be ("this limit", "paused"), and are safe by themselves. Those that make
something new each time carry a random key, in a hidden field; whoever inserts its row has the effect.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from .models import SentForm, User

# A page is not kept open longer, nor sent again after that.
KEPT = dt.timedelta(days=30)


@dataclass(frozen=True)
class Done:
    """What came of the form: `outcome` is what its effect returned, the first time."""

    outcome: str
    is_repeat: bool


@transaction.atomic
def once(user: User, key: uuid.UUID | None, effect: Callable[[], str]) -> Done:
    """Do it, or say what came of it when it was done. Without a key it is done each time.

    Claim and effect are one transaction: a second one waits for the first, and takes over if that fails.
    What the effect raises is raised here, and then the form may be sent again.
    """
    if key is None:
        return Done(effect(), is_repeat=False)
    SentForm.objects.filter(user=user, sent_at__lt=timezone.now() - KEPT).delete()
    row, is_mine = SentForm.objects.get_or_create(user=user, key=key)
    if is_mine:
        row.outcome = effect()
        row.save(update_fields=["outcome"])
    return Done(row.outcome, is_repeat=not is_mine)


def key_of(typed: str) -> uuid.UUID | None:
    """The key out of a hidden field; None for what is none, and then nothing is remembered."""
    try:
        return uuid.UUID(typed)
    except ValueError:
        return None
