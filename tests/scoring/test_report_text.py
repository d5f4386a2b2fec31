"""The report's form: golden in both languages, read back by the reference's format, inert to payloads."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from papers.markdown import escaped, one_line
from scoring.report_text import (
    Contribution,
    ReportAuthor,
    ReportDay,
    ReportEntry,
    as_csv,
    as_json,
    markdown,
)
from tests.scoring import reference_report

GOLDEN = Path(__file__).parent / "golden"
PAYLOADS = [
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/p.png)",
    "$<img src=x onerror=alert(1)>$",
    "$[a](javascript:alert(1))$",
    "`code` and **bold** and _em_ and ~~gone~~",
    "<https://evil.example>",
    "https://evil.example/x and www.evil.example",
    "line one\n## line two\r\n- three\u2028four",
    "a | b | c",
    "&lt;b&gt; &amp; &#x3c;",
    "back\\slash \\[ \\] \\*",
    "\\href{javascript:alert(1)}{x}",
    "zero\u200bwidth\u202eturned\x00nul",
    "=cmd|' /C calc'!A0",
    "ends with ##",
]


def entry(number: int = 1, **changes) -> ReportEntry:
    plain = {
        "arxiv_id": f"2601.2182{number}",
        "version": 1,
        "title": f"A Study of $x_{number}$ & Its Friends",
        "authors": (ReportAuthor("Ada Lovelace"), ReportAuthor("Émilie du Châtelet")),
        "section": "Optimisation",
        "value": 90 - number,
        "reason": "It does what the field asks for.",
        "reason_language": "en",
        "quote": "we prove",
        "quote_verified": True,
        "model": "judge-1",
        "tokens": 288,
        "scores": (Contribution("Optimisation", 90 - number, 1.0, 90 - number),),
    }
    return ReportEntry(**plain | changes)


def day_of(*entries: ReportEntry, **changes) -> ReportDay:
    plain = {
        "day": date(2026, 1, 30),
        "profile": "Deep learning",
        "profile_id": "prf_1",
        "zone": "America/New_York",
        "language": "en",
        "updated_at": datetime(2026, 1, 30, 5, 14, 34, tzinfo=UTC),
        "announced": 442,
        "terms": {"judged": 430, "screened": 10, "waiting_budget": 2},
        "tokens": 118882,
        "models": (("judge-1", False),),
        "sections": ("原生多模态大模型", "Optimisation"),
        "entries": entries,
    }
    return ReportDay(**plain | changes)


def english_day() -> ReportDay:
    return day_of(
        entry(1, authors=(ReportAuthor("Ada Lovelace", ("Analytical Engine",)), ReportAuthor("Alan Turing"))),
        entry(2, title="C*-Algebras: A <Short> Tour of snake_case | Pipes", quote_verified=False),
        entry(3, reason="", value=60),
        entry(4, section="原生多模态大模型", value=100, is_estimate=True),
    )


def chinese_day() -> ReportDay:
    return replace(
        day_of(
            entry(1, reason="提出新的优化器，属于该方向。", section="原生多模态大模型", is_simulated=True),
            entry(2, reason="词语匹配：优化器。", is_estimate=True, is_sample=True),
        ),
        language="zh-Hans",
        zone="Asia/Shanghai",
        models=(("sim-honest", True), ("judge_1", False)),
        is_closed=False,
    )


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("en", english_day()),
        ("zh", chinese_day()),
        ("en_no_picks", day_of()),
        ("en_late", day_of(late_until=datetime(2026, 1, 31, 17, 1, tzinfo=UTC))),
        ("zh_no_announcement", day_of(language="zh-Hans", announced=0, terms={}, tokens=0, models=())),
        (
            "zh_local",
            day_of(
                entry(1),
                language="zh-Hans",
                terms={"estimated": 440, "withdrawn": 2},
                tokens=0,
                models=(("local", False),),
            ),
        ),
    ],
)
def test_the_form_is_the_golden_one(name, report):
    written = markdown(report)

    assert written == (GOLDEN / f"report_{name}.md").read_text(encoding="utf-8")


def test_repeating_a_report_gives_the_same_bytes():
    assert markdown(english_day()).encode() == markdown(english_day()).encode()
    assert as_json(english_day()) == as_json(english_day())


@pytest.mark.parametrize("report", [english_day(), chinese_day()])
def test_the_reference_format_reads_it_back(report):
    back = reference_report.read(markdown(report))

    assert back.day == "2026-01-30"
    assert {e.link for e in back.entries} == {e.link for e in report.entries}
    assert {e.title for e in back.entries} == {e.title for e in report.entries}
    assert [e.section for e in back.entries] == sorted(
        (e.section for e in back.entries), key=report.sections.index
    )
    assert all("\n" not in e.reason for e in back.entries)


def test_the_reader_reads_the_reference_report_itself(shared_data):
    back = reference_report.read(
        (shared_data / "reference" / "report_2026-01-31.md").read_text(encoding="utf-8")
    )

    assert len(back.entries) == 93
    assert back.quoted[1] == "已自动阅读了 360 篇最新的论文。"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_is_inert_in_every_place(payload):
    hostile = entry(
        1,
        title=payload,
        authors=(ReportAuthor(payload, (payload,)),),
        section=payload,
        reason=payload,
        quote=payload,
    )

    written = markdown(day_of(hostile, models=((payload, True),)))

    assert len(written.splitlines()) == len(
        markdown(day_of(entry(1), sections=("Optimisation",))).splitlines()
    )
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(written)
    assert html.count("<a ") == 1, html
    for tag in ("<script", "<img", "<em>", "<code>", "<s>", "<table", "<b>"):
        assert tag not in html
    assert "javascript:alert" not in "".join(part.split('"')[1] for part in html.split("href=")[1:])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_a_cell_runs_nothing(payload):
    rows = list(csv.reader(io.StringIO(as_csv(day_of(entry(1, title=payload, reason=payload))))))

    assert len(rows) == 2
    assert all(cell[:1] not in {"=", "+", "-", "@", "\t", "\r"} for cell in rows[1])


@given(st.text(max_size=200))
def test_escaped_text_renders_as_itself(text):
    if "$" in text:
        return
    inline = MarkdownIt("commonmark").parseInline("x " + escaped(text) + " x")[0].children

    shown = "".join(token.content for token in inline)

    assert {token.type for token in inline} <= {"text", "text_special"}
    assert shown == f"x {one_line(text)} x"


@given(st.text(max_size=120), st.text(max_size=120))
def test_any_title_and_reason_keep_the_form(title, reason):
    back = reference_report.read(markdown(day_of(entry(1, title="T" + title, reason="R" + reason))))

    assert len(back.entries) == 1


def test_an_ordinary_title_is_not_altered():
    for title in (
        "MMFineReason: Closing the Gap [Re]",
        "A* Search in O(n^2)",
        "Why β₁ = β₂?",
        "R1-Zero's $O(n_1 * n_2)$ & 5% more",
    ):
        assert escaped(title) == title


def test_json_carries_ids_sub_scores_quotes_and_tokens():
    data = json.loads(as_json(english_day()))

    assert data["account"]["announced"] == sum(
        data["account"][k] for k in ("judged", "screened", "waiting_budget")
    )
    first = data["entries"][0]
    assert (first["arxiv_id"], first["score"], first["tokens"]) == ("2601.21824", "10.0", 288)
    assert first["scores"][0]["interest"] == "Optimisation"
    assert first["quote"] == "we prove"
