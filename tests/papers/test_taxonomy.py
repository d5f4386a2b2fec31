"""arXiv's categories, as facts, against a table written by hand from arXiv's own list of OAI-PMH sets."""

import pytest

from papers import taxonomy

# By group and archive, as `verb=ListSets` names them; an archive without subjects is one category.
SETS = {
    "cs:cs": "AI AR CC CE CG CL CR CV CY DB DC DL DM DS ET FL GL GR GT HC IR IT LG LO MA MM MS NA NE NI OH OS PF PL RO SC SD SE SI SY",
    "econ:econ": "EM GN TH",
    "eess:eess": "AS IV SP SY",
    "math:math": "AC AG AP AT CA CO CT CV DG DS FA GM GN GR GT HO IT KT LO MG MP NA NT OA OC PR QA RA RT SG SP ST",
    "physics:astro-ph": "CO EP GA HE IM SR",
    "physics:cond-mat": "dis-nn mes-hall mtrl-sci other quant-gas soft stat-mech str-el supr-con",
    "physics:gr-qc": "",
    "physics:hep-ex": "",
    "physics:hep-lat": "",
    "physics:hep-ph": "",
    "physics:hep-th": "",
    "physics:math-ph": "",
    "physics:nlin": "AO CD CG PS SI",
    "physics:nucl-ex": "",
    "physics:nucl-th": "",
    "physics:physics": "acc-ph ao-ph app-ph atm-clus atom-ph bio-ph chem-ph class-ph comp-ph data-an ed-ph flu-dyn gen-ph geo-ph hist-ph ins-det med-ph optics plasm-ph pop-ph soc-ph space-ph",
    "physics:quant-ph": "",
    "q-bio:q-bio": "BM CB GN MN NC OT PE QM SC TO",
    "q-fin:q-fin": "CP EC GN MF PM PR RM ST TR",
    "stat:stat": "AP CO ME ML OT TH",
}
EXPECTED = {
    ".".join([archive.partition(":")[2], *([subject] if subject else [])]): ":".join(
        [archive, *([subject] if subject else [])]
    )
    for archive, subjects in SETS.items()
    for subject in subjects.split() or [""]
}


def test_every_category_of_arxiv_is_known_and_no_other():
    assert set(taxonomy.CATEGORIES) == set(EXPECTED)
    assert len(taxonomy.CATEGORIES) == 155
    assert taxonomy.CATEGORIES["cs.LG"] == "Machine Learning"


@pytest.mark.parametrize("code", sorted(EXPECTED))
def test_the_set_of_each_category_is_arxivs(code):
    assert taxonomy.oai_set(code) == EXPECTED[code]


@pytest.mark.parametrize(
    "word", ["cs.ZZ", "CS.LG", "cs", "astro-ph", "cond-mat", "q-bio", "alg-geom", "", "test"]
)
def test_a_word_that_looks_like_a_category_is_none_and_has_no_set(word):
    assert not taxonomy.is_category(word)
    with pytest.raises(KeyError):
        taxonomy.oai_set(word)


def test_each_closed_archive_names_what_took_it_over():
    for code, (successor, name) in taxonomy.ARCHIVED.items():
        assert taxonomy.is_category(successor)
        assert not taxonomy.is_category(code)
        assert taxonomy.suggestion(code) == successor
        assert taxonomy.name_of(code) == name


def test_a_code_and_its_alias_are_both_categories():
    for code, canonical in taxonomy.ALIASES.items():
        assert taxonomy.is_category(code)
        assert taxonomy.is_category(canonical)
        assert canonical not in taxonomy.ALIASES


@pytest.mark.parametrize("typed", ["CS.lg", "HEP-TH", " math.pr ", "Cond-Mat.Soft"])
def test_another_case_is_put_right(typed):
    assert taxonomy.suggestion(typed) in taxonomy.CATEGORIES
