"""Limits many at once: a file out and in, and one amount for many. All of it is right, or nothing changes."""

import csv
import io
import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from profiles.models import Quota, Role, Scope
from scoring import budget, limit_files
from tests import factories

pytestmark = pytest.mark.django_db
HEAD = "kind,id,name,period,tokens\n"


class Lab:
    def __init__(self):
        self.alice = factories.user("alice@example.org", name="Alice")
        self.bob = factories.user("bob@example.org", name="=cmd|' /C calc'!A0")
        self.team = factories.team(self.alice, self.bob, slug="lab")
        self.bobs = self.bob.memberships.get(team=self.team)
        self.club = factories.profile(None, team=self.team, name="Journal club")
        factories.quota(Scope.MEMBER, 5_000, team=self.team, membership=self.bobs)
        factories.quota(Scope.SHARE, 7_000, period="week", team=self.team, profile=self.club)
        self.client = as_(self.alice)

    def send(self, text, **fields):
        body = text if isinstance(text, bytes) else text.encode()
        file = SimpleUploadedFile("quotas.csv", body)
        return self.client.post(reverse("team_quotas_import", args=["lab"]), {"file": file, **fields})

    def confirm(self, text):
        return self.client.post(
            reverse("team_quotas_import", args=["lab"]), {"content": text, "confirm": "1"}
        )


@pytest.fixture
def lab():
    return Lab()


def as_(user):
    client = Client()
    client.force_login(user)
    return client


def limits():
    return sorted(
        Quota.objects.values_list("scope", "membership", "profile", "period", "limit_tokens"), key=str
    )


def test_what_goes_out_comes_in_and_changes_nothing(lab):
    before = limits()
    text = lab.client.get(reverse("team_quotas_file", args=["lab"])).content.decode()

    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["kind"] for row in rows} == {"pool", "default", "member", "share"}
    assert [row["tokens"] for row in rows if row["id"] == "bob@example.org"] == ["5000"]
    found = limit_files.read(lab.team, text.encode())

    assert (found.problems, found.real) == ([], [])
    assert limit_files.set_all(lab.alice, lab.team, found.changes) == 0
    assert limits() == before


def test_no_cell_is_a_formula(lab):
    text = lab.client.get(reverse("team_quotas_file", args=["lab"])).content.decode()

    assert "'=cmd" in text
    assert not any(cell[:1] in "=+-@" for row in csv.reader(io.StringIO(text)) for cell in row if cell)


def test_a_file_is_shown_first_and_done_when_it_is_confirmed(lab):
    text = (
        HEAD
        + "member,bob@example.org,,day,40k\nmember,alice@example.org,,week,1M\nshare,"
        + (f"{lab.club.public_id},,week,\n")
    )
    before = limits()

    page = lab.send(text).content.decode()

    assert "40,000" in page and "1,000,000" in page and "Set 3 limits" in page
    assert limits() == before
    assert lab.confirm(text).status_code == 302
    assert {row[-2:] for row in limits()} == {("day", 40_000), ("week", 1_000_000)}
    assert lab.confirm(text).status_code == 302


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("member,eve@example.org,,day,5", "is no member of this team"),
        ("share,00000000-0000-4000-8000-000000000004,,day,5", "is no profile of this team"),
        ("planet,x,,day,5", "is none of pool, default, member, share"),
        ("member,bob@example.org,,year,5", "Choose a day, a week or a month"),
        ("member,bob@example.org,,day,=1+1", "is a formula"),
        ("member,bob@example.org,,day,@SUM(A1)", "is a formula"),
        ("member,bob@example.org,,day,-A1", "is a formula"),
        ("member,bob@example.org,,day,-5", "cannot be negative"),
        ("member,bob@example.org,,day,1.5", "is not a whole number"),
        ("member,bob@example.org,,day,9999999999999", "at most"),
        ("member,bob@example.org,,day", "another number of cells"),
        ("member,alice@example.org,,day,7", "stands in line 2"),
        ("pool,,,day,999999999", "The operator of this instance gave"),
    ],
)
def test_each_wrong_line_has_its_message_and_nothing_changes(lab, line, message):
    text = HEAD + "member,alice@example.org,,day,6\n" + line + "\n"
    before = limits()

    pages = [lab.send(text), lab.confirm(text)]

    assert message in pages[-1].content.decode()
    assert pages[-1].status_code == 422
    if "operator" not in message:
        assert pages[0].status_code == 422
        assert "Line 3" in pages[0].content.decode()
    assert limits() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Choose a CSV file"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a,b\n1,2\n", "are missing"),
        (HEAD.encode(), "holds no limit"),
        (b"x" * 600_000, "too large"),
        (b'kind,id,period,tokens\n"open', "not CSV"),
    ],
)
def test_a_file_that_is_none_is_refused(lab, content, message):
    answer = lab.send(content)
    page = answer if answer.status_code == 422 else lab.client.get(reverse("team_quotas", args=["lab"]))
    assert message in page.content.decode()


def test_many_are_ticked_shown_and_set(lab):
    address = reverse("team_quotas_bulk", args=["lab"])
    alices = lab.alice.memberships.get(team=lab.team)
    chosen = [f"member:{lab.bobs.public_id}", f"member:{alices.public_id}", f"share:{lab.club.public_id}"]
    form = {"chosen": chosen, "period": "day", "tokens": "30k"}
    before = limits()

    page = lab.client.post(address, form).content.decode()
    assert "Set 3 limits" in page and limits() == before

    lab.client.post(address, form | {"confirm": "1"})
    assert Quota.objects.filter(period="day", limit_tokens=30_000).count() == 3
    lab.client.post(address, {"chosen": chosen, "period": "day", "remove": "1", "confirm": "1"})
    assert not Quota.objects.filter(period="day").exists()


def test_foreign_or_wrong_choices_change_nothing(lab):
    address = reverse("team_quotas_bulk", args=["lab"])
    stranger = factories.user()
    foreign = factories.team(stranger).memberships.get()
    before = limits()

    for chosen in (f"member:{foreign.public_id}", "member:x", "planet:1"):
        form = {"chosen": [f"member:{lab.bobs.public_id}", chosen], "tokens": "5", "confirm": "1"}
        assert lab.client.post(address, form).status_code == 404
    for wrong in ({"tokens": "-5"}, {"tokens": "1.5"}, {"tokens": ""}, {"period": "year"}, {"chosen": []}):
        form = {"chosen": [f"member:{lab.bobs.public_id}"], "tokens": "5", "confirm": "1"}
        assert lab.client.post(address, form | wrong).status_code == 302
    assert limits() == before


def test_an_admin_cannot_raise_the_pool_by_a_file(lab):
    ada = factories.user()
    factories.membership(lab.team, ada, Role.ADMIN)
    factories.quota(Scope.TEAM, 100, team=lab.team)
    lab.client, before = as_(ada), limits()

    answer = lab.confirm(HEAD + "member,bob@example.org,,day,9\npool,,,day,200\n")

    assert answer.status_code == 422 and "Only an owner" in answer.content.decode()
    assert limits() == before


@pytest.mark.django_db(transaction=True)
def test_two_files_at_once_leave_one_of_them(lab):
    texts = [HEAD + f"member,bob@example.org,,day,{n}\nmember,alice@example.org,,day,{n}\n" for n in (11, 22)]
    barrier = threading.Barrier(2)

    def run(text):
        try:
            found = limit_files.read(lab.team, text.encode())
            barrier.wait()
            limit_files.set_all(lab.alice, lab.team, found.changes)
        finally:
            connection.close()

    workers = [threading.Thread(target=run, args=(text,)) for text in texts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(set(Quota.objects.filter(period="day").values_list("limit_tokens", flat=True))) == 1
    assert budget.audit() == []
