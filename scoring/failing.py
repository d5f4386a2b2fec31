"""VERB. A model's calls bring nothing, and its repeats are put off: who can act is told, once a day and model.

Found at each tick by the row that a claim has marked (`providers.retries`), never on the path of a claim.
"""

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from profiles import letters, notices
from profiles.models import Membership, User
from profiles.tidings import Params, Words

from .models import Provider
from .providers.retries import LEAST, WINDOW_SECONDS

# In settings.TIDINGS.
CODE = "provider.repeats"


def tell_due(now: dt.datetime) -> int:
    """Tell of each model of which a repeat was put off within the last ten minutes; how many. Safe to repeat and to race."""
    since = now - dt.timedelta(seconds=WINDOW_SECONDS)
    spent = Provider.objects.filter(retries_spent_at__gt=since, is_active=True, profile=None)
    return len([_tell(each, now) for each in spent.select_related("team").order_by("pk")])


@transaction.atomic
def _tell(provider: Provider, now: dt.datetime) -> None:
    key, params = f"repeats:{provider.pk}:{now:%Y-%m-%d}", {"provider": provider.pk}
    if provider.team is not None:
        steering = Membership.objects.steering().filter(team=provider.team).select_related("user")
        notices.tell([each.user for each in steering], key, CODE, params, now=now)
        return
    notices.tell(list(User.objects.filter(is_staff=True, is_active=True)), key, CODE, params, now=now)
    for number, address in enumerate(settings.ADMINS):
        letters.owe(f"{key}:operator:{number}", CODE, params, address=address, now=now)


def words_of_repeats(rows: Sequence[Params]) -> list[Words | None]:
    """What is told of a model whose repeats are put off (`settings.TIDINGS`); None for one that is gone."""
    found = Provider.objects.select_related("team").in_bulk([row["provider"] for row in rows])
    return [_words(found.get(row["provider"])) for row in rows]


def _words(provider: Provider | None) -> Words | None:
    if provider is None:
        return None
    if provider.team is not None:
        path, action = reverse("team_providers", args=[provider.team.slug]), _("The team's models")
        why = _("You get this because you steer %(team)s.") % {"team": provider.team.name}
    else:
        path, action = reverse("operator_providers"), _("Models for all teams")
        why = _("You get this because you run this instance.")
    return Words(
        _("%(name)s: repeated calls are put off") % {"name": provider.name},
        [
            _(
                "Too many calls to it brought nothing. Within ten minutes at most %(least)s calls and %(percent)s "
                "%% of the first ones are repeated; the rest waits and costs nothing."
            )
            % {"least": LEAST, "percent": settings.RETRY_PERCENT},
            _(
                "No paper is lost: they are read when it answers again, and are ranked by local estimates until then."
            ),
        ],
        path=path,
        action=action,
        why=why,
        is_urgent=True,
    )
