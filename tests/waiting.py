"""Wait for a fact in a table or an answer of a process; never for a time to pass."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 240


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Look again and again; AssertionError says what did not come about."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)
