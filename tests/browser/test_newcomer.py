"""Coming in: from sign-up to a first feed, with an app for codes, with a passkey; as a person does it."""

import base64
import hashlib
import hmac
import re
import struct
import time
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.conftest import Visit
from tests.browser.stage import Demo

pytestmark = pytest.mark.browser

PASSWORD = "a quiet morning, with tea"


def pages_seen_in(page: Page) -> list[str]:
    """Every whole page that a person is shown, by its path, as it comes."""
    seen: list[str] = []

    def note(response: Response) -> None:
        if response.request.is_navigation_request() and response.status == 200:
            seen.append(response.url.split("://", 1)[1].partition("/")[2])

    page.on("response", note)
    return seen


def sign_up(page: Page, demo: Demo, mail: str) -> None:
    page.goto(f"{at_a_name(demo)}/account/signup/")
    page.locator("input[name=email]").fill(mail)
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("input[name=password2]").fill(PASSWORD)
    page.get_by_role("button", name="Create my account").click()
    page.wait_for_url("**/profiles/new/")


def at_a_name(demo: Demo) -> str:
    """Browsers keep passkeys for names only."""
    return demo.url.replace("127.0.0.1", "localhost")


def confirm_who_is_there(page: Page) -> None:
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def test_a_newcomer_reads_their_first_feed_after_at_most_five_pages(
    visit: Visit, demo: Demo, record_property: Any
):
    page = visit(None, "/account/login/")
    seen = pages_seen_in(page)
    began = time.monotonic()

    sign_up(page, demo, "newcomer@example.org")
    page.locator("input[name=name]").first.fill("Mornings")
    page.locator("#interest-name-1").fill("Diffusion models")
    page.locator("#interest-description-1").fill(
        "image and video generation by diffusion, sampling, guidance"
    )
    archive = "details:not([open]):has(input[name=categories][value='cs.CV'])"
    while page.locator(archive).count():
        page.locator(f"{archive} > summary").first.click()
    page.locator("input[name=categories][value='cs.CV']").check()
    page.locator("main button.is-primary").last.click()
    page.locator("main button.is-primary").last.click()
    expect(page.locator("[data-paper]").first).to_be_visible(timeout=90_000)

    seconds = time.monotonic() - began
    record_property("seconds", round(seconds, 1))
    record_property("pages", seen)
    print(f"From sign-up to a first feed: {len(seen)} pages, {seconds:.1f} s: {seen}")
    assert len(seen) <= 5, seen


def digits_of(secret: str) -> str:
    """RFC 6238, as an app on a phone has it."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    number = struct.unpack(">I", digest[digest[-1] & 15 :][:4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def test_an_app_for_codes_is_set_up_and_asked_for(visit: Visit, demo: Demo):
    page = visit(None, "/account/login/")
    sign_up(page, demo, "coder@example.org")

    page.goto(f"{at_a_name(demo)}/account/2fa/")
    page.get_by_role("link", name=re.compile("^Set up")).click()
    confirm_who_is_there(page)
    page.get_by_text("I cannot scan it").click()
    secret = page.locator("[data-totp-secret]").inner_text()
    page.locator("input[name=code]").fill(digits_of(secret))
    page.get_by_role("button", name="Switch on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    code = page.locator(".codes li").first.inner_text()

    page.goto(f"{at_a_name(demo)}/account/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.goto(f"{at_a_name(demo)}/account/login/")
    page.locator("input[name=login]").fill("coder@example.org")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.locator("input[name=code]").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("details.who")).to_be_visible()


def with_a_finger(page: Page) -> None:
    """Chromium's own authenticator, that touches itself."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_a_passkey_is_added_and_lets_in_without_a_password(visit: Visit, demo: Demo):
    page = visit(None, "/account/login/")
    with_a_finger(page)
    sign_up(page, demo, "finger@example.org")

    page.goto(f"{at_a_name(demo)}/account/2fa/")
    page.get_by_role("link", name="Add a passkey").click()
    confirm_who_is_there(page)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator(".codes li")).to_have_count(10)

    page.goto(f"{at_a_name(demo)}/account/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.goto(f"{at_a_name(demo)}/account/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("details.who")).to_be_visible()
    page.goto(f"{at_a_name(demo)}/account/2fa/webauthn/")
    expect(page.get_by_role("rowheader", name="Passkey 1")).to_be_visible()
