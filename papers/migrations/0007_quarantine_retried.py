"""Records in quarantine get an address of their own, and what a retry made of them."""

import uuid

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone


def give_ids(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    quarantine = apps.get_model("papers", "Quarantine")
    for pk in quarantine.objects.filter(public_id=None).values_list("pk", flat=True).iterator():
        quarantine.objects.filter(pk=pk).update(public_id=uuid.uuid4())


class Migration(migrations.Migration):
    dependencies = [("papers", "0006_named_as")]

    operations = [
        migrations.AddField("quarantine", "public_id", models.UUIDField(null=True, editable=False)),
        migrations.AddField("quarantine", "retried_at", models.DateTimeField(null=True)),
        migrations.AddField("quarantine", "resolved_at", models.DateTimeField(null=True)),
        migrations.AddField("quarantine", "problem", models.TextField(default="", db_default="", blank=True)),
        migrations.RunPython(give_ids, migrations.RunPython.noop),
        migrations.AlterField(
            "quarantine",
            "public_id",
            models.UUIDField(unique=True, default=uuid.uuid4, editable=False),
        ),
        migrations.AlterField(
            "quarantine",
            "stored_at",
            models.DateTimeField(default=timezone.now, db_index=True),
        ),
    ]
