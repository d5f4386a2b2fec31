"""The audit trail as people read it: in words, filtered, page by page, and never more than is theirs to know."""

import ast
import csv
import datetime as dt
import io
import json
import re
import uuid
from pathlib import Path

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone, translation

from profiles import audit, origins, quotas, teams, tokens
from profiles.models import AuditEvent, Period, Role
from scoring import budget, deeds, trail
from tests import factories

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
HERE = origins.Origin("page", "192.0.2.7", "Firefox")


@pytest.fixture
def lab():
    """Alice owns, Bob belongs and has a limit of his own, set by Alice from 192.0.2.7."""
    alice, bob = factories.user("alice@example.org"), factories.user("bob@example.org")
    team = factories.team(alice, name="Lab")
    membership = factories.membership(team, bob, Role.MEMBER)
    with origins.through(HERE):
        teams.change_role(alice, membership, Role.ADMIN)
        budget.change_quota(alice, quotas.member(membership), Period.DAY, 20_000)
    return team


def people(lab):
    found = {member.role: member.user for member in lab.memberships.select_related("user")}
    return found[Role.OWNER], found[Role.ADMIN]


def body_of(response):
    return b"".join(response.streaming_content).decode()


# --- words ------------------------------------------------------------------------------------------


FILES = {"csv", "html", "json", "md", "toml", "txt", "xml"}


def recorded():
    """Every code and figure that the code base records, as far as it stands there literally."""
    codes, names = set(), set()
    families = {code.partition(".")[0] for code in deeds.WHAT}
    for folder in ("profiles", "scoring", "portal", "papers"):
        for path in (ROOT / folder).rglob("*.py"):
            source = path.read_text()
            if not re.search(r"^from .* import .*\baudit\b", source, re.MULTILINE):
                continue
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    family, dot, deed = node.value.partition(".")
                    is_code = dot and deed.replace("_", "").isalpha() and deed.islower() and deed not in FILES
                    codes |= {node.value} if is_code and family in families else set()
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "record":
                    codes |= {
                        each.value for each in node.args if isinstance(each, ast.Constant) if each.value
                    }
                    names |= {name for word in node.keywords for name in keys_of(word)}
    return codes, names


def keys_of(word):
    dicts = [each for each in ast.walk(word.value) if isinstance(each, ast.Dict)]
    literal = word.arg in {"before", "after"}
    return {key.value for each in dicts for key in each.keys if literal and isinstance(key, ast.Constant)}


def test_every_code_and_figure_that_is_recorded_has_words():
    codes, names = recorded()

    assert len(codes) > 20
    assert codes - set(deeds.WHAT) == set()
    assert names - set(deeds.FIGURES) == set()


def test_the_words_are_in_both_languages():
    for table in (deeds.WHAT, deeds.FIGURES, deeds.PARTS):
        for code, text in table.items():
            with translation.override("zh-hans"):
                assert str(text) != "", code
                assert any("\u4e00" <= sign <= "\u9fff" for sign in str(text)), code


def test_figures_are_told_before_and_after():
    names = {"k": "Key"}

    assert deeds.figures({"role": "member"}, {"role": "admin"}, names) == ["role: member → admin"]
    assert deeds.figures({"limit_tokens": None}, {"limit_tokens": 20_000}, names) == [
        "limit in tokens: the default → 20,000"
    ]
    assert deeds.figures({"limit_tokens": 5}, {"limit_tokens": None}, names) == [
        "limit in tokens: 5 → the default"
    ]
    assert deeds.figures({}, {"can_write": True, "changed": ["bar", "interests"]}, names) == [
        "may write: yes",
        "changed: bar, research fields",
    ]
    assert deeds.figures({"period": "day"}, {"period": "day"}, names) == ["period: day"]
    assert deeds.figures({"price_input_microusd": 150_000}, {"price_input_microusd": 2_000_000}, names) == [
        "price of a million read: $0.1500 → $2.00"
    ]
    assert deeds.figures({}, {"from_tomorrow": 7}, names) == ["from tomorrow: 7"]


# --- pages ------------------------------------------------------------------------------------------


def test_a_team_s_owner_reads_who_did_what_to_whom_and_through_which_door(client, lab):
    alice, _bob = people(lab)
    client.force_login(alice)

    page = client.get(reverse("team_audit", args=[lab.slug])).text

    assert "Role changed" in page
    assert "role: member → admin" in page
    assert "limit in tokens: the default → 20,000" in page
    assert "bob@example.org" in page
    assert page.index("Limit set") < page.index("Role changed", page.index("<tbody>"))
    assert "192.0.2.7" not in page
    assert "{" not in page.split("<tbody>")[1].split("</tbody>")[0]


def test_one_s_own_trail_has_one_s_own_addresses_and_nobody_else_s_deeds(client, lab):
    alice, bob = people(lab)
    with origins.through(HERE):
        tokens.issue(bob, "Bob's script", can_write=False)

    client.force_login(alice)
    mine = client.get(reverse("own_audit")).text
    client.force_login(bob)
    bobs = client.get(reverse("own_audit")).text

    assert "192.0.2.7" in mine
    assert "Limit set" in mine.split("<tbody>")[1]
    assert "Bob&#x27;s script" not in mine
    assert "Bob&#x27;s script" in bobs
    assert "Limit set" not in bobs.split("<tbody>")[1]


def test_the_operator_reads_all_with_addresses_and_no_private_name(client, lab):
    alice, _bob = people(lab)
    private = factories.profile(alice, team=lab, name="Secret plans")
    shared = factories.profile(None, team=lab, name="Shared plans")
    for profile in (private, shared):
        audit.record(alice, "profile.paused", subject=profile.public_id)
    client.force_login(factories.user(is_staff=True))

    page = client.get(reverse("operator_audit")).text

    assert "192.0.2.7" in page
    assert "in Lab" in page
    assert "plans" not in page


def test_a_team_s_trail_calls_only_its_own_profiles_by_name(client, lab):
    alice, bob = people(lab)
    private = factories.profile(bob, team=lab, name="Secret plans")
    shared = factories.profile(None, team=lab, name="Shared plans")
    for profile in (private, shared):
        audit.record(bob, "profile.paused", team=lab, subject=profile.public_id)
    client.force_login(alice)

    page = client.get(reverse("team_audit", args=[lab.slug])).text

    assert "Shared plans" in page
    assert "Secret plans" not in page


def test_a_person_who_left_for_good_is_a_key(client, lab):
    alice, bob = people(lab)
    audit.record(bob, "team.renamed", team=lab)
    key = bob.public_id
    audit.forget(bob)
    bob.delete()
    client.force_login(alice)

    page = client.get(reverse("team_audit", args=[lab.slug])).text

    assert "bob@example.org" not in page
    assert f"(no name: {str(key)[:8]})" in page


# --- filters and paging -----------------------------------------------------------------------------


def lines(scope, place=None, count=50, **asked):
    return trail.page(scope, trail.Asked.read(asked, dt.UTC), place, count)


def test_each_filter_keeps_what_fits(lab):
    alice, bob = people(lab)
    AuditEvent.objects.create(
        actor_key=bob.public_id,
        team_key=lab.public_id,
        code="team.renamed",
        at=dt.datetime(2026, 1, 30, 23, 30, tzinfo=dt.UTC),
    )
    house = trail.of_team(lab)

    def codes(**asked):
        return [line.code for line in lines(house, **asked).lines]

    assert codes() == ["quota.set", "member.role_changed", "team.renamed"]
    assert codes(code="quota.set") == ["quota.set"]
    assert codes(code="no.such") == codes()
    assert codes(person="BOB@example.org") == ["member.role_changed", "team.renamed"]
    assert codes(person=str(alice.public_id)) == ["quota.set", "member.role_changed"]
    assert codes(person="nobody@example.org") == []
    assert codes(last="2026-01-30") == ["team.renamed"]
    assert codes(first="2026-01-31") == ["quota.set", "member.role_changed"]
    assert codes(first="nonsense", last="0001-01-01") == codes()
    assert codes(person="bob@example.org", code="team.renamed", first="2026-01-30") == ["team.renamed"]


def test_the_days_are_those_of_the_reader_s_zone(lab):
    moment = dt.datetime(2026, 1, 30, 23, 30, tzinfo=dt.UTC)
    AuditEvent.objects.create(actor_key=uuid.uuid4(), team_key=lab.public_id, code="team.renamed", at=moment)
    shanghai = timezone.get_fixed_timezone(8 * 60)

    asked = trail.Asked.read({"first": "2026-01-31", "last": "2026-01-31"}, shanghai)

    assert [line.code for line in trail.page(trail.of_team(lab), asked).lines] == ["team.renamed"]


@pytest.mark.parametrize("asked", [{}, {"person": "{bob}"}])
def test_pages_go_on_without_a_gap_or_a_double_even_among_lines_of_one_instant(lab, asked):
    _alice, bob = people(lab)
    asked = {name: value.format(bob=bob.public_id) for name, value in asked.items()}
    moment = dt.datetime(2026, 1, 30, tzinfo=dt.UTC)
    for n in range(23):
        AuditEvent.objects.create(
            actor_key=bob.public_id if n % 2 else uuid.uuid4(),
            subject_key=bob.public_id,
            team_key=lab.public_id,
            code="quota.set",
            after={"limit_tokens": n},
            at=moment + dt.timedelta(seconds=n // 9),
        )
    whole = [line.after for line in lines(trail.of_team(lab), count=500, **asked).lines]

    seen, place = [], None
    while True:
        page = lines(trail.of_team(lab), place, 4, **asked)
        seen += [line.after for line in page.lines]
        if page.older is None:
            break
        place = trail.Place.read(str(page.older))

    assert seen == whole
    assert len(whole) >= 24


@pytest.mark.parametrize("text", ["", "x", "~", "1~", "99999999999999999999999~1", "1~-5", "-1~0"])
def test_a_place_that_is_nonsense_begins_with_the_newest_or_ends(client, lab, text):
    client.force_login(people(lab)[0])

    assert client.get(reverse("team_audit", args=[lab.slug]), {"before": text}).status_code == 200


def test_a_page_asks_a_bounded_number_of_queries(client, lab, django_assert_max_num_queries):
    alice, bob = people(lab)
    for n in range(60):
        audit.record((alice, bob)[n % 2], "quota.set", team=lab, subject=bob.public_id, after={"tokens": n})
    client.force_login(alice)

    with django_assert_max_num_queries(14):
        page = client.get(reverse("team_audit", args=[lab.slug])).text

    assert page.count("<tr>") == 51


def plan(queryset):
    told = queryset.explain()
    return told if connection.vendor == "sqlite" else told.replace("\n", " ")


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "audit_newest"),
        ({"code": "x"}, "audit_what"),
        ({"actor_key": uuid.UUID(int=1)}, "audit_who"),
        ({"subject_key": uuid.UUID(int=1)}, "audit_whom"),
        ({"team_key": uuid.UUID(int=1)}, "audit_team_newest"),
        ({"team_key": uuid.UUID(int=1), "code": "x"}, "audit_team_what"),
        ({"team_key": uuid.UUID(int=1), "actor_key": uuid.UUID(int=1)}, "audit_team_who"),
        ({"team_key": uuid.UUID(int=1), "subject_key": uuid.UUID(int=1)}, "audit_team_whom"),
    ],
)
def test_each_question_has_an_index_that_answers_in_order(wanted, index):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")

    told = plan(AuditEvent.objects.filter(**wanted).order_by("-at", "-id")[:50])

    assert index in told or connection.vendor == "postgresql"
    assert "TEMP B-TREE" not in told
    assert "Sort" not in told


# --- files and API ----------------------------------------------------------------------------------


def test_the_file_has_the_filtered_lines_and_no_formula(client, lab):
    alice, _bob = people(lab)
    audit.remember_key(uuid.UUID(int=7), "=cmd()")
    audit.record(alice, "invitation.revoked", team=lab, subject=uuid.UUID(int=7))
    client.force_login(alice)

    answer = client.get(reverse("team_audit_file", args=[lab.slug]), {"person": "alice@example.org"})
    rows = list(csv.DictReader(io.StringIO(body_of(answer))))

    assert answer["Content-Disposition"] == f'attachment; filename="audit-{lab.slug}.csv"'
    assert [row["code"] for row in rows] == ["invitation.revoked", "quota.set", "member.role_changed"]
    assert rows[0]["whom"] == "'=cmd()"
    assert json.loads(rows[2]["before"]) == {"role": "member"}
    assert "ip" not in rows[0]


def test_one_s_own_file_has_one_s_addresses_and_the_operator_s_all(client, lab):
    alice, _bob = people(lab)
    for reader, name in ((alice, "own_audit_file"), (factories.user(is_staff=True), "operator_audit_file")):
        client.force_login(reader)
        rows = list(csv.DictReader(io.StringIO(body_of(client.get(reverse(name))))))

        assert {row["ip"] for row in rows} == {"192.0.2.7"}


def test_a_file_longer_than_a_chunk_is_whole(lab, monkeypatch):
    monkeypatch.setattr(trail, "LINES_A_CHUNK", 2)
    alice, _bob = people(lab)
    for n in range(5):
        audit.record(alice, "quota.set", team=lab, after={"tokens": n})

    told = list(trail.every_line(trail.of_team(lab), trail.Asked()))

    assert len(told) == 7


def test_the_api_tells_the_same_page_by_page(client, lab):
    alice, _bob = people(lab)
    client.force_login(alice)
    address = reverse("api_team_audit", args=[lab.slug])

    answer = client.get(address, {"code": "member.role_changed"}).json()

    assert answer["older"] is None
    (line,) = answer["lines"]
    assert (line["what"], line["who"], line["whom"]) == (
        "Role changed",
        "alice@example.org",
        "bob@example.org",
    )
    assert (line["before"], line["after"], line["ip"]) == ({"role": "member"}, {"role": "admin"}, "")
    assert {line["ip"] for line in client.get(reverse("api_audit")).json()["lines"]} == {"192.0.2.7"}


# --- every deed leaves a line -----------------------------------------------------------------------


def test_a_team_profile_s_deeds_name_who_did_them_and_no_words(client, lab):
    alice, _bob = people(lab)
    shared = factories.profile(None, team=lab, name="Shared plans")
    client.force_login(alice)
    address = reverse("api_profile", args=[shared.public_id])

    client.patch(address, {"bar": 70, "name": "Other plans"}, content_type="application/json")
    client.post(reverse("profile_pause", args=[shared.public_id]), {"paused": "yes"})
    client.post(reverse("profile_pause", args=[shared.public_id]), {"paused": "no"})
    client.delete(address)

    events = AuditEvent.objects.filter(subject_key=shared.public_id, team_key=lab.public_id).order_by("pk")
    assert [event.code for event in events] == [
        "profile.edited",
        "profile.paused",
        "profile.resumed",
        "profile.archived",
    ]
    assert {event.actor_key for event in events} == {alice.public_id}
    assert set(events[0].after["changed"]) == {"bar", "name"}
    assert "plans" not in str([(event.before, event.after) for event in events])


def test_a_private_profile_leaves_its_lines_in_its_owner_s_trail_only(client, lab):
    _alice, bob = people(lab)
    private = factories.profile(bob, team=lab)
    client.force_login(bob)

    client.delete(reverse("api_profile", args=[private.public_id]))

    event = AuditEvent.objects.get(subject_key=private.public_id)
    assert (event.code, event.actor_key, event.team_key) == ("profile.archived", bob.public_id, None)
