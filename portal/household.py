"""Several processes in one terminal: they start together, and when one ends or a signal comes, all stop."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from django.conf import settings

# A little less than what a service manager usually waits before it kills.
SECONDS_TO_STOP = 27
STOPPING_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class PortTaken(Exception):
    """Somebody else listens where the portal should."""


def require_free_port(host: str, port: int) -> None:
    """Raise `PortTaken` before anything is started, rather than after."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(f"{host}:{port} cannot be used ({error.strerror})") from error


def web_command(threads: int = 4) -> list[str]:
    """The web server, one process: SQLite has one writer, and more laptops than servers run this."""
    served = ["--interface", "wsgi", "--host", settings.HOST, "--port", str(settings.PORT)]
    return [
        *(sys.executable, "-m", "granian", *served),
        *("--workers", "1", "--blocking-threads", str(threads), "--workers-kill-timeout", "20"),
        *("--log-level", "warning", "portal.wsgi:application"),
    ]


def manage_command(*words: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]


class Household:
    """Child processes that live and stop together; a context of the main thread, so that none is left behind."""

    def __init__(self) -> None:
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._told_to_stop = threading.Event()

    def __enter__(self) -> "Household":
        """Signals are minded from here on, so that none is missed while the children start."""
        self._before = {number: signal.signal(number, self._on_signal) for number in STOPPING_SIGNALS}
        return self

    def __exit__(self, *problem: object) -> None:
        self.stop()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(command, cwd=settings.BASE_DIR)
        self._children[name] = child
        return child

    def start_and_read(self, name: str, command: Sequence[str]) -> str:
        """Start a child that says on its first line where it can be found; that line, empty if it died."""
        child = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE)
        self._children[name] = child
        assert child.stdout is not None
        return child.stdout.readline().decode().strip()

    def live(self) -> int:
        """Until SIGTERM, SIGINT, or the end of any child; then stop all. 0 if it was a signal, else 1."""
        while not self._told_to_stop.wait(0.2):
            if any(child.poll() is not None for child in self._children.values()):
                break
        code = 0 if self._told_to_stop.is_set() else 1
        self.stop()
        return code

    def stop(self) -> None:
        """Ask all, wait for all within one limit, then end what is left. Safe to repeat."""
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        patience = threading.Timer(SECONDS_TO_STOP, self._end_what_is_left)
        patience.start()
        for child in self._children.values():
            child.wait()
        patience.cancel()

    def _end_what_is_left(self) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.kill()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._told_to_stop.set()
