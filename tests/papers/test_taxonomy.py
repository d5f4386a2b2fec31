"""arXiv's categories, as facts."""

from papers import taxonomy


def test_every_archive_of_arxiv_is_known():
    assert len(taxonomy.CATEGORIES) == 155
    assert taxonomy.CATEGORIES["cs.LG"] == "Machine Learning"
    assert taxonomy.is_category("hep-th")
    assert taxonomy.is_category("cond-mat.mtrl-sci")


def test_a_word_that_looks_like_a_category_is_none():
    assert not taxonomy.is_category("cs.ZZ")
    assert not taxonomy.is_category("CS.LG")
    assert not taxonomy.is_category("cs")
