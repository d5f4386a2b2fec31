"""How long the pages of spending take beside a long ledger: `python -m bench.spending [--postgres URL]`.

    python -m bench.spending [--members 500] [--days 365] [--lines 1000000] [--rounds 20] [--postgres postgres://…/postgres]

Builds a team with a year of windows, holds and ledger lines in bulk, in a database of its own that is dropped
afterwards (SQLite; with an address of a server that may create databases, PostgreSQL), then asks for each page
through the whole stack of middleware, in this process. Prints milliseconds on the clock, queries, and how long
the audit takes that proves the sums which the pages read. Ten million lines need some 5 GB.
"""

import argparse
import logging
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

LEGS, LINES_A_HOLD = 3, 6
TARGET_MS, TARGET_QUERIES = 100, 12
TOKENS, HELD = 1_850, 2_400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--postgres")
    options = parser.parse_args()
    with database(options.postgres) as address, tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            VAR_DIR=folder, DJANGO_SETTINGS_MODULE="portal.settings", OFFLINE="1", SECRET_KEY="x"
        )
        os.environ.pop("REDIS_URL", None)
        os.environ.pop("DATABASE_URL", None)
        if address:
            os.environ["DATABASE_URL"] = address
        import django

        django.setup()
        run(options)


@contextmanager
def database(server: str | None) -> Iterator[str]:
    """The address of an empty PostgreSQL database that is dropped afterwards; "" for SQLite."""
    if not server:
        yield ""
        return
    import psycopg

    name = f"bench_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run(options: argparse.Namespace) -> None:
    import structlog
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from scoring.budget import spending

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    began = time.perf_counter()
    owner, team, lines = build(options.members, options.days, options.lines)
    built = time.perf_counter() - began
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(owner)
    print(
        f"{connection.vendor}: {options.members} members, {options.days} days, {lines:,} ledger lines, {built:.0f} s to build"
    )
    print("| page | p50 ms | p95 ms | queries |\n|---|---|---|---|")
    pages = {
        "team, 30 days": f"/teams/{team.slug}/spending/",
        "team, 90 days": f"/teams/{team.slug}/spending/?days=90",
        "team, CSV": f"/teams/{team.slug}/spending/spending.csv",
        "own budget, 30 days": "/budget/",
        "own budget, 90 days": "/budget/?days=90",
        "operator, 30 days": "/operator/spending/",
    }
    for name, path in pages.items():
        print(row(name, lambda path=path: client.get(path), options.rounds), flush=True)
    began = time.perf_counter()
    wrong = spending.differences()
    print(f"audit of the sums: {len(wrong)} wrong, {time.perf_counter() - began:.1f} s")
    print(f"target: under {TARGET_MS} ms and at most {TARGET_QUERIES} queries")


def row(name: str, ask: Callable[[], Any], rounds: int) -> str:
    from django.db import connection

    asked = []

    def counted(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(sql)
        return execute(sql, params, many, context)

    for _ in range(2):
        assert ask().status_code == 200, name
    with connection.execute_wrapper(counted):
        ask()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1_000)
    p95 = statistics.quantiles(taken, n=20)[-1]
    return f"| {name} | {statistics.median(taken):.0f} | {p95:.0f} | {len(asked)} |"


# --- the rows --------------------------------------------------------------------------------------


def build(members: int, days: int, lines: int) -> tuple[Any, Any, int]:
    """The owner, who is staff too, the team, and how many ledger lines there are."""
    from django.db import connection, transaction

    from profiles.models import Membership, Profile, Role, Team, User
    from scoring.models import BudgetWindow, Call, Hold, LedgerEntry, Provider, Spending

    team = Team.objects.create(name="Lab", slug="lab")
    people = User.objects.bulk_create(
        User(email=f"m{n}@example.org", name=f"Member {n:03}", is_staff=not n) for n in range(members)
    )
    Membership.objects.bulk_create(
        Membership(team=team, user=each, role=Role.MEMBER if n else Role.OWNER)
        for n, each in enumerate(people)
    )
    Profile.objects.bulk_create(Profile(team=team, owner=each, name="Daily") for each in people)
    judge = Provider.objects.create(name="judge", model="m", kind="openai", base_url="http://127.0.0.1:9/v1")
    first = {
        model: model.objects.order_by("pk").values_list("pk", flat=True)[0] for model in (Membership, Profile)
    }
    holds = max(members * days, lines // LINES_A_HOLD)
    is_postgres = connection.vendor == "postgresql"
    start = f"(CURRENT_DATE - {days - 1})" if is_postgres else f"date('now', '-{days - 1} days')"

    def numbers(count: int) -> str:
        if is_postgres:
            return f"generate_series(0, {count - 1}) AS n(i)"
        return f"(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1}) SELECT i FROM n) AS n"

    def day(of: str) -> str:
        return f"({start} + ({of})::int)" if is_postgres else f"date({start}, '+' || ({of}) || ' days')"

    def instant(of: str, hour: int = 0) -> str:
        if is_postgres:
            return f"(({day(of)})::timestamp AT TIME ZONE 'UTC' + interval '{hour} hours')"
        return f"({day(of)} || ' {hour:02}:00:00')"

    def fill(model: Any, source: str, values: dict[str, str], where: str = "") -> None:
        """Every column from SQL: what is not named has the model's default."""
        filled = {}
        for field in model._meta.concrete_fields:
            if field.column in values:
                filled[field.column] = values[field.column]
            elif not field.primary_key:
                filled[field.column] = _literal(field, is_postgres)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({', '.join(filled)}) SELECT {', '.join(filled.values())} FROM {source} {where}"
            )

    per_day = f"(i % {members})", f"((i / {members}) % {days})"
    member, at = per_day
    own = f"(({member}) * {days} + {at} + 1)"
    pooled = [f"({members * days} + {at} + 1)", f"({members * days + days} + {at} + 1)"]
    with transaction.atomic():
        windows = {"period": "'day'", "limit_tokens": str(10**12)}
        fill(
            BudgetWindow,
            numbers(members * days),
            windows
            | {
                "id": "i + 1",
                "scope": "3",
                "subject_id": f"{first[Membership]} + i / {days}",
                "team_id": str(team.pk),
                "starts_at": instant(f"i % {days}"),
                "ends_at": instant(f"i % {days} + 1"),
            },
        )
        for number, (scope, of) in enumerate(((2, team.pk), (1, 0))):
            fill(
                BudgetWindow,
                numbers(days),
                windows
                | {
                    "id": f"{members * days + number * days} + i + 1",
                    "scope": str(scope),
                    "subject_id": str(of),
                    "team_id": str(of),
                    "starts_at": instant("i"),
                    "ends_at": instant("i + 1"),
                },
            )
        uuid = "gen_random_uuid()" if is_postgres else "lower(hex(randomblob(16)))"
        fill(
            Call,
            numbers(holds),
            {
                "id": "i + 1",
                "public_id": uuid,
                "day": day(at),
                "profile_id": f"{first[Profile]} + {member}",
                "provider_id": str(judge.pk),
                "provider_model": "'judge/m'",
                "outcome": "'garbled'",
                "input_tokens": str(TOKENS),
                "cost_microusd": str(TOKENS),
            },
        )
        fill(
            Hold,
            numbers(holds),
            {
                "id": "i + 1",
                "key": uuid,
                "call_id": "i + 1",
                "state": "'settled'",
                "held_tokens": str(HELD),
                "used_tokens": str(TOKENS),
                "lease_until": instant(at, 13),
                "ended_at": instant(at, 12),
            },
        )
        for window in (own, *pooled):
            line = {
                "window_id": window,
                "hold_id": "i + 1",
                "limit_tokens": str(10**12),
                "sum_before": "0",
                "at": instant(at, 12),
            }
            fill(LedgerEntry, numbers(holds), line | {"kind": "'hold'", "tokens": str(HELD)})
            booked = {"input_tokens": str(TOKENS), "cost_microusd": str(TOKENS)}
            fill(LedgerEntry, numbers(holds), line | booked | {"kind": "'settle'", "tokens": str(TOKENS)})
        with connection.cursor() as cursor:
            cursor.execute(spending_of_ledger())
            cursor.execute(
                "UPDATE scoring_budgetwindow SET used_tokens = s.used, cost_microusd = s.cost FROM (SELECT window_id, SUM(tokens) AS used,"
                " SUM(cost_microusd) AS cost FROM scoring_ledgerentry WHERE kind = 'settle' GROUP BY window_id) AS s"
                " WHERE s.window_id = scoring_budgetwindow.id"
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    assert Spending.objects.count() == members * days
    return people[0], team, LedgerEntry.objects.count()


def spending_of_ledger() -> str:
    import importlib

    return importlib.import_module("scoring.migrations.0011_fill_spending").FILL


def _literal(field: Any, is_postgres: bool) -> str:
    from django.db import models

    if field.null:
        return "NULL"
    if isinstance(field, models.DateTimeField):
        return "CURRENT_TIMESTAMP"
    value = field.get_default()
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE") if is_postgres else str(int(value))
    if isinstance(value, (list, dict)):
        return f"'{'[]' if isinstance(value, list) else '{}'}'" + ("::jsonb" if is_postgres else "")
    return str(value) if isinstance(value, int) else f"'{value}'"


if __name__ == "__main__":
    main()
