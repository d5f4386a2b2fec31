"""The ledger and the audit trail refuse in the database itself to be changed, whoever asks."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from profiles import audit, growing
from profiles.models import AuditEvent, AuditOrigin, AuditPerson
from scoring import budget
from scoring.models import LedgerEntry
from tests import factories, loosened

pytestmark = pytest.mark.django_db


@pytest.fixture(params=loosened.TABLES)
def table(request):
    alice = factories.user()
    profile = factories.profile(alice)
    provider = factories.provider("http://127.0.0.1:9/v1")
    budget.hold(factories.call(profile, provider), 10, budget.legs_of(profile, provider))
    audit.record(alice, "team.renamed", team=profile.team)
    return request.param


CHANGES = [
    "UPDATE {table} SET {column} = {column}",
    "UPDATE {table} SET {column} = 'x' WHERE id > 0",
    "DELETE FROM {table}",
    "DELETE FROM {table} WHERE id = (SELECT min(id) FROM {table})",
]


def execute(sql, table):
    column = "code" if "audit" in table else "kind"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(table=table, column=column))
        return cursor.rowcount


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_refuses_to_change_or_delete_a_row(table, change):
    before = execute_all(table)

    with pytest.raises(IntegrityError, match=f"{table} only grows: (UPDATE|DELETE) is refused"):
        execute(change, table)
    assert execute_all(table) == before


@pytest.mark.parametrize("change", CHANGES)
def test_without_the_guards_each_of_these_would_have_done_it(table, change):
    with loosened.tables():
        assert execute(change, table) > 0


def execute_all(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY id")
        return cursor.fetchall()


@pytest.mark.postgres
def test_postgresql_refuses_to_truncate_too(table):
    loosened.settle_references()

    with pytest.raises(DatabaseError, match="TRUNCATE is refused"):
        execute("TRUNCATE {table} CASCADE", table)


def test_the_orm_is_refused_too(table):
    for refused in (
        lambda: AuditEvent.objects.update(code="x"),
        lambda: AuditEvent.objects.last().delete(),
        lambda: LedgerEntry.objects.update(tokens=1),
        lambda: LedgerEntry.objects.all()[:1].get().save(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            refused()


def test_an_operator_who_took_the_guards_away_is_told_by_the_audit(table, capsys):
    assert audit.unguarded() == budget.unguarded() == []

    loosened.settle_references()
    growing.unguard(connection, table)
    with pytest.raises(SystemExit):
        call_command("audit")
    told = capsys.readouterr().out
    growing.guard(connection, table)

    assert f"only grow, by a guard in the database: {table}_no_delete" in told
    assert f"only grow, by a guard in the database: {table}_no_update" in told
    call_command("audit")


def test_what_names_a_person_can_still_be_erased():
    alice = factories.user()
    event = audit.record(alice, "team.renamed")
    AuditOrigin.objects.create(event=event, actor_key=alice.public_id, ip="192.0.2.1")

    audit.forget(alice)

    assert AuditEvent.objects.filter(actor_key=alice.public_id).exists()
    assert not AuditOrigin.objects.exists()
    assert not AuditPerson.objects.filter(key=alice.public_id).exists()
