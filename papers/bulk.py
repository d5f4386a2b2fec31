"""Rows by the thousand, into a table and out of it by their keys.

`bulk_create` spends ten times as long on an instance for each row and on one long statement for each batch.
"""

import datetime as dt
import gc
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, connection, connections, models, transaction

type Row = Sequence[Any]

_MILLENNIUM = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_FIRST_DAY = _MILLENNIUM.toordinal()
_MICROSECOND = dt.timedelta(microseconds=1)


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
    """Between two pages, within `many_objects`: give up the rings that the last ones left."""
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
    given = list(rows)
    if not given:
        return
    if connection.vendor == "postgresql":
        _copy(model, columns, given, unique, update)
    else:
        _execute_many(model, columns, given, _conflict(unique, update))


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
    given, place = list(rows), columns.index(unique)
    if connection.vendor != "postgresql":
        return _stored_keys(model, columns, given, unique, update) if given else ({}, set())
    new = [row for row in given if row[place] not in standing]
    made = _copied_as_new(model, columns, new)
    keys = {row[place]: key for row, key in zip(new, made, strict=False)}
    others = given if not made else [row for row in given if row[place] in standing]
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
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass)) FROM generate_series(1, %s)",
            (_table(model), len(rows)),
        )
        keys = [key for (key,) in cursor.fetchall()]
    try:
        with transaction.atomic():
            _copy_in(model, ("id", *columns), ((key, *row) for key, row in zip(keys, rows, strict=True)))
    except IntegrityError:
        return []  # another process stored one of them meanwhile
    return keys


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows with which none that stands can collide; half the work of `upsert` on PostgreSQL."""
    given = list(rows)
    if not given:
        return
    if connection.vendor == "postgresql":
        _copy_in(model, columns, given)
    else:
        _execute_many(model, columns, given)


def _copy_in(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    columns, complete = _complete(model, columns, rows)
    with connection.cursor() as cursor:
        _compress_faster(cursor)
        _write(cursor, model, _table(model), columns, complete)


def _compress_faster(cursor: Any) -> None:
    """Long rows are compressed, by default with what takes a third of the server's work here."""
    if _knows_lz4(connection.alias):
        cursor.execute("SET LOCAL default_toast_compression = lz4")


@cache
def _knows_lz4(alias: str) -> bool:
    """Whether that server was built with lz4. Asked once: its table of settings is slow."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT 'lz4' = ANY(enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
        )
        return cursor.fetchone() == (True,)


def _write(
    cursor: Any, model: type[models.Model], table: str, columns: Sequence[str], rows: Iterable[Row]
) -> None:
    """COPY, in binary: nobody looks for separators in a text, and the server reads no date and no number.

    What goes wrong comes as Django's errors, as from any other statement: Django does not see to it here.
    """
    statement = f"COPY {table} ({_names(columns)}) FROM STDIN (FORMAT BINARY)"
    with connection.wrap_database_errors, cursor.copy(statement) as copy:
        copy.set_types([_sent_as(model._meta.get_field(name)) for name in columns])
        for row in rows:
            copy.write_row(row)


def _sent_as(field: Any) -> str:
    """The type that a value of the field has on its way to the server, whose binary form is that of the column's."""
    for kind, sent_as in (
        (models.JSONField, "text"),
        (models.DateTimeField, "int8"),
        (models.DateField, "int4"),
    ):
        if isinstance(field, kind):
            return sent_as
    return str(field.db_type(connection)).partition("(")[0]


def _execute_many(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Row], conflict: str = ""
) -> None:
    columns, complete = _complete(model, columns, rows)
    values = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {_table(model)} ({_names(columns)}) VALUES ({values}) {conflict}"
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(complete))


def _complete(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]
) -> tuple[list[str], Iterator[Row]]:
    """All columns, and the rows as the database takes them; each is made when its turn comes, while the server is
    still at work on those before."""
    defaults = _defaults(model, columns)
    # Prepared once, as a row of their own: they are the same for all.
    (last,) = _prepared(model, list(defaults), [list(defaults.values())])
    return [*columns, *defaults], _prepared(model, columns, rows, last)


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
    columns, complete = _complete(model, columns, rows)
    names, table = _names(columns), _table(model)
    # A row version that nobody ever updated or locked was inserted just now.
    told = f" RETURNING id, xmax = 0, {_names(returning)}" if returning else ""
    with connection.cursor() as cursor:
        _compress_faster(cursor)
        # Dropped at once: a transaction may store several pages, and the session is shared.
        cursor.execute(f"CREATE TEMPORARY TABLE incoming AS SELECT {names} FROM {table} WITH NO DATA")
        _write(cursor, model, "incoming", columns, complete)
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
    """What makes of a field's value what the database is sent; None where it is sent as it is."""
    is_copied = connection.vendor == "postgresql"
    if isinstance(field, models.JSONField):
        return _json_in_binary if is_copied else json.dumps
    if isinstance(field, models.DateTimeField):
        return _microseconds if is_copied else connection.ops.adapt_datetimefield_value
    if isinstance(field, models.DateField):
        return _days if is_copied else dt.date.isoformat
    return None


# The binary forms of PostgreSQL's types, as `jsonb_recv`, `timestamptz_recv` and `date_recv` read them.


def _json_in_binary(value: Any) -> str:
    """A text behind the number of its format."""
    return f"\x01{json.dumps(value)}"


def _microseconds(instant: dt.datetime) -> int:
    """Since the year 2000 began in UTC."""
    return (instant - _MILLENNIUM) // _MICROSECOND


def _days(day: dt.date) -> int:
    """Since the first of January 2000."""
    return day.toordinal() - _FIRST_DAY


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _names(columns: Sequence[str]) -> str:
    return ", ".join(map(connection.ops.quote_name, columns))


def _conflict(unique: Sequence[str], update: Sequence[str]) -> str:
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in map(connection.ops.quote_name, update))
    return f"ON CONFLICT ({_names(unique)}) DO UPDATE SET {sets}"
