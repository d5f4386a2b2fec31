"""Our day beside the reference's: `python -m bench.reference` prints the table.

The reference's report of 2026-01-31 (its reading of the list of 2026-01-30) and ours of the same list, made on the
whole path: arXiv's own feeds in, the reference's recorded judgements as the model behind a loopback server, the
Markdown report out; both are then read by one parser and held against arXiv's metadata.
"""

import datetime as dt
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.house import scratch_house
from bench.recorded import folder, rows

DAY = dt.date(2026, 1, 30)
FEEDS = ("cs.CV", "cs.LG", "cs.AI", "cs.RO")
LEAK = re.compile(r"^(Authors|Published|Link|Reason|Score|Field):", re.MULTILINE)
TEX_ACCENT = re.compile(r"\\[\"'`^~=.]")


@dataclass(frozen=True)
class Finding:
    """One row of the table: a measure with the reference's figure and ours."""

    measure: str
    reference: str
    ours: str


def main() -> None:
    data = folder()
    with scratch_house() as scratch:
        ours = _our_report(data, scratch)
    theirs = (data / "reference" / "report_2026-01-31.md").read_text(encoding="utf-8")
    facts = _facts(data)
    print(f"| {DAY}, four categories | the reference's report | ours |\n|---|---|---|")
    for finding in _compared(theirs, ours, facts):
        print(f"| {finding.measure} | {finding.reference} | {finding.ours} |")


def _our_report(data: Path, scratch: Path) -> str:
    from django.conf import settings
    from django.utils import timezone

    from papers.harvest import import_files
    from profiles.models import User
    from profiles.teams import personal_team_of
    from profiles.toml import load
    from scoring import editions, judging, report
    from scoring.models import Provider
    from scoring.simulated.server import Settings, SimulatedModel

    reader = User.objects.create_user("reader@example.org", "-")
    profile = load(
        (settings.BASE_DIR / "portal/demo/researcher.toml").read_text(encoding="utf-8"),
        reader,
        personal_team_of(reader),
    )
    profile.target_recall = 1.0
    profile.save(update_fields=["target_recall"])
    import_files([data / "wire" / f"{DAY}_rss_{category}.xml" for category in FEEDS])
    model = SimulatedModel(Settings(labels=_labels(data)), bill=scratch / "bill.jsonl").start()
    Provider.objects.create(
        name="recorded",
        model="doubao-seed-1-6-thinking-250715",
        kind=Provider.Kind.OPENAI,
        base_url=model.base_url,
        profile=profile,
    )
    try:
        edition = editions.open_edition(profile, DAY)
        editions.screen(edition)
        judging.drain()
        editions.close(edition, timezone.now())
    finally:
        model.stop()
    return report.markdown(profile, DAY, "Asia/Shanghai", "zh-hans")


def _labels(data: Path) -> Any:
    """What the reference's model said of the day, as labels; its fields are the profile's interests by name."""
    from scoring.simulated.brain import Labels

    titles = {fact["id"]: fact["title"] for fact in _papers(data)}
    latest: dict[str, dict[str, Any]] = {}
    for row in rows(data / "reference" / "judgements.jsonl.gz"):
        if row["first_listed"] == DAY.isoformat() and row["id"] in titles:
            latest[row["id"]] = row
    lines = (
        {
            "title": titles[row["id"]],
            "scores": {row["field"]: round(10 * row["score"])} if row["recommended"] else {},
            "reason": (row["reason"] or "").splitlines()[0] if row["recommended"] and row["reason"] else "",
        }
        for row in latest.values()
    )
    return Labels.from_lines([json.dumps(line, ensure_ascii=False) for line in lines])


def _papers(data: Path) -> Iterator[dict[str, Any]]:
    for place in (data / "papers.jsonl.gz", data / "reference" / "papers.jsonl.gz"):
        with gzip.open(place, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _facts(data: Path) -> dict[str, dict[str, Any]]:
    from papers.arxiv import tex

    return {
        fact["id"]: {
            "title": tex.title(fact["title"]),
            "authors": [tex.name(author) for author in fact["authors"]],
        }
        for fact in _papers(data)
    }


def _compared(theirs: str, ours: str, facts: dict[str, dict[str, Any]]) -> Iterable[Finding]:
    from tests.scoring.reference_report import read

    reports = [read(theirs), read(ours)]
    measures = {
        "papers said to be read": lambda report: next(
            re.search(r"(\d+) 篇", line)[1] for line in report.quoted if "阅读" in line
        ),
        "papers recommended": lambda report: len(report.entries),
        "titles altered": lambda report: sum(
            _folded(entry.title) != _folded(facts[_id(entry)]["title"]) for entry in report.entries
        ),
        "author lists that are not arXiv's": lambda report: sum(
            _folded(entry.authors) != _folded(", ".join(facts[_id(entry)]["authors"]))
            for entry in report.entries
        ),
        "affiliations that arXiv did not give": lambda report: sum(
            "(" in entry.authors for entry in report.entries
        ),
        "TeX accents left": lambda report: sum(
            len(TEX_ACCENT.findall(f"{entry.title} {entry.authors}")) for entry in report.entries
        ),
        "reasons not in Chinese": lambda report: sum(
            not _is_chinese(entry.reason) for entry in report.entries
        ),
        "reasons with leaked lines": lambda report: sum(
            bool(LEAK.search(entry.reason)) or "\n" in entry.reason for entry in report.entries
        ),
    }
    for name, measure in measures.items():
        yield Finding(name, *(str(measure(report)) for report in reports))
    yield Finding("the account", "-", next((line for line in reports[1].quoted if "公布" in line), "missing"))


def _id(entry: Any) -> str:
    return re.sub(r"v\d+$", "", entry.link.rpartition("/")[2])


def _folded(text: str) -> str:
    return " ".join(text.split())


def _is_chinese(text: str) -> bool:
    """More Chinese characters than Latin words."""
    return len(re.findall(r"[\u4e00-\u9fff]", text)) > len(re.findall(r"[A-Za-z]+", text))


if __name__ == "__main__":
    main()
