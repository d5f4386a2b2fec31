"""The report of a day as text: pure, from a `ReportDay` to Markdown, JSON and CSV.

The form is pinned by `docs/report-format.md` and its golden tests; its words are part of the form, hence
they stand here and in no catalogue. The same `ReportDay` always gives the same bytes.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from papers.markdown import escaped, one_line

# The account's terms in the precedence of design §1; a waiting paper names its reason.
TERMS = (
    "judged",
    "estimated",
    "screened",
    "waiting_turn",
    "waiting_budget",
    "waiting_provider",
    "waiting_late",
    "in_work",
    "failed",
    "withdrawn",
    "seen",
    "parked",
    "expired",
)

CHINESE = {
    "title": "# ArXiv 每日推荐 - {day}",
    "updated": "> 更新于{zone}：{time}",
    "open": "（尚未读完）",
    "read": "> 已自动阅读了 {count} 篇最新的论文。",
    "estimated_only": "> 已在本地评估了 {count} 篇最新的论文。",
    "model": "> 使用模型：{model} | 消耗 Tokens：{tokens}",
    "account": "> 公布 {announced} = {terms}；推荐 {recommended} 篇",
    "empty_account": "> 公布 0；推荐 0 篇",
    "late": "> 迟开：arXiv 在{zone} {time} 之前无法访问。",
    "sample": "> 示例文本，非作者摘要（Sample text, not the authors' abstract）。",
    "no_picks": "今天没有论文达到推荐线。",
    "no_announcement": "arXiv 当日没有公布新论文。",
    "no_model": "无",
    "simulated": "{model}（模拟）",
    "is_estimate": "（本地估计）",
    "is_unverified": "（引文未核实）",
    "is_simulated": "（模拟）",
    "no_reason": "未附理由。",
    "beijing": "北京时间",
    "zone": "（{zone}）",
    "judged": "已读",
    "estimated": "仅本地估计",
    "screened": "本地筛除",
    "waiting_turn": "等待轮次",
    "waiting_budget": "等待预算",
    "waiting_provider": "等待模型",
    "waiting_late": "迟到待读",
    "in_work": "正在阅读",
    "failed": "失败",
    "withdrawn": "已撤稿",
    "seen": "先前已见",
    "parked": "暂存",
    "expired": "已过期",
}
ENGLISH = {
    "title": "# ArXiv Daily Picks - {day}",
    "updated": "> Updated ({zone}): {time}",
    "open": " (still reading)",
    "read": "> {count} new papers were read automatically.",
    "estimated_only": "> {count} papers were estimated locally.",
    "model": "> Model: {model} | Tokens: {tokens}",
    "account": "> Announced {announced} = {terms}; recommended {recommended}",
    "empty_account": "> Announced 0; recommended 0",
    "late": "> Opened late: arXiv was unreachable until {time} ({zone}).",
    "sample": "> Sample text, not the authors' abstract.",
    "no_picks": "No paper reached the bar on this day.",
    "no_announcement": "arXiv announced no new papers on this day.",
    "no_model": "none",
    "simulated": "{model} (simulated)",
    "is_estimate": " (local estimate)",
    "is_unverified": " (quote not verified)",
    "is_simulated": " (simulated)",
    "no_reason": "No reason was asked for.",
    "beijing": "Asia/Shanghai",
    "zone": "{zone}",
    "judged": "read",
    "estimated": "estimated only",
    "screened": "screened out",
    "waiting_turn": "waiting for their turn",
    "waiting_budget": "waiting for budget",
    "waiting_provider": "waiting for the model",
    "waiting_late": "late, to be read",
    "in_work": "in work",
    "failed": "failed",
    "withdrawn": "withdrawn",
    "seen": "seen before",
    "parked": "parked",
    "expired": "expired",
}


def words_of(language: str) -> dict[str, str]:
    """The words of the form in that language: Chinese for any `zh…`, else English."""
    return CHINESE if language.lower().startswith("zh") else ENGLISH


@dataclass(frozen=True)
class Contribution:
    """What one research field gave: score 0-100, weight 0-1 and their rounded product."""

    interest: str
    score: int
    weight: float
    value: int


@dataclass(frozen=True)
class ReportAuthor:
    name: str
    affiliations: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportEntry:
    """One recommended paper. `value` is 0-100; `tokens` is the paper's share of its call."""

    arxiv_id: str
    version: int
    title: str
    authors: tuple[ReportAuthor, ...]
    section: str
    value: int
    reason: str = ""
    reason_language: str = ""
    quote: str = ""
    quote_verified: bool | None = None
    is_estimate: bool = False
    is_simulated: bool = False
    is_sample: bool = False
    model: str = ""
    tokens: int = 0
    scores: tuple[Contribution, ...] = ()
    categories: tuple[str, ...] = ()
    comment: str = ""
    journal_ref: str = ""
    doi: str = ""
    links: tuple[tuple[str, str], ...] = ()  # (address, kind): code, data, model, project

    @property
    def link(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv_id}"


@dataclass(frozen=True)
class ReportDay:
    """All that a report says, in the order in which it says it: sections in the profile's order.

    `updated_at` is the instant of closing (or of the last score, while the edition is open) and aware.
    `terms` maps the names of TERMS to counts; those that are absent count as zero.
    """

    day: date
    profile: str
    profile_id: str
    zone: str
    language: str
    updated_at: datetime
    announced: int
    terms: dict[str, int]
    tokens: int
    models: tuple[tuple[str, bool], ...] = ()  # (name, is it simulated)
    sections: tuple[str, ...] = ()
    entries: tuple[ReportEntry, ...] = ()
    is_closed: bool = True
    replacements: int = 0
    bar: int = 60
    late_until: datetime | None = None  # aware; where arXiv's absence opened the day late

    @property
    def words(self) -> dict[str, str]:
        return words_of(self.language)


def shown_value(value: int) -> str:
    """A value of 0-100 as the reader sees it, 0.0-10.0."""
    return f"{value // 10}.{value % 10}"


# --- Markdown --------------------------------------------------------------------------------------


def markdown(report: ReportDay) -> str:
    """The Markdown of the day: UTF-8, LF, the form of `docs/report-format.md`."""
    blocks = ["\n".join(_head(report))]
    if not report.announced:
        blocks.append(report.words["no_announcement"])
    elif not report.entries:
        blocks.append(report.words["no_picks"])
    for section, entries in by_section(report):
        blocks.append(f"## {escaped(section)}")
        blocks += ["\n".join(_entry(entry, report)) for entry in entries]
    return "\n\n".join(blocks) + "\n"


def by_section(report: ReportDay) -> Iterator[tuple[str, list[ReportEntry]]]:
    """The sections that have entries, in the profile's order, each with its entries as they came."""
    for section in dict.fromkeys([*report.sections, *(entry.section for entry in report.entries)]):
        entries = [entry for entry in report.entries if entry.section == section]
        if entries:
            yield section, entries


def _head(report: ReportDay) -> Iterator[str]:
    words = report.words
    yield words["title"].format(day=report.day.isoformat())
    yield ""
    zone = words["beijing"] if report.zone == "Asia/Shanghai" else words["zone"].format(zone=report.zone)
    yield words["updated"].format(zone=zone, time=_local(report.updated_at, report)) + (
        "" if report.is_closed else words["open"]
    )
    read, estimated = report.terms.get("judged", 0), report.terms.get("estimated", 0)
    only_local = estimated and not read
    yield words["estimated_only" if only_local else "read"].format(count=estimated if only_local else read)
    yield words["model"].format(model=_models(report), tokens=report.tokens)
    yield account_line(report)
    if report.late_until:
        yield words["late"].format(zone=zone, time=_local(report.late_until, report))
    if any(entry.is_sample for entry in report.entries):
        yield words["sample"]


def _local(at: datetime, report: ReportDay) -> str:
    return f"{at.astimezone(ZoneInfo(report.zone)):%Y-%m-%d %H:%M:%S}"


def _models(report: ReportDay) -> str:
    words = report.words
    names = [
        words["simulated"].format(model=escaped(name)) if simulated else escaped(name)
        for name, simulated in report.models
    ]
    return ", ".join(names) or words["no_model"]


def account_line(report: ReportDay) -> str:
    """The account of the day as one sum; terms of zero are left out."""
    words = report.words
    terms = [f"{words[name]} {report.terms[name]}" for name in TERMS if report.terms.get(name)]
    if not terms:
        return words["empty_account"]
    return words["account"].format(
        announced=report.announced, terms=" + ".join(terms), recommended=len(report.entries)
    )


def _entry(entry: ReportEntry, report: ReportDay) -> Iterator[str]:
    yield f"### [Score: {shown_value(entry.value)}/10] {escaped(entry.title)}"
    yield f"- **Authors:** {escaped(', '.join(map(_author, entry.authors)))}"
    yield f"- **Published:** {report.day.isoformat()}"
    yield f"- **Link:** [{entry.link}]({entry.link})"
    yield f"- **Reason:** {escaped(entry.reason) or report.words['no_reason']}{''.join(_doubts(entry, report))}"


def _author(author: ReportAuthor) -> str:
    name = one_line(author.name)
    return f"{name} ({'; '.join(map(one_line, author.affiliations))})" if author.affiliations else name


def _doubts(entry: ReportEntry, report: ReportDay) -> Iterator[str]:
    if entry.is_estimate:
        yield report.words["is_estimate"]
    if entry.is_simulated:
        yield report.words["is_simulated"]
    if entry.quote and entry.quote_verified is False:
        yield report.words["is_unverified"]


# --- JSON and CSV ----------------------------------------------------------------------------------


def as_data(report: ReportDay) -> dict[str, Any]:
    """The report as plain data, with ids, sub-scores, quotes and tokens; values are 0-100."""
    local = report.updated_at.astimezone(ZoneInfo(report.zone))
    return {
        "day": report.day.isoformat(),
        "profile": {"id": report.profile_id, "name": report.profile, "bar": report.bar},
        "language": report.language,
        "zone": report.zone,
        "updated_at": local.isoformat(timespec="seconds"),
        "is_closed": report.is_closed,
        "late_until": report.late_until.isoformat(timespec="seconds") if report.late_until else None,
        "account": {
            "announced": report.announced,
            **{name: report.terms.get(name, 0) for name in TERMS},
            "replacements": report.replacements,
            "recommended": len(report.entries),
        },
        "models": [{"name": name, "simulated": simulated} for name, simulated in report.models],
        "tokens": report.tokens,
        "entries": [_entry_data(entry, report.day) for _, found in by_section(report) for entry in found],
    }


def _entry_data(entry: ReportEntry, day: date) -> dict[str, Any]:
    data: dict[str, Any] = {
        "arxiv_id": entry.arxiv_id,
        "version": entry.version,
        "title": one_line(entry.title),
        "authors": [{"name": one_line(a.name), "affiliations": list(a.affiliations)} for a in entry.authors],
        "categories": list(entry.categories),
        "published": day.isoformat(),
        "link": entry.link,
        "comment": one_line(entry.comment),
        "journal_ref": one_line(entry.journal_ref),
        "doi": one_line(entry.doi),
        "links": [{"url": url, "kind": kind} for url, kind in entry.links],
        "section": entry.section,
        "value": entry.value,
        "score": shown_value(entry.value),
        "reason": one_line(entry.reason),
        "reason_language": entry.reason_language,
        "quote": one_line(entry.quote),
        "quote_verified": entry.quote_verified,
        "estimated_locally": entry.is_estimate,
        "simulated": entry.is_simulated,
        "model": entry.model,
        "tokens": entry.tokens,
        "scores": [
            {"interest": c.interest, "score": c.score, "weight": c.weight, "value": c.value}
            for c in entry.scores
        ],
    }
    if entry.is_sample:
        data["notice"] = ENGLISH["sample"].removeprefix("> ")
    return data


def as_json(report: ReportDay) -> str:
    """The same as text, keys in a fixed order."""
    return json.dumps(as_data(report), ensure_ascii=False, indent=2) + "\n"


CSV_COLUMNS = (
    "arxiv_id",
    "score",
    "section",
    "title",
    "authors",
    "published",
    "link",
    "reason",
    "quote",
    "model",
)


def as_csv(report: ReportDay) -> str:
    """One row a paper, with a header; cells that a spreadsheet would run are defused."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for data in as_data(report)["entries"]:
        data["authors"] = "; ".join(author["name"] for author in data["authors"])
        writer.writerow([defused(str(data[column])) for column in CSV_COLUMNS])
    return out.getvalue()


def defused(cell: str) -> str:
    """The cell, with a quote before what a spreadsheet would take for a formula (OWASP, CSV injection)."""
    return "'" + cell if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
