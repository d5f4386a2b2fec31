"""Indexes that no query needs, and that every new paper had to be written into.

Those of three foreign keys, for a constraint's index begins with the same column; that of patterns which PostgreSQL
gets from `unique=True`; and that of the primary category, by which nothing is looked up.
"""

from django.db import migrations, models
from django.db.models import CASCADE


class Migration(migrations.Migration):
    dependencies = [("papers", "0007_quarantine_retried")]

    operations = [
        migrations.AddConstraint(
            "paper",
            models.UniqueConstraint(fields=["arxiv_id"], name="one_paper_an_arxiv_id"),
        ),
        migrations.AlterField("paper", "arxiv_id", models.CharField(max_length=32)),
        migrations.RemoveIndex("paper", "paper_primary"),
        *(
            migrations.AlterField(
                model,
                "paper",
                models.ForeignKey("papers.paper", CASCADE, related_name=related_name, db_index=False),
            )
            for model, related_name in [
                ("paperversion", "versions"),
                ("announcement", "announcements"),
                ("correction", "corrections"),
            ]
        ),
    ]
