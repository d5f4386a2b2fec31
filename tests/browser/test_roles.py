"""The demo plays its three roles: the researcher, the student whose day stops, the admin who lets it go on."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.stage import PATIENCE_MS
from tests.browser.tour import STOPS

pytestmark = pytest.mark.browser

DAY = "/feed/2026-01-30/"
QUOTAS = next(stop for stop in STOPS if stop.name == "quotas")


def count_of(page: Page, word: str) -> int:
    """The number before a word of the day's account; 0 where the account does not name it."""
    term = page.locator(".account li", has_text=word).first
    if term.count() == 0:
        return 0
    return int(re.sub(r"\D", "", term.locator("b").inner_text()))


def values_of(page: Page) -> list[float]:
    return [float(text) for text in page.locator("[data-paper] .chip").all_inner_texts()]


def raise_quota_of_the_student(page: Page) -> None:
    row = page.locator("table.quotas tbody", has_text=re.compile("student", re.I))
    row.locator("input[name=tokens]").fill("1000000")
    row.get_by_role("button", name=re.compile("^Set")).click()


def test_the_researcher_sees_the_day_ranked_in_chinese_for_no_token(visit: Visit):
    page = visit("researcher", f"{DAY}?view=ranking")

    values = values_of(page)
    assert len(values) > 10
    assert values == sorted(values, reverse=True)
    assert count_of(page, "announced") == 173
    assert count_of(page, "lost") == 0
    expect(page.locator("[data-paper] .reason [lang='zh-Hans']").first).to_be_visible()
    expect(page.locator("[data-paper] .score small", has_text="estimate").first).to_be_visible()


def test_the_researchers_day_is_grouped_by_research_field(visit: Visit):
    page = visit("researcher", DAY)

    headings = page.locator(".section-head h2").all_inner_texts()
    fields = page.locator("#fields a").all_inner_texts()
    assert headings[0].startswith("深度学习理论")
    assert any("高效大模型训练与推理" in field for field in fields)


def test_a_sample_text_is_never_shown_as_the_authors(visit: Visit):
    page = visit("researcher", DAY)

    card = page.locator("[data-paper]").first
    card.locator("details.abstract summary").click()
    expect(card.get_by_text("Sample text, not the authors' abstract")).to_be_visible()


def test_the_students_day_stops_in_the_middle_and_the_admin_lets_it_go_on(visit: Visit):
    student = visit("student", DAY)

    owed = count_of(student, "announced") - count_of(student, "withdrawn")
    assert 0 < count_of(student, "read by the model") < owed
    assert count_of(student, "waiting") > 0
    expect(student.locator(".notice.is-warn").first).to_contain_text(re.compile("limit|budget|tokens", re.I))
    expect(student.locator("[data-paper] .score small", has_text="simulated").first).to_be_visible()

    admin = QUOTAS.reached_by(visit)
    raise_quota_of_the_student(admin)

    expect(student.get_by_text("The day is read.")).to_be_visible(timeout=PATIENCE_MS)
    student.get_by_role("link", name=re.compile("show( the day)?$")).click()
    expect(student.locator(".account li", has_text="waiting")).to_have_count(0)
    assert count_of(student, "read by the model") == owed
