"""What a test with real transactions leaves behind is deleted, of those tables only that hold rows.

Django truncates all of them, which on PostgreSQL makes some two hundred new files, and then writes each
content type and permission anew.
"""

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction

from tests import loosened

# The same after every flush: rows that `migrate` makes of the models.
MADE_OF_MODELS = {ContentType._meta.db_table, Permission._meta.db_table}


def flush() -> None:
    """Empty every table, as Django's own command does; content types and permissions stand. Safe to repeat."""
    if not made_of_models():
        with loosened.tables():
            call_command("flush", verbosity=0, interactive=False)
        return
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True)) - MADE_OF_MODELS)
    with transaction.atomic():
        wait_for_writers(tables)
        left = holding_rows(tables)
        if not left:
            return
        if set(left) & set(loosened.TABLES):
            with loosened.tables():
                delete(left)
        else:
            delete(left)


def made_of_models() -> bool:
    """Whether content types and permissions are what the models say; a test may have changed them."""
    models = {(model._meta.app_label, model._meta.model_name) for model in apps.get_models()}
    allowed = {
        (model._meta.app_label, codename)
        for model in apps.get_models()
        for codename in (
            *(f"{action}_{model._meta.model_name}" for action in model._meta.default_permissions),
            *(codename for codename, _name in model._meta.permissions),
        )
    }
    return models == set(ContentType.objects.values_list("app_label", "model")) and allowed == set(
        Permission.objects.values_list("content_type__app_label", "codename")
    )


def wait_for_writers(tables: list[str]) -> None:
    """A killed process's last commit may still be on its way: it lands before, not after."""
    if connection.vendor == "postgresql":
        names = ", ".join(map(connection.ops.quote_name, tables))
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")


def holding_rows(tables: list[str]) -> list[str]:
    found = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})"
        for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(found)
        return [table for (table,) in cursor.fetchall()]


def delete(tables: list[str]) -> None:
    """In any order: references are looked at when the transaction ends."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
