"""What a list that comes twice costs: `python -m bench.twice` prints the reference's bill beside ours.

Five lists of the development data were read twice by the reference (one on the Saturday after). Each goes the whole
way here: lines in, an edition, every paper read over HTTP by a model that answers from the recorded judgements. Then
the next morning: the same lines once more, the same day once more, a feed that names the whole list again under a
later day, the closed edition opened again. `Asked` counts what the model was asked, by paper, version and prompt.
"""

import datetime as dt
import itertools
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import labels, recorded, synthetic
from bench.days import PICKED_FROM
from bench.house import scratch_house
from papers import calendar
from scoring.simulated.brain import Labels, title_key
from scoring.simulated.server import Settings, SimulatedModel, running

LIMITS = ("INSTANCE_DAILY_TOKENS", "DEFAULT_TEAM_DAILY_TOKENS", "DEFAULT_MEMBER_DAILY_TOKENS")
MORNING = dt.time(6, 0, tzinfo=dt.UTC)


@dataclass(frozen=True)
class List:
    """One day's list, as lines of JSON without their announcement, and what the reference paid for it again."""

    day: dt.date
    papers: list[dict[str, Any]]
    tokens_first: int = 0
    tokens_again: int = 0

    def lines(self, day: dt.date) -> str:
        """The list as if it had been announced on that day."""
        told = (
            {**one, "announce": [{"category": one["primary"], "kind": "new", "day": day.isoformat()}]}
            for one in self.papers
        )
        return "\n".join(json.dumps(one, ensure_ascii=False) for one in told) + "\n"


@dataclass
class Asked:
    """What one list came to: tokens of the first evening and of the morning after, and every question asked."""

    papers: int
    tokens_first: int
    tokens_again: int = 0
    questions: Counter[tuple[str, int, int, str]] = field(default_factory=Counter)

    @property
    def asked_twice(self) -> list[tuple[str, int, int, str]]:
        """Questions (kind, paper, version, words) that the model was asked more than once."""
        return [question for question, times in self.questions.items() if times > 1]


def recorded_lists(data: Path) -> list[List]:
    """The lists that the reference read twice, in order of time; papers as its first run listed them."""
    said: dict[str, list[dict[str, Any]]] = {}
    for row in recorded.rows(data / "reference" / "judgements.jsonl.gz"):
        said.setdefault(row["run"], []).append(row)
    texts = recorded.papers(data)
    runs = json.loads((data / "reference" / "runs.json").read_text(encoding="utf-8"))
    return [
        List(
            day=dt.date.fromisoformat(again["announced"][0]),
            papers=[_line(row, texts[row["id"]]) for row in said[again["run"]]],
            tokens_first=first["tokens"],
            tokens_again=again["tokens"],
        )
        for first, again in itertools.pairwise(runs)
        if again["same_listing_as_previous_run"]
    ]


def _line(row: dict[str, Any], paper: recorded.Paper) -> dict[str, Any]:
    return {
        "id": row["id"],
        "version": int(row["version"].removeprefix("v")),
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": ["Ada Lovelace"],
        "categories": [row["primary"]],
        "primary": row["primary"],
    }


def recorded_labels(data: Path) -> Labels:
    return Labels.from_lines(list(labels.lines(data)))


def synthetic_lists(lists: int = 5, papers: int = 24) -> tuple[list[List], Labels]:
    """The same on days that are ours: the broad synthetic profile's first ones, shortened, and their judge."""
    stream = synthetic.streams(0, days=lists)[0]
    names = [wish.name for wish in stream.brief.wishes]
    by_title: dict[str, dict[str, Any]] = {}
    made = []
    for day in stream.days:
        for paper, reading in zip(day.papers[:papers], day.first_by_interest, strict=False):
            scores = zip(names, reading.score_by_interest, strict=True)
            by_title[title_key(paper.title)] = {"scores": {n: s for n, s in scores if s >= PICKED_FROM}}
        rows = [
            {
                "id": paper.id,
                "version": 1,
                "title": paper.title,
                "abstract": paper.abstract,
                "authors": ["Ada Lovelace"],
                "categories": [paper.categories[0]],
                "primary": paper.categories[0],
            }
            for paper in day.papers[:papers]
        ]
        made.append(List(day.day, rows))
    return made, Labels(by_title)


def profile_for(lists: Sequence[List], brief: Any) -> Any:
    """A reader of everything in these lists, in the brief's words."""
    from profiles.models import Interest, Profile, User
    from profiles.teams import personal_team_of

    reader = User.objects.create_user("twice@example.org", "-")
    profile = Profile.objects.create(
        owner=reader,
        team=personal_team_of(reader),
        name="Twice",
        categories=sorted({one["primary"] for each in lists for one in each.papers}),
        exclusions=list(brief.exclusions),
        reason_language="zh-Hans",
        target_recall=1.0,
    )
    for position, wish in enumerate(brief.wishes):
        Interest.objects.create(
            profile=profile, position=position, name=wish.name, description=wish.description
        )
    return profile


def provider_at(model: SimulatedModel, profile: Any) -> None:
    from scoring.models import Provider

    Provider.objects.create(
        name="recorded",
        model="recorded",
        kind=Provider.Kind.OPENAI,
        base_url=model.base_url,
        is_simulated=True,
        profile=profile,
    )


def read_twice(one: List, profile: Any, model: SimulatedModel, folder: Path) -> Asked:
    """The evening of a list and the morning after, and all that was asked. A database and a provider must be there."""
    before = model.bill.total_tokens
    _bring_in(one, one.day, folder)
    _read(one.day, one.day)
    asked = Asked(len(one.papers), model.bill.total_tokens - before)
    before = model.bill.total_tokens
    _come_again(one, profile, folder)
    asked.tokens_again = model.bill.total_tokens - before
    asked.questions = _questions(profile, one)
    return asked


def _bring_in(one: List, day: dt.date, folder: Path) -> None:
    from papers.harvest import import_files

    path = folder / f"{one.day}_as_of_{day}.jsonl"
    path.write_text(one.lines(day), encoding="utf-8")
    report = import_files([path])
    assert report.is_success, report.problems


def _read(day: dt.date, today: dt.date) -> None:
    from scoring.daily import read_day

    read_day(day, dt.datetime.combine(today, MORNING), asks_arxiv=False)


def _come_again(one: List, profile: Any, folder: Path) -> None:
    """The next morning: a replay, a feed that names the list again, and the closed edition opened once more."""
    from scoring import editions, judging
    from scoring.models import Edition

    next_day, tomorrow = calendar.next_announcement_day(one.day), one.day + dt.timedelta(days=1)
    now = dt.datetime.combine(tomorrow, MORNING)
    _bring_in(one, one.day, folder)
    _read(one.day, tomorrow)
    _bring_in(one, next_day, folder)
    _read(next_day, next_day)
    edition = Edition.objects.get(profile=profile, day=one.day)
    for _ in range(2):
        editions.reopen(edition, now)
        editions.screen(edition, now)
        judging.drain(edition_ids=[edition.pk])
        editions.close(edition, now)


def _questions(profile: Any, one: List) -> Counter[tuple[str, int, int, str]]:
    """Each (kind, paper, version, words) that a call of ours carried, of this list's papers."""
    from papers.models import Paper
    from scoring.models import Call

    listed = set(
        Paper.objects.filter(arxiv_id__in=[p["id"] for p in one.papers]).values_list("pk", flat=True)
    )
    calls = Call.objects.filter(profile=profile).values_list("kind", "block", "revision__content_hash")
    return Counter(
        (kind, paper, version, words)
        for kind, block, words in calls
        for _label, paper, version in block
        if paper in listed
    )


def rows(lists: Sequence[List], told: Sequence[Asked]) -> Iterator[str]:
    """The table in Markdown, and its sum."""
    yield "| list | papers | reference: first | again | ours: first | again | asked twice |\n|---|---|---|---|---|---|---|"
    for one, asked in zip(lists, told, strict=True):
        yield (
            f"| {one.day} | {asked.papers} | {one.tokens_first:,} | {one.tokens_again:,} | {asked.tokens_first:,} | "
            f"{asked.tokens_again:,} | {len(asked.asked_twice)} |"
        )
    yield (
        f"| together | {sum(one.papers for one in told):,} | {sum(one.tokens_first for one in lists):,} | "
        f"{sum(one.tokens_again for one in lists):,} | {sum(one.tokens_first for one in told):,} | "
        f"{sum(one.tokens_again for one in told):,} | {sum(len(one.asked_twice) for one in told)} |"
    )


@dataclass(frozen=True)
class Measured:
    """What the lists came to, what our receipts add up to, and what the model's own bill says; in tokens."""

    told: list[Asked]
    receipts: int
    billed: int

    @property
    def line(self) -> str:
        verdict = "to the token" if self.receipts == self.billed else "NOT THE SAME"
        return f"receipts {self.receipts:,}, the model's bill {self.billed:,}: {verdict}"


def measure(lists: Sequence[List], said: Labels, brief: Any, folder: Path) -> Measured:
    """Read them all, each twice, by one profile, from a model that says what `said` says."""
    from scoring import receipts

    with running(Settings(labels=said)) as model:
        model.keeps_requests = False
        profile = profile_for(lists, brief)
        provider_at(model, profile)
        told = [read_twice(one, profile, model, folder) for one in lists]
        return Measured(told, receipts.total(receipts.lines()).tokens, model.bill.total_tokens)


def main() -> int:
    try:
        data = recorded.folder()
    except FileNotFoundError as error:
        print(error)
        lists, said = synthetic_lists()
        brief = synthetic.streams(0, days=1)[0].brief
    else:
        lists, said, brief = recorded_lists(data), recorded_labels(data), recorded.reference_brief(data)
    # All five evenings are one day of the budget here: none of its limits is what is measured.
    os.environ.update(dict.fromkeys(LIMITS, "10000000"))
    with scratch_house(), tempfile.TemporaryDirectory() as folder:
        found = measure(lists, said, brief, Path(folder))
    print(*rows(lists, found.told), "", found.line, sep="\n")
    is_bad = any(one.tokens_again or one.asked_twice for one in found.told)
    return 1 if is_bad or found.receipts != found.billed else 0


if __name__ == "__main__":
    sys.exit(main())
