"""What a busy or failing model costs, and who waits: `python -m bench.flow [--profiles 5] [--papers 40]`.

A night's mass of profiles is read by sixteen threads from a simulated model over loopback HTTP, once with fixed
concurrency (each call honours its own Retry-After and its own backoff, and nothing else is remembered of the server)
and once as it ships: adaptive, with pauses, a breaker and a retry budget. Then readers come to a page while the mass
is read, with and without priority, and without turns at all. A database of its own, on SQLite.
"""

import argparse
import datetime as dt
import os
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from bench.house import scratch_house

DAY = dt.date(2026, 1, 30)
THREADS = 16
PATIENCE_SECONDS = 65.0
HIDDEN_AT_ONCE = 4
HIDDEN_A_MINUTE = 25
SPELL_FROM, SPELL_UNTIL = 3.0, 23.0
READERS = 3


@dataclass
class Night:
    """One run. Seconds are on the clock; the wait of a reader is for the first block, and for the whole day."""

    papers: int
    left: int
    seconds: float
    calls: int
    wasted: int
    repeats: int
    tokens_in_vain: int
    unfairness: int
    first_waits: list[float] = field(default_factory=list)
    page_waits: list[float] = field(default_factory=list)

    @property
    def papers_a_second(self) -> float:
        return self.papers / self.seconds


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=5)
    parser.add_argument("--papers", type=int, default=40, help="of each profile's day")
    parser.add_argument("--block", type=int, default=5, help="papers a call")
    parser.add_argument("--latency", type=float, default=3.0, help="seconds an answer takes")
    parser.add_argument("--table", choices=("servers", "readers", "both"), default="both")
    options = parser.parse_args(arguments)
    # Every night is read on one day's budget.
    os.environ["INSTANCE_DAILY_TOKENS"] = str(10**9)
    with scratch_house():
        if options.table in {"servers", "both"}:
            _print_servers(options)
        if options.table in {"readers", "both"}:
            _print_readers(options)


def _print_servers(options: argparse.Namespace) -> None:
    print(
        f"{options.profiles} profiles x {options.papers} papers, {options.block} a call, {THREADS} threads, an answer in "
        f"{options.latency} s\n"
    )
    print(
        "| server | way | papers/s | left | calls | wasted (429, 5xx) | repeats | tokens in vain | max-min |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, behaviour in SERVERS.items():
        for way in ("fixed", "adaptive"):
            night = run(options, behaviour, way=way)
            print(
                f"| {name} | {way} | {night.papers_a_second:.1f} | {night.left} | {night.calls} | {night.wasted} "
                f"| {night.repeats} | {night.tokens_in_vain:,} | {night.unfairness} |",
                flush=True,
            )


def _print_readers(options: argparse.Namespace) -> None:
    print(f"\n{READERS} readers come one after the other while the mass is read; the longest wait of one\n")
    print(
        "| order | first answer, s | whole day, s | max-min over the mass | papers/s |\n|---|---|---|---|---|"
    )
    for way in ("by age, no turns", "turns", "turns and priority"):
        night = run(options, healthy, way=way, readers=READERS)
        print(
            f"| {way} | {max(night.first_waits):.1f} | {max(night.page_waits):.1f} | {night.unfairness} "
            f"| {night.papers_a_second:.1f} |",
            flush=True,
        )


# --- how the server is ------------------------------------------------------------------------------


def healthy(settings: Any) -> None:
    """Answers everything."""


def busy(settings: Any) -> None:
    settings.calls_at_once = HIDDEN_AT_ONCE


def rated(settings: Any) -> None:
    settings.requests_per_minute = HIDDEN_A_MINUTE


def broken_for_a_while(settings: Any) -> None:
    settings.faults = _plan(lambda seconds, _number: SPELL_FROM <= seconds < SPELL_UNTIL)


def broken_by_halves(settings: Any) -> None:
    settings.faults = _plan(lambda _seconds, number: random.Random(number).random() < 0.5)


SERVERS = {
    "healthy": healthy,
    f"at most {HIDDEN_AT_ONCE} at once": busy,
    f"at most {HIDDEN_A_MINUTE} a minute": rated,
    f"500 for {SPELL_UNTIL - SPELL_FROM:.0f} s": broken_for_a_while,
    "500 half of the calls": broken_by_halves,
}


def _plan(is_broken: Any) -> Any:
    from scoring.simulated.faults import Fault, FaultPlan

    class Plan(FaultPlan):
        """Breaks by the seconds since the first request, and by its number."""

        def __init__(self) -> None:
            super().__init__()
            self._started, self._number, self._turn = 0.0, 0, threading.Lock()

        def next(self) -> Fault | None:
            with self._turn:
                self._started = self._started or time.monotonic()
                self._number += 1
                return (
                    Fault(status=500) if is_broken(time.monotonic() - self._started, self._number) else None
                )

    return Plan()


# --- the ways ----------------------------------------------------------------------------------------


@contextmanager
def going(way: str) -> Iterator[None]:
    """As it ships, or with what the way leaves out switched off."""
    from django.db.models import Value

    from scoring import providers
    from scoring.judging import claims, room

    with ExitStack() as off:
        if way == "fixed":
            for name in ("note_throttled", "note_failure", "pause"):
                off.enter_context(mock.patch.object(providers, name, lambda *_: None))
            off.enter_context(mock.patch.object(room, "may_repeat", lambda *_: True))
        if way in {"turns", "by age, no turns"}:
            off.enter_context(mock.patch.object(claims, "_hurry", lambda _now: Value(1)))
        if way == "by age, no turns":
            in_turn = claims.editions_in_turn
            off.enter_context(
                mock.patch.object(
                    claims, "editions_in_turn", lambda *of: sorted(in_turn(*of), key=lambda each: each.pk)
                )
            )
        yield


# --- a night -----------------------------------------------------------------------------------------


def run(options: argparse.Namespace, behaviour: Any, *, way: str, readers: int = 0) -> Night:
    """Read the mass with such a server in that way; readers come at each quarter of it."""
    from scoring.models import Provider
    from scoring.simulated.server import Settings, SimulatedModel, input_tokens_of

    class Model(SimulatedModel):
        tokens_in_vain = 0

        def note(self, request: Any, headers: Any, status: int, usage: Any) -> None:
            super().note(request, headers, status, usage)
            if status != 200:
                self.tokens_in_vain += input_tokens_of(request)

    served = Settings(latency_seconds=options.latency)
    behaviour(served)
    model = Model(served)
    model.keeps_requests = False
    model.start()
    Provider.objects.filter(is_active=True).update(is_active=False)
    name = f"night{Provider.objects.count()}"
    Provider.objects.create(
        name=name,
        kind="openai",
        base_url=model.base_url,
        model="simulated",
        is_simulated=True,
        concurrency=THREADS,
        block_size=options.block,
    )
    try:
        with going(way):
            return _read(options, model, readers)
    finally:
        model.stop()


def _read(options: argparse.Namespace, model: Any, readers: int) -> Night:
    from scoring.judging import draining
    from scoring.models import Call, Candidate, Edition

    papers = _papers(options.papers)
    mass = [_edition(papers, has_read_before=True) for _ in range(options.profiles)]
    ids, late, came_at = [each.pk for each in mass], [], {}
    blocks = options.profiles * -(-options.papers // options.block)

    def come(drained: Any) -> None:
        if len(late) < readers and drained.scores >= len(late) * options.block * blocks / (readers + 1):
            late.append(_edition(papers))
            came_at[late[-1].pk] = dt.datetime.now(dt.UTC)
            ids.append(late[-1].pk)

    draining.drain(THREADS, edition_ids=ids, patience_seconds=PATIENCE_SECONDS, after_each=come)
    calls = Call.objects.filter(edition__in=ids)
    answered = calls.filter(outcome__in=["judged", "partial"])
    ended = max(answered.values_list("ended_at", flat=True))
    night = Night(
        papers=Candidate.objects.filter(edition__in=ids, state="judged").count(),
        left=Candidate.objects.filter(edition__in=ids).exclude(state="judged").count(),
        seconds=(ended - min(calls.values_list("created_at", flat=True))).total_seconds(),
        calls=calls.count(),
        wasted=calls.exclude(outcome__in=["judged", "partial"]).count(),
        repeats=calls.filter(is_repeat=True).count(),
        tokens_in_vain=model.tokens_in_vain,
        unfairness=_unfairness(answered, mass),
    )
    for edition in late:
        waits = [
            (ended_at - came_at[edition.pk]).total_seconds()
            for ended_at in answered.filter(edition=edition).values_list("ended_at", flat=True)
        ]
        night.first_waits.append(min(waits))
        night.page_waits.append(max(waits))
    Edition.objects.filter(pk__in=ids).update(state=Edition.State.CLOSED)
    return night


def _unfairness(answered: Any, mass: Sequence[Any]) -> int:
    """The most blocks that one profile was ahead of another at any moment of the run."""
    done = {each.pk: 0 for each in mass}
    furthest = 0
    for edition in answered.order_by("ended_at").values_list("edition", flat=True):
        if edition in done:
            done[edition] += 1
            furthest = max(furthest, max(done.values()) - min(done.values()))
    return furthest


def _papers(count: int) -> list[Any]:
    from papers.models import Paper
    from tests import factories

    topic = (
        "We train graph neural networks by reinforcement learning and show that graph neural policies win."
    )
    missing = count - Paper.objects.count()
    for number in range(max(0, missing)):
        factories.paper(title=f"Graph neural networks, part {number}", abstract=topic)
    return list(Paper.objects.order_by("pk")[:count])


def _edition(papers: Sequence[Any], *, has_read_before: bool = False) -> Any:
    """A day of a profile of its own, screened: all its papers are to be read. Without a day before, a reader waits."""
    from scoring.models import Edition
    from tests import factories

    profile = factories.profile(factories.user())
    if has_read_before:
        Edition.objects.create(profile=profile, day=DAY - dt.timedelta(days=1), state=Edition.State.CLOSED)
    return factories.edition_to_read(profile, papers, day=DAY)


if __name__ == "__main__":
    main()
