"""FACT. Tables that only grow: the database itself refuses to change or delete a row of theirs.

Migrations call this, so what it makes must stay as it is: add a new form beside it rather than change one.
SQLite forgets a trigger when Django rebuilds its table; `unguarded` tells, and `manage.py audit` asks it.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

# On PostgreSQL also TRUNCATE, which SQLite does not have: there it is a DELETE.
_REFUSED = {"sqlite": ("UPDATE", "DELETE"), "postgresql": ("UPDATE", "DELETE", "TRUNCATE")}


def guard(connection: BaseDatabaseWrapper, table: str) -> None:
    """From here on UPDATE and DELETE of a row raise IntegrityError, whoever asks. Not safe to repeat."""
    with connection.cursor() as cursor:
        for statement in _guards(connection.vendor, table):
            cursor.execute(statement)


def unguard(connection: BaseDatabaseWrapper, table: str) -> None:
    """Take the guards away: for a migration that goes back. Safe to repeat."""
    with connection.cursor() as cursor:
        for name in _names(connection.vendor, table):
            place = "" if connection.vendor == "sqlite" else f" ON {table}"
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{place}")
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP FUNCTION IF EXISTS {table}_only_grows()")


def unguarded(connection: BaseDatabaseWrapper, table: str) -> list[str]:
    """The guards of the table that are missing or switched off, by name; empty where all stand."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
        else:
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgenabled IN ('O', 'A')",
                [table],
            )
        standing = {name for (name,) in cursor.fetchall()}
    return [name for name in _names(connection.vendor, table) if name not in standing]


def _names(vendor: str, table: str) -> list[str]:
    return [f"{table}_no_{verb.lower()}" for verb in _REFUSED[vendor]]


def _guards(vendor: str, table: str) -> list[str]:
    names = dict(zip(_REFUSED[vendor], _names(vendor, table), strict=True))
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER {name} BEFORE {verb} ON {table} BEGIN "
            f"SELECT RAISE(ABORT, '{table} only grows: {verb} is refused'); END"
            for verb, name in names.items()
        ]
    function = (
        f"CREATE FUNCTION {table}_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '% only grows: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = '23001'; "
        "END $$"
    )
    triggers = [
        f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH "
        f"{'STATEMENT' if verb == 'TRUNCATE' else 'ROW'} EXECUTE FUNCTION {table}_only_grows()"
        for verb, name in names.items()
    ]
    return [function, *triggers]
