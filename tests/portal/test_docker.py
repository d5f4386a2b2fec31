"""The full size as written in docker/: what the files promise, and that they speak of real settings."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

REPO = Path(__file__).resolve().parent.parent.parent
DOCKER = REPO / "docker"
SETTINGS = set(dotenv_values(REPO / ".env.example"))


@pytest.fixture(scope="module")
def services() -> dict:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]


def test_the_full_size_has_its_six_services(services):
    assert set(services) == {"postgres", "redis", "migrate", "web", "worker", "beat"}


@pytest.mark.parametrize("name", ["migrate", "web", "worker", "beat"])
def test_each_service_sets_only_settings_that_exist(services, name):
    given = set(services[name]["environment"])

    assert given <= SETTINGS
    assert {"DATABASE_URL", "REDIS_URL", "VAR_DIR"} <= given
    assert services[name]["env_file"] == "../.env"


def test_postgresql_18_keeps_its_data_where_the_image_says(services):
    assert services["postgres"]["image"] == "postgres:18"
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_nothing_starts_before_the_tables_are_there(services):
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_each_command_is_a_step_of_the_entrypoint(services):
    steps = set(re.findall(r"^([a-z]+)\)$", (DOCKER / "entrypoint.sh").read_text(), re.MULTILINE))

    assert steps == {services[name]["command"][0] for name in ("migrate", "web", "worker", "beat")}


def test_a_deployment_waits_longer_than_a_worker_needs_to_stop(services):
    assert services["worker"]["stop_grace_period"] == "40s"


def test_the_image_uses_the_locked_packages_and_no_root():
    text = (DOCKER / "Dockerfile").read_text()

    assert "--require-hashes -r requirements.txt" in text
    assert re.search(r"^USER broadsheet$", text, re.MULTILINE)
    assert {name for name in re.findall(r"\b([A-Z_]+)=/var|\bHOST=", text) if name} <= SETTINGS


def test_the_entrypoint_is_plain_shell():
    for script in (DOCKER / "entrypoint.sh", REPO / "bin" / "bootstrap", REPO / "bin" / "lint"):
        subprocess.run(["sh", "-n", script], check=True)
