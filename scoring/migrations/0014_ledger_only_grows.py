"""The ledger refuses UPDATE and DELETE in the database itself."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from profiles import growing

TABLE = "scoring_ledgerentry"


def guard(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    growing.guard(schema_editor.connection, TABLE)


def unguard(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    growing.unguard(schema_editor.connection, TABLE)


class Migration(migrations.Migration):
    dependencies = [("scoring", "0013_no_price_is_none")]

    operations = [migrations.RunPython(guard, unguard)]
