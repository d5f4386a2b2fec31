"""A surge's surplus is in the account, costs nothing, and is read when an operator says so."""

import datetime as dt
import json
import uuid

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from papers import calendar, surging
from papers.models import Announcement, Paper, Surge
from papers.owed import alarms
from portal.auditing import audit_house
from profiles.models import AuditEvent
from scoring import editions, harvesting, parking, tick
from scoring.accounts import account, audit
from scoring.models import Candidate, Edition
from scoring.packed import Code, with_codes
from tests import factories

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 2, 20)
USUAL = 40
MOST = 3 * USUAL
NOW = dt.datetime(2026, 2, 20, 17, tzinfo=dt.UTC)


def announced(count: int, day: dt.date = DAY, category: str = "cs.LG") -> None:
    made = factories.announced_papers(count, day, category)
    Announcement.objects.filter(paper__in=made).update(stored_at=NOW)


@pytest.fixture
def reader():
    day = DAY
    for _ in range(5):
        day = calendar.previous_announcement_day(day)
        papers = Paper.objects.bulk_create(
            Paper(arxiv_id=f"2512.{day:%d}{number:03}", title="A title", primary_category="cs.LG")
            for number in range(USUAL)
        )
        Announcement.objects.bulk_create(
            Announcement(paper=paper, category="cs.LG", day=day, kind="new", source="rss") for paper in papers
        )
    return factories.profile(factories.user())


def opened(reader) -> Edition:
    edition = editions.open_edition(reader, DAY)
    editions.screen(edition, NOW)
    edition.refresh_from_db()
    return edition


def test_the_surplus_is_counted_and_nothing_is_spent_on_it(reader):
    announced(MOST + 5)
    surging.park_surplus("cs.LG", {DAY})

    edition = opened(reader)

    whole = account(edition)
    assert (whole.announced, whole.parked, whole.lost) == (MOST + 5, 5, 0)
    parked = Announcement.objects.filter(is_parked=True).values("paper")
    assert not Candidate.objects.filter(paper__in=parked).exists()
    assert audit() == []


def test_what_is_released_comes_as_a_numbered_batch(reader):
    announced(MOST + 5)
    surging.park_surplus("cs.LG", {DAY})
    edition = opened(reader)
    batch = edition.batch

    assert parking.release(DAY, "cs.LG", None) == 5
    now = timezone.now()
    assert tick.take_released_in(now) == 5
    assert tick.take_released_in(now) == 0

    edition.refresh_from_db()
    whole = account(edition)
    assert (whole.announced, whole.parked, whole.lost) == (MOST + 5, 0, 0)
    assert (edition.batch, whole.waiting_late) == (batch + 1, 5)
    assert audit() == []


def test_a_day_that_was_opened_before_its_surge_showed_lets_the_unread_go(reader):
    announced(MOST)
    edition = opened(reader)
    announced(20)
    surging.park_surplus("cs.LG", {DAY})
    Announcement.objects.on(DAY).update(is_parked=True)

    editions.reopen(edition, NOW)

    assert account(edition).parked == MOST + 20
    assert not Candidate.objects.filter(edition=edition).exists()
    assert audit() == []


def test_what_another_category_names_is_not_parked(reader):
    announced(MOST + 5)
    surging.park_surplus("cs.LG", {DAY})
    reader.categories = ["cs.LG", "stat.ML"]
    reader.save()
    row = Announcement.objects.filter(is_parked=True).first()
    factories.announce(row.paper, DAY, category="stat.ML")

    edition = opened(reader)

    assert account(edition).parked == 4


def test_a_withdrawn_paper_of_the_surplus_is_withdrawn(reader):
    announced(MOST + 5)
    surging.park_surplus("cs.LG", {DAY})
    edition = opened(reader)
    row = Announcement.objects.filter(is_parked=True).first()
    Paper.objects.filter(pk=row.paper_id).update(is_withdrawn=True)

    editions.reopen(edition, NOW)

    assert (account(edition).parked, account(edition).withdrawn) == (4, 1)


def test_the_operator_is_told_once_and_decides(reader, settings, capsys):
    settings.ADMINS = ["operator@example.org"]
    announced(MOST + 5)
    surging.park_surplus("cs.LG", {DAY})
    opened(reader)

    assert harvesting.alarm_due(NOW) == 1
    assert harvesting.alarm_due(NOW + dt.timedelta(hours=1)) == 0
    (told,) = mail.outbox
    assert "far more papers than usual" in told.subject
    assert "125 papers in cs.LG on 2026-02-20; usual are 40. 5 of them" in told.body

    call_command("parked", "--release", "2026-02-20", "cs.LG", "--json")
    assert json.loads(capsys.readouterr().out) == {"papers": 5, "taken_in": 5}
    assert [alarm.code for alarm in alarms(["cs.LG"], NOW)] == []
    event = AuditEvent.objects.get()
    assert (event.code, event.after["count"]) == ("surge.released", 5)
    call_command("parked", "--json")
    (row,) = json.loads(capsys.readouterr().out)["surges"]
    assert (row["state"], row["found"], row["parked"]) == ("released", 125, 0)


def test_what_is_left_parked_is_asked_no_more(reader, capsys):
    announced(MOST + 5)
    surging.park_surplus("cs.LG", {DAY})

    call_command("parked", "--keep", "2026-02-20", "cs.LG")
    call_command("parked")

    assert "5 papers stay parked." in capsys.readouterr().out
    assert Surge.objects.get().state == "kept"
    assert "surge" not in [alarm.code for alarm in alarms(["cs.LG"], NOW)]


def test_there_is_nothing_to_release_where_nothing_is_parked(capsys):
    with pytest.raises(CommandError, match=r"Nothing is parked in cs\.LG on 2026-02-20"):
        call_command("parked", "--release", "2026-02-20", "cs.LG")
    with pytest.raises(CommandError, match="no date"):
        call_command("parked", "--keep", "yesterday", "cs.LG")
    call_command("parked")
    assert "No day had far more papers" in capsys.readouterr().out


# --- the audit compares list, account and announcements ---------------------------------------------


def broken(invariant: str) -> dict[str, object]:
    found = [violation for violation in audit_house() if violation.invariant == invariant]
    assert len(found) == 1, [str(each) for each in audit_house()]
    return found[0].detail


def a_parked_day(reader) -> tuple[Edition, list[str]]:
    """An opened day of which five papers are parked, and their ids; the audit finds nothing."""
    announced(MOST + 5)
    surging.park_surplus("cs.LG", {DAY})
    edition = opened(reader)
    assert audit_house() == []
    parked = Announcement.objects.filter(is_parked=True).order_by("paper__arxiv_id")
    return edition, list(parked.values_list("paper__arxiv_id", flat=True))


def test_the_audit_names_papers_that_a_day_keeps_from_its_reader_for_nothing(reader):
    edition, parked = a_parked_day(reader)

    Announcement.objects.filter(paper__arxiv_id__in=parked[:2]).update(is_parked=False)

    detail = broken("what a day calls parked is parked by its announcements")
    assert detail == {"papers": parked[:2], "count": 2}
    editions.reopen(edition, NOW)
    assert audit_house() == []


def test_the_audit_names_parked_papers_that_a_model_would_be_given(reader):
    edition, _ = a_parked_day(reader)
    waiting = Candidate.objects.filter(edition=edition).waiting().order_by("paper__arxiv_id").first()

    Announcement.objects.filter(paper=waiting.paper_id).update(is_parked=True)

    detail = broken("what is parked is not given to a model")
    assert detail == {"papers": [waiting.paper.arxiv_id], "count": 1}
    editions.reopen(edition, NOW)
    assert audit_house() == []


def test_what_a_model_has_read_may_be_parked_afterwards(reader):
    edition, _ = a_parked_day(reader)
    read = Candidate.objects.filter(edition=edition).first().paper
    Edition.objects.update(packed=with_codes(edition.packed, {read.pk: Code.IN_WORK}))
    claim = {"claim_token": uuid.uuid4(), "lease_until": NOW}
    Candidate.objects.filter(paper=read).update(state=Candidate.State.CLAIMED, **claim)

    Announcement.objects.filter(paper=read).update(is_parked=True)

    assert not [each for each in audit_house() if "parked" in each.invariant]


def test_the_audit_compares_what_a_closed_account_says(reader):
    edition, _ = a_parked_day(reader)
    for_nothing = {**edition.account, "parked": 4}

    Edition.objects.update(account=for_nothing, state=Edition.State.CLOSED)

    assert broken("a closed account counts what is parked") == {"account": 4, "listed": 5}


@pytest.mark.parametrize("how", ["released", "unknown"])
def test_the_audit_names_what_is_parked_and_nobody_can_release(reader, how):
    a_parked_day(reader)

    if how == "released":
        Surge.objects.update(state=Surge.State.RELEASED)
    else:
        Surge.objects.all().delete()

    assert broken("what is parked waits for a decision") == {"parked": 5}


def test_the_command_names_them_and_fails(reader, capsys):
    _, parked = a_parked_day(reader)
    Announcement.objects.filter(paper__arxiv_id=parked[0]).update(is_parked=False)

    with pytest.raises(SystemExit, match="1"):
        call_command("audit")

    said = "".join(capsys.readouterr())
    assert "what a day calls parked is parked by its announcements" in said
    assert parked[0] in said
