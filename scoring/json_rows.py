"""A group's values as one JSON array, on SQLite and PostgreSQL alike: a subquery that returns a list."""

from typing import Any

from django.db.models import Aggregate, JSONField


class JSONRows(Aggregate):
    """`JSON_GROUP_ARRAY` or `JSONB_AGG`; null where the group is empty and the database says so."""

    function = "JSON_GROUP_ARRAY"
    output_field = JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_AGG", **context)
