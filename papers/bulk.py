"""Rows by the thousand, into a table and out of it by their keys.

`bulk_create` spends ten times as long on an instance for each row and on one long statement for each batch.
"""

import datetime as dt
import gc
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, connection, models, transaction

type Row = Sequence[Any]

# Long rows are compressed, by default with what takes a third of the server's work here. Not every server has lz4.
_COMPRESS_FASTER = """
SELECT set_config(name, 'lz4', true) FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)
"""


@contextmanager
def many_objects() -> Iterator[None]:
    """Keep the collector from looking for rings again and again, while millions of short-lived objects are made.

    What stands already is left alone; `collect_young` looks through what came since.
    """
    was_enabled = gc.isenabled()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def collect_young() -> None:
    """Between two pages, within `many_objects`: give up the rings that the last one left."""
    gc.collect(0)


def commit_without_waiting() -> None:
    """Let this transaction's commit not wait for the server's disk; on SQLite nothing changes.

    Only for what a repeat would do again: a server that loses its power may lose the last half second of such
    commits, whole and in their order. https://www.postgresql.org/docs/current/wal-async-commit.html
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")


@models.ForeignObject.register_lookup  # which does not inherit those of a field
@models.Field.register_lookup
class Among(models.Lookup):
    """`column__among=values`: as `__in`, with all values as one parameter, however many they are.

    Give a set or a view of keys: Django looks into each element of a list. Known where this module is imported.
    """

    lookup_name = "among"

    def get_prep_lookup(self) -> list[Any]:
        return list(self.rhs)

    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> Any:
        if not self.rhs:
            raise EmptyResultSet
        return super().process_lhs(compiler, connection, lhs)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", (*params, json.dumps(self.rhs))

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        if all(type(value) is int for value in self.rhs):
            # Numbers spelled here: psycopg looks at each in turn.
            return f"{column} = ANY(%s::bigint[])", (*params, f"{{{','.join(map(str, self.rhs))}}}")
        return f"{column} = ANY(%s)", (*params, self.rhs)


def upsert(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    unique: Sequence[str],
    update: Sequence[str],
) -> None:
    """Insert the rows; where one stands with the same `unique` columns, take its `update` columns from them.

    By COPY on PostgreSQL, by one prepared statement on SQLite, in the caller's transaction. `columns` are attribute
    names (`paper_id`), and each row holds their values in that order; other columns get the model's defaults. No two
    rows may share their unique columns.
    """
    columns, prepared = _with_defaults(model, columns, rows)
    if not prepared:
        return
    if connection.vendor == "postgresql":
        _copy(model, columns, prepared, unique, update)
    else:
        _execute_many(model, columns, prepared, _conflict(unique, update))


def upsert_keys(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    unique: str,
    update: Sequence[str],
    standing: Collection[Any] = (),
) -> tuple[dict[Any, int], set[int]]:
    """As `upsert`. Returns the primary keys by the unique column, and those of them that this call made.

    `standing` are values of the unique column that are known to stand: the others go in as new ones first, which is
    less work, and as the rest only where somebody else was sooner. Nobody else sees a row that was made here before
    the transaction ends: nothing can stand yet that points to it.
    """
    columns, prepared = _with_defaults(model, columns, rows)
    place = columns.index(unique)
    if connection.vendor != "postgresql":
        return _stored_keys(model, columns, prepared, unique, update) if prepared else ({}, set())
    new = [row for row in prepared if row[place] not in standing]
    made = _copied_as_new(model, columns, new)
    keys = {row[place]: key for row, key in zip(new, made, strict=False)}
    others = prepared if not made else [row for row in prepared if row[place] in standing]
    told = _copy(model, columns, others, [unique], update, returning=[unique]) if others else []
    return (
        keys | {value: key for key, _, value in told},
        {*made, *(key for key, is_new, _ in told if is_new)},
    )


def _stored_keys(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Row], unique: str, update: Sequence[str]
) -> tuple[dict[Any, int], set[int]]:
    """On SQLite, where nobody else writes meanwhile."""
    place = columns.index(unique)
    standing = _keys(model, unique, {row[place] for row in rows})
    _execute_many(model, columns, rows, _conflict([unique], update))
    keys = _keys(model, unique, {row[place] for row in rows})
    return keys, set(keys.values()).difference(standing.values())


def _copied_as_new(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> list[int]:
    """The primary keys of the rows, which COPY put into the table itself; none if one of them stands already."""
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            (_table(model), len(rows)),
        )
        keys = [key for (key,) in cursor.fetchall()]
    try:
        with transaction.atomic():
            _copy_in(model, ["id", *columns], ([key, *row] for key, row in zip(keys, rows, strict=True)))
    except IntegrityError:
        return []  # another process stored one of them meanwhile
    return keys


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows with which none that stands can collide; half the work of `upsert` on PostgreSQL."""
    columns, prepared = _with_defaults(model, columns, rows)
    if not prepared:
        return
    if connection.vendor != "postgresql":
        _execute_many(model, columns, prepared)
        return
    _copy_in(model, columns, prepared)


def _copy_in(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COMPRESS_FASTER)
        _write(cursor, f"COPY {_table(model)} ({_names(columns)}) FROM STDIN", rows)


def _write(cursor: Any, statement: str, rows: Iterable[Row]) -> None:
    """COPY. What goes wrong comes as Django's errors, as from any other statement: Django does not see to it here."""
    with connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _execute_many(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Row], conflict: str = ""
) -> None:
    values = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {_table(model)} ({_names(columns)}) VALUES ({values}) {conflict}", rows
        )


def _with_defaults(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]
) -> tuple[list[str], list[Row]]:
    """All columns, and the rows as the database takes them."""
    defaults = _defaults(model, columns)
    # Prepared once, as a row of their own: they are the same for all.
    (last,) = _prepared(model, list(defaults), [list(defaults.values())])
    return [*columns, *defaults], list(_prepared(model, columns, rows, last))


def _keys(model: type[models.Model], unique: str, values: set[Any]) -> dict[Any, int]:
    found = model._default_manager.filter(**{f"{unique}__among": values})
    return dict(found.values_list(unique, "pk"))


def _copy(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[Row],
    unique: Sequence[str],
    update: Sequence[str],
    returning: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """With `returning`: the key of each row, whether it was inserted, and these columns."""
    names, table = _names(columns), _table(model)
    # A row version that nobody ever updated or locked was inserted just now.
    told = f" RETURNING id, xmax = 0, {_names(returning)}" if returning else ""
    with connection.cursor() as cursor:
        cursor.execute(_COMPRESS_FASTER)
        # Dropped at once: a transaction may store several pages, and the session is shared.
        cursor.execute(f"CREATE TEMPORARY TABLE incoming AS SELECT {names} FROM {table} WITH NO DATA")
        _write(cursor, f"COPY incoming ({names}) FROM STDIN", rows)
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming {_conflict(unique, update)}{told}"
        )
        found = cursor.fetchall() if returning else []
        cursor.execute("DROP TABLE incoming")
    return found


def _defaults(model: type[models.Model], columns: Sequence[str]) -> dict[str, Any]:
    return {
        field.attname: field.get_default()
        for field in model._meta.concrete_fields
        if not field.primary_key and field.attname not in columns
    }


def _prepared(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Row], last: Row = ()
) -> Iterator[Row]:
    """The rows as the database takes them, and `last` behind each.

    What Django's fields do, once for each column instead of each value.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}
    converters = [
        (place, convert) for place, name in enumerate(columns) if (convert := _converter(fields[name]))
    ]
    for row in rows:
        values = [*row, *last]
        for place, convert in converters:
            if values[place] is not None:
                values[place] = convert(values[place])
        yield values


def _converter(field: Any) -> Callable[[Any], Any] | None:
    if isinstance(field, models.JSONField):
        return json.dumps
    if connection.vendor == "postgresql":
        return None
    if isinstance(field, models.DateTimeField):
        return connection.ops.adapt_datetimefield_value
    return dt.date.isoformat if isinstance(field, models.DateField) else None


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _names(columns: Sequence[str]) -> str:
    return ", ".join(map(connection.ops.quote_name, columns))


def _conflict(unique: Sequence[str], update: Sequence[str]) -> str:
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in map(connection.ops.quote_name, update))
    return f"ON CONFLICT ({_names(unique)}) DO UPDATE SET {sets}"
