"""Names as people type them."""

import pytest

from papers import names


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Ada Lovelace", "ada lovelace"),
        ("Paul Erdős", "paul erdos"),
        ("Søren Ø. Łukasiewicz", "soren o. lukasiewicz"),
        ("Ğüneş Işık", "gunes isik"),
        ("STRASSE straße", "strasse strasse"),
        ("王 伟", "王 伟"),
        ("김철수", "김철수"),
        ("Иванов", "иванов"),
        ("Λ’Ορέ", "λ'ορε"),
    ],
)
def test_a_name_is_folded(name: str, folded: str) -> None:
    assert names.folded(name) == folded


def test_letters_that_are_also_written_as_two_are_found_both_ways() -> None:
    assert names.spellings_of_name("Hans Müller") == ("hans muller", "hans mueller")
    assert names.spellings_of_name("Mueller") == ("mueller",)
    assert names.spellings_of_name("Jørgen Åberg") == ("jorgen aberg", "joergen aaberg")


def test_marks_that_nobody_types_alike_are_left_out() -> None:
    one = names.for_search(["J.-P. O'Brien"])

    assert one == names.for_search(["JP OBrien"]) == names.for_search(["J.‐P. O’Brien"]) == "| jp obrien |"
    assert names.for_search(["Ada - Lovelace", "\u3000Ada Lovelace"]) == "| ada lovelace |"
    assert names.for_search(["Müller, Ida", "李明"]) == "| ida muller | 李明 | ida mueller |"
    assert names.for_search([]) == names.for_search(["|"]) == ""


@pytest.mark.parametrize(
    ("name", "turned"),
    [
        ("Ada Lovelace", "Lovelace, Ada"),
        ("Bea Cruz III", "Cruz, Bea, III"),
        ("Jan van der Berg", "van der Berg, Jan"),
        ("Leonardo da Vinci", "da Vinci, Leonardo"),
        ("Van Tuan Nguyen", "Nguyen, Van Tuan"),
        ("The ATLAS Collaboration", "The ATLAS Collaboration"),
        ("Belle II Collaboration", "Belle II Collaboration"),
        ("王伟", "王伟"),
        ("Plato", "Plato"),
    ],
)
def test_a_name_for_sorting_has_its_last_part_first(name: str, turned: str) -> None:
    assert names.last_first(name) == turned


def test_names_sort_by_the_last_name_accents_apart() -> None:
    people = ["Zoe Adams", "Émile Zola", "Ada Éclair", "Bea Dunn"]

    assert sorted(people, key=names.sort_key) == ["Zoe Adams", "Bea Dunn", "Ada Éclair", "Émile Zola"]


@pytest.mark.parametrize("turned", ["Lovelace, Ada", "Cruz, Bea, III", "van der Berg, Jan"])
def test_turning_a_name_back_gives_its_reading_order(turned: str) -> None:
    assert names.last_first(names.reading_order(turned)) == turned
