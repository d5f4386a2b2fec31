"""Somebody is asked into a team, makes an account from the link, and belongs to it: four pages, one address."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_pages import NARROW, overhang_of, violations_on
from tests.browser.tour import A_TEAM

pytestmark = pytest.mark.browser

NEWCOMER = "newcomer@demo.example"
PASSWORD = "correct horse battery"


def test_a_newcomer_follows_a_link_into_the_team(visit: Visit):
    admin = visit("admin", "/teams/")
    admin.goto(admin.locator(A_TEAM).first.evaluate("link => link.href"))
    admin.get_by_label("Mail address").fill(NEWCOMER)
    admin.get_by_role("button", name="Invite", exact=True).click()
    link = admin.get_by_label("Link of the invitation").input_value()
    assert violations_on(admin) == ""
    admin.reload()  # asked again, the browser sends the same form: the same invitation, no second one
    expect(admin.locator(".invitations tbody tr", has_text=NEWCOMER)).to_have_count(1)

    page = visit(None, viewport=NARROW)
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Demo lab")
    assert overhang_of(page) == 0
    assert violations_on(page) == ""
    page.get_by_role("button", name="Make an account").click()
    email = page.locator("input[name=email]")
    if not email.input_value():
        email.fill(NEWCOMER)
    for box in page.locator("input[type=password]").all():
        box.fill(PASSWORD)
    page.locator("main form button.is-primary").click()
    page.get_by_role("button", name="Join the team").click()

    expect(page.locator(".notice")).to_contain_text("Welcome to Demo lab")
    expect(page.locator("table.people")).to_contain_text("newcomer")
    assert overhang_of(page) == 0

    page.goto(link)  # used: the one who used it is led to the team
    expect(page.get_by_role("heading", level=1)).to_have_text("Demo lab")
    stranger = visit("student")
    stranger.goto(link)
    expect(stranger.get_by_role("alert")).to_contain_text("was used already")
    assert violations_on(stranger) == ""
