"""Fill the sums of spending from the ledger, for the days before they were kept."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FILL = """
INSERT INTO scoring_spending (window_id, profile_id, provider_model, kind, calls, papers, used_tokens,
    assumed_tokens, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_microusd)
SELECT window_id, profile_id, provider_model, kind, SUM(calls), SUM(papers), SUM(used_tokens),
    SUM(assumed_tokens), SUM(input_tokens), SUM(cached_tokens), SUM(output_tokens), SUM(reasoning_tokens),
    SUM(cost_microusd)
FROM (
    SELECT l.window_id, c.profile_id, c.provider_model, c.kind,
        CASE WHEN l.kind = 'true_up' THEN 0 ELSE 1 END AS calls, 0 AS papers, l.tokens AS used_tokens,
        CASE WHEN (l.kind = 'assume' AND NOT h.is_trued_up) OR (l.kind = 'settle' AND h.is_flagged)
             THEN l.tokens ELSE 0 END AS assumed_tokens,
        l.input_tokens, l.cached_tokens, l.output_tokens, l.reasoning_tokens, l.cost_microusd
    FROM scoring_ledgerentry l
    JOIN scoring_budgetwindow w ON w.id = l.window_id
    JOIN scoring_hold h ON h.id = l.hold_id
    JOIN scoring_call c ON c.id = h.call_id
    WHERE l.kind IN ('settle', 'assume', 'true_up') AND w.period = 'day' AND w.scope IN (3, 4)
    UNION ALL
    SELECT l.window_id, c.profile_id, c.provider_model, c.kind, 0, 1, 0, 0, 0, 0, 0, 0, 0
    FROM scoring_score s
    JOIN scoring_call c ON c.id = s.call_id
    JOIN scoring_hold h ON h.call_id = c.id
    JOIN scoring_ledgerentry l ON l.hold_id = h.id AND l.kind = 'hold'
    JOIN scoring_budgetwindow w ON w.id = l.window_id
    WHERE w.period = 'day' AND w.scope IN (3, 4)
) AS booked
GROUP BY window_id, profile_id, provider_model, kind
"""


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute("DELETE FROM scoring_spending")
    schema_editor.execute(FILL)


class Migration(migrations.Migration):
    dependencies = [("scoring", "0010_spending_of_what_was_assumed")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
