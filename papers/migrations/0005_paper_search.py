"""What the search box looks through, filled for the papers that are stored."""

from django.db import migrations, models

from papers import names

_BATCH = 500


def fill(apps, schema_editor):
    papers = apps.get_model("papers", "Paper").objects.using(schema_editor.connection.alias)
    texts = apps.get_model("papers", "PaperVersion").objects.using(schema_editor.connection.alias)
    last = 0
    while batch := list(papers.filter(pk__gt=last).order_by("pk").only("title", "authors")[:_BATCH]):
        pks = [paper.pk for paper in batch]
        rows = texts.filter(paper__in=pks).order_by("number").values_list("paper_id", "abstract")
        abstracts = {pk: abstract for pk, abstract in rows if abstract}
        for paper in batch:
            paper.folded_text = names.text_for_search(paper.title, abstracts.get(paper.pk, ""))
            paper.folded_names = names.for_search(author["name"] for author in paper.authors)
        papers.bulk_update(batch, ["folded_text", "folded_names"])
        last = batch[-1].pk


class Migration(migrations.Migration):
    dependencies = [
        ("papers", "0004_text_without_features"),
    ]

    operations = [
        migrations.AddField(
            model_name="paper",
            name="folded_names",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="paper",
            name="folded_text",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
