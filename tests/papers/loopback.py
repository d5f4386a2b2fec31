"""The fake arXiv as a server on loopback, for harvesters that are processes of their own. Its log is the truth."""

import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.faults.processes import REPO, surroundings
from tests.papers.fake_arxiv import FakeArxiv


@dataclass(frozen=True)
class Exchange:
    """One request: when it had come whole and when its answer was about to leave, in seconds of one clock."""

    began: float
    ended: float
    asked: dict[str, str]


class Server(ThreadingHTTPServer):
    """Answers as its FakeArxiv does; the first `held` requests wait for each other."""

    daemon_threads = True

    def __init__(self, arxiv: FakeArxiv, held: int = 1) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.arxiv, self.log, self.together = arxiv, list[Exchange](), threading.Barrier(held)
        self.lock, self.waiting = threading.Lock(), held

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def addresses(self) -> dict[str, str]:
        """The settings by which a process finds this server instead of arXiv."""
        return {
            "ARXIV_OAI_URL": f"{self.url}/oai",
            "ARXIV_RSS_URL": f"{self.url}/rss",
            "ARXIV_API_URL": f"{self.url}/api",
            "OFFLINE": "0",
        }

    def respond(self, path: str) -> bytes:
        began = time.monotonic()
        parts = urllib.parse.urlsplit(path)
        asked = dict(urllib.parse.parse_qsl(parts.query)) | {"path": parts.path}
        with self.lock:
            is_held, self.waiting = self.waiting > 0, self.waiting - 1
        if is_held:
            self.together.wait(timeout=60)
        with self.lock:
            body = self.arxiv.answer(asked)
            self.log.append(Exchange(began, time.monotonic(), asked))
        return body


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        body = self.server.respond(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """The log that counts is the server's."""


@contextmanager
def serving(arxiv: FakeArxiv, held: int = 1) -> Iterator[Server]:
    server = Server(arxiv, held)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def started(code: str, folder: Path, **more: str) -> subprocess.Popen[str]:
    """A process of ours that runs this code on the test's own database."""
    return subprocess.Popen(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        cwd=REPO,
        env=surroundings(folder, DJANGO_SETTINGS_MODULE="portal.settings", **more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
