"""`make demo` from nothing: who is in it, what it reads, and that a second run changes nothing."""

import contextlib
import datetime as dt
import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.utils import timezone

from papers.models import Announcement
from portal.demo import announcement, cast
from profiles.models import Period, Profile, Scope, User
from profiles.quotas import limits_in_force
from scoring import providers, slots
from tests.waiting import wait_until

REPO = Path(__file__).resolve().parent.parent.parent


def surroundings(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LLM_")}
    return kept | {"VAR_DIR": str(folder), "OFFLINE": "1", "DATABASE_URL": "", "REDIS_URL": ""} | more


def manage(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=REPO,
        env=surroundings(folder, **more),
        capture_output=True,
        text=True,
    )


@pytest.mark.apart
def test_the_demo_reads_a_day_for_three_people_and_repeats_without_a_change(tmp_path):
    first = manage(tmp_path, "demo", SERVE="0")
    second = manage(tmp_path, "demo", SERVE="0")
    audit = manage(tmp_path, "audit")

    assert (first.returncode, second.returncode, audit.returncode) == (0, 0, 0), first.stderr + second.stderr
    assert "shipped sample of 2026-01-30" in first.stdout
    assert re.search(r"深度学习: announced 173 = estimated 172 \+ withdrawn 1, 0 tokens", first.stdout)
    stopped = re.search(r"Robot learning: announced 173 = judged (\d+) .*waiting (\d+)", first.stdout)
    assert int(stopped[1]) > 0
    assert int(stopped[2]) > 0
    table = r"^(?:researcher|student|admin) +\S+@\S+ +\S+ +http://\S+$"
    assert len(re.findall(table, first.stdout, re.MULTILINE)) == 3
    assert first.stdout.splitlines()[:-1] == second.stdout.splitlines()[:-1]


@pytest.fixture
def taken_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.mark.apart
@pytest.mark.parametrize(("command", "advice"), [("demo", "make demo"), ("up", "manage.py up")])
def test_a_taken_port_ends_with_a_sentence_and_the_command(command, advice, taken_port, tmp_path):
    done = manage(tmp_path, command, PORT=str(taken_port))

    sentence, run = done.stderr.splitlines()
    assert done.returncode == 1
    assert f"127.0.0.1:{taken_port} cannot be used" in sentence
    assert run.strip() == f"PORT={taken_port + 1} {advice}"


def has_heartbeat(folder: Path) -> bool:
    """Whether a clock left its row; asked here rather than of a new process each time."""
    with contextlib.closing(sqlite3.connect(folder / "broadsheet.sqlite3")) as rows:
        return (
            rows.execute("SELECT 1 FROM scoring_slot WHERE name = ?", [slots.HEARTBEAT]).fetchone()
            is not None
        )


@pytest.mark.apart
def test_up_serves_ticks_and_stops_on_sigterm(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=REPO,
        env=surroundings(tmp_path, PORT=str(port)),
        stdout=subprocess.DEVNULL,
    )

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3) as response:
                return response.status == 200
        except (urllib.error.URLError, OSError):
            return False

    try:
        wait_until(answers, "the portal is ready")
        wait_until(lambda: has_heartbeat(tmp_path), "the clock has run")
        assert manage(tmp_path, "tick", "--status").returncode == 0
        running.terminate()
        code = running.wait(timeout=60)
    finally:
        running.kill()

    assert code == 0
    assert not answers()


# --- the day -----------------------------------------------------------------------------------------


class Silent:
    """A server that accepts and never answers."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.visits: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self.visits.append(self.socket.accept()[0])
            except OSError:
                return

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/rss"


@pytest.fixture
def black_hole(settings):
    server = Silent()
    settings.ARXIV_RSS_URL, settings.ARXIV_PACE_SECONDS, settings.OFFLINE = server.url, 0.0, False
    yield server
    server.socket.close()
    for visit in server.visits:
        visit.close()


@pytest.mark.django_db(transaction=True)
def test_a_black_hole_is_asked_once_for_three_seconds_and_then_the_sample_is_shown(black_hole):
    said = []

    shown = announcement.announce(["cs.AI", "cs.LG"], timezone.now(), said.append)

    assert announcement.ATTEMPT.deadline_seconds == 3
    assert len(black_hole.visits) == 1
    assert said == []
    assert shown.day == dt.date(2026, 1, 30)
    assert "sample" in shown.sentence
    assert "\n" not in shown.sentence


@pytest.mark.django_db
def test_offline_asks_nobody(black_hole, settings):
    settings.OFFLINE = True

    shown = announcement.announce(["cs.AI"], timezone.now(), print)

    assert black_hole.visits == []
    assert shown.sentence.endswith("(OFFLINE is set).")


@pytest.mark.django_db
def test_the_sample_is_stored_once(settings):
    settings.OFFLINE = True

    announcement.announce(["cs.AI"], timezone.now(), print)
    before = Announcement.objects.count()
    announcement.announce(["cs.AI"], timezone.now(), print)

    assert Announcement.objects.count() == before > 0


# --- the people --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_cast_is_one_team_with_a_small_limit_for_the_student():
    made = cast.assemble(None)
    again = cast.assemble(None)

    assert again == made
    assert User.objects.count() == 3
    assert Profile.objects.count() == 2
    assert made.researcher.interests.count() == 7
    student = made.team.memberships.get(user__email="student@demo.example")
    assert limits_in_force(Scope.MEMBER, student.pk, made.team.pk)[Period.DAY] == cast.STUDENT_DAILY_TOKENS


@pytest.mark.django_db
def test_what_somebody_changed_stays():
    made = cast.assemble(None)
    admin = User.objects.get(email="admin@demo.example")
    admin.set_password("another one entirely")
    admin.save(update_fields=["password"])
    made.student.interests.update(description="soft robots")

    again = cast.assemble(None)

    assert again.people[-1].password == "(you changed it)"
    assert again.student.interests.get().description == "soft robots"


@pytest.mark.django_db
def test_only_the_student_is_judged_by_the_simulated_model():
    made = cast.assemble(None)
    cast.judge_the_student_by(made, "http://127.0.0.1:1/v1")
    cast.judge_the_student_by(made, "http://127.0.0.1:2/v1")

    assert providers.provider_of(made.student).base_url == "http://127.0.0.1:2/v1"
    assert providers.provider_of(made.student).is_simulated
    assert providers.provider_of(made.researcher).is_local


@pytest.mark.django_db
@pytest.mark.parametrize(("told", "limit"), [(None, 60_000), (5_000, 5_000)])
def test_a_real_model_reads_for_60000_tokens_unless_told_otherwise(settings, told, limit):
    settings.LLM_BASE_URL, settings.LLM_MODEL = "https://llm.example.org/v1", "large"

    cast.assemble(told)

    assert limits_in_force(Scope.INSTANCE, 0, 0)[Period.DAY] == limit
