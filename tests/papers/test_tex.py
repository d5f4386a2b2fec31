"""TeX accents as authors type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.arxiv import tex


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (r"na\"ive", "naïve"),
        (r"na\"{\i}ve", "naïve"),
        (r"Mat\'ern, Mat{\'e}rn, Mat{\'{e}}rn, Mat\'{e}rn", "Matérn, Matérn, Matérn, Matérn"),
        (r"Ny\'{\i}rs\'{e}gi", "Nyírségi"),
        (r"It\^o and \c{C}elik, \c Celik", "Itô and Çelik, Çelik"),
        (r"Erd\H{o}s, \v{C}ech, \v Cech, \u{g}", "Erdős, Čech, Čech, ğ"),
        (r"{\O}stby, {\L}uk, \ss{}, \AA ngstrom, 2 \r{A}", "Østby, Łuk, ß, Ångstrom, 2 Å"),
        (r"\~n \`a \=a \.I \k{a}", "ñ à ā İ ą"),
        ("cats & dogs at 5% of #1", "cats & dogs at 5% of #1"),
        (r"costs $5 for na\"ive people, $6 for others", "costs $5 for naïve people, $6 for others"),
        (r"it isn\'t, it\'s a \"quote\"", "it isn't, it's a \"quote\""),
        (r"pairs\u2014the", r"pairs\u2014the"),
        (r"two \\\\\"lines\"", 'two "lines"'),
        (
            r"\c{opyright} \textbf{\b{Co}upled} \omega \label",
            r"\c{opyright} \textbf{\b{Co}upled} \omega \label",
        ),
        (r"http://x.org/\~user", "http://x.org/~user"),
        ("e\u0301", "é"),
    ],
)
def test_accents_become_unicode(typed: str, meant: str) -> None:
    assert tex.to_unicode(typed) == meant


@pytest.mark.parametrize(
    "math",
    [
        r"$\mathcal{O}(n)$",
        r"$\hat\theta = \dot{x} \% \& {\bf x}$",
        r"$$\sum_{i} x_i$$",
        r"\(W_2\)",
        r"\[ \partial_t g \]",
        r"$\varepsilon^{-2}$",
    ],
)
def test_mathematics_stays_as_it_was_typed(math: str) -> None:
    assert tex.to_unicode(rf"a \'e {math} \'e") == f"a é {math} é"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (r"Jos\' e Mu{\~n}oz", "José Muñoz"),
        (r"Paulo Andr\'e Lima de Castro", "Paulo André Lima de Castro"),
        (r"{van} Dyk", "van Dyk"),
        (r"J.~R. Wi\'s", "J. R. Wiś"),
        (r"O\'Brien", "O'Brien"),
        (r"D\'Souza", "D'Souza"),
        (r"\'Eric  {\L}ukasz", "Éric Łukasz"),
        (r"M\"{u}hlematter", "Mühlematter"),
    ],
)
def test_a_name_is_only_letters(typed: str, name: str) -> None:
    assert tex.name(typed) == name


def test_a_title_is_one_line_and_an_abstract_keeps_its_paragraphs() -> None:
    assert tex.title("A title\n  in two\tlines ") == "A title in two lines"
    assert tex.abstract("  One\nline.\n  Another\none.\n\nThird.") == "One line.\nAnother one.\nThird."


@given(st.text())
def test_no_text_breaks_it_or_leaves_what_a_database_refuses(text: str) -> None:
    made = tex.to_unicode(text)

    made.encode("utf-8")
    assert "\x00" not in made
    assert tex.to_unicode(made) == tex.to_unicode(tex.to_unicode(made))


@given(st.text(alphabet="ab\\\"'{}$& %"))
def test_no_accent_is_left_outside_mathematics(text: str) -> None:
    made = tex.to_unicode(text)

    assert "$" in text or not any(mark in made for mark in ('\\"', "\\'"))
