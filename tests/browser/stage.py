"""The real demo in a process of its own, and Chromium to look at it with.

Nothing of the application is imported here. What the stage knows of the demo is what a person sees: the table
that it prints, and its pages.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import bad_week

REPO = Path(__file__).resolve().parent.parent.parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
LAUNCH = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 180
STOP_SECONDS = 30
# What a page may take on two busy cores.
PATIENCE_MS = 30_000

# Told by the browser itself, also for what the console would only warn about.
LISTEN_FOR_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@dataclass(frozen=True)
class Person:
    mail: str
    password: str
    address: str


@dataclass(frozen=True)
class Demo:
    """Where the demo is, and who may sign in: researcher, student, admin; after a bad week the operator, too."""

    url: str
    people: dict[str, Person]
    printed: str
    surroundings: dict[str, str]  # of its processes, for one that is to run beside them
    log: Path  # what they say, mails among it

    def has_said(self, *words: str) -> bool:
        said = self.log.read_text(encoding="utf-8", errors="replace")
        return all(word in said for word in words)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_demo(folder: Path) -> Iterator[Demo]:
    """`manage.py demo` in that folder, without arXiv, until the block ends."""
    port, log = free_port(), folder / "demo.log"
    url = f"http://127.0.0.1:{port}"
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("LLM_")}
    surroundings |= {"VAR_DIR": str(folder / "var"), "PORT": str(port), "PORTAL_URL": url, "OFFLINE": "1"}
    surroundings |= {"PYTHONUNBUFFERED": "1", "DATABASE_URL": "", "REDIS_URL": ""}
    surroundings |= {"OPERATOR_MAIL": bad_week.MAIL}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=REPO,
            env=surroundings,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_serves(f"{url}/healthz", process, log)
        printed = log.read_text(encoding="utf-8")
        yield Demo(url, people_in(printed), printed, surroundings, log)
    finally:
        _end(process)


def let_a_bad_week_happen(demo: Demo) -> None:
    """Beside that demo: an operator, who may sign in from then on, and days on which arXiv behaved badly."""
    subprocess.run(
        [sys.executable, "-m", "tests.browser.bad_week"], cwd=REPO, env=demo.surroundings, check=True
    )
    demo.people["operator"] = Person(bad_week.MAIL, bad_week.PASSWORD, demo.url)


def people_in(printed: str) -> dict[str, Person]:
    """The rows of the demo's table, by the first word of the first column."""
    people = {}
    for line in printed.splitlines():
        cells = [cell.strip(" |│") for cell in re.split(r"\s{2,}|[|│]", line.strip()) if cell.strip(" |│")]
        if len(cells) >= 4 and "@" in cells[1]:
            role = cells[0].removeprefix("the ").removeprefix("a ").split()[0].lower()
            people[role] = Person(*cells[1:4])
    return people


def _wait_until_it_serves(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(address):
        if process.poll() is not None:
            raise AssertionError(f"the demo ended with {process.returncode}:\n{log.read_text()}")
        if time.monotonic() > deadline:
            raise AssertionError(f"the demo does not answer at {address}:\n{log.read_text()}")
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            continue


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """The demo's whole process group: its web server, its model, its clock."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def running_chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=LAUNCH)
        try:
            yield browser
        finally:
            browser.close()


def opened(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and the list in which everything lands that the browser complains about."""
    complaints: list[str] = []
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(LISTEN_FOR_VIOLATIONS)
    page = context.new_page()
    page.on(
        "console",
        lambda said: complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    return page, complaints


def sign_in(page: Page, demo: Demo, role: str) -> Person:
    person = demo.people[role]
    page.goto(f"{demo.url}/account/login/")
    page.locator("input[name=login]").fill(person.mail)
    page.locator("input[name=password]").fill(person.password)
    page.locator("main form button[type=submit], main form button:not([type])").first.click()
    page.wait_for_url(lambda address: "/account/login" not in address)
    return person
