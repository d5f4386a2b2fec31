"""The processes of `bench.budget`: our way to spend, and the ways that do not hold.

A foreman loads Django once and forks the others before any connection is open: 64 of them cost no more
than one to start.
"""

import datetime as dt
import json
import multiprocessing
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import OperationalError, ProgrammingError, connection, transaction  # noqa: E402
from django.db.models import F, Sum  # noqa: E402

from profiles import growing, quotas  # noqa: E402
from profiles.models import Membership, Period, Profile, Role, Scope, Team, User  # noqa: E402
from scoring import budget, transactions  # noqa: E402
from scoring.budget.windows import windows_at  # noqa: E402
from scoring.models import BudgetWindow, Call, Hold, LedgerEntry, Provider, Spending  # noqa: E402
from scoring.usage import Usage  # noqa: E402
from tests.waiting import wait_until  # noqa: E402

# Threads outnumber the connections of the portal's own pool: they may wait longer for their turn.
if connection.vendor == "postgresql":
    connection.settings_dict["OPTIONS"]["pool"] = {"min_size": 0, "max_size": 40, "timeout": 300}

# A victim a second would make the control that deadlocks take minutes.
DEADLOCK_TIMEOUT = "50ms"
NOW = dt.datetime(2026, 1, 30, 12, 0, tzinfo=dt.UTC)
AMPLE = 10**9


def prepare(seats: int, limit: int) -> None:
    """An empty house with one team, a member a seat, open windows, and the team's limit."""
    connection.close()
    growing.unguard(connection, LedgerEntry._meta.db_table)  # a scratch database, which may forget
    for model in (Spending, LedgerEntry, Hold, Call, BudgetWindow, Provider, Profile, Team, User):
        model.objects.all().delete()
    growing.guard(connection, LedgerEntry._meta.db_table)
    team = Team.objects.create(name="Lab", slug="lab")
    Provider.objects.create(name="judge", model="m", kind="openai", base_url="http://127.0.0.1:9/v1")
    quotas.set_quota(None, quotas.instance(), Period.DAY, AMPLE)
    quotas.set_quota(None, quotas.pool(team), Period.DAY, limit)
    quotas.set_quota(None, quotas.member_default(team), Period.DAY, AMPLE)
    for seat in range(seats):
        reader = User.objects.create(email=f"reader{seat}@example.org")
        Membership.objects.create(team=team, user=reader, role=Role.MEMBER)
        Profile.objects.create(team=team, owner=reader, name="Daily")
    with transaction.atomic():
        for profile in Profile.objects.all():
            windows_at(_legs(profile), NOW)


def _legs(profile: Profile) -> list[quotas.Leg]:
    return budget.legs_of(profile, Provider.objects.get())


class Seat:
    """One reader, who spends by one of the ways. True: admitted and settled; False: refused."""

    def __init__(self, number: int) -> None:
        self.profile = Profile.objects.select_related("team").order_by("pk")[number]
        self.provider = Provider.objects.get()
        self.legs = _legs(self.profile)
        with transaction.atomic():
            self.windows = [window.pk for window in windows_at(self.legs, NOW)]
        # Where threads race for the last unit, the naive way is shown at its worst: all check, then all add.
        self.pause: Callable[[], object] = lambda: None

    def ours(self, tokens: int) -> bool:
        held = self._held(tokens)
        if held is None:
            return False
        budget.settle(held, Usage(tokens, 0), now=NOW)
        return True

    @transactions.retried
    def _held(self, tokens: int) -> Hold | None:
        """As a claim does: the call and its hold in one transaction; a refusal leaves neither."""
        with transaction.atomic():
            call = Call.objects.create(
                day=NOW.date(), profile=self.profile, provider=self.provider, outcome="garbled"
            )
            held = budget.hold(call, tokens, self.legs, now=NOW)
            if isinstance(held, budget.Refusal):
                call.delete()
                return None
        return held

    def read_check_save(self, tokens: int) -> bool:
        windows = list(BudgetWindow.objects.filter(pk__in=self.windows))
        if any(window.used_tokens + tokens > window.limit_tokens for window in windows):
            return False
        for window in windows:
            window.used_tokens += tokens
            window.save(update_fields=["used_tokens"])
        return True

    def check_then_add(self, tokens: int) -> bool:
        windows = list(BudgetWindow.objects.filter(pk__in=self.windows))
        if any(window.used_tokens + tokens > window.limit_tokens for window in windows):
            return False
        self.pause()
        for pk in self.windows:
            BudgetWindow.objects.filter(pk=pk).update(used_tokens=F("used_tokens") + tokens)
        return True

    def default_transactions(self, tokens: int) -> bool:
        """Reads first: SQLite gives the lock to nobody whose reading is out of date, however long one waits."""
        with transaction.atomic():
            return self.check_then_add(tokens)

    def random_order(self, tokens: int) -> bool:
        with transaction.atomic():
            for pk in random.sample(self.windows, len(self.windows)):
                fits = BudgetWindow.objects.filter(
                    pk=pk, limit_tokens__gte=F("used_tokens") + F("held_tokens") + tokens
                )
                if not fits.update(used_tokens=F("used_tokens") + tokens):
                    transaction.set_rollback(True)
                    return False
        return True


class Shift:
    """The threads of one process, about to begin: everything that can be done before the others do."""

    def __init__(
        self, *, way: str, seat: int, threads: int, operations: int, tokens: int, at_most_seconds: float
    ) -> None:
        options = connection.settings_dict["OPTIONS"]
        if connection.vendor == "sqlite":
            options["transaction_mode"] = "DEFERRED" if way == "default_transactions" else "IMMEDIATE"
        connection.close()
        reader = Seat(seat)
        self.way, self.at_most_seconds = way, at_most_seconds
        self.spend: Callable[[int], bool] = getattr(reader, way)
        self.barrier = threading.Barrier(threads, timeout=60)
        if operations == 1:
            reader.pause = self.barrier.wait
        sizes = random.Random(way + str(reader.profile.pk))
        self.tallies: list[Counter[str]] = [Counter() for _ in range(threads)]
        self.latencies_ms: list[float] = []
        self.crew = [
            threading.Thread(
                target=self._spend_all,
                args=(tally, [tokens or sizes.randint(1, 19) for _ in range(operations)]),
            )
            for tally in self.tallies
        ]
        connection.close()

    def work(self) -> dict[str, Any]:
        repeated = transactions.retries.total()
        for thread in self.crew:
            thread.start()
        for thread in self.crew:
            thread.join()
        total: Counter[str] = sum(self.tallies, Counter())
        names = ("succeeded", "refused", "failed", "admitted", "left")
        tally: dict[str, Any] = {name: total[name] for name in names}
        return tally | {
            "retries": transactions.retries.total() - repeated,
            "latencies_ms": self.latencies_ms,
        }

    def _spend_all(self, tally: Counter[str], amounts: list[int]) -> None:
        if self.way == "random_order":
            _find_deadlocks_early()
        self.barrier.wait()
        until = time.monotonic() + self.at_most_seconds
        for number, amount in enumerate(amounts):
            begun = time.monotonic()
            if begun > until:
                tally["left"] += len(amounts) - number
                break
            try:
                is_admitted = self.spend(amount)
            except OperationalError:
                tally["failed"] += 1
                continue
            tally["succeeded" if is_admitted else "refused"] += 1
            tally["admitted"] += amount if is_admitted else 0
            if is_admitted:
                self.latencies_ms.append((time.monotonic() - begun) * 1_000)
        connection.close()


def _find_deadlocks_early() -> None:
    if connection.vendor != "postgresql":
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('deadlock_timeout', %s, false)", [DEADLOCK_TIMEOUT])
    except ProgrammingError:
        # Only a superuser of the server may: else the control is slow, and stops at its time.
        return


def count() -> dict[str, int]:
    """What the books say at the end."""
    booked = BudgetWindow.objects.filter(scope=Scope.TEAM).aggregate(
        total=Sum(F("used_tokens") + F("held_tokens"))
    )
    return {"violations": len(budget.audit(NOW)), "booked": booked["total"] or 0}


def deadlocks() -> int:
    """What PostgreSQL itself has counted in this database; its sessions tell when they have gone."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
        cursor.execute("SELECT pg_backend_pid()")
        me = cursor.fetchone()[0]

        def are_gone() -> bool:
            cursor.execute(others, [me])
            return bool(cursor.fetchone()[0] == 0)

        wait_until(are_gone, "the other sessions have gone")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


# --- the foreman and his crew ----------------------------------------------------------------------


def obey(orders: Connection) -> None:
    """Do what each order says, and answer; None ends it."""
    shift: Shift | None = None
    while (order := orders.recv()) is not None:
        answer: Any = None
        match order.pop("do"):
            case "prepare":
                prepare(**order)
            case "get_ready":
                shift = Shift(**order)
            case "work" if shift is not None:
                answer = shift.work()
            case "count":
                answer = count()
            case "deadlocks":
                answer = deadlocks()
        _leave_no_session()
        orders.send(answer)


def _leave_no_session() -> None:
    """Each order ends without a connection: the counters of a session are known when it has gone."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()


class Foreman:
    """Forks the crew, and turns one order from outside into theirs."""

    def __init__(self, processes: int) -> None:
        fork = multiprocessing.get_context("fork")
        self.crew: list[Connection] = []
        for _ in range(processes):
            mine, theirs = fork.Pipe()
            fork.Process(target=obey, args=(theirs,), daemon=True).start()
            self.crew.append(mine)

    def hammer(self, seats: int, limit: int, **order: Any) -> dict[str, Any]:
        at_work = self.crew[: seats or len(self.crew)]
        first = self.crew[:1]
        _ask(first, [{"do": "prepare", "seats": len(at_work), "limit": limit}])
        _ask(at_work, [{"do": "get_ready", "seat": seat, **order} for seat in range(len(at_work))])
        (before,) = _ask(first, [{"do": "deadlocks"}])
        started = time.monotonic()
        results = _ask(at_work, [{"do": "work"} for _ in at_work])
        seconds = time.monotonic() - started
        (after,) = _ask(first, [{"do": "deadlocks"}])
        (books,) = _ask(first, [{"do": "count"}])
        latencies = sorted(each for result in results for each in result.pop("latencies_ms"))
        total = {name: sum(result[name] for result in results) for name in results[0]}
        return {**total, **books, "seconds": seconds, "deadlocks": after - before, **_percentiles(latencies)}


def _ask(crew: Sequence[Connection], orders: list[dict[str, Any]]) -> list[Any]:
    for worker, order in zip(crew, orders, strict=True):
        worker.send(order)
    return [worker.recv() for worker in crew]


def _percentiles(ordered: list[float]) -> dict[str, float]:
    if not ordered:
        return {"p50_ms": 0.0, "p95_ms": 0.0, "p99_ms": 0.0}
    return {f"p{share}_ms": ordered[(len(ordered) - 1) * share // 100] for share in (50, 95, 99)}


def run(word: str, *more: str) -> None:
    if word == "migrate":
        call_command("migrate", verbosity=0)
        return
    foreman = Foreman(int(more[0]))
    for line in sys.stdin:
        print(json.dumps(foreman.hammer(**json.loads(line))), flush=True)
