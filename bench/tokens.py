"""`python -m bench.tokens`: what a paper read costs in tokens, beside the reference's 527.

One day of the reference profile is read over HTTP from a simulated model that answers with the recorded
judgements, every reason in: 20 papers a call, one panel, prefix cache as providers count it. Usage is what the
server bills. Nothing is random but labels and marks. `--reasoning N` adds N tokens of thinking a paper.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import recorded
from scoring import llm, rubric, tokens
from scoring.addresses import AddressPolicy
from scoring.endpoint import Endpoint
from scoring.rubric import InterestText, PaperText, RevisionText
from scoring.simulated.brain import Labels, title_key
from scoring.simulated.server import Settings, running
from scoring.usage import Usage

RUN_DAY = "2026-01-30"
# Cached input costs a tenth at OpenAI, Anthropic and Mistral.
CACHED_PRICE = 0.10
REFERENCE = Usage(input_tokens=372, output_tokens=155, reasoning_tokens=115)
TARGET_RAW, TARGET_COST = 345, 300
# Beside its own field a pick touches one more, and so does every other paper: a row is seldom bare.
SIDE_SCORE = 30


@dataclass(frozen=True)
class Judged:
    """One recorded judgement with the paper's text."""

    paper: PaperText
    is_pick: bool
    score: int
    field: str
    reason: str


def judged_on(data: Path, day: str) -> list[Judged]:
    """What the reference's run of that day read and said, where the text is known."""
    said = [
        row for row in recorded.rows(data / "reference/judgements.jsonl.gz") if row["run_date_bjt"] == day
    ]
    wanted = {row["id"] for row in said}
    texts: dict[str, PaperText] = {}
    for name in ("reference/papers.jsonl.gz", "papers.jsonl.gz"):
        for row in recorded.rows(data / name):
            if row["id"] in wanted and row["abstract"]:
                texts[row["id"]] = PaperText(row["title"], row["abstract"])
    return [
        Judged(
            texts[row["id"]],
            row["recommended"],
            10 * (row["score"] or 0),
            row["field"] or "",
            # "Score / Field" leaked into the reference's reasons; they are no part of them.
            (row["reason"] or "").split("\n")[0],
        )
        for row in said
        if row["id"] in texts
    ]


def reference_revision(data: Path) -> RevisionText:
    brief = recorded.reference_brief(data)
    return RevisionText(
        interests=tuple(InterestText(wish.name, wish.description) for wish in brief.wishes),
        exclusions=brief.exclusions,
        weighting_prompt="只推荐与主要研究方向高度相关的论文；不太关注的领域除非与主要方向有重大交叉。",
        reason_language="zh-Hans",
    )


def labels_of(judged: Sequence[Judged], revision: RevisionText) -> Labels:
    names = [interest.name for interest in revision.interests]
    by_title = {}
    for at, each in enumerate(judged):
        scores = {names[(at + 1) % len(names)]: SIDE_SCORE}
        if each.is_pick:
            named = next((name for name in names if each.field and each.field in name), names[2])
            scores = {**scores, named: each.score}
        by_title[title_key(each.paper.title)] = {"scores": scores, "reason": each.reason}
    return Labels(by_title)


def read(
    revision: RevisionText, papers: Sequence[PaperText], labels: Labels, reasoning: int
) -> tuple[list[Usage], int]:
    """The usage of every call over these papers, and how many papers a model without mistakes named."""
    usages, named = [], 0
    with running(Settings(labels=labels, reasoning_per_paper=reasoning)) as model:
        endpoint = Endpoint(model.base_url, "recorded", policy=AddressPolicy(allows_loopback=True))
        endpoint = replace(endpoint, abilities=replace(endpoint.abilities, reasoning_per_paper=reasoning))
        for block in blocks_of(papers):
            prompt = rubric.judging_prompt(
                revision, block, dice=random.Random(len(usages)), cache_key="bench"
            )
            answer = llm.judge(prompt, endpoint)
            assert answer.usage is not None
            usages.append(answer.usage)
            named += len(json.loads(answer.text)["rows"])
    return usages, named


def blocks_of(papers: Sequence[PaperText]) -> Iterator[Sequence[PaperText]]:
    for start in range(0, len(papers), rubric.PAPERS_A_CALL):
        yield papers[start : start + rubric.PAPERS_A_CALL]


def cost_equivalent(usage: Usage) -> float:
    return usage.input_tokens - (1 - CACHED_PRICE) * usage.cached_tokens + usage.output_tokens


def total(usages: Sequence[Usage]) -> Usage:
    return Usage(
        sum(each.input_tokens for each in usages),
        sum(each.output_tokens for each in usages),
        sum(each.cached_tokens for each in usages),
        sum(each.reasoning_tokens for each in usages),
    )


def line(name: str, usage: Usage, papers: int) -> str:
    parts = [
        usage.input_tokens,
        usage.cached_tokens,
        usage.output_tokens - usage.reasoning_tokens,
        usage.reasoning_tokens,
        usage.total_tokens,
        cost_equivalent(usage),
    ]
    return f"{name:<34}" + "".join(f"{part / papers:>10.1f}" for part in parts)


def counter_lines(data: Path) -> list[str]:
    """How well the counter without a vocabulary reproduces counts that were made with one."""
    prompt = (data / "reference/prompt.txt").read_text(encoding="utf-8")
    papers = (data / "reference/batch_input_2026-01-30.md").read_text(encoding="utf-8")
    mixed = (8 * tokens.estimate(prompt) + tokens.estimate(papers)) / 360
    reasons = "\n".join(
        row["reason"] for row in recorded.rows(data / "reference/judgements.jsonl.gz") if row["reason"]
    )
    han = len(re.findall(r"[\u3400-\u9fff]", reasons))
    return [
        f"counter: the reference's input {mixed:.1f} a paper, 372.3 counted ({mixed / 372.28 - 1:+.1%})",
        f"counter: Chinese reasons {tokens.estimate(reasons)}, 354905 counted "
        f"({tokens.estimate(reasons) / 354_905 - 1:+.1%}), {tokens.estimate(reasons) / han:.2f} a Han character",
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reasoning", type=int, default=0, help="tokens of thinking a paper")
    options = parser.parse_args(argv)
    try:
        data = recorded.folder()
    except FileNotFoundError as error:
        print(error)
        return 1
    judged = judged_on(data, RUN_DAY)
    revision = reference_revision(data)
    papers = [each.paper for each in judged]
    usages, named = read(revision, papers, labels_of(judged, revision), options.reasoning)
    used = total(usages)
    picks = sum(each.is_pick for each in judged)
    print(f"{RUN_DAY}: {len(papers)} papers in {len(usages)} calls, {picks} with a reason, {named} rows back")
    print(
        f"{'tokens a paper read':<34}"
        + "".join(f"{w:>10}" for w in ("input", "cached", "visible", "thinking", "raw", "cost-eq."))
    )
    print(line("reference (50 a call)", REFERENCE, 1))
    print(line("ours (20 a call, all reasons)", used, len(papers)))
    print(*counter_lines(data), sep="\n")
    raw, cost = used.total_tokens / len(papers), cost_equivalent(used) / len(papers)
    ok = raw <= TARGET_RAW and cost <= TARGET_COST
    print(
        f"target: raw {raw:.1f} <= {TARGET_RAW}, cost-equivalent {cost:.1f} <= {TARGET_COST}: {'met' if ok else 'MISSED'}"
    )
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
