"""VERB. The mail of a reader's day: once per reader and day, in the reader's morning.

Days that were opened late, for arXiv was out of reach, come in the mail of the newest day, below it.
A row for each is queued, and sent at most once (`profiles.outbox`).
"""

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from papers import calendar
from profiles import ways_out
from profiles.models import User
from profiles.outbox import Outbox, host, since_words
from scoring import feed, providers
from scoring.models import Candidate, Edition, OutboxMail
from scoring.tally import Tally

PICKS_A_PROFILE = 15
MORNING_HOURS = 4  # how long after the reader's hour a mail still counts as the morning's
LATEST_DAYS = 4  # an older day is no news: a weekend and a holiday fit in
OLDEST_LATE_DAYS = 10  # … but for one that nobody could have had: an outage and a weekend fit in
SALT = "digest.unsubscribe"


def send_due(now: dt.datetime) -> int:
    """Queue, claim and send what is due; how many mails were certainly sent. Safe to repeat and to race."""
    OUTBOX.give_up_abandoned(now)
    queue_due(now)
    return OUTBOX.send_due(now)


def queue_due(now: dt.datetime) -> None:
    """One row for each reader whose morning it is and whose newest day is ready and has something to say."""
    for user in User.objects.filter(wants_digest=True, is_active=True).order_by("pk"):
        if is_morning(user, now):
            day = ready_day(user, now)
            if day is not None:
                _queue(user, day, now)


@transaction.atomic
def _queue(user: User, day: dt.date, now: dt.datetime) -> None:
    """Under the reader's lock: one who is forgotten meanwhile gets no row."""
    if User.objects.select_for_update(no_key=True).filter(pk=user.pk).exists():
        OutboxMail.objects.get_or_create(user=user, day=day, defaults={"not_before": now, "queued_at": now})


def is_morning(user: User, now: dt.datetime) -> bool:
    """Whether it is the reader's hour, or shortly after, where the reader lives."""
    hour = now.astimezone(user.zone).hour
    return user.digest_hour <= hour < user.digest_hour + MORNING_HOURS


def ready_day(user: User, now: dt.datetime) -> dt.date | None:
    """The newest day of the reader whose editions are all closed, or wait for a person: None for no news."""
    newest = Edition.objects.visible_to(user).order_by("-day").first()
    if newest is None or newest.day < (now - dt.timedelta(days=LATEST_DAYS)).date():
        return None
    days = [newest.day, *late_days(user, newest.day)]
    editions = Edition.objects.visible_to(user).filter(day__in=days)
    is_ready = all(_is_said(edition) for edition in editions.select_related("profile"))
    return newest.day if is_ready and any(page for day in days for page in pages_of(user, day)) else None


def late_days(user: User, day: dt.date) -> list[dt.date]:
    """The earlier days, oldest first, that were opened late and after the reader's last mail: they come with `day`'s.

    The same however often it is asked, for it looks only at the mails of earlier days.
    """
    late = Edition.objects.visible_to(user).opened_late().filter(day__lt=day)
    late = late.filter(day__gte=day - dt.timedelta(days=OLDEST_LATE_DAYS))
    earlier = OutboxMail.objects.filter(user=user, day__lt=day)
    if last := earlier.order_by("-queued_at").values_list("queued_at", flat=True).first():
        late = late.filter(opened_at__gt=last)
    told = earlier.values("day")
    return sorted(set(late.exclude(day__in=told).values_list("day", flat=True)))


def _is_said(edition: Edition) -> bool:
    """Whether a reader's morning need not wait for it: closed, or stopped by a budget, or its model is stopped."""
    if edition.state == Edition.State.CLOSED or edition.blocked_by:
        return True
    if edition.state != Edition.State.SCREENED:
        return False
    if Candidate.objects.filter(edition=edition, state=Candidate.State.CLAIMED).exists():
        return False
    return providers.provider_of(edition.profile).paused_at is not None


def pages_of(user: User, day: dt.date) -> Iterator[feed.DayPage]:
    """The pages of the reader's profiles of that day that have a paper to show."""
    for edition in feed.of(user).on(day).editions:
        chosen = feed.of(user).in_profile(str(edition.profile.public_id)).on(day)
        page = chosen.for_page(feed.Filters(is_ranking=True))
        if page.recommended:
            yield page


def send_one(pk: int, now: dt.datetime) -> bool:
    """Send the mail of one outbox row, if this caller wins it. Slow: no transaction may be open here."""
    return OUTBOX.send_one(pk, now)


def assume_sent(since: dt.datetime, now: dt.datetime) -> int:
    """After a restore of what was kept at `since`: write off every mail that may have left since; how many.

    The rows that would say so are lost. Who has had a morning since gets no digest of those days, rather than
    a second one. Safe to repeat.
    """
    problem = since_words(since)
    count = OUTBOX.write_off(problem, now)
    first, last = (since - dt.timedelta(days=LATEST_DAYS)).date(), calendar.newest_day(now)
    days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    for user in User.objects.filter(wants_digest=True, is_active=True).order_by("pk"):
        if had_a_morning(user, since, now):
            known = set(OutboxMail.objects.filter(user=user, day__in=days).values_list("day", flat=True))
            missing = [day for day in days if day not in known and calendar.is_announcement_day(day)]
            OutboxMail.objects.bulk_create(
                OutboxMail(
                    user=user,
                    day=day,
                    state=OutboxMail.State.UNKNOWN,
                    queued_at=now,
                    ended_at=now,
                    problem=problem,
                )
                for day in missing
            )
            count += len(missing)
    return count


def had_a_morning(user: User, since: dt.datetime, now: dt.datetime) -> bool:
    """Whether any instant between the two was the reader's morning."""
    date = since.astimezone(user.zone).date() - dt.timedelta(days=1)
    while True:
        begins = dt.datetime.combine(date, dt.time(user.digest_hour), user.zone)
        if begins > now:
            return False
        if begins + dt.timedelta(hours=MORNING_HOURS) > since:
            return True
        date += dt.timedelta(days=1)


# --- the message ---------------------------------------------------------------------------------------


def message_of(user: User, day: dt.date, batch: int = 1) -> EmailMultiAlternatives:
    """The mail in the reader's language: text first, the same as HTML, with one-click unsubscription."""
    with translation.override(user.language), timezone.override(user.zone):
        days = [day, *late_days(user, day)]
        pages = [page for each in days for page in pages_of(user, each)]
        shown = [
            {"page": page, "tally": Tally(page.edition), "entries": page.entries[:PICKS_A_PROFILE]}
            for page in pages
        ]
        stop = settings.PORTAL_URL + reverse("digest_off", args=[token_of(user)])
        context = {"user": user, "day": day, "pages": shown, "portal": settings.PORTAL_URL, "stop": stop}
        count = sum(len(page.entries[:PICKS_A_PROFILE]) for page in pages)
        late = {page.edition.day for page in pages if page.edition.late_until}
        subject = _subject(day, count, len(late))
        message = EmailMultiAlternatives(
            subject,
            render_to_string("emails/digest.txt", context),
            settings.DEFAULT_FROM_EMAIL,
            [user.email],
            headers=headers_of(user, day, batch, stop),
        )
        message.attach_alternative(render_to_string("emails/digest.html", context), "text/html")
    return message


def _subject(day: dt.date, count: int, late: int) -> str:
    """`late` days in it were opened late, the day itself among them where it was."""
    words = {"day": date_format(day), "count": count, "late": late}
    if not late:
        return _("Broadsheet, %(day)s: %(count)d papers for you") % words
    return (
        ngettext(
            "Broadsheet, %(day)s: %(count)d papers for you, %(late)d day late",
            "Broadsheet, %(day)s: %(count)d papers for you, %(late)d days late",
            late,
        )
        % words
    )


def headers_of(user: User, day: dt.date, batch: int, stop: str) -> dict[str, str]:
    """RFC 8058 (one-click), RFC 3834 (no auto-replies), and an id that is the same for the same digest."""
    return {
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "Message-ID": f"<digest.{day.isoformat()}.{batch}.{user.public_id}@{host()}>",
    }


OUTBOX = Outbox("digest", OutboxMail, lambda mail: message_of(mail.user, mail.day, mail.batch))


# --- leaving the list ----------------------------------------------------------------------------------


def token_of(user: User) -> str:
    """The signed token of the address that ends the reader's digest; it does nothing else."""
    return ways_out.token_of(SALT, user)


def user_of_token(token: str) -> User | None:
    """Whose token it is; None for one that we did not sign or whose user is gone."""
    return ways_out.user_of(SALT, token)


def unsubscribe(user: User) -> None:
    """No further digest; what is queued is not sent. Safe to repeat."""
    user.wants_digest = False
    user.save(update_fields=["wants_digest"])
    OutboxMail.objects.filter(user=user, state=OutboxMail.State.QUEUED).delete()
