"""A wrong setting stops the start and names itself; the example file is complete and harmless."""

import logging
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

from portal import environment

REPO = Path(__file__).resolve().parent.parent.parent
SETTINGS = REPO / "portal" / "settings.py"
EXAMPLE = REPO / ".env.example"
NAMES = set(dotenv_values(EXAMPLE))


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Read the settings as a fresh process would, with nothing in the environment but what is given."""
    for name in NAMES | {f"{name}_FILE" for name in NAMES}:
        monkeypatch.delenv(name, raising=False)

    def run(**environment: str) -> dict:
        monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return run


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORTAL_URL", "broadsheet.example.org"),
        ("PORTAL_URL", "https://broadsheet.example.org:eighty"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("DATABASE_URL", "oracle://scott:tiger@db/orcl"),
        ("REDIS_URL", "amqp://guest@localhost"),
        ("MAIL_URL", "mail.example.org"),
        ("MAIL_URL", "smtp://mail.example.org:port"),
        ("MAIL_URL", "smtp://mail.example.org?tls=perhaps"),
        ("OPERATOR_MAIL", "me@example.org, the office"),
        ("SIGNUP", "sometimes"),
        ("MFA_REQUIRED_FOR", "everybody"),
        ("LLM_BASE_URL", "localhost:8080/v1"),
        ("LLM_PRIVATE_ADDRESSES", "10.0.0.0/8,the office"),
        ("INSTANCE_DAILY_TOKENS", "2e6"),
        ("DEFAULT_TEAM_DAILY_TOKENS", "-5"),
        ("DEFAULT_MEMBER_DAILY_TOKENS", "many"),
        ("ARXIV_OAI_URL", "ftp://example.org"),
        ("ARXIV_RSS_URL", "rss"),
        ("ARXIV_API_URL", "//example.org"),
        ("ARXIV_PACE_SECONDS", "three"),
        ("ARXIV_PACE_SECONDS", "-1"),
        ("ARXIV_PACE_SECONDS", "nan"),
        ("OFFLINE", "maybe"),
        ("INSTANCE_TIME_ZONE", "Mars/Olympus"),
        ("SECRET_KEY_FILE", "/nonexistent/secret"),
        ("VAR_DIR", "/proc/version/broadsheet"),
        ("ARXIV_CONTACT", "me@example.org\nX-Other: header"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(start, name, value):
    with pytest.raises(ImproperlyConfigured, match=name):
        start(**{name: value})


def test_a_model_address_without_a_model_is_refused(start):
    with pytest.raises(ImproperlyConfigured, match="LLM_MODEL"):
        start(LLM_BASE_URL="http://127.0.0.1:8080/v1")


def test_a_model_without_its_address_is_refused(start):
    with pytest.raises(ImproperlyConfigured, match="LLM_BASE_URL"):
        start(LLM_MODEL="the-model", LLM_API_KEY="a-key")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"LOGIN_GITHUB_ID": "us"}, "LOGIN_GITHUB_SECRET"),
        ({"LOGIN_GOOGLE_SECRET": "quiet"}, "LOGIN_GOOGLE_ID"),
        ({"LOGIN_OIDC_URL": "https://login.example.org"}, "LOGIN_OIDC_ID"),
        ({"LOGIN_OIDC_ID": "us", "LOGIN_OIDC_SECRET": "quiet"}, "LOGIN_OIDC_URL"),
        (
            {
                "LOGIN_OIDC_ID": "us",
                "LOGIN_OIDC_SECRET": "quiet",
                "LOGIN_OIDC_URL": "http://login.example.org",
            },
            "LOGIN_OIDC_URL",
        ),
    ],
)
def test_half_a_sign_in_provider_stops_the_start(start, given, named):
    with pytest.raises(ImproperlyConfigured, match=named):
        start(**given)


def test_a_sign_in_provider_is_installed_only_when_it_is_set_up(start, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("quiet\n")
    assert start()["SOCIALACCOUNT_PROVIDERS"] == {}

    read = start(LOGIN_ORCID_ID="us", LOGIN_ORCID_SECRET_FILE=str(secret))

    assert read["SOCIALACCOUNT_PROVIDERS"]["orcid"]["APPS"] == [{"client_id": "us", "secret": "quiet"}]
    assert [app for app in read["INSTALLED_APPS"] if "providers" in app] == [
        "allauth.socialaccount.providers.orcid"
    ]


def test_operators_of_the_full_size_need_a_second_factor(start):
    assert start()["MFA_REQUIRED_FOR"] == "none"
    full = {"DATABASE_URL": "postgres://db/broadsheet", "SECRET_KEY": "x"}
    assert start(**full)["MFA_REQUIRED_FOR"] == "staff"


def test_numerics_take_one_thread_and_are_told_so_before_they_are_loaded(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    code = (
        "import os, sys, portal.settings; print(os.environ['OPENBLAS_NUM_THREADS'], 'numpy' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPO,
        env=environment | {"VAR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.stdout.split() == ["1", "False"], done.stderr


def test_who_has_idle_cores_may_give_the_numerics_more(start, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")

    start()

    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"


def test_full_size_invents_no_secret(start):
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        start(DATABASE_URL="postgres://db/broadsheet")


def test_a_wrong_setting_ends_the_command_with_one_line(tmp_path):
    environment = os.environ | {"PORT": "eighty", "VAR_DIR": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=REPO, env=environment, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stderr.splitlines() == ["PORT: must be a whole number. See .env.example."]


def test_a_secret_comes_from_a_file_too(start, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("kept apart\n")

    assert start(SECRET_KEY_FILE=str(secret))["SECRET_KEY"] == "kept apart"


def test_the_embedded_secret_is_made_once_for_the_owner_alone(start, tmp_path):
    first = start()["SECRET_KEY"]

    assert start()["SECRET_KEY"] == first
    assert len(first) >= 50
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_the_operator_is_whom_the_setting_names(start):
    assert start()["ADMINS"] == []
    assert start(OPERATOR_MAIL="a@example.org, b@example.org")["ADMINS"] == ["a@example.org", "b@example.org"]


def test_no_error_mails_what_a_reader_posted():
    assert logging.getLogger("django").handlers == []


def test_the_example_file_names_every_setting(start):
    start()
    read = set(environment.env.dump())

    assert read == NAMES


def test_the_example_file_copied_changes_nothing(start):
    plain = start()
    example = start(
        **{name: value or "" for name, value in dotenv_values(EXAMPLE).items() if name != "VAR_DIR"}
    )

    def values(settings: dict) -> dict:
        """Logging holds objects that are new each time."""
        return {name: value for name, value in settings.items() if name.isupper() and name != "LOGGING"}

    assert values(example) == values(plain)


def test_full_size_uses_postgresql_and_redis(start):
    full = start(
        DATABASE_URL="postgres://reader:secret@db:5432/broadsheet",
        REDIS_URL="redis://redis:6379/0",
        SECRET_KEY="x" * 50,
        PORTAL_URL="https://papers.example.org",
    )

    assert full["DATABASES"]["default"]["ENGINE"] == "django.db.backends.postgresql"
    assert full["CELERY_BROKER_URL"] == "redis://redis:6379/0"
    assert full["SIGNUP"] == "invite"
    assert full["SESSION_COOKIE_NAME"] == "__Host-session"
    assert "papers.example.org" in full["ALLOWED_HOSTS"]
