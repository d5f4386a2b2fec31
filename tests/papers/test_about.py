"""Licences and DOIs in words."""

import pytest

from papers.about import Licence, dois_of, licence_of


@pytest.mark.parametrize(
    ("stated", "name", "url"),
    [
        (
            "http://creativecommons.org/licenses/by/4.0/",
            "CC BY 4.0",
            "https://creativecommons.org/licenses/by/4.0/",
        ),
        (
            "http://creativecommons.org/licenses/by-nc-nd/4.0/",
            "CC BY-NC-ND 4.0",
            "https://creativecommons.org/licenses/by-nc-nd/4.0/",
        ),
        (
            "http://creativecommons.org/publicdomain/zero/1.0/",
            "CC0 1.0",
            "https://creativecommons.org/publicdomain/zero/1.0/",
        ),
        (
            "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
            "arXiv.org perpetual non-exclusive license 1.0",
            "https://arxiv.org/licenses/nonexclusive-distrib/1.0/",
        ),
        (
            "http://arxiv.org/licenses/assumed-1991-2003/",
            "arXiv.org perpetual non-exclusive license, assumed (1991-2003)",
            "https://arxiv.org/licenses/assumed-1991-2003/",
        ),
        ("javascript:alert(1)", "javascript:alert(1)", ""),
        (
            "https://creativecommons.org.evil.example/licenses/by/4.0/",
            "https://creativecommons.org.evil.example/licenses/by/4.0/",
            "",
        ),
    ],
)
def test_a_licence_has_a_name_and_its_own_address(stated: str, name: str, url: str) -> None:
    assert licence_of(stated) == Licence(name, url)


def test_no_licence_is_none() -> None:
    assert licence_of("") is None


def test_a_doi_is_linked_and_nothing_else_is() -> None:
    assert [(one.doi, one.url) for one in dois_of("10.1103/PhysRevD.1.2 10.1000/<x>")] == [
        ("10.1103/PhysRevD.1.2", "https://doi.org/10.1103/PhysRevD.1.2"),
        ("10.1000/<x>", "https://doi.org/10.1000/%3Cx%3E"),
    ]
    assert dois_of("in print") == dois_of("") == []
