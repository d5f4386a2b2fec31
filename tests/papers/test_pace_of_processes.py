"""Several harvesters at once, each a process of its own: arXiv's own log shows one request at a time, and the pause."""

import itertools

import pytest

from tests.papers.fake_arxiv import FakeArxiv
from tests.papers.loopback import Exchange, Server, serving, started

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("processes")]

PROCESSES, REQUESTS, PAUSE_SECONDS = 3, 4, 0.2
SHARED = "from papers.pace import SharedPace\npace = SharedPace({pause})"
# Each keeps the rule by itself, as tools without a common row do.
OF_ITS_OWN = """
import time
from contextlib import contextmanager
class Pace:
    next_at = 0.0
    @contextmanager
    def turn(self, lease_seconds):
        time.sleep(max(0.0, self.next_at - time.monotonic()))
        yield
        self.next_at = time.monotonic() + {pause}
pace = Pace()
"""
ASK = """
import sys
from papers.arxiv.transport import Transport
print("ready", flush=True)
sys.stdin.readline()
with Transport(pace) as transport:
    for _ in range({requests}):
        transport.fetch({url!r})
"""


def let_them_ask(server: Server, pace: str, folder) -> list[Exchange]:
    code = (pace + ASK).format(pause=PAUSE_SECONDS, requests=REQUESTS, url=f"{server.url}/rss/cs.LG")
    running = [started(code, folder) for _ in range(PROCESSES)]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        _said, problem = process.communicate(timeout=120)
        assert process.returncode == 0, problem
    assert len(server.log) == PROCESSES * REQUESTS
    return sorted(server.log, key=lambda exchange: exchange.began)


def pauses(log: list[Exchange]) -> list[float]:
    """From the end of each exchange to the beginning of the next; negative where two were asked at once."""
    return [later.began - earlier.ended for earlier, later in itertools.pairwise(log)]


def test_processes_that_share_the_row_ask_one_at_a_time_and_keep_the_pause(tmp_path):
    with serving(FakeArxiv()) as server:
        log = let_them_ask(server, SHARED + "\n", tmp_path)

    assert min(pauses(log)) >= PAUSE_SECONDS * 0.95  # the row and the server read two clocks


def test_processes_with_a_pace_of_their_own_ask_at_once(tmp_path):
    """The control: the server holds the first requests until all have come."""
    with serving(FakeArxiv(), held=PROCESSES) as server:
        log = let_them_ask(server, OF_ITS_OWN, tmp_path)

    assert min(pauses(log)) < 0
