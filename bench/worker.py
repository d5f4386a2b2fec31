"""What a worker takes on a large day: `python -m bench.worker [--profiles 12] [--arithmetic 1000]`.

A process of its own, one thread of numpy, brings in a month and a day of 1,500 papers, fits directions, opens and
screens the day for many profiles of seven fields, reads one of them to its end over HTTP (the model runs in this
process, not in the worker's), and learns from it. Printed is the peak of its memory after each step, and its CPU.

The second table is the arithmetic alone: 1,000 profiles, no two with the same words, each with a learner of its own,
over the same 1,500 papers with 2,000 behind them, vectors included, but without the rows that a portal writes.
"""

import argparse
import datetime as dt
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

PAPERS, BEHIND = 1_500, 2_000
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
MOST_MEGABYTES, MOST_SECONDS = 500, 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=12, help="how many the worker screens")
    parser.add_argument("--arithmetic", type=int, default=1000, help="for how many the arithmetic is done")
    parser.add_argument("--part", choices=["worker", "arithmetic"], help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.part == "worker":
        return work(options.profiles, options.model)
    if options.part == "arithmetic":
        return reckon(options.arithmetic)
    from scoring.simulated.server import running

    with running() as model:
        model.keeps_requests = False
        told = _started("worker", "--model", model.base_url, "--profiles", str(options.profiles))
    return told or _started("arithmetic", "--arithmetic", str(options.arithmetic))


def _started(part: str, *more: str) -> int:
    """One part in a process of its own, on one core."""
    environment = os.environ | dict.fromkeys(THREADS, "1")
    command = [sys.executable, "-m", "bench.worker", "--part", part, *more]
    return subprocess.run(command, env=environment, check=False).returncode


def _papers() -> list[Any]:
    """The recorded ones where they are here, else ours."""
    from bench import recorded, synthetic

    try:
        return list(recorded.papers(recorded.folder()).values())[: PAPERS + BEHIND]
    except FileNotFoundError:
        days = synthetic.streams(0, days=60)[0].days
        return [paper for day in days for paper in day.papers][: PAPERS + BEHIND]


def _megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def work(profiles: int, model: str) -> int:
    """The worker's day. Returns 1 where its memory was more than is allowed."""
    from bench.house import scratch_house

    with scratch_house():
        from scoring import editions, judging, learning
        from scoring.editions import learners

        now, day = dt.datetime(2026, 1, 30, 6, tzinfo=dt.UTC), dt.date(2026, 1, 30)
        print("| a worker's day | CPU | peak memory |\n|---|---|---|", flush=True)
        step = _Step()
        _bring_in(_papers(), day)
        step.ends(f"{PAPERS:,} papers of a day and {BEHIND:,} of its month, with their vectors")
        learning.fit_due(now)
        step.ends("directions fitted")
        opened = [editions.open_edition(each, day) for each in _readers(profiles, model)]
        step.ends(f"{profiles} editions opened")
        editions.screen(opened[0], now)
        step.ends("the first screened")
        for edition in opened[1:]:
            editions.screen(edition, now)
        step.ends(f"{profiles - 1} more screened, their candidates written", share=profiles - 1)
        drained = judging.drain(edition_ids=[opened[0].pk])
        step.ends(f"one read: {drained.scores} papers in {drained.calls} calls")
        editions.close(opened[0], now)
        taught = learners.teach(opened[0].profile)
        step.ends(f"{taught} lessons learned", share=taught)
        print(f"\npeak of the worker {_megabytes()} MB (asked: under {MOST_MEGABYTES})\n", flush=True)
        return int(_megabytes() >= MOST_MEGABYTES)


class _Step:
    """Prints a row for each step: its CPU, and the process' peak so far."""

    def __init__(self) -> None:
        self._at = time.process_time()

    def ends(self, name: str, share: int = 0) -> None:
        took, self._at = time.process_time() - self._at, time.process_time()
        each = f", {1000 * took / share:.1f} ms each" if share else ""
        print(f"| {name} | {took:.2f} s{each} | {_megabytes()} MB |", flush=True)


def _bring_in(papers: Sequence[Any], day: dt.date) -> None:
    from papers import filling
    from papers.models import Announcement, Paper, PaperVersion

    made = Paper.objects.bulk_create(
        Paper(
            arxiv_id=f"2601.{at:05}",
            title=each.title,
            authors=[],
            categories=["cs.LG"],
            primary_category="cs.LG",
            latest_version=1,
        )
        for at, each in enumerate(papers)
    )
    PaperVersion.objects.bulk_create(
        PaperVersion(paper=paper, number=1, title=each.title, abstract=each.abstract)
        for paper, each in zip(made, papers, strict=True)
    )
    before = day - dt.timedelta(days=1)
    Announcement.objects.bulk_create(
        Announcement(
            paper=paper,
            category="cs.LG",
            day=day if at < PAPERS else before,
            kind=Announcement.Kind.NEW,
            source=Announcement.Source.RSS,
            version=1,
        )
        for at, paper in enumerate(made)
    )
    while filling.fill_due():
        pass


def _readers(count: int, model: str) -> list[Any]:
    from bench import synthetic
    from profiles.models import Interest, Profile, User
    from profiles.teams import personal_team_of
    from scoring.models import Provider

    brief = synthetic.streams(0, days=1)[0].brief
    made = []
    for number in range(count):
        reader = User.objects.create_user(f"reader{number}@example.org", "-")
        team = personal_team_of(reader)
        profile = Profile.objects.create(
            owner=reader, team=team, name="Daily", categories=["cs.LG"], exclusions=list(brief.exclusions)
        )
        for position, wish in enumerate(brief.wishes):
            words = f"{wish.description} {number}"
            Interest.objects.create(profile=profile, position=position, name=wish.name, description=words)
        Provider.objects.create(
            name=f"model {number}",
            model="simulated",
            kind=Provider.Kind.OPENAI,
            base_url=model,
            is_simulated=True,
            profile=profile,
        )
        made.append(profile)
    return made


def reckon(profiles: int) -> int:
    """Vectors, index, rows, and for each profile its words, its learner and its cut. Returns 1 where it took too long."""
    import numpy as np

    from bench import synthetic
    from papers.features.vectors import features
    from scoring.screening import basis, learner
    from scoring.screening.cut import cut
    from scoring.screening.kept import index_of, rows_of
    from scoring.screening.learner import Learner, chance_of
    from scoring.screening.rank import SCALE, estimate

    papers = _papers()
    behind = [features(each.title, each.abstract) for each in papers[PAPERS:]]
    known = basis.fit(behind)
    assert known is not None
    taught = Learner.fresh(known.width, len(known.hashes))
    taught.seen = 500
    state, name = taught.pack(), taught.name
    brief = synthetic.streams(0, days=1)[0].brief
    started = time.process_time()
    packed = [features(each.title, each.abstract) for each in papers[:PAPERS]]
    vectors = time.process_time()
    index, rows = index_of(packed, behind), rows_of(known, packed)
    shared = time.process_time()
    ids = [each.id for each in papers[:PAPERS]]

    def screen(number: int) -> None:
        wishes = tuple(replace(wish, description=f"{wish.description} {number}") for wish in brief.wishes)
        prior = np.array(estimate(index, replace(brief, wishes=wishes)).combined) / SCALE
        chances = chance_of(learner.unpack(state, name).logits(rows, prior))
        cut(np.rint(SCALE * chances).astype(int).tolist(), ids, 0.9, f"seed {number}")

    print(
        f"{PAPERS:,} papers for {profiles:,} profiles of {len(brief.wishes)} fields, no two alike, one core: vectors "
        f"{vectors - started:.1f} s, index and rows {shared - vectors:.1f} s, and for the profiles"
    )
    for day in ("when the worker has just started, all words expanded", "on any other day"):
        begun = time.process_time()
        for number in range(profiles):
            screen(number)
        took = time.process_time() - begun
        whole = took + shared - started
        print(f"- {day}: {1000 * took / profiles:.1f} ms each, {whole:.1f} s together", flush=True)
    print(f"(asked: under {MOST_SECONDS:.0f} s)")
    return int(whole >= MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
