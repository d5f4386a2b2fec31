"""Real processes to break: a Redis of our own, Celery workers, the simulated model. All on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from django.db import connection

from tests.waiting import wait_until

REPO = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


class OwnRedis:
    """A redis-server that keeps nothing on disk, as the compose file runs it. It can be killed and come back empty."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                "redis-server",
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        wait_until(self.answers, "redis answers")

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def kill(self) -> None:
        end(self.process)

    def restart_empty(self) -> None:
        self.kill()
        self.start()

    def waiting_messages(self) -> int:
        with redis.Redis.from_url(self.url) as client:
            return int(client.llen("doorbell"))


@contextmanager
def own_redis(folder: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(folder)
    try:
        yield server
    finally:
        server.kill()


def database_url() -> str:
    """The test's own database, for another process."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{facts['NAME']}"
    host, port = facts["HOST"] or "127.0.0.1", facts["PORT"] or 5432
    return f"postgres://{facts['USER']}:{facts['PASSWORD']}@{host}:{port}/{facts['NAME']}"


def surroundings(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a process of ours that works on the test's own database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LLM_")}
    facts = {
        "DATABASE_URL": database_url(),
        "VAR_DIR": str(folder),
        "OFFLINE": "1",
        "SECRET_KEY": "of this test",
    }
    return kept | facts | more


# Celery's own command line, with a broker that loses patience earlier than ours where a test asks for it.
START_WORKER = """
import os, sys
from portal.celery import app
if seconds := os.environ.get("VISIBILITY_SECONDS"):
    app.conf.broker_transport_options |= {"visibility_timeout": int(seconds), "unacked_restore_interval": 1}
app.worker_main(sys.argv[1:])
"""


class Worker:
    """A Celery worker with the options of docker/entrypoint.sh."""

    def __init__(self, folder: Path, broker: str, **more: str) -> None:
        options = ["worker", "--pool", "threads", "--concurrency", "8", "--queues", "doorbell"]
        with (folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START_WORKER, *options],
                cwd=REPO,
                env=surroundings(folder, REDIS_URL=broker, **more),
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        end(self.process)

    def stop(self) -> int:
        """SIGTERM, as a deployment does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@contextmanager
def worker(folder: Path, broker: str, **more: str) -> Iterator[Worker]:
    running = Worker(folder, broker, **more)
    try:
        yield running
    finally:
        running.kill()


class Model:
    """The simulated model in a process of its own; its bill is the truth about what was asked of it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.bill_path = folder / "bill.jsonl"
        self.process = subprocess.Popen(
            [
                sys.executable,
                "manage.py",
                "simulate_model",
                "--port",
                "0",
                "--bill",
                self.bill_path,
                *options,
            ],
            cwd=REPO,
            env=surroundings(folder),
            stdout=subprocess.PIPE,
            text=True,
        )
        first = self.process.stdout.readline()
        self.base_url = first.split()[0].partition("=")[2]

    def bill(self) -> list[dict]:
        if not self.bill_path.exists():
            return []
        return [json.loads(line) for line in self.bill_path.read_text().splitlines()]


@contextmanager
def model(folder: Path, *options: str) -> Iterator[Model]:
    running = Model(folder, *options)
    try:
        yield running
    finally:
        end(running.process)
