"""The limits of failed sign-ins: over processes, over a flood of other addresses, and when Redis is down."""

import contextlib
import ipaddress
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from allauth.core.internal import ratelimit
from django.conf import settings as live
from django.core.cache.backends.db import DatabaseCache
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse

from profiles.models import User
from tests import factories
from tests.factories import PASSWORD

REPO = Path(__file__).resolve().parents[2]
PROCESSES, ATTEMPTS, LIMIT = 5, 6, 5

ON_BOTH = [
    pytest.param("", id="sqlite", marks=pytest.mark.apart),
    pytest.param("redis", id="redis", marks=pytest.mark.redis),
]


@contextlib.contextmanager
def racers(how: str, folder: Path, redis_url: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that share nothing but the cache, all ready to start."""
    surroundings = {**os.environ, "VAR_DIR": str(folder), "DATABASE_URL": "", "REDIS_URL": redis_url}
    if not redis_url:
        subprocess.run(
            [sys.executable, "manage.py", "createcachetable"], cwd=REPO, env=surroundings, check=True
        )
    command = [sys.executable, "-m", "tests.profiles.limit_racer", how, str(ATTEMPTS)]
    with contextlib.ExitStack() as stack:
        started = []
        for _ in range(PROCESSES):
            racer = subprocess.Popen(
                command, cwd=REPO, env=surroundings, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            stack.enter_context(racer)
            stack.callback(racer.kill)
            started.append(racer)
        for racer in started:
            assert racer.stdout.readline() == "ready\n"
        yield started


def race(started) -> int:
    """How many attempts at one account were admitted, all processes at once."""
    key = f"{uuid.uuid4()}\n"
    for racer in started:
        racer.stdin.write(key)
        racer.stdin.flush()
    return sum(int(racer.stdout.readline()) for racer in started)


@pytest.mark.parametrize("store", ON_BOTH)
def test_many_processes_together_admit_no_more_than_the_limit(tmp_path, store):
    with racers("ours", tmp_path, live.REDIS_URL if store else "") as started:
        admitted = [race(started) for _ in range(4)]

    assert all(0 < each <= LIMIT for each in admitted), admitted


@pytest.mark.parametrize("store", ON_BOTH)
def test_without_the_lock_they_admit_more(tmp_path, store):
    with racers("naive", tmp_path, live.REDIS_URL if store else "") as started:
        admitted = [race(started) for _ in range(12)]

    assert max(admitted) > LIMIT


def try_once(client: str, number: int) -> bool:
    request = RequestFactory().post("/", REMOTE_ADDR=client)
    key = f"reader{number}@example.org"
    return bool(ratelimit.consume(request, app="allauth.account", action="login_failed", key=key))


@pytest.mark.django_db
@pytest.mark.parametrize(("room", "is_kept"), [(None, True), (300, False)])
def test_a_flood_from_other_addresses_does_not_push_a_limit_out(monkeypatch, room, is_kept):
    """Django's table keeps 300 rows unless told otherwise, and drops those whose keys sort first."""
    call_command("createcachetable", "cache", verbosity=0)
    given = {"MAX_ENTRIES": 100_000} if room is None else {"MAX_ENTRIES": room}
    monkeypatch.setattr(ratelimit, "cache", DatabaseCache("cache", {"OPTIONS": given}))
    assert [try_once("10.0.0.1", number) for number in range(11)] == [True] * 10 + [False]

    for number in range(200):
        try_once(str(ipaddress.ip_address("10.0.1.0") + number), number + 100)

    assert try_once("10.0.0.1", 999) is not is_kept


def test_the_table_has_that_room_wherever_it_is_used():
    cache = live.CACHES["default"]

    assert live.REDIS_URL or cache["OPTIONS"]["MAX_ENTRIES"] >= 100_000


@pytest.mark.django_db
def test_the_right_password_is_refused_after_five_wrong_ones_and_says_why(client):
    factories.user("alice@example.org")
    for number in range(LIMIT):
        client.post(
            reverse("account_login"),
            {"login": "alice@example.org", "password": "no"},
            REMOTE_ADDR=f"10.1.0.{number}",
        )

    refused = client.post(reverse("account_login"), {"login": "alice@example.org", "password": PASSWORD})

    assert "Too many failed" in refused.text
    assert client.get(reverse("account_settings")).status_code == 302


@pytest.mark.django_db
def test_one_address_that_tries_many_accounts_is_refused(client):
    for number in range(11):
        said = client.post(reverse("account_login"), {"login": f"a{number}@example.org", "password": "no"})

    assert "Too many failed" in said.text


@pytest.mark.django_db
@pytest.mark.parametrize("door", ["account_login", "account_signup", "account_reset_password"])
def test_nobody_gets_in_or_on_while_redis_is_down(settings, door):
    factories.user("alice@example.org")
    settings.SIGNUP = "open"
    settings.CACHES = {"default": {**live.CACHES["default"], **DOWN}}
    client = Client(raise_request_exception=False)
    form = {"login": "alice@example.org", "password": PASSWORD}
    if door != "account_login":
        form = {"email": "bob@example.org", "password1": PASSWORD, "password2": PASSWORD}

    response = client.post(reverse(door), form)

    assert response.status_code == 503
    assert response["Retry-After"]
    assert User.objects.count() == 1
    assert client.get(reverse("account_settings")).status_code == 302


DOWN = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "LOCATION": "redis://127.0.0.1:1/0",
    "OPTIONS": {},
}
