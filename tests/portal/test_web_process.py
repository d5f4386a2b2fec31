"""The web process stays small: what only tasks need is not loaded by it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent.parent
SCRIPT = """
import sys
from portal.wsgi import application
from django.test import Client
from django.urls import get_resolver
get_resolver().url_patterns
assert Client(SERVER_NAME="localhost").get("/healthz").status_code == 200
screening = {f"scoring.screening.{name}" for name in ("basis", "calibration", "index", "kept", "learner", "rank", "recall")}
heavy = {"numpy", "scipy", "sklearn", "scoring.editions", *screening}
print(sorted(heavy & {*sys.modules, *(name.partition(".")[0] for name in sys.modules)}))
"""


@pytest.mark.apart
def test_the_web_process_loads_neither_numpy_nor_what_screens(tmp_path):
    environment = {**os.environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": "", "REDIS_URL": ""}

    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=REPO, env=environment, capture_output=True, text=True, timeout=60
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "[]"
