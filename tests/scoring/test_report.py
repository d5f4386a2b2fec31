"""The report of an edition: what is loaded into it, by command and at the day's address."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from profiles import marks
from profiles.models import Mark
from scoring import report
from scoring.models import Candidate, Edition
from scoring.packed import Code
from tests import factories
from tests.factories import DAY
from tests.scoring import reference_report

pytestmark = pytest.mark.django_db


def a_read_day():
    alice = factories.user("alice@example.org", time_zone="Asia/Shanghai")
    profile = factories.profile(alice, interests=("graphs", "agents"), reason_language="zh-Hans")
    edition = factories.edition(profile)
    judge = factories.provider("http://127.0.0.1:1/v1")
    factories.judged(edition, factories.paper("2601.00001", title="First: A Title"), [90, 20], by=judge)
    factories.judged(edition, factories.paper("2601.00002"), [0, 70], by=judge)
    factories.judged(edition, factories.paper("2601.00003"), [10, 20], by=judge)
    factories.listed(edition, factories.paper("2601.00004"), Code.SCREENED)
    factories.waiting(edition, factories.paper("2601.00005"), Candidate.Waits.BUDGET)
    return alice, profile, edition


def test_the_report_of_a_day_reads_back_and_adds_up():
    _, profile, _ = a_read_day()

    text = report.markdown(profile, DAY, "Asia/Shanghai", "zh-Hans")

    back = reference_report.read(text)
    assert [(e.section, e.score, e.title) for e in back.entries] == [
        ("Graphs", 9.0, "First: A Title"),
        ("Agents", 7.0, back.entries[1].title),
    ]
    assert "> 公布 5 = 已读 3 + 本地筛除 1 + 等待预算 1；推荐 2 篇\n" in text
    assert "> 使用模型：simulated（模拟） | 消耗 Tokens：864\n" in text


def test_what_a_reader_marks_changes_no_byte_of_the_report():
    alice, profile, edition = a_read_day()
    before = report.markdown(profile, DAY, "UTC", "en")
    marks.set_mark(alice, edition.candidates.first().paper, Mark.Kind.DISMISSED)

    assert report.markdown(profile, DAY, "UTC", "en") == before


def test_a_day_without_an_edition_says_that_nothing_was_announced():
    profile = factories.profile(factories.user())

    assert "arXiv announced no new papers" in report.markdown(profile, DAY, "UTC", "en")


def test_only_estimates_are_called_estimates():
    profile = factories.profile(factories.user())
    edition = factories.edition(profile)
    factories.judged(edition, factories.paper(), [80, 0], by=factories.provider())

    text = report.markdown(profile, DAY, "UTC", "en")

    assert "> 1 papers were estimated locally.\n" in text
    assert "(local estimate)" in text
    assert "estimated only 1; recommended 1" in text


@pytest.mark.parametrize("form", ["md", "json", "csv", "bib", "ris"])
def test_the_command_and_the_address_give_the_same_bytes(client, form):
    alice, profile, _ = a_read_day()
    out = io.StringIO()
    client.force_login(alice)

    call_command("report", profile=str(profile.public_id), day="2026-01-30", form=form, stdout=out)
    response = client.get(f"/feed/2026-01-30/report.{form}")

    assert response.content.decode() == out.getvalue()
    assert response["Content-Disposition"] == f'attachment; filename="broadsheet-2026-01-30.{form}"'


def test_json_has_the_sub_scores_and_tokens():
    _, profile, _ = a_read_day()

    data = json.loads(report.as_json(profile, DAY, "UTC", "en"))

    first = data["entries"][0]
    assert [(s["interest"], s["score"]) for s in first["scores"]] == [("Graphs", 90), ("Agents", 20)]
    assert first["tokens"] == 288
    assert first["simulated"]
    assert data["account"]["announced"] == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "nobody's"}, "there is no profile"),
        ({"day": "30.1.2026"}, "write it like 2026-01-30"),
        ({"zone": "Mars/Base"}, "is no time zone"),
        ({"user": "charlie@example.org"}, "nobody here"),
    ],
)
def test_a_wrong_option_says_what_to_do(options, message):
    _, profile, _ = a_read_day()

    with pytest.raises(CommandError, match=message):
        call_command("report", **{"profile": profile.name, "day": "2026-01-30", **options})


def test_a_name_that_two_share_asks_for_the_owner():
    factories.profile(factories.user("bob@example.org"), name="Daily")
    factories.profile(factories.user(), name="Daily")

    with pytest.raises(CommandError, match="add --user"):
        call_command("report", profile="Daily", day="2026-01-30")
    call_command("report", profile="Daily", day="2026-01-30", user="bob@example.org", stdout=io.StringIO())


def test_an_open_day_is_marked_as_still_reading():
    profile = factories.profile(factories.user())
    edition = factories.edition(profile, state=Edition.State.SCREENED)
    factories.judged(edition, factories.paper(), [90, 0])

    assert "(still reading)" in report.markdown(profile, DAY, "UTC", "en")


def test_citations_are_what_zotero_imports():
    _, profile, _ = a_read_day()

    bib = report.written(profile, DAY, "UTC", "en", "bib")
    ris = report.written(profile, DAY, "UTC", "en", "ris")

    assert "@misc{lovelace" in bib
    assert "archiveprefix = {arXiv}" in bib
    assert ris.count("TY  - PREP") == 2
    assert "AU  - Lovelace, Ada\r\n" in ris
