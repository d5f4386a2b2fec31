"""No log line holds a secret that opens a door."""

import logging
import logging.config

import pytest
from django.conf import settings
from django.test import Client

from portal.masking import masked

TOKEN = "Zm9v-YmFy_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


@pytest.mark.parametrize(
    "line",
    [
        f"GET /invitations/{TOKEN}/",
        f"Not Found: /f/{TOKEN}/feed.atom",
        f"POST /digest/off/{TOKEN}:x/",
        f"GET /account/login/?next=/invitations/{TOKEN}/",
        f"GET /account/login/?next=%2Finvitations%2F{TOKEN}%2F",
        f"GET /account/password/reset/key/{TOKEN}/",
        f"GET /account/confirm-email/{TOKEN}/",
    ],
)
def test_a_line_names_the_place_and_not_the_token(line):
    assert TOKEN not in masked(line)
    assert masked(line).split("/")[1] == line.split("/")[1]


@pytest.mark.parametrize(
    "line", ["GET /feed/2026-01-30/", "GET /account/password/reset/key/done/", "GET /teams/lab/invitations/"]
)
def test_other_lines_stay_as_they_are(line):
    assert masked(line) == line


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/invitations/{}/", "/digest/off/{}/", "/f/{}/feed.atom"])
def test_what_a_real_request_writes_holds_no_token(path, capfd):
    """Through the handler of the settings: Django's own 404 line, and the one of the request."""
    formatter = logging.getLogger().handlers
    logging.config.dictConfig(settings.LOGGING)
    try:
        Client(raise_request_exception=False).post(path.format(TOKEN))
    finally:
        logging.getLogger().handlers = formatter
    written = capfd.readouterr().err

    assert "Not Found" in written or "request_finished" in written
    assert TOKEN not in written
