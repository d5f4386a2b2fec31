"""One demo and one Chromium for the whole suite; a fresh window for each visitor of each test.

After a test, each of its windows must have had nothing to complain about: no violation of the content
security policy, no script error, nothing that failed to load.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.stage import (
    Demo,
    let_a_bad_week_happen,
    opened,
    running_chromium,
    running_demo,
    sign_in,
)

type Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        let_a_bad_week_happen(running)
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def tickets() -> dict[str, Any]:
    """The cookies of whoever signed in already, by person."""
    return {}


@pytest.fixture
def visit(chromium: Browser, demo: Demo, tickets: dict[str, Any]) -> Iterator[Visit]:
    """`visit("student", "/budget/", viewport=…)`: a new window, signed in as that person, on that page.

    Without a person nobody is signed in.
    """
    windows: list[tuple[Page, list[str]]] = []

    def go(person: str | None = None, path: str = "/", **window: Any) -> Page:
        cookies = tickets.get(person) if person else None
        page, complaints = opened(
            chromium.new_context(**{"locale": "en-GB", "storage_state": cookies, **window})
        )
        windows.append((page, complaints))
        if person and not cookies:
            sign_in(page, demo, person)
            tickets[person] = page.context.storage_state()
        page.goto(demo.url + path)
        return page

    yield go
    complaints = [said for _page, heard in windows for said in heard]
    for page, _heard in windows:
        page.context.close()
    assert complaints == []
