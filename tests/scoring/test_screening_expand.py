"""An interest in its owner's words becomes English terms."""

import re

import pytest

from papers.features import tokens
from scoring.screening import query, vocabulary
from scoring.screening.expand import MOST_TERMS, Origin, expand, longest_matches

SUBJECTS = {"cs", "stat", "math", "physics", "eess", "q-bio", "q-fin", "econ"}
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
ENGLISH = re.compile(r"[a-z0-9][a-z0-9 .\-]*")


def test_the_chinese_table_is_sound():
    rows = vocabulary.rows("terms_zh.tsv")

    assert len(rows) >= 600
    assert rows == sorted(rows)
    assert len({zh for zh, _, _ in rows}) == len(rows)
    assert {subject for _, _, subject in rows} == {vocabulary.GENERAL, *SUBJECTS}
    for zh, en, _ in rows:
        assert CHINESE.fullmatch(zh)
        assert all(ENGLISH.fullmatch(term) and vocabulary.key_of(term) for term in en.split("; ")), zh
        assert len(set(en.split("; "))) == len(en.split("; ")), zh


def test_the_related_table_is_sound():
    rows = vocabulary.rows("related.tsv")

    assert rows == sorted(rows)
    assert len({vocabulary.key_of(term) for term, _ in rows}) == len(rows)
    assert all(term not in related.split("; ") and related for term, related in rows)


def test_chinese_is_cut_by_the_longest_match():
    assert [term.zh for term in longest_matches("多智能体强化学习算法")] == ["多智能体强化学习", "算法"]


def test_two_terms_may_share_their_middle():
    assert [term.zh for term in longest_matches("原生多模态大模型")] == ["原生多模态", "多模态大模型"]


def test_english_words_are_kept_beside_chinese():
    found = expand("深度学习理论", "piece-wise linear, Muon optimizer 等")

    assert {"deep learning", "piece-wise linear", "Muon optimizer"} <= set(found.texts)
    assert found.is_known


def test_an_interest_never_takes_more_than_its_terms():
    found = expand("大模型 强化学习 机器人 推荐系统 图神经网络", "diffusion, " * 500)

    assert 20 < len(found.terms) <= MOST_TERMS


def test_what_the_owner_wrote_replaces_what_we_would_add():
    found = expand("机器人", "", ("legged locomotion", "terrain; footstep"))

    origins = {term.text: term.origin for term in found.terms}
    assert origins["legged locomotion"] == origins["footstep"] == Origin.GIVEN
    assert Origin.RELATED not in origins.values()


@pytest.mark.parametrize(
    "words", ["", "等等", "有意思的东西", "good papers please", "novel methods", "方法", "статьи", "🙂"]
)
def test_an_interest_without_a_known_word_says_so(words):
    assert not expand(words).is_known


@pytest.mark.parametrize("words", ["图神经网络", "graph neural networks", "Shapley value", "湍流的数值模拟"])
def test_an_interest_with_a_known_word_says_so(words):
    assert expand(words).is_known


def test_chinese_that_nobody_knows_is_named():
    assert expand("深度学习与太极拳").unknown_chinese == ()
    assert expand("太极拳").unknown_chinese == ("太极拳",)


def test_sentences_give_the_phrases_that_are_known():
    found = expand(
        "Papers that propose frameworks where image generation and semantic segmentation are learned jointly"
    )

    assert {"image generation", "semantic segmentation"} <= set(found.texts)


def test_the_other_words_of_a_sentence_are_kept_but_weigh_less():
    found = expand(
        "x", "I would like to read about the Kolmogorov representation theorem and its relation to splines"
    )

    origins = {term.text: term.origin for term in found.terms}
    assert origins["theorem"] == Origin.TYPED
    assert origins["Kolmogorov"] == origins["splines"] == Origin.MENTIONED


def test_ten_thousand_words_are_an_interest_too():
    found = expand("x", "transformers learn from very many long sentences without any stop " * 1000)

    assert found.is_known


def test_the_shared_words_of_a_paper_are_named():
    terms = expand("强化学习").terms
    held = query.held_by("Offline reinforcement learning", "We learn a policy from rewards.")

    assert [term.text for term in query.occurring(terms, held)][:2] == ["reinforcement learning", "policy"]


def test_a_phrase_occurs_only_as_a_phrase():
    held = query.held_by("Learning to reinforce steel", "")

    assert not query.occurring(
        expand("reinforcement learning", given=("reinforcement learning",)).terms, held
    )


def test_general_words_are_told_from_words_of_a_field():
    assert vocabulary.key_of("method") in vocabulary.general_words()
    assert vocabulary.key_of("reinforcement learning") not in vocabulary.general_words()
    assert tokens.words("method")
