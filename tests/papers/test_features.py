"""Words and vectors of a paper, as ranking compares them."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.features import tokens, vectors

PINNED = 0x57AA25C8


def test_words_meet_in_their_usual_forms():
    for one, other in (
        ("optimizers", "optimizer"),
        ("training", "trained"),
        ("policies", "policy"),
        ("quantized", "quantization"),
        ("interpretable", "interpretability"),
        ("planned", "planning"),
    ):
        assert tokens.words(one) == tokens.words(other)


def test_a_hyphen_does_not_part_two_spellings():
    assert set(tokens.terms("pretraining")) <= set(tokens.terms("pre-training"))
    assert "multi modal" in set(tokens.terms("multi-modal models"))


def test_mathematics_and_addresses_are_no_words():
    assert tokens.words(r"A bound $\mathcal{O}(n \log n)$ at https://example.org/code for graphs") == [
        "bound",
        "graph",
    ]


def test_accents_and_case_do_not_matter():
    assert tokens.words("POINCARÉ Schrödinger") == tokens.words("poincare schrodinger")


def test_chinese_counts_as_pairs():
    assert tokens.words("图神经网络") == ["图神", "神经", "经网", "网络"]


def test_no_pair_reaches_over_punctuation():
    assert "graph policy" not in set(tokens.terms("graphs. Policies"))


def test_a_vector_counts_and_knows_the_title():
    vector = vectors.unpack(vectors.features("Graph attention", "Attention for graphs, with attention."))

    count = dict(zip(vector.hashes, vector.counts, strict=True))
    title_word = count[vectors.term_hash(tokens.stem("attention"))]
    assert title_word & vectors.IN_TITLE
    assert title_word & vectors.MOST_COUNTED == 3
    assert vector.length == 5


def test_features_are_the_same_bytes_in_every_process():
    packed = vectors.features("Sparse attention", "")

    assert zlib.crc32(packed) == PINNED, "stored vectors would no longer meet new ones: raise FORMAT"


def test_cut_or_foreign_bytes_are_refused():
    packed = vectors.features("Graphs", "and more graphs")

    for broken in (b"", packed[:-1], b"\x09" + packed[1:]):
        with pytest.raises(vectors.BadFeatures):
            vectors.unpack(broken)


@given(st.text(max_size=400), st.text(max_size=2000))
def test_any_text_makes_a_vector(title, abstract):
    vector = vectors.unpack(vectors.features(title, abstract))

    assert list(vector.hashes) == sorted(set(vector.hashes))
    assert len(vector.hashes) == len(vector.counts)
