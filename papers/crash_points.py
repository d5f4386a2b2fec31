"""Named places on the path of a paper, from its harvest to its score, at which a test may end the process, or do worse.

Each is passed in production at the price of one look into an empty dict. A test process is ended where the
environment variable `BROADSHEET_CRASH_AT` says: `after_http`, or `after_http:3` for the third time.
"""

import os
import signal
from collections.abc import Callable

NAMES = (
    "page_read", "page_stored", "page_committed",
    "after_hold", "after_sent", "after_http", "before_commit", "after_commit",
)  # fmt: skip

# What happens at a point; a test may put any callable of one text (the block's titles, the page's place) here.
actions: dict[str, Callable[[str], None]] = {}


def reach(name: str, detail: str = "") -> None:
    """Say that the point was reached."""
    if actions and name in actions:
        actions[name](detail)


def _die_at(time: int) -> Callable[[str], None]:
    left = [time]

    def die(_detail: str) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    return die


def _die_on(text: str) -> Callable[[str], None]:
    def die(detail: str) -> None:
        if text in detail:
            os.kill(os.getpid(), signal.SIGKILL)

    return die


def arm(spelled: str) -> None:
    """Read `POINT`, `POINT:TIME` or `POINT=TEXT` (whenever the block holds that title); "" arms nothing."""
    name, _, text = spelled.partition("=")
    if text:
        actions[name] = _die_on(text)
    elif spelled:
        name, _, time = spelled.partition(":")
        actions[name] = _die_at(int(time or 1))


arm(os.environ.get("BROADSHEET_CRASH_AT", ""))
