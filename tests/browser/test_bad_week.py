"""A week in which arXiv behaved badly, as its operator and a reader meet it: on pages, in the mail, in the log."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser import bad_week
from tests.browser.conftest import Visit
from tests.browser.stage import Demo
from tests.waiting import wait_until

pytestmark = pytest.mark.browser


def test_two_announcements_without_papers_are_told_on_the_page_by_readyz_by_mail_and_in_the_log(
    visit: Visit, demo: Demo
):
    page = visit("operator", "/operator/harvest/")
    expect(page.get_by_role("heading", name="Alarm: two announcements without papers")).to_be_visible()
    expect(page.locator(".notice.is-bad").first).to_contain_text("none of the followed categories has any")

    page.goto(demo.url + "/readyz")
    told = json.loads(page.locator("body").inner_text())
    assert told["ready"] is True  # no reason to take the portal away
    assert "no_papers" in told["checks"]["arxiv"]

    wait_until(lambda: demo.has_said("harvest_alarm", "no_papers"), "the alarm in the log")
    wait_until(
        lambda: demo.has_said(f"To: {bad_week.MAIL}", "Broadsheet: two announcements without papers"),
        "the alarm in the mail",
    )


def test_the_days_that_arxiv_kept_back_are_named(visit: Visit):
    page = visit("operator", "/operator/harvest/")
    kept = page.locator("[aria-labelledby=kept-back] li")

    expect(kept.filter(has_text="came late")).to_have_count(1)
    expect(kept.filter(has_text="kept back").first).to_contain_text("does not answer")


def test_a_reader_sees_that_the_day_came_late_what_is_parked_and_that_all_is_here(visit: Visit):
    page = visit("operator", "/")

    expect(page.get_by_text("Opened late: arXiv was unreachable until")).to_be_visible()
    expect(page.locator(".account li", has_text="parked")).to_be_visible()
    expect(page.locator(".by-arxiv")).to_contain_text("All of them are here.")
    page.locator(".by-arxiv a").click()
    rows = page.locator("table.by-arxiv tbody tr")
    expect(rows.filter(has_text=bad_week.CATEGORIES[0])).to_have_count(2)
