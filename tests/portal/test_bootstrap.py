"""The way from a bare machine to .venv/, on machines that lack something: PATH holds only what a test put there.

Most tests stand in for Python with a shell script that answers as one would, so that no package is installed.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.apart

REPO = Path(__file__).resolve().parent.parent.parent
TOOLS = ("sh", "dirname", "grep", "cmp", "cp", "mkdir", "rm", "tail", "head", "chmod", "cat")
NOBODY = 65534

STAND_IN = """#!/bin/sh
case "$*" in
*'< (3, 12)'*) exit {new_enough} ;;
*'import ensurepip'*) exit {ensurepip} ;;
*'%d.%d'*) echo 3.13 ;;
*'-m venv'*) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
*'-m pip'*) echo "$PIP_NO_CACHE_DIR $*" >>pip.calls; cat pip.says; exit "$(cat pip.exit)" ;;
*compile_messages*) echo ready ;;
esac
"""
NEW, OLD = 0, 1


class Machine:
    """A clone of the project's first step, on a machine that has nothing but a shell and what is put there."""

    def __init__(self, root: Path) -> None:
        self.clone, self.bin, self.home = root / "clone", root / "bin", root / "home"
        for folder in (self.clone / "bin", self.bin, self.home):
            folder.mkdir(parents=True)
        shutil.copy(REPO / "bin" / "bootstrap", self.clone / "bin")
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        for lock in ("requirements.txt", "requirements-dev.txt"):
            (self.clone / lock).write_text("six==1.16.0 \\\n    --hash=sha256:" + "0" * 64 + "\n")
        self.pip_answers("", 0)

    def pip_answers(self, says: str, code: int) -> None:
        (self.clone / "pip.says").write_text(says)
        (self.clone / "pip.exit").write_text(str(code))

    def has_python(
        self, name: str, new_enough: int = NEW, ensurepip: int = 0, folder: Path | None = None
    ) -> None:
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STAND_IN.format(new_enough=new_enough, ensurepip=ensurepip))
        path.chmod(0o755)

    def bootstrap(
        self, goal: str = "run", user: int | None = None, **environment: str
    ) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["sh", "bin/bootstrap", goal],
            cwd=self.clone,
            env={"PATH": str(self.bin), "HOME": str(self.home), "BOOTSTRAP_GOAL": "make demo"} | environment,
            capture_output=True,
            text=True,
            user=user,
            timeout=120,
        )

    def pip_calls(self) -> list[str]:
        calls = self.clone / "pip.calls"
        return calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def said(done: subprocess.CompletedProcess) -> tuple[str, str]:
    """The sentence and the command of an ending, and nothing after them."""
    assert done.returncode == 1
    sentence, command = done.stderr.splitlines()[-2:]
    assert sentence.startswith("broadsheet: ")
    assert command.startswith("    ")
    return sentence, command.strip()


def test_without_a_new_enough_python_it_says_what_to_install(machine):
    machine.has_python("python3", OLD)

    sentence, command = said(machine.bootstrap())

    assert "No Python of 3.12 or newer" in sentence
    assert command.startswith("apt-get install python3")


def test_a_shim_of_a_version_that_is_not_selected_is_passed_over(machine):
    shim = machine.bin / "python3.14"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    machine.has_python("python3", OLD)
    machine.has_python("python", folder=machine.home / ".pyenv/versions/3.13.0/bin")

    assert machine.bootstrap().returncode == 0
    assert len(machine.pip_calls()) == 1


def test_missing_ensurepip_names_the_package(machine):
    machine.has_python("python3", ensurepip=1)

    sentence, command = said(machine.bootstrap())

    assert "without ensurepip" in sentence
    assert command == "apt-get install python3.13-venv"


def test_another_python_that_has_ensurepip_is_taken_instead(machine):
    machine.has_python("python3.14", ensurepip=1)
    machine.has_python("python3")

    assert machine.bootstrap().returncode == 0


def test_packages_are_installed_by_hash_from_the_lock(machine):
    machine.has_python("python3")

    machine.bootstrap("dev")

    (call,) = machine.pip_calls()
    assert "--require-hashes -r requirements-dev.txt" in call


def test_a_second_run_installs_nothing(machine):
    machine.has_python("python3")
    machine.bootstrap()

    again = machine.bootstrap()

    assert again.stdout == "ready\n"
    assert len(machine.pip_calls()) == 1


def test_what_the_tests_need_holds_all_that_the_demo_needs(machine):
    machine.has_python("python3")
    machine.bootstrap("dev")

    machine.bootstrap("run")

    assert len(machine.pip_calls()) == 1


def test_a_changed_lock_is_installed(machine):
    machine.has_python("python3")
    machine.bootstrap()
    (machine.clone / "requirements.txt").write_text("six==1.17.0 \\\n    --hash=sha256:" + "1" * 64 + "\n")

    machine.bootstrap()

    assert len(machine.pip_calls()) == 2


def test_an_installation_that_failed_is_not_taken_for_done(machine):
    machine.has_python("python3")
    machine.pip_answers("ERROR: the disk is full\n", 1)

    sentence, command = said(machine.bootstrap())
    machine.pip_answers("", 0)
    machine.bootstrap()

    assert "pip could not install requirements.txt" in sentence
    assert command == "rm -rf .venv && make demo"
    assert len(machine.pip_calls()) == 2


def test_a_read_only_home_costs_the_cache_and_nothing_else(machine):
    machine.has_python("python3")

    done = machine.bootstrap(HOME="/dev/null")

    assert done.returncode == 0
    assert "cannot be written" in done.stderr
    assert "PIP_CACHE_DIR=/tmp/pip make demo" in done.stderr
    assert machine.pip_calls()[0].startswith("1 ")


def test_a_folder_that_cannot_be_written_is_told_apart():
    root = Path(tempfile.mkdtemp())
    try:
        root.chmod(0o755)
        machine = Machine(root)
        machine.has_python("python3")
        machine.clone.chmod(0o555)

        done = machine.bootstrap(user=NOBODY if os.geteuid() == 0 else None)

        sentence, command = said(done)
        assert "cannot be written" in sentence
        assert command.endswith("cd /tmp/broadsheet && make demo")
    finally:
        (root / "clone").chmod(0o755)
        shutil.rmtree(root)


def test_without_a_package_index_it_says_how_to_name_one(machine):
    """With a real Python and a real pip, against a port on which nobody listens."""
    (machine.bin / "python3").symlink_to(sys.executable)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/simple"

        sentence, command = said(machine.bootstrap(PIP_INDEX_URL=address, PIP_CONFIG_FILE=os.devnull))

    assert "No package index answered" in sentence
    assert command == "PIP_INDEX_URL=ADDRESS-OF-A-MIRROR make demo"


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_hands_its_own_name_to_the_advice(target, machine):
    shutil.copy(REPO / "Makefile", machine.clone)
    machine.has_python("python3", OLD)
    (machine.bin / "make").symlink_to(shutil.which("make"))

    done = subprocess.run(
        ["make", target],
        cwd=machine.clone,
        env={"PATH": str(machine.bin), "HOME": str(machine.home)},
        capture_output=True,
        text=True,
    )

    assert done.returncode != 0
    assert "No Python of 3.12 or newer" in done.stderr
