"""One process of `bench.budget`: our way to spend, and the ways that do not hold."""

import datetime as dt
import json
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import OperationalError, connection, transaction  # noqa: E402
from django.db.models import F, Sum  # noqa: E402

from profiles import quotas  # noqa: E402
from profiles.models import Membership, Period, Profile, Role, Scope, Team, User  # noqa: E402
from scoring import budget, transactions  # noqa: E402
from scoring.budget.windows import windows_at  # noqa: E402
from scoring.models import BudgetWindow, Call, Hold, LedgerEntry, Provider  # noqa: E402
from scoring.usage import Usage  # noqa: E402

# Threads outnumber the connections of the portal's own pool: they may wait longer for their turn.
if connection.vendor == "postgresql":
    connection.settings_dict["OPTIONS"]["pool"] = {"min_size": 0, "max_size": 40, "timeout": 300}

NOW = dt.datetime(2026, 1, 30, 12, 0, tzinfo=dt.UTC)
AMPLE = 10**9


def prepare(seats: int, limit: int) -> None:
    """An empty house with one team, a member a seat, open windows, and the team's limit."""
    connection.close()
    for model in (LedgerEntry, Hold, Call, BudgetWindow, Provider, Profile, Team, User):
        model.objects.all().delete()
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

    ours_deferred = ours

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


def get_ready(way: str, seat: int, threads: int, operations: int, tokens: int) -> "Shift":
    """Everything that can be done before the others begin."""
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "sqlite":
        options["transaction_mode"] = "DEFERRED" if way == "ours_deferred" else "IMMEDIATE"
    connection.close()
    return Shift(Seat(seat), way, threads, operations, tokens)


class Shift:
    """The threads of one process, about to begin."""

    def __init__(self, reader: Seat, way: str, threads: int, operations: int, tokens: int) -> None:
        self.spend: Callable[[int], bool] = getattr(reader, way)
        self.barrier = threading.Barrier(threads, timeout=60)
        if operations == 1:
            reader.pause = self.barrier.wait
        sizes = random.Random(way + str(reader.profile.pk))
        self.tallies: list[Counter[str]] = [Counter() for _ in range(threads)]
        self.crew = [
            threading.Thread(
                target=self._spend_all,
                args=(tally, [tokens or sizes.randint(1, 19) for _ in range(operations)]),
            )
            for tally in self.tallies
        ]
        connection.close()

    def work(self) -> dict[str, int]:
        repeated = transactions.retries.total()
        for thread in self.crew:
            thread.start()
        for thread in self.crew:
            thread.join()
        total: Counter[str] = sum(self.tallies, Counter())
        names = ("succeeded", "refused", "failed", "admitted")
        return {name: total[name] for name in names} | {"retries": transactions.retries.total() - repeated}

    def _spend_all(self, tally: Counter[str], amounts: list[int]) -> None:
        self.barrier.wait()
        for amount in amounts:
            try:
                is_admitted = self.spend(amount)
            except OperationalError:
                tally["failed"] += 1
            else:
                tally["succeeded" if is_admitted else "refused"] += 1
                tally["admitted"] += amount if is_admitted else 0
        connection.close()


def count() -> dict[str, int]:
    """What the books say at the end."""
    booked = BudgetWindow.objects.filter(scope=Scope.TEAM).aggregate(
        total=Sum(F("used_tokens") + F("held_tokens"))
    )
    return {"violations": len(budget.audit(NOW)), "booked": booked["total"] or 0}


def obey() -> None:
    """Do what each line of the standard input says, and answer with a line."""
    shift: Shift | None = None
    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, int] = {}
        match order.pop("do"):
            case "prepare":
                prepare(**order)
            case "get_ready":
                shift = get_ready(**order)
            case "work" if shift is not None:
                answer = shift.work()
            case "count":
                answer = count()
        print(json.dumps(answer), flush=True)
    if connection.vendor == "postgresql":
        # Else its threads, which the interpreter stops first, are waited for: twenty seconds a process.
        connection.close_pool()


def run(word: str) -> None:
    if word == "migrate":
        call_command("migrate", verbosity=0)
    else:
        obey()
