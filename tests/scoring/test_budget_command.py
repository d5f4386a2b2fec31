"""`manage.py budget`: what an operator can do about tokens in a terminal."""

import datetime as dt
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from profiles import quotas
from profiles.models import Period, QuotaRequest, Scope, TopUp
from scoring import budget
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab():
    bob = factories.user("bob@example.org")
    return factories.team(factories.user("alice@example.org"), bob, name="Lab", slug="lab")


def said(capsys, *words: str) -> str:
    call_command("budget", *words)
    return capsys.readouterr().out


def test_a_top_up_is_given_until_the_end_of_a_day(lab, capsys):
    day = (timezone.now() + dt.timedelta(days=2)).date()

    assert "given" in said(
        capsys,
        "topup",
        "--team",
        "lab",
        "--member",
        "bob@example.org",
        "--tokens",
        "50k",
        "--until",
        f"{day}",
    )

    given = TopUp.objects.get()
    assert (given.tokens, given.scope, given.ends_at.date()) == (
        50_000,
        Scope.MEMBER,
        day + dt.timedelta(days=1),
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--tokens", "-5", "--until", "2030-01-01"], "negative"),
        (["--tokens", "5", "--until", "soon"], "no date"),
        (["--tokens", "5", "--until", "2020-01-01"], ""),
    ],
)
def test_a_wrong_top_up_gives_nothing_and_says_why(lab, words, problem):
    with pytest.raises(CommandError, match=problem):
        call_command("budget", "topup", "--team", "lab", "--member", "bob@example.org", *words)

    assert not TopUp.objects.exists()


def test_a_request_is_listed_granted_once_and_gone(lab, capsys):
    bob = lab.memberships.get(user__email="bob@example.org")
    now = timezone.now()
    asked = QuotaRequest.objects.create(
        asked_by=bob,
        scope=Scope.MEMBER,
        team=lab,
        membership=bob,
        period=Period.DAY,
        window_starts_at=now - dt.timedelta(hours=1),
        window_ends_at=now + dt.timedelta(hours=20),
        tokens=9_000,
    )
    (row,) = json.loads(said(capsys, "requests", "--json"))["requests"]
    assert (row["id"], row["by"], row["tokens"]) == (str(asked.public_id), "bob@example.org", 9_000)

    said(capsys, "requests", "--grant", row["id"])

    assert TopUp.objects.get().tokens == 9_000
    assert "Nobody" in said(capsys, "requests")
    with pytest.raises(CommandError, match="no open request"):
        call_command("budget", "requests", "--grant", row["id"])


def test_limits_go_out_and_come_in_again(lab, capsys, tmp_path):
    bob = lab.memberships.get(user__email="bob@example.org")
    budget.change_quota(None, quotas.member(bob), Period.DAY, 77_000)
    file = tmp_path / "limits.csv"
    file.write_text(said(capsys, "export", "--team", "lab"))

    assert "0 limits" in said(capsys, "import", str(file), "--team", "lab")
    file.write_text(file.read_text().replace("77000", "88000"))
    assert "1 limits" in said(capsys, "import", str(file), "--team", "lab")

    assert quotas.limits_in_force(Scope.MEMBER, bob.pk, lab.pk)[Period.DAY] == 88_000


def test_a_wrong_file_changes_nothing(lab, capsys, tmp_path):
    file = tmp_path / "limits.csv"
    file.write_text(said(capsys, "export", "--team", "lab") + "member,nobody,x,day,5\r\n")

    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("budget", "import", str(file), "--team", "lab")
