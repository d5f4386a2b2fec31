"""The operator's pages against two tables written by hand: who comes in, and what may be done to which row."""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from profiles import audit
from profiles.models import User
from scoring import budget
from scoring.models import Call
from tests import factories

pytestmark = pytest.mark.django_db

ROLES = ["anon", "reader", "staff", "operator"]
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
NOBODY = 987_654_321
ROW = ("_change", "_history", "_delete", "_password_change")


@dataclass(frozen=True)
class Row:
    pattern: str
    methods: tuple[str, ...]
    expected: dict[str, int]


def lines(name):
    text = (Path(__file__).parent / name).read_text()
    return [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]


TABLE = [
    Row(name, tuple(methods.split(",")), dict(zip(ROLES, map(int, statuses), strict=True)))
    for name, methods, *statuses in lines("admin_table.txt")
]


def addresses():
    """Every address of the admin by its name, as the resolver has them."""
    (house,) = (
        each
        for each in get_resolver().url_patterns
        if isinstance(each, URLResolver) and each.namespace == "admin"
    )
    found = {"catch_all": "/admin/no-such-page/", "old_row": f"/admin/profiles/user/{NOBODY}/"}

    def walk(resolver):
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern)
            elif isinstance(pattern, URLPattern) and pattern.name:
                found[pattern.name] = reverse(f"admin:{pattern.name}", args=arguments(pattern.name))
            else:
                assert str(pattern.pattern) in {"<path:object_id>/", "(?P<url>.*)$"}, pattern

    walk(house)
    return found


def arguments(name):
    if name == "view_on_site":
        return [NOBODY, NOBODY]
    if name == "app_list":
        return ["profiles"]
    return [NOBODY] if name.endswith(ROW) and name != "password_change" else []


def row_of(name, method):
    fitting = [row for row in TABLE if fnmatch(name, row.pattern)]
    exact = [row for row in fitting if "*" not in row.pattern] or fitting
    (row,) = [row for row in exact if method in row.methods]
    return row


@pytest.mark.parametrize("role", ROLES)
def test_everybody_gets_of_the_admin_what_the_table_says(client, role):
    person = {
        "anon": lambda: None,
        "reader": factories.user,
        "staff": lambda: factories.user(is_staff=True),
        "operator": lambda: User.objects.create_superuser("operator@example.org", factories.PASSWORD),
    }[role]()
    if person is not None:
        factories.team(person)
        client.force_login(person)
    wrong = {}
    # Whoever logs out is asked last.
    for name, address in sorted(addresses().items(), key=lambda pair: pair[0] == "logout"):
        for method in sorted(METHODS):
            if person is not None and name == "logout":
                client.force_login(person)
            answer = getattr(client, method.lower())(address)
            if answer.status_code != row_of(name, method).expected[role]:
                wrong[f"{method} {name}"] = answer.status_code
            if role in {"anon", "reader"} and answer.status_code == 302 and name != "logout":
                assert answer.url.startswith(("/admin/login/", "/account/")), (method, name)

    assert wrong == {}


def test_no_row_of_the_table_is_of_an_address_that_is_gone():
    names = set(addresses())

    assert {row.pattern for row in TABLE if not any(fnmatch(name, row.pattern) for name in names)} == set()


def request_of(user):
    request = RequestFactory().get("/admin/")
    request.user = user
    return request


def test_what_may_be_done_to_each_row_is_what_the_table_says():
    operator = request_of(User.objects.create_superuser("operator@example.org", factories.PASSWORD))
    found = {}
    for model, its_admin in admin.site._registry.items():
        rights = (
            its_admin.has_add_permission(operator),
            its_admin.has_change_permission(operator),
            its_admin.has_delete_permission(operator),
        )
        found[model._meta.label_lower] = (
            *("yes" if right else "no" for right in rights),
            ",".join(its_admin.get_actions(operator)) or "-",
        )

    assert found == {name: tuple(rights) for name, *rights in lines("admin_rights.txt")}


def test_who_may_only_look_is_offered_no_deed():
    watcher = factories.user(is_staff=True)
    watcher.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))

    offered = {
        model._meta.label_lower: list(its_admin.get_actions(request_of(watcher)))
        for model, its_admin in admin.site._registry.items()
    }

    assert {name: deeds for name, deeds in offered.items() if deeds} == {}


@pytest.fixture
def books(client):
    """A row of every kind that the admin shows, with words in it that it must not show."""
    alice = factories.user("alice@example.org")
    team = factories.team(alice)
    profile = factories.profile(alice, team=team, name="SECRET name", interests=["SECRET interest"])
    provider = factories.provider("http://127.0.0.1:9/v1")
    provider.api_key_encrypted = "SECRET key"
    provider.save()
    call = factories.call(profile, provider, failed_answer="SECRET answer", prompt_sha256="SECRET")
    budget.hold(call, 10, budget.legs_of(profile, provider))
    audit.record(alice, "team.renamed", team=team)
    operator = User.objects.create_superuser("operator@example.org", factories.PASSWORD)
    client.force_login(operator)
    return client


def test_every_list_and_every_row_opens_and_tells_no_private_word(books):
    opened = 0
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        page = books.get(reverse(f"admin:{label}_changelist"))
        assert page.status_code == 200, label
        assert "SECRET" not in page.text, label
        row = model._default_manager.first()
        if row is not None:
            page = books.get(reverse(f"admin:{label}_change", args=[row.pk]))
            assert page.status_code == 200, label
            assert "SECRET" not in page.text, label
            opened += 1
    assert opened >= 9


def test_every_list_can_be_searched(books):
    for model, its_admin in admin.site._registry.items():
        if its_admin.search_fields:
            label = f"{model._meta.app_label}_{model._meta.model_name}"
            page = books.get(reverse(f"admin:{label}_changelist"), {"q": "alice@example.org"})
            assert page.status_code == 200, label


@pytest.mark.parametrize(
    "label", ["scoring_ledgerentry", "scoring_call", "scoring_edition", "profiles_letter"]
)
def test_a_list_asks_as_often_for_many_rows_as_for_few(books, label, django_assert_max_num_queries):
    template = Call.objects.get()
    for _ in range(12):
        call = factories.call(template.profile, template.provider)
        budget.hold(call, 1, budget.legs_of(template.profile, template.provider))

    with django_assert_max_num_queries(12):
        assert books.get(reverse(f"admin:{label}_changelist")).status_code == 200


def test_one_comes_from_a_window_to_its_ledger_to_the_hold_and_its_call(books):
    window = budget_window()
    page = books.get(reverse("admin:scoring_budgetwindow_change", args=[window.pk])).text
    assert f"/admin/scoring/ledgerentry/?window__id__exact={window.pk}" in page
    line = books.get(reverse("admin:scoring_ledgerentry_changelist")).text
    assert "/admin/scoring/budgetwindow/" in line
    assert "/admin/scoring/hold/" in line
    hold = Call.objects.get().hold
    page = books.get(reverse("admin:scoring_hold_change", args=[hold.pk])).text
    assert f"/admin/scoring/call/{hold.call_id}/change/" in page
    assert f"/admin/scoring/ledgerentry/?hold__id__exact={hold.pk}" in page
    assert books.get(f"/admin/scoring/ledgerentry/?hold__id__exact={hold.pk}").status_code == 200


def test_a_provider_is_stopped_only_after_the_question(books):
    provider = Call.objects.get().provider
    address = reverse("admin:scoring_provider_changelist")
    body = {"action": "pause", "_selected_action": [provider.pk]}

    asked = books.post(address, body)
    provider.refresh_from_db()
    assert provider.paused_at is None
    assert "Stop these providers?" in asked.text
    books.post(address, body | {"confirmed": "yes"})

    provider.refresh_from_db()
    assert provider.paused_at is not None


def test_windows_are_reconciled_and_it_is_written_down(books):
    window = budget_window()
    used = window.used_tokens
    type(window).objects.filter(pk=window.pk).update(used_tokens=used + 7)
    body = {"action": "reconcile", "_selected_action": [window.pk], "confirmed": "yes"}

    books.post(reverse("admin:scoring_budgetwindow_changelist"), body)

    window.refresh_from_db()
    assert window.used_tokens == used
    assert audit.AuditEvent.objects.get(code="windows.reconciled").after == {"count": 1}


def budget_window():
    return Call.objects.get().hold.ledger.first().window
