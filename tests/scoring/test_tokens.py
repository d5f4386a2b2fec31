"""The token counter that sizes holds."""

import gzip
import json

from scoring import tokens


def test_nothing_is_no_token():
    assert tokens.estimate("") == 0


def test_a_hold_is_a_little_larger_than_its_estimate():
    assert tokens.with_margin(1000) == 1080


def test_common_words_are_one_token_each():
    assert tokens.estimate("We propose a new method for training large models.") == 10


def test_it_reproduces_the_references_input(shared_data):
    """360 papers in eight calls of fifty, each after the prompt: 372 tokens a paper."""
    prompt = (shared_data / "reference/prompt.txt").read_text()
    papers = (shared_data / "reference/batch_input_2026-01-30.md").read_text()

    a_paper = (8 * tokens.estimate(prompt) + tokens.estimate(papers)) / 360

    assert abs(a_paper / 372.28 - 1) < 0.03


def test_it_knows_chinese(shared_data):
    """354,905 tokens were counted in the reference's reasons by the vocabulary that the tables were fitted to."""
    with gzip.open(shared_data / "reference/judgements.jsonl.gz", "rt") as lines:
        reasons = [row["reason"] for row in map(json.loads, lines) if row["reason"]]

    assert abs(tokens.estimate("\n".join(reasons)) / 354_905 - 1) < 0.03
