"""Addresses in abstracts and comments."""

import pytest

from papers.links import MOST_LINKS, Link, links_in


@pytest.mark.parametrize(
    ("text", "url", "kind"),
    [
        ("Code: https://github.com/ada/engine.", "https://github.com/ada/engine", "code"),
        ("(https://github.com/ada/engine).", "https://github.com/ada/engine", "code"),
        ("at http://github.com/ada/engine.git, and", "https://github.com/ada/engine", "code"),
        (r"\url{https://github.com/ada/an\_engine}.", "https://github.com/ada/an_engine", "code"),
        (r"\href{https://github.com/ada/engine}{our code}", "https://github.com/ada/engine", "code"),
        ("is at github.com/ada/engine!", "https://github.com/ada/engine", "code"),
        ("See [https://github.com/ada/engine]", "https://github.com/ada/engine", "code"),
        ("代码：https://github.com/ada/engine。", "https://github.com/ada/engine", "code"),
        ("https://github.com/ada/ engine.", "https://github.com/ada/engine", "code"),
        ("https://github.com/ada/\nengine", "https://github.com/ada/engine", "code"),
        ("https://github.com/\nada/engine.", "https://github.com/ada/engine", "code"),
        ("https://github.com/ada/ and more words follow.", "https://github.com/ada/", "project"),
        ("https://gitlab.inria.fr/ada/engine", "https://gitlab.inria.fr/ada/engine", "code"),
        (
            "https://anonymous.4open.science/r/engine-1B2C/",
            "https://anonymous.4open.science/r/engine-1B2C/",
            "code",
        ),
        ("https://huggingface.co/ada/engine-7b", "https://huggingface.co/ada/engine-7b", "model"),
        ("https://huggingface.co/datasets/ada/cards", "https://huggingface.co/datasets/ada/cards", "data"),
        ("https://huggingface.co/spaces/ada/demo", "https://huggingface.co/spaces/ada/demo", "project"),
        ("https://ada.github.io/engine/", "https://ada.github.io/engine/", "project"),
        ("Page: ada.github.io/engine", "https://ada.github.io/engine", "project"),
        ("https://zenodo.org/records/123", "https://zenodo.org/records/123", "data"),
        ("https://doi.org/10.5281/zenodo.123", "https://doi.org/10.5281/zenodo.123", "data"),
        ("Project page: http://engine.example.org/", "https://engine.example.org/", "project"),
        ("The code and the dataset are at https://x.example.org/d", "https://x.example.org/d", "data"),
        ("Code at https://x.example.org/f(1)", "https://x.example.org/f(1)", "code"),
    ],
)
def test_an_address_is_found(text: str, url: str, kind: str) -> None:
    assert links_in(text) == (Link(url, kind),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We study code.",
        "javascript:alert(1)//github.com/ada/engine",
        r"\href{javascript:alert(1)}{code}",
        r"\url{data:text/html,code}",
        "code at https://ada@github.com/ada/engine",
        "code at https://github.com@evil.example.org/engine",
        "code at https://github.com:8080/ada/engine",
        "code at http://127.0.0.1/engine",
        "code at http://localhost/engine",
        "code at https://[::1]/engine",
        "mail ada@github.com/engine",
        "https://github.com/",
        "https://huggingface.co/papers/2601.00001",
        "see https://arxiv.org/abs/2601.00001",
        "data: https://doi.org/10.1000/182",
        "We thank https://somewhere.example.org for tea",
        "code at https://" + "a" * 400 + ".org/",
    ],
)
def test_what_is_no_address_of_code_is_left(text: str) -> None:
    assert links_in(text) == ()


def test_each_is_named_once_and_few_of_many() -> None:
    twice = links_in("https://github.com/ada/engine", "Code: http://www.github.com/Ada/Engine/.")
    many = links_in(" ".join(f"https://github.com/ada/engine{n}" for n in range(20)))

    assert [link.url for link in twice] == ["https://github.com/ada/engine"]
    assert len(many) == MOST_LINKS


def test_a_long_address_is_shown_shortened() -> None:
    link = Link("https://github.com/ada/" + "x" * 80, "code")

    assert link.shown.startswith("github.com/ada/xxx")
    assert len(link.shown) == 48
