"""Open a profile's day: its packed list, once."""

import datetime as dt

from django.db import IntegrityError, transaction

from papers import calendar, outages
from papers.models import Announcement
from papers.owed import in_force
from profiles.models import Profile
from scoring.accounts import account
from scoring.models import Edition
from scoring.packed import pack
from scoring.transactions import retried

from .listing import entries_for, owed_to
from .screening import screen


class NothingAnnounced(ValueError):
    """No announcement of that day is stored: it is a weekend, a holiday, or not harvested yet."""

    def __init__(self, day: dt.date) -> None:
        super().__init__(f"nothing of {day} is stored")
        self.day = day


@retried
def open_edition(profile: Profile, day: dt.date) -> Edition:
    """The profile's edition of that day, made with the list of all its papers if there is none.

    Safe to repeat and to race: one edition a day. What was announced since is taken in by `reopen`.
    Raises NothingAnnounced where no announcement of the day is stored in any category, and Profile.DoesNotExist
    for a profile that was deleted with its reader meanwhile.
    """
    known = Edition.objects.filter(profile=profile, day=day).first()
    if known is not None:
        return known
    if not Announcement.objects.on(day).exists():
        raise NothingAnnounced(day)
    try:
        with transaction.atomic():
            return _create(profile, day)
    except IntegrityError:
        return Edition.objects.get(profile=profile, day=day)


def open_newest(profile: Profile, now: dt.datetime) -> Edition | None:
    """Open and screen the newest day that has papers for the profile; None where none has.

    For a profile that was just saved: it does not wait for tomorrow. Safe to repeat. Raises Profile.DoesNotExist.
    """
    named = Announcement.objects.entering(in_force(profile.categories), cross_lists=profile.cross_lists)
    out = named.filter(day__lte=calendar.newest_day(now))
    day = out.order_by("-day").values_list("day", flat=True).first()
    if day is None:
        return None
    edition = open_edition(profile, day)
    screen(edition, now)
    return edition


def _create(profile: Profile, day: dt.date) -> Edition:
    Profile.objects.select_for_update(no_key=True).get(pk=profile.pk)
    edition = Edition.objects.create(
        profile=profile,
        day=day,
        categories=in_force(profile.categories),
        cross_lists=profile.cross_lists,
        target_recall=profile.target_recall,
        late_until=outages.unreachable_until(day, profile.categories),
    )
    edition.packed = pack(entries_for(edition, owed_to(edition)))
    edition.account = account(edition).as_dict()
    edition.save(update_fields=["packed", "account"])
    return edition
