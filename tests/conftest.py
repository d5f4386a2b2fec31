"""What every test may ask for."""

import importlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import caches
from django.test import TransactionTestCase
from django.utils import translation

from tests import balance, flushing
from tests.fakes import fake_model

__all__ = ["fake_model"]

REPO = Path(__file__).resolve().parent.parent
NO_SHARED_DATA = "the development data is not beside the project"
SERVICES = ("postgres", "redis", "browser")

# How long an example takes says something of the machine, not of the code.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Each test starts in English: a request leaves its thread in the reader's language."""
    with translation.override("en"):
        yield


@pytest.fixture(scope="session", autouse=True)
def flush_only_what_holds_rows() -> Iterator[None]:
    """After a test with real transactions: also tables that refuse to be emptied, and none that is empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: flushing.flush())
        yield


@pytest.fixture(scope="session", autouse=True)
def addresses_of_the_settings_as_given() -> None:
    """Allauth reads its settings as its addresses are loaded: not by whichever test asks first, in its own."""
    importlib.import_module("portal.urls")


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """Each test counts its own failed sign-ins: Redis is rolled back by nobody, and shared by all workers."""
    caches["default"].key_prefix = uuid.uuid4().hex


@pytest.fixture(autouse=True)
def one_factor(settings) -> None:
    """A test that is not about the second factor is not asked for one, whichever database it runs on."""
    settings.MFA_REQUIRED_FOR = "none"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data beside the project; a test that needs it skips when it is absent."""
    folder = Path(os.environ.get("BROADSHEET_SHARED_DATA", REPO.parent / "shared" / "data"))
    if not folder.exists() and "BROADSHEET_SHARED_DATA" not in os.environ:
        pytest.skip(NO_SHARED_DATA)
    if not (folder / "papers.jsonl.gz").exists():
        pytest.fail(f"{folder} holds no papers.jsonl.gz: these tests would stop without anybody noticing")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--must-run",
        default="",
        metavar="MARKERS",
        help="Fail unless tests of each of these markers passed, and none was skipped (as .ci/run asks).",
    )

    parser.addoption(
        "--without-pure",
        action="store_true",
        help="Leave out tests that cannot know which database there is (after a run on the other).",
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    for service in SERVICES:
        if item.get_closest_marker(service):
            item.user_properties.append(("service", service))


@pytest.hookimpl(trylast=True)  # pytest-django puts tests with real transactions last
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without its service a test is skipped here; `--must-run` makes that red where it has to run."""
    is_there = {"postgres": settings.IS_FULL, "redis": bool(settings.REDIS_URL), "browser": True}
    for item in items:
        for _, service in item.user_properties:
            if not is_there[service]:
                item.add_marker(pytest.mark.skip(reason=f"needs {service}: bash .ci/run"))
    items.sort(key=balance.turn)


def pytest_configure(config: pytest.Config) -> None:
    # As collectstatic leaves it: every client of a test would warn of its absence.
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    if config.getoption("--without-pure"):
        config.pluginmanager.register(balance.NotTwice(), "not-twice")
    markers = [marker for marker in config.getoption("--must-run").split(",") if marker]
    if markers and not hasattr(config, "workerinput"):
        config.pluginmanager.register(MustRun(markers), "must-run")


class MustRun:
    """A suite that was skipped, or of which nothing was collected, is red: green must mean that it ran."""

    def __init__(self, markers: list[str]) -> None:
        self.passed = dict.fromkeys(markers, 0)
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and NO_SHARED_DATA not in str(report.longrepr):
            self.skipped.append(report.nodeid)
        if report.when == "call" and report.passed:
            for name, value in report.user_properties:  # a test may keep others, of any kind
                if name == "service" and value in self.passed:
                    self.passed[value] += 1

    def missing(self) -> list[str]:
        return [marker for marker, count in self.passed.items() if not count]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.missing() or self.skipped:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for marker, count in self.passed.items():
            terminalreporter.write_line(f"{marker}: {count} passed")
        for marker in self.missing():
            terminalreporter.write_line(f"No test of {marker} ran, and some must.", red=True)
        for nodeid in self.skipped:
            terminalreporter.write_line(f"Skipped, and must run: {nodeid}", red=True)
