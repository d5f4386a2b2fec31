"""A price of 0 for cached or reasoning tokens meant "as the others"; now that is None, and 0 is free."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NAMES = ("price_cached_microusd", "price_reasoning_microusd")


def forget_zeros(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    providers = apps.get_model("scoring", "Provider").objects
    for name in NAMES:
        providers.filter(**{name: 0}).update(**{name: None})


def write_zeros(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    providers = apps.get_model("scoring", "Provider").objects
    for name in NAMES:
        providers.filter(**{name: None}).update(**{name: 0})


class Migration(migrations.Migration):
    dependencies = [("scoring", "0012_teams_choose_among_providers")]

    operations = [migrations.RunPython(forget_zeros, write_zeros)]
