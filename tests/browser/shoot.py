"""`python -m tests.browser.shoot FOLDER`: every page of the demo, light, dark, narrow and in Chinese.

Also writes the two pictures of the READMEs, `day.png` and `day.zh.png`, into FOLDER/readme.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.stage import (
    Demo,
    let_a_bad_week_happen,
    opened,
    running_chromium,
    running_demo,
    sign_in,
)
from tests.browser.tour import DAY, STOPS

WIDE = {"width": 1200, "height": 900}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE, "color_scheme": "light"},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 700}, "color_scheme": "light"},
    "chinese": {"viewport": WIDE, "color_scheme": "light", "locale": "zh-CN"},
}
MOST_PIXELS_HIGH = 2600


class Camera:
    """One window a person and look, signed in once."""

    def __init__(self, browser: Browser, demo: Demo, look: dict[str, Any]) -> None:
        self.browser, self.demo, self.look = browser, demo, look
        self.windows: dict[str | None, Page] = {}

    def visit(self, person: str | None, path: str) -> Page:
        page = self.windows.get(person) or self._enter(person)
        page.goto(self.demo.url + path)
        return page

    def _enter(self, person: str | None) -> Page:
        context = self.browser.new_context(**{"locale": "en-GB", **self.look})
        page, _complaints = opened(context)
        language = "zh-hans" if self.look.get("locale") == "zh-CN" else "en"
        if person is not None:
            sign_in(page, self.demo, person)
        else:
            page.goto(self.demo.url + "/account/login/")
        page.locator(f"button[name=language][value={language}]").click()
        self.windows[person] = page
        return page


def shoot_all(browser: Browser, demo: Demo, folder: Path) -> None:
    for name, look in LOOKS.items():
        camera = Camera(browser, demo, look)
        for stop in STOPS:
            page = stop.reached_by(camera.visit)
            target = folder / name / f"{stop.name}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            height = min(page.evaluate("document.documentElement.scrollHeight"), MOST_PIXELS_HIGH)
            width = page.evaluate("document.documentElement.scrollWidth")
            page.screenshot(
                path=target, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height}
            )
            print(target)


def shoot_readme(browser: Browser, demo: Demo, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    frame = {"viewport": {"width": 1120, "height": 760}, "color_scheme": "light"}
    Camera(browser, demo, frame).visit("student", DAY).screenshot(path=folder / "day.png")
    in_chinese = Camera(browser, demo, {**frame, "locale": "zh-CN"})
    in_chinese.visit("researcher", DAY).screenshot(path=folder / "day.zh.png")


def main(folder: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as home,
        running_demo(Path(home)) as demo,
        running_chromium() as browser,
    ):
        shoot_readme(browser, demo, folder / "readme")
        let_a_bad_week_happen(demo)
        shoot_all(browser, demo, folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.browser.shoot FOLDER")
    main(Path(sys.argv[1]))
