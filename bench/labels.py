"""The recorded judgements as labels for the simulated model: `python -m bench.fake --labels` prints them.

One JSON line a paper, with its first judgement; of the runs of one day, if one is given.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from bench import recorded
from bench.days import Stream
from scoring.simulated.brain import Labels, title_key


def lines(data: Path, day: str = "") -> Iterator[str]:
    """Title, scores (0-100) by the name of the field, reason. A paper that was not recommended has no scores."""
    titles = {paper.id: paper.title for paper in recorded.papers(data).values()}
    brief = recorded.reference_brief(data)
    told: set[str] = set()
    for row in recorded.rows(data / "reference" / "judgements.jsonl.gz"):
        if row["id"] in told or (day and row["run_date_bjt"] != day):
            continue
        told.add(row["id"])
        name = brief.wishes[recorded.interest_of(row["field"] or "", brief)].name
        # "Score / Field" leaked into the reference's reasons; they are no part of them.
        reason = (row["reason"] or "").split("\n")[0]
        scores = {name: recorded.score_of(row)} if row["recommended"] else {}
        yield json.dumps({"title": titles[row["id"]], "scores": scores, "reason": reason}, ensure_ascii=False)


def of_stream(stream: Stream) -> Labels:
    """The truth of a stream for a simulated model: how probably it picks each paper for each interest, by name."""
    names = [wish.name for wish in stream.brief.wishes]
    return Labels(
        {
            title_key(paper.title): {"chances": dict(zip(names, chances, strict=True))}
            for day in stream.days
            for paper, chances in zip(day.papers, day.chance_by_interest, strict=True)
        }
    )
