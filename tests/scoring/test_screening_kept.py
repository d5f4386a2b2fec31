"""What is computed once for a day is computed again when a text is another."""

import numpy as np

from papers.features.vectors import features
from scoring.screening import basis
from scoring.screening.index import Index
from scoring.screening.kept import Kept, index_of, rows_of

GRAPHS = features("Graph neural networks", "Message passing on graphs.")
ROBOTS = features("Robot learning", "A robot learns to grasp.")
SALT = features("Salt", "Salt in the sea.")


def test_two_profiles_share_the_index_of_a_day():
    assert index_of([GRAPHS, ROBOTS], [SALT]) is index_of([bytes(GRAPHS), bytes(ROBOTS)], [bytes(SALT)])


def test_another_text_or_another_day_is_another_index():
    first = index_of([GRAPHS, ROBOTS], [SALT])

    assert index_of([GRAPHS, SALT], [ROBOTS]) is not first
    assert index_of([GRAPHS], [ROBOTS, SALT]).day_size == 1
    assert index_of([GRAPHS, ROBOTS, SALT], []).day_size == 3


def test_rows_belong_to_their_basis():
    library = [features(f"Paper {n}", f"Word{n % 40} word{n % 7} of a study.") for n in range(450)]
    small, large = basis.fit(library, width=4), basis.fit(library, width=6)

    assert rows_of(small, [library[0]]).dense.shape == (1, 4)
    assert rows_of(large, [library[0]]).dense.shape == (1, 6)
    assert rows_of(large, [library[0]]) is rows_of(large, [library[0]])


def test_only_the_last_are_kept():
    made = []
    kept = Kept[str](2)

    for key in (b"a", b"b", b"a", b"c", b"a", b"b"):
        kept.of(key, lambda key=key: made.append(key) or key.decode())

    assert made == [b"a", b"b", b"c", b"b"]


def test_an_index_without_papers_or_words_scores_nothing():
    empty = features("", "")

    assert index_of([], []).scores([]).cosine.shape == (0, 0)
    assert Index([empty]).postings(np.array([1, 2], dtype=np.uint32)).terms.size == 0
    assert not Index([empty]).idf(np.array([1], dtype=np.uint32)).any()
