"""A month of a team of three: invite, edit fields, hit the limit, ask, grant, chart, CSV, audit."""

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.stage import PATIENCE_MS, REPO, Demo, opened, running_demo, sign_in
from tests.browser.test_roles import count_of
from tests.browser.tour import A_TEAM

pytestmark = pytest.mark.browser

DAY = "/feed/2026-01-30/"
THIRD = "third@demo.example"
PASSWORD = "correct horse battery"


@pytest.fixture
def month(tmp_path) -> Iterator[Demo]:
    """A demo of its own, whose team has spent something on each of the twenty-nine days before."""
    with running_demo(tmp_path) as demo:
        subprocess.run(
            [sys.executable, "-m", "tests.browser.past_days", "29"],
            cwd=REPO,
            env=demo.surroundings,
            check=True,
            timeout=120,
        )
        yield demo


def window(chromium: Browser, demo: Demo, role: str | None) -> tuple[Page, list[str]]:
    page, complaints = opened(chromium.new_context(locale="en-GB"))
    if role is not None:
        sign_in(page, demo, role)
    return page, complaints


def team_page(page: Page, demo: Demo) -> str:
    page.goto(f"{demo.url}/teams/")
    return page.locator(A_TEAM).first.evaluate("link => link.href")


def invite(admin: Page, team: str) -> str:
    admin.goto(team)
    admin.get_by_label("Mail address").fill(THIRD)
    admin.get_by_role("button", name="Invite", exact=True).click()
    return admin.get_by_label("Link of the invitation").input_value()


def come_in(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name="Make an account").click()
    email = page.locator("input[name=email]")
    if not email.input_value():
        email.fill(THIRD)
    for box in page.locator("input[type=password]").all():
        box.fill(PASSWORD)
    page.locator("main form button.is-primary").click()
    page.get_by_role("button", name="Join the team").click()
    expect(page.locator(".notice")).to_contain_text("Welcome to Demo lab")


def edit_a_field(student: Page, demo: Demo) -> None:
    student.goto(f"{demo.url}/profiles/")
    student.locator("main a[href^='/profiles/']", has_text=re.compile("edit", re.I)).first.click()
    student.locator("input[name=interest_weight]").first.fill("0.9")
    student.locator("main form button.is-primary").first.click()
    expect(student.locator(".notice").first).to_be_visible()


def test_a_month_of_a_team_of_three(chromium: Browser, month: Demo):
    admin, said_to_admin = window(chromium, month, "admin")
    student, said_to_student = window(chromium, month, "student")
    third, said_to_third = window(chromium, month, None)
    team = team_page(admin, month)

    # Invite.
    come_in(third, invite(admin, team))
    # Edit fields.
    edit_a_field(student, month)
    # Hit the limit.
    student.goto(month.url + DAY)
    owed = count_of(student, "announced") - count_of(student, "withdrawn")
    assert 0 < count_of(student, "read by the model") < owed
    # Ask, twice: it is one request.
    student.get_by_role("button", name=re.compile("^Ask for")).click()
    student.goto(month.url + DAY)
    expect(student.get_by_role("button", name=re.compile("^Ask for"))).to_have_count(0)
    # Grant, and what waited is read at once.
    admin.goto(f"{team}quotas/")
    admin.get_by_role("button", name=re.compile("^Grant")).first.click()
    expect(admin.locator(".notice").first).to_be_visible()
    student.goto(month.url + DAY)
    expect(student.get_by_text("The day is read.")).to_be_visible(timeout=PATIENCE_MS)
    student.goto(month.url + DAY)
    assert count_of(student, "read by the model") == owed

    # The chart, with a table beside it, of thirty days.
    admin.goto(f"{team}spending/")
    expect(admin.locator("main svg").first).to_be_visible()
    admin.get_by_text("The same as a table").click()
    expect(admin.locator("details[open] tbody tr")).to_have_count(30)
    # CSV.
    with admin.expect_download() as download:
        admin.get_by_role("link", name="CSV file").click()
    rows = list(csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert any("Student" in row for row in rows)
    # Audit.
    admin.goto(f"{team}audit/")
    trail = admin.locator("main").inner_text()
    for word in ("invited", "asked", "granted"):
        assert re.search(word, trail, re.I), word
    # A member sees none of it.
    third.goto(f"{team}audit/")
    expect(third.locator("h1")).not_to_contain_text("Audit")

    assert said_to_admin + said_to_student == []
    assert [said for said in said_to_third if "403" not in said] == []
