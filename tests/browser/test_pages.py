"""Every page, for every eye and hand: narrow, dark, Chinese, without a mouse, by a screen reader's rules."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.tour import STOPS, Stop

pytestmark = pytest.mark.browser

NARROW = {"width": 320, "height": 700}
DAY = "/feed/2026-01-30/"


def overhang_of(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def violations_on(page: Page) -> str:
    found = Axe().run(page)
    return found.generate_report() if found.violations_count else ""


@pytest.mark.parametrize("stop", STOPS, ids=str)
def test_a_page_has_no_accessibility_violation_in_either_light(visit: Visit, stop: Stop):
    page = stop.reached_by(visit, color_scheme="light")
    in_light = violations_on(page)
    page.emulate_media(color_scheme="dark")

    assert in_light == ""
    assert violations_on(page) == ""


@pytest.mark.parametrize("stop", STOPS, ids=str)
def test_a_page_fits_a_narrow_window(visit: Visit, stop: Stop):
    page = stop.reached_by(visit, viewport=NARROW)

    assert overhang_of(page) == 0


def test_dark_follows_the_system_and_can_be_chosen(visit: Visit):
    page = visit("researcher", DAY, color_scheme="dark")
    shade = "getComputedStyle(document.body).backgroundColor"
    in_the_dark = page.evaluate(shade)

    page.get_by_role("button", name="Light", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.evaluate(shade) != in_the_dark


def test_the_language_is_one_click_away(visit: Visit):
    page = visit("student", DAY)

    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_day_is_read_by_keyboard_alone(visit: Visit):
    page = visit("researcher", f"{DAY}?view=ranking")
    cards = page.locator("[data-paper]")

    page.keyboard.press("j")
    expect(cards.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(cards.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(cards.nth(0)).to_be_focused()

    page.keyboard.press("w")
    expect(cards.nth(0).locator("details.why")).to_have_attribute("open", "")
    page.keyboard.press("s")
    expect(cards.nth(0).get_by_role("button", name="Save")).to_have_attribute("aria-pressed", "true")
    expect(cards.nth(0)).to_be_focused()
    page.keyboard.press("s")
    expect(cards.nth(0).get_by_role("button", name="Save")).to_have_attribute("aria-pressed", "false")


def test_a_dismissed_paper_comes_back_by_undo(visit: Visit):
    page = visit("researcher", f"{DAY}?view=ranking")
    cards = page.locator("[data-paper]")
    title = cards.nth(0).locator("h3").inner_text()

    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(cards.nth(0)).to_contain_text("Dismissed: ")
    expect(cards.nth(1)).to_be_focused()
    page.keyboard.press("z")
    expect(cards.nth(0).locator("h3")).to_have_text(title)


def test_the_keys_can_be_switched_off(visit: Visit):
    page = visit("researcher", DAY)

    page.keyboard.press("?")
    page.get_by_role("button", name="Turn the keys off").click()
    expect(page.locator("html")).to_have_attribute("data-keys", "off")
    page.keyboard.press("j")
    expect(page.locator(".is-current")).to_have_count(0)


def test_without_javascript_the_day_can_still_be_read_and_marked(visit: Visit):
    page = visit("researcher", DAY, java_script_enabled=False)
    card = page.locator("[data-paper]").first
    save = card.get_by_role("button", name="Save")

    card.locator("details.abstract summary").click()
    expect(card.get_by_text("Sample text, not the authors' abstract")).to_be_visible()
    save.click()
    expect(save).to_have_attribute("aria-pressed", "true")
    save.click()
    expect(save).to_have_attribute("aria-pressed", "false")
