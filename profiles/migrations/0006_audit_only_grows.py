"""The audit trail refuses UPDATE and DELETE in the database itself."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from profiles import growing

TABLE = "profiles_auditevent"


def guard(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    growing.guard(schema_editor.connection, TABLE)


def unguard(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    growing.unguard(schema_editor.connection, TABLE)


class Migration(migrations.Migration):
    dependencies = [("profiles", "0005_audit_doors")]

    operations = [migrations.RunPython(guard, unguard)]
