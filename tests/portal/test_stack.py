"""What the stack requires is declared, locked with hashes, and really used."""

import ast
import functools
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent.parent
ROOMS = ("portal", "scoring", "profiles", "papers", "tests")
# package: the name under which it is imported
REQUIRED = {
    "django": "django",
    "celery": "celery",
    "redis": "redis",
    "psycopg": "psycopg",
    "httpx": "httpx",
    "openai": "openai",
    "django-allauth": "allauth",
    "djangorestframework": "rest_framework",
}


def declared() -> set[str]:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())
    lines = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    return {re.match(r"[A-Za-z0-9-]+", line)[0].lower() for line in lines}


@functools.cache
def imported() -> set[str]:
    """The top-level names that our own files import."""
    names: set[str] = set()
    for room in ROOMS:
        for file in (REPO / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    names.update(alias.name.split(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", REQUIRED)
def test_a_required_package_is_declared_and_used(package):
    assert package in declared()
    assert REQUIRED[package] in imported()


# What arrives with a declared package as a part of its own face, and moves only with it.
FACES = {"kombu": "celery", "dotenv": "environs", "requests": "django-allauth", "jwt": "django-allauth"}


def test_what_our_code_imports_is_declared():
    """A package that only comes along with another may go with the next version of that other."""
    owners = packages_distributions()
    third_party = {
        name for name in imported() - sys.stdlib_module_names - {*ROOMS, "bench"} if name in owners
    }

    assert {
        name
        for name in third_party
        if not declared() & {owner.lower().replace("_", "-") for owner in owners[name]}
        and FACES.get(name) not in declared()
    } == set()


def test_this_suite_runs_on_pytest_django(pytestconfig):
    assert "pytest-django" in declared()
    assert pytestconfig.pluginmanager.hasplugin("django")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_locked_package_has_hashes_and_no_address(name):
    text = (REPO / name).read_text()
    packages = re.split(r"^(?=[a-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)

    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    for package in filter(None, packages):
        assert re.match(r"[a-z0-9._-]+==[^ ]+( ;.*)? \\\n", package), package[:60]
        assert "--hash=sha256:" in package


def test_what_is_declared_is_locked():
    locked = {
        line.split("==")[0]
        for line in (REPO / "requirements-dev.txt").read_text().splitlines()
        if "==" in line
    }

    assert {name.replace("_", "-") for name in declared()} <= locked


def test_the_two_locks_agree():
    def pins(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9._-]+)==([^ ]+)", (REPO / name).read_text(), re.MULTILINE))

    run, dev = pins("requirements.txt"), pins("requirements-dev.txt")

    assert run.items() <= dev.items()


@pytest.mark.postgres
@pytest.mark.django_db
def test_the_rows_are_in_postgresql_through_psycopg():
    import psycopg
    from django.db import connection

    connection.ensure_connection()

    assert isinstance(connection.connection, psycopg.Connection)
    assert connection.pg_version >= 150000


@pytest.mark.redis
def test_redis_answers_over_a_real_connection():
    import redis
    from django.conf import settings

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert client.ping()
        assert client.info("server")["redis_version"]
