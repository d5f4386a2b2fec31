"""Alive, ready, and counted; and a database that is away is said, not crashed over."""

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from profiles.models import MembershipQuerySet
from tests import factories


def test_alive_asks_no_database(client):
    assert client.get("/healthz").text == "ok\n"


@pytest.mark.django_db
def test_ready_when_everything_answers(client):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["ready"] is True


@pytest.mark.django_db
def test_not_ready_without_the_cache(client, monkeypatch):
    monkeypatch.setattr(cache, "get", lambda *args: None)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["cache"] == "does not keep what it is given"


@pytest.mark.django_db
def test_the_numbers_are_for_staff_and_the_near_network(client):
    client.force_login(factories.user())
    assert "broadsheet_papers_waiting 0" in client.get("/metrics").text
    assert client.get("/metrics", headers={"x-forwarded-for": "8.8.8.8"}).status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="8.8.8.8").status_code == 404

    client.force_login(factories.user(is_staff=True))
    assert client.get("/metrics", REMOTE_ADDR="8.8.8.8").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status"), [(OperationalError("down"), 503), (RuntimeError("broken"), 500)]
)
def test_a_database_that_is_away_is_a_503(monkeypatch, error, status):
    client = Client(raise_request_exception=False)
    client.force_login(factories.user())

    def fail(*args):
        raise error

    monkeypatch.setattr(MembershipQuerySet, "with_team_sizes", fail)
    response = client.get(reverse("teams"))

    assert response.status_code == status
    assert ("Retry-After" in response) is (status == 503)
