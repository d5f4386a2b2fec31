"""In which order tests run, so that no worker ends alone with a long one, and which need not run twice."""

import types

import pytest

# Files with tests of many seconds. They and those that one worker must take all (`xdist_group`) begin.
LONG = (
    "papers/test_thirty_days.py",
    "faults/test_a_year_of_clocks.py",
    "faults/test_flow.py",
    "scoring/test_learning.py",
    "portal/test_demo.py",
    "portal/test_access.py",
)
DATABASE = {"db", "transactional_db", "live_server", "django_db_setup"}
# By such a name of its module a test might reach what differs from one database to the other.
WAYS = {"settings", "subprocess", "connection", "connections", "cache", "caches", "call_command", "started"}


def turn(item: pytest.Item) -> int:
    """Groups of one worker, then long tests, then the others; each in their order."""
    if item.get_closest_marker("xdist_group"):
        return 0
    return 1 if item.nodeid.partition("::")[0].endswith(LONG) else 2


def is_pure(item: pytest.Item) -> bool:
    """Whether the test cannot know the database: pytest-django refuses it one, and its module has no way around.

    Tests marked `apart` start processes, which see neither the suite's database nor its Redis. What is marked
    `once` uses the database and shows something that does not depend on it: a control without locks, a calendar.
    """
    if item.user_properties:
        return False
    if item.get_closest_marker("once"):
        return True
    if item.get_closest_marker("django_db"):
        return False
    if DATABASE & set(getattr(item, "fixturenames", ())):
        return False
    module = getattr(item, "module", None)
    return bool(item.get_closest_marker("apart")) or (
        isinstance(module, types.ModuleType) and not WAYS & set(vars(module))
    )


class NotTwice:
    """Leaves out what `is_pure`, and says of how many tests it is."""

    def __init__(self) -> None:
        self.left_out = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        pure = [item for item in items if is_pure(item)]
        config.hook.pytest_deselected(items=pure)
        items[:] = [item for item in items if item not in set(pure)]
        self.left_out = len(pure)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["left_out"] = self.left_out

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node) -> None:
        self.left_out = max(self.left_out, getattr(node, "workeroutput", {}).get("left_out", 0))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(f"{self.left_out} tests that know no database were left out.")
