"""Say of each stored window which team pays: by its subject, where that still stands."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TEAM, MEMBER, SHARE = 2, 3, 4


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    windows = apps.get_model("scoring", "BudgetWindow").objects
    for subject_id in windows.filter(scope=TEAM).values_list("subject_id", flat=True).distinct():
        windows.filter(scope=TEAM, subject_id=subject_id).update(team_id=subject_id)
    for scope, model in ((MEMBER, "Membership"), (SHARE, "Profile")):
        teams = dict(apps.get_model("profiles", model).objects.values_list("pk", "team_id"))
        for subject_id in windows.filter(scope=scope).values_list("subject_id", flat=True).distinct():
            windows.filter(scope=scope, subject_id=subject_id).update(team_id=teams.get(subject_id, 0))


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0003_invitations_requests_notices"),
        ("scoring", "0008_teams_of_windows_and_spending"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
