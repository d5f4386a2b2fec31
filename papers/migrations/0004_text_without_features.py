"""The texts whose feature vector nobody computed yet are found without reading all of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("papers", "0003_gaps_and_surges")]

    operations = [
        migrations.AddIndex(
            model_name="paperversion",
            index=models.Index(condition=models.Q(features=b""), fields=["id"], name="text_without_features"),
        ),
    ]
