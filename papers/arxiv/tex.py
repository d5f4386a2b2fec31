r"""TeX as authors type it into arXiv's forms, turned into Unicode: `na\"ive`, `Andr\'e`, `{\O}stby`.

Only accents and special letters are resolved. Mathematics, `\textbf{…}` and the like stay as arXiv has them,
and so do a bare `&` or `%`: pylatexenc (which would read them as syntax) sees single accents, never a text.
"""

import re
import unicodedata
from functools import lru_cache

from pylatexenc.latex2text import LatexNodes2Text

_SYMBOL_ACCENTS = "\"'`^~=."
# \b and \d under a word are abused for emphasis, \u is also a JSON escape: letters need braces or a blank.
_ACCENT = re.compile(
    r"\\(?:"
    r"(?P<symbol>[\"'`^~=.])(?:\{\s*(?:\\(?P<dotless1>[ij])|(?P<base1>[^\W\d_]))\s*\}|\\(?P<dotless2>[ij])(?![A-Za-z])|(?P<base2>[^\W\d_]))"
    r"|(?P<letter>[cuvHkrdbt])(?:\{\s*(?:\\(?P<dotless3>[ij])|(?P<base3>[A-Za-z]))\s*\}|[ \t]+\\(?P<dotless4>[ij])(?![A-Za-z])|[ \t]+(?P<base4>[A-Za-z])(?![A-Za-z])|(?<=[cvHk])[ \t]+(?P<base5>[A-Za-z]))"
    r")"
)
_LETTER = re.compile(
    r"\\(ss|ae|AE|oe|OE|aa|AA|o|O|l|L|i|j|dh|DH|th|TH|dj|DJ|ng|NG)(?:\{\}|(?![A-Za-z])[ \t]?)"
)
_SPACED_SYMBOL = re.compile(r"\\([\"'`^~=.])[ \t]+(?=\\[ij]\b|[A-Za-z])")
_BRACED_LETTER = re.compile(r"\{\s*([^\W\d_][\u0300-\u036f]?)\s*\}")
_APOSTROPHE_IN_NAME = re.compile(r"(?<![^\W_])([DOL])\\'\s?(?=[A-Z])")
# The look behind stands second: a pattern that begins with its backslash is looked for ten times as fast.
_ELISION = re.compile(r"\\'(?<=\w\\')(?=(?:s|t|re|ve|ll|d|m)\b)")
_TIE = re.compile(r"(?<!\\)~")
_LONE = re.compile(r"\\\\*([\"'])")
_MATH = re.compile(
    r"\$(?:\$.+?\$\$|(?<!\\\$)(?!\s)(?:[^$\\]|\\.)+?(?<!\s)\$(?!\d))|\\(?:\(.+?\\\)|\[.+?\\\])", re.DOTALL
)
_LEFT_IN_NAME = re.compile(r"[{}$]|\\(?=[A-Za-z])")
_TYPED_IN_NAME = re.compile(r"[\\{}$~]")  # without any of these there is nothing to resolve
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_PARAGRAPH = re.compile(r"\s*\n(?:[ \t]{2,}|\s*\n)\s*")

_LONGEST = 20_000  # characters; arXiv takes 1,920. Looking for the ends of mathematics is quadratic.

_converter = LatexNodes2Text(math_mode="verbatim", keep_comments=True)


@lru_cache(maxsize=4096)
def _unicode_of(accent: str) -> str:
    return unicodedata.normalize("NFC", _converter.latex_to_text(accent).strip())


def _resolve_accent(match: re.Match[str]) -> str:
    parts = match.groupdict()
    mark = parts["symbol"] or parts["letter"]
    base = next((parts[f"base{n}"] for n in range(1, 6) if parts.get(f"base{n}")), None)
    if base is None:
        base = "\\" + next(parts[f"dotless{n}"] for n in range(1, 5) if parts.get(f"dotless{n}"))
    if mark == '"' and base not in "aeiouyAEIOUY\\i\\j":
        return '"' + base  # an escaped quotation mark
    if mark == "~" and match.string[: match.start()].endswith("/"):
        return "~" + base  # the home page of a user
    letter = _unicode_of(f"\\{mark}{{{base}}}")
    if mark == "'" and len(letter) > 1:
        return "'" + base  # O\'Brien: no letter carries this accent, so it is an apostrophe
    # Under a word that is no letter of any alphabet the macro is decoration: leave it alone.
    if mark in "bdt" and len(letter) > 1:
        return match.group(0)
    return letter


def _resolve(text: str) -> str:
    text = _LETTER.sub(lambda match: _letter(match.group(1)), _ACCENT.sub(_resolve_accent, text))
    return _BRACED_LETTER.sub(_unbrace, text)


def _letter(name: str) -> str:
    return {"i": "ı", "j": "ȷ"}.get(name) or _unicode_of(f"\\{name}{{}}")


def _unbrace(match: re.Match[str]) -> str:
    # {ü} was a braced accent; {R} is an author's way to keep a capital and stays as it is.
    return match.group(0) if match.group(1).isascii() else match.group(1)


def _outside_math(text: str) -> str:
    pieces: list[str] = []
    end = 0
    for math in _MATH.finditer(text):
        if re.search(r"\\[\"']", math.group(0)):
            continue  # text accents never stand in mathematics: these dollars are money
        pieces += (_prose(text[end : math.start()]), math.group(0))
        end = math.end()
    return "".join([*pieces, _prose(text[end:])])


def _prose(text: str) -> str:
    if "\\" not in text:
        return text
    return _LONE.sub(r"\1", _resolve(_ELISION.sub("'", text)))


def clean(text: str) -> str:
    """Unicode in composed form, without control characters that no XML and no PostgreSQL text may hold."""
    if text.isprintable():  # then there is no such character, nor a line break
        return text if text.isascii() else unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", _CONTROL.sub("\ufffd", text.replace("\r\n", "\n")))


def to_unicode(text: str) -> str:
    r"""`text` with TeX accents resolved outside mathematics. No `\"` or `\'` is left there."""
    if "\\" not in text or len(text) > _LONGEST:
        return clean(text)
    return clean(_outside_math(clean(text)))


def title(text: str) -> str:
    """A title in one line."""
    return one_line(to_unicode(text))


def one_line(text: str) -> str:
    """The text with single blanks between its words and none around them."""
    if not text.isprintable():  # of all that is printable, only the blank parts words
        return " ".join(text.split())
    return _single_blanks(text)


def _single_blanks(text: str) -> str:
    text = text.strip(" ")
    return " ".join(text.split()) if "  " in text else text


def abstract(text: str) -> str:
    """An abstract without arXiv's line breaks; its own paragraphs are kept, one line each."""
    if "\\" not in text and text.isprintable():
        return _single_blanks(clean(text) if not text.isascii() else text)
    text = to_unicode(text).strip()
    if "\n" not in text:
        return one_line(text)
    paragraphs = _PARAGRAPH.split(text)
    return "\n".join(folded for part in paragraphs if (folded := " ".join(part.split())))


def is_plain_name(text: str) -> bool:
    """Whether of each piece of it, in composed form, `name` takes only the blanks around."""
    return text.isprintable() and "  " not in text and not _TYPED_IN_NAME.search(text)


def name(text: str) -> str:
    """A person's name. Braces, dollars and stray backslashes are typing, not part of it."""
    if not _TYPED_IN_NAME.search(text):
        return one_line(clean(text))
    plain = _TIE.sub(" ", _APOSTROPHE_IN_NAME.sub(r"\1'", clean(text)))
    spaced = _SPACED_SYMBOL.sub(r"\\\1", plain)
    return " ".join(_LEFT_IN_NAME.sub("", _LONE.sub(r"\1", _resolve(spaced))).split())
