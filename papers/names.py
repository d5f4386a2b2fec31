"""Names and titles as somebody types them: without accents, in any order. Pure, and the same on every database.

`Müller` is found as Muller and as Mueller, `Erdős` as Erdos, `Lovelace, Ada` as `Ada Lovelace`; a name in
Chinese characters stays as it is.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# Letters that Unicode does not take apart into a base and a mark, and marks that are typed in many ways.
_LETTERS = {
    "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t", "ŋ": "n",
    "ı": "i", "ȷ": "j", "’": "'", "‘": "'", "ʼ": "'", **dict.fromkeys("‐‑‒–—−", "-"),
}  # fmt: skip
_IN_TWO_LETTERS = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
_OTHER = re.compile("[^\\x00-\\x7f]")
_TWO = re.compile("[äöüøåÄÖÜØÅ]")
_NOT_TYPED = re.compile(r"[-'\".,|]+")
_MORE_THAN_A_BLANK = re.compile(r"\s[^\S\n]|[^\S\n]\s|[^\S \n]")
_MARKS = re.compile("[\u0300-\u036f]+")
_PARTICLE = re.compile(r"(?:v[ao]n|de[nrl]?|d[aiou]s?|del|della|la|le|ten|ter|zu[mr]?|al|el|bin|ibn|af)")
_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|I{2,3}|IV")
_TOGETHER = re.compile(r"\b(?:collaborations?|consortium|team|group|project|network)\b", re.IGNORECASE)


def folded(text: str) -> str:
    """Small letters without accents, white space as one blank; what has no such letters stays."""
    return " ".join(_plain(text).split())


def spellings(text: str) -> tuple[str, ...]:
    """The folded text, and a second one where it has letters that are also written as two: muller, mueller."""
    return tuple(" ".join(each.split()) for each in _spellings(text))


def spellings_of_name(name: str) -> tuple[str, ...]:
    """As `spellings`, in reading order and without the hyphens, dots and apostrophes that nobody types alike."""
    return tuple(dict.fromkeys(_as_typed(each) for each in _spellings(reading_order(name))))


def for_search(names: Iterable[str]) -> str:
    """All names in one line, `| ada lovelace | alan turing |`: a word, a whole word or a whole name is found in it.

    All at once: a paper may have three thousand.
    """
    together = "\n".join(names)
    if "," in together:
        together = "\n".join([reading_order(name) for name in together.split("\n")])
    lines = _lines_as_typed(_plain(together))
    if not together.isascii() and _TWO.search(composed := unicodedata.normalize("NFC", together)):
        two = "\n".join([line for line in composed.split("\n") if _TWO.search(line)])
        lines += _lines_as_typed(_in_two_letters(two))
    known = dict.fromkeys(lines)
    known.pop("", None)
    return f"| {' | '.join(known)} |" if known else ""


def _lines_as_typed(text: str) -> list[str]:
    """As `_as_typed`, of each line; most have nothing to take out, and need one look together."""
    typed = _NOT_TYPED.sub("", text)
    if _MORE_THAN_A_BLANK.search(f"\n{typed}\n"):
        return [" ".join(line.split()) for line in typed.split("\n")]
    return typed.split("\n")


def text_for_search(title: str, abstract: str) -> str:
    """Title and abstract, a line each; in every spelling, so that one look is enough."""
    return f"{_in_a_line(title)}\n{_in_a_line(abstract)}"


def with_other_title(text: str, title: str) -> str:
    """What `text_for_search` made, with the title of a response that had no abstract."""
    return f"{_in_a_line(title)}\n{text.partition(chr(10))[2]}"


def _in_a_line(text: str) -> str:
    return " ".join(_spellings(text)).replace("\n", " ")


def _as_typed(name: str) -> str:
    return " ".join(_NOT_TYPED.sub("", name).split())


def _spellings(text: str) -> tuple[str, ...]:
    plain = _plain(text)
    if text.isascii() or not _TWO.search(composed := unicodedata.normalize("NFC", text)):
        return (plain,)
    return plain, _in_two_letters(composed)


def _in_two_letters(composed: str) -> str:
    return _plain(_TWO.sub(lambda found: _IN_TWO_LETTERS[found[0].lower()], composed))


def _plain(text: str) -> str:
    """Without accents and capitals, a letter at a time: most of an abstract is ASCII, and this is done for each."""
    text = text.lower()
    if text.isascii():
        return text
    return _OTHER.sub(_base_of, unicodedata.normalize("NFC", text))


def _base_of(found: re.Match[str]) -> str:
    return _base(found[0])


@lru_cache(maxsize=4096)
def _base(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", _LETTERS.get(letter, letter).casefold())
    plain = unicodedata.normalize("NFC", _MARKS.sub("", parts))
    return _LETTERS.get(plain, plain)


def reading_order(name: str) -> str:
    """`Lovelace, Ada` as `Ada Lovelace`; a name without a comma as it is."""
    last, comma, rest = name.partition(",")
    first, _, suffix = rest.partition(",")
    return " ".join(f"{first} {last} {suffix}".split()) if comma else name


def last_first(name: str) -> str:
    """`Lovelace, Ada` for sorting and for RIS, particles with the name they belong to; a group's name is whole.

    A guess from the words, as any must be where arXiv sent one string: `Cruz, Bea, III`, `van der Berg, Jan`.
    """
    words = name.split()
    if len(words) < 2 or _TOGETHER.search(name) or words[0].lower() == "the":
        return name
    suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
    start = len(words) - 1
    while start > 1 and _PARTICLE.fullmatch(words[start - 1]):
        start -= 1
    parts = [" ".join(words[start:]), " ".join(words[:start]), suffix]
    return ", ".join(part for part in parts if part)


def sort_key(name: str) -> str:
    """By the last name, accents and case apart."""
    return folded(last_first(name))
