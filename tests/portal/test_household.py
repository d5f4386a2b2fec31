"""Processes that live together end together; a taken port is said before anything starts."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from portal.household import Household, PortTaken, require_free_port

REPO = Path(__file__).resolve().parent.parent.parent
# Says that it lives, and goes on until it is told to stop.
PATIENT = [sys.executable, "-c", "import signal; print('here', flush=True); signal.sigwait([signal.SIGTERM])"]
BRIEF = [sys.executable, "-c", "pass"]

# A parent of one such child, whose number it passes on.
FAMILY = f"""
import sys
from portal.household import Household
with Household() as household:
    print(household.start("patient", {PATIENT!r}).pid, flush=True)
    sys.exit(household.live())
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_when_one_ends_all_end():
    with Household() as household:
        patient = household.start("patient", PATIENT)
        household.start("brief", BRIEF)
        code = household.live()

    assert code == 1
    assert patient.returncode is not None


def test_an_error_leaves_no_process_behind():
    with pytest.raises(ZeroDivisionError), Household() as household:
        patient = household.start("patient", PATIENT)
        raise ZeroDivisionError

    assert patient.returncode is not None


def test_sigterm_stops_the_whole_family_and_is_no_error(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", FAMILY],
        cwd=REPO,
        env=os.environ | {"VAR_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(parent.stdout.readline())
    assert parent.stdout.readline() == "here\n"

    parent.terminate()

    assert parent.wait(timeout=60) == 0
    assert not is_alive(child)


@pytest.fixture
def taken_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_taken_port_is_refused(taken_port):
    with pytest.raises(PortTaken, match=str(taken_port)):
        require_free_port("127.0.0.1", taken_port)
