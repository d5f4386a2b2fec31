"""The recorded judgements of the development data, as days with labels. Absent data is an error that says so."""

import gzip
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from papers.features.vectors import features
from scoring.screening.brief import Brief, Wish

_FIELD = re.compile(r"^（\d+）([^：\n]+)(?:：(.*))?$", re.MULTILINE)
BACKFILL = 2000


@dataclass(frozen=True)
class Day:
    """One run of the reference: its papers in order of id, what its model recommended, earlier papers."""

    run: str
    ids: list[str]
    wanted: list[bool]
    packed: list[bytes]
    background: list[bytes]


def folder() -> Path:
    """Where the development data lies; FileNotFoundError where it does not."""
    beside = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    found = Path(os.environ.get("BROADSHEET_SHARED_DATA", beside))
    if not (found / "reference" / "judgements.jsonl.gz").exists():
        raise FileNotFoundError(f"no development data in {found}; set BROADSHEET_SHARED_DATA")
    return found


def reference_brief(data: Path) -> Brief:
    """The reference profile: seven fields, and what it cares less for, as its owner wrote them."""
    text = (data / "reference" / "prompt.txt").read_text(encoding="utf-8")
    parts = re.split(r"^# ", text, flags=re.MULTILINE)
    wanted = next(part for part in parts if part.startswith("我的主要研究方向"))
    unwanted = next(part for part in parts if part.startswith("我不太关注的领域"))
    wishes = tuple(Wish(name.strip(), (words or "").strip()) for name, words in _FIELD.findall(wanted))
    return Brief(wishes, tuple(name.strip() for name, _ in _FIELD.findall(unwanted)))


def without_latin(brief: Brief) -> Brief:
    """The same profile with every Latin letter taken out."""
    wishes = (Wish(_stripped(w.name), _stripped(w.description), w.weight) for w in brief.wishes)
    return Brief(tuple(wishes), tuple(map(_stripped, brief.exclusions)))


def days(data: Path, every: int = 1) -> Iterator[Day]:
    """Every so-many-th run in order of time; a background is what those before it listed."""
    judged: dict[str, dict[str, bool]] = {}
    for row in rows(data / "reference" / "judgements.jsonl.gz"):
        judged.setdefault(row["run"], {})[row["id"]] = row["recommended"]
    runs = list(judged.items())[::every]
    vectors = _vectors(data, {paper for _, labels in runs for paper in labels})
    listed: dict[str, None] = {}
    for run, labels in runs:
        ids = sorted(labels)
        before = [paper for paper in list(listed)[-BACKFILL:] if paper not in labels]
        yield Day(run, ids, [labels[i] for i in ids], [vectors[i] for i in ids], [vectors[i] for i in before])
        listed.update(dict.fromkeys(ids))


def rows(path: Path) -> Iterator[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _vectors(data: Path, wanted: set[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in (data / "reference" / "papers.jsonl.gz", data / "papers.jsonl.gz"):
        for row in rows(path):
            if row["id"] in wanted and row["id"] not in found:
                found[row["id"]] = features(row["title"], row["abstract"] or "")
    return found


def _stripped(text: str) -> str:
    return re.sub(r"[A-Za-zÀ-ɏ]", "", text)
