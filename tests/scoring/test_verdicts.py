"""What a model's answer may do, and what it may not."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import rubric, verdicts

LABELS = ("k7", "a2", "m9")
ABSTRACTS = (
    "We prove a tight bound on the chromatic index.",
    "Second abstract text.",
    "Third abstract text.",
)


def read(answer, *, interests=3, language="en", labels=LABELS, abstracts=ABSTRACTS):
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return verdicts.read(text, labels, abstracts, interests, language)


def reason(
    label="k7", text="Proves a bound that helps compilers.", quote="a tight bound on the chromatic index"
):
    return {"p": label, "r": text, "q": quote}


GOOD = {"rows": ["k7 3:62 1:20", "a2", "m9 2:10"], "reasons": [reason()]}


def test_an_honest_answer_becomes_verdicts():
    reading = read(GOOD)

    assert reading.verdicts["k7"].scores == (20, 0, 62)
    assert reading.verdicts["k7"].reason == "Proves a bound that helps compilers."
    assert reading.verdicts["k7"].is_quote_verified
    assert reading.verdicts["a2"].scores == (0, 0, 0)
    assert (reading.missing, reading.rejected, reading.unknown) == ((), (), 0)
    assert not reading.is_garbled


@pytest.mark.parametrize(
    "row",
    [
        "k7 3:101",
        "k7 3:high",
        "k7 3:NaN",
        "k7 3:true",
        "k7 4:50",
        "k7 0:50",
        "k7 3:-1",
        "k7 3:6.5",
        "k7 3:62 3:70",
        "k7x 1:5",
        "k7 3:",
        "k7 3:1000",
    ],
)
def test_a_row_that_breaks_a_rule_costs_only_its_paper(row):
    reading = read({"rows": [row, "a2 1:30", "m9"], "reasons": []})

    assert reading.rejected == ("k7",)
    assert set(reading.verdicts) == {"a2", "m9"}


@pytest.mark.parametrize(
    "row", [True, None, 62, 6.2, ["k7 3:62"], {"k7": 62}, "", "z9 1:80", "2601.21821 1:80"]
)
def test_what_names_no_label_of_this_call_is_dropped_and_counted(row):
    reading = read({"rows": [row, "a2 1:30", "m9"], "reasons": []})

    assert reading.unknown == 1
    assert reading.missing == ("k7",)


def test_a_doubled_label_is_invalid_twice():
    reading = read({"rows": ["k7 1:90", "k7 1:10", "a2", "m9"], "reasons": []})

    assert reading.rejected == ("k7",)


def test_a_thrice_named_label_stays_invalid():
    reading = read({"rows": ["k7 1:90", "k7 1:10", "k7 1:90", "a2", "m9"], "reasons": []})

    assert reading.rejected == ("k7",)


@pytest.mark.parametrize(
    ("scores", "crowned"),
    [
        ([(100, 100), (0, 0), (0, 0), (0, 0)], "k0"),
        ([(0, 0), (0, 0), (0, 96), (0, 0)], "k2"),
        ([(94, 0), (0, 0), (0, 0), (0, 0)], None),
        ([(100, 100), (20, 0), (0, 0), (0, 0)], None),
        ([(100, 100), (0, 0), (0, 0)], None),
        ([(0, 0), (0, 0), (0, 0), (0, 0)], None),
        ([], None),
    ],
)
def test_one_paper_above_all_and_nothing_for_the_rest_is_told(scores, crowned):
    given = {f"k{at}": verdicts.Verdict(f"k{at}", each) for at, each in enumerate(scores)}

    assert verdicts.crowned_alone(given) == crowned


def test_a_missing_row_is_named():
    assert read({"rows": ["k7", "m9"], "reasons": []}).missing == ("a2",)


def test_a_cut_answer_keeps_its_whole_items():
    whole = json.dumps(GOOD)

    reading = read(whole[: whole.index("m9")])

    assert set(reading.verdicts) == {"k7", "a2"}
    assert reading.missing == ("m9",)
    assert reading.is_truncated


def test_a_cut_among_the_reasons_keeps_every_row():
    whole = json.dumps(GOOD)

    reading = read(whole[: whole.index("helps")])

    assert set(reading.verdicts) == set(LABELS)
    assert reading.verdicts["k7"].flags == ("no_reason",)


@pytest.mark.parametrize(
    "frame", ["```json\n{}\n```", "Sure! Here it is:\n{}\nAnything else?", "<think>{{maybe}}</think> {}"]
)
def test_the_first_json_object_in_a_text_is_found(frame):
    assert set(read(frame.replace("{{maybe}}", "{maybe}").replace("{}", json.dumps(GOOD))).verdicts) == set(
        LABELS
    )


@pytest.mark.parametrize(
    "text", ["", "I cannot help with that.", "{", "[]", "null", "{" * 5000, '{"rows": 7}', "[" * 90_000]
)
def test_rubbish_is_garbled_and_nothing_more(text):
    reading = read(text)

    assert reading.is_garbled
    assert reading.missing == LABELS


def test_a_quote_that_stands_nowhere_is_taken_away():
    verdict = read(
        {"rows": ["k7 1:80", "a2", "m9"], "reasons": [reason(quote="words of another paper")]}
    ).verdicts["k7"]

    assert verdict.reason
    assert verdict.quote == ""
    assert not verdict.is_quote_verified
    assert "quote_unverified" in verdict.flags


def test_a_quote_may_differ_in_case_blanks_and_signs():
    assert verdicts.stands_in(
        "Multi-Modal  \u201clarge\u201d models", 'We train multi-modal "large"\nmodels.'
    )


def test_a_reason_for_a_paper_below_the_threshold_is_not_kept():
    assert read({"rows": ["k7 1:59", "a2", "m9"], "reasons": [reason()]}).verdicts["k7"].reason == ""


@pytest.mark.parametrize(
    ("text", "language", "right"),
    [
        ("提出了新的优化器，收敛更快。", "zh-Hans", True),
        ("提出 Muon 优化器的 ResNet 变体，收敛更快。", "zh-Hans", True),
        ("A new optimiser converges faster.", "zh-Hans", False),
        ("A new optimiser converges faster.", "en", True),
        ("提出了新的优化器，收敛更快。", "en", False),
    ],
)
def test_the_language_of_a_reason_is_told_by_its_script(text, language, right):
    answer = {"rows": ["k7 1:80", "a2", "m9"], "reasons": [reason(text=text)]}

    assert read(answer, language=language).verdicts["k7"].is_language_right is right


@pytest.mark.parametrize(
    "payload",
    [
        "<script>alert(1)</script> Good work here.",
        r"Good work here \href{javascript:alert(1)}{x}",
        "Good work here javascript:alert(1)",
        "Good work <img src=x onerror=alert(1)> here",
        "Good work here https://evil.example/x",
        "Good work\u202e here\x00\n# Heading",
        "Good work here. Score: 8 Field: vision",
        "[[x2k9d a2]] Good work here",
    ],
)
def test_a_reason_is_made_inert(payload):
    text = verdicts.inert(payload, 200)

    assert "ood work" in text
    for bad in (
        "<",
        ">",
        "\\",
        "javascript:",
        "https:",
        "\n",
        "\u202e",
        "\x00",
        "[[",
        "Score:",
        "Field:",
    ):
        assert bad not in text


def test_a_reason_does_not_become_a_formula_in_a_spreadsheet():
    assert verdicts.inert("=HYPERLINK(1)", 200).startswith("HYPERLINK")


def test_a_leaking_model_loses_its_reason_and_keeps_its_score():
    answer = {"rows": ["k7 1:80", "a2", "m9"], "reasons": [reason(text=rubric.RULES)]}

    verdict = read(answer).verdicts["k7"]

    assert (verdict.scores[0], verdict.reason, verdict.flags) == (80, "", ("no_reason", "leak"))


def test_two_reasons_for_one_paper_are_none():
    answer = {
        "rows": ["k7 1:80", "a2", "m9"],
        "reasons": [reason(), reason(text="Another one, which is worse.")],
    }

    assert read(answer).verdicts["k7"].reason == ""


def test_repairs_are_taken_only_in_the_asked_language():
    answer = json.dumps(
        {"reasons": [{"p": "k7", "r": "提出了新的优化器。"}, {"p": "a2", "r": "Still English."}]}
    )

    assert verdicts.read_repairs(answer, LABELS, "zh-Hans") == {"k7": "提出了新的优化器。"}


@given(
    st.text(max_size=400)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["rows", "reasons", "p", "r", "q"]), inner)
        ),
    ).map(json.dumps)
)
def test_no_answer_breaks_the_reader(text):
    reading = read(text)

    assert set(reading.verdicts) | set(reading.missing) | set(reading.rejected) == set(LABELS)
    assert all(0 <= score <= 100 for verdict in reading.verdicts.values() for score in verdict.scores)


@given(st.integers(0, 10_000), st.integers(1, 400))
def test_a_cut_never_changes_what_is_kept(seed, cut):
    labels = rubric.draw_labels(8, random.Random(seed))
    answer = json.dumps({"rows": [f"{label} 1:{at * 10}" for at, label in enumerate(labels)], "reasons": []})

    reading = read(answer[:cut], labels=labels, abstracts=[""] * 8)

    for at, label in enumerate(labels):
        if label in reading.verdicts:
            assert reading.verdicts[label].scores[0] == at * 10
