"""The icon that a browser looks for by itself where what it shows names none."""

from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.urls import reverse


def test_a_page_that_names_no_icon_still_has_one(client):
    answer = client.get("/favicon.ico")

    assert reverse("favicon") == "/favicon.ico"
    assert answer.url == static("portal/icons/broadsheet.svg")
    assert finders.find("portal/icons/broadsheet.svg")
    assert "public" in answer.headers["Cache-Control"]
    assert not answer.cookies
