"""Text from arXiv, a model or a person as one line of Markdown that shows exactly that text.

Only what would change the rendering is escaped, so that an ordinary title reads as arXiv has it.
Rules: CommonMark 0.31 §2.4, §6; GitHub's autolinks and strikethrough. Math between dollars stays, but for
what a renderer without math would take for a tag or a link.
"""

import re
import unicodedata

# A dollar opens math before a non-space and closes after one, not before a digit (pandoc's rule).
MATH = re.compile(r"(?<![\\$])(\$\$?)(?=[^\s$])([^$\n]*?[^\s$\\])\1(?![\d$])")
ESCAPES = re.compile(
    r"\\(?=[!-/:-@\[-`{-~])"  # a backslash that would escape
    r"|[`|]"
    r"|\](?=[(\[:])"  # the seam of a link
    r"|<(?=[A-Za-z/!?])"  # a tag or an autolink
    r"|&(?=#?\w+;)"  # an entity
    r"|~(?=~)"
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis at a word's edge; inside a word it is none
    r"|#+\s*$"  # a heading's closing sequence
    r"|(?<=\w):(?=//)|(?<=\bwww)\."  # addresses that GitHub would link
)
INVISIBLE = {"Cc", "Cf", "Co", "Cs"}


def one_line(text: str) -> str:
    """The text with every run of white space as one space, without control and invisible characters."""
    spaced = re.sub(r"[\s\x85\u2028\u2029]+", " ", text)
    return "".join(c for c in spaced if unicodedata.category(c) not in INVISIBLE).strip()


def escaped(text: str) -> str:
    """One line of Markdown that renders as `text`; math between dollars is kept."""
    line = one_line(text)
    parts, end = [], 0
    for math in MATH.finditer(line):
        parts += [_plain(line[end : math.start()]), _math(math.group())]
        end = math.end()
    return "".join([*parts, _plain(line[end:])])


def _plain(text: str) -> str:
    shown = ESCAPES.sub(lambda found: "\\" + found.group(), text)
    # One star is a star (A* search); two may be emphasis.
    return shown.replace("*", r"\*") if shown.count("*") > 1 else shown


def _math(math: str) -> str:
    """The same formula, in words that are neither a tag nor a link to a renderer without math."""
    return re.sub(r"<(?=[A-Za-z/!?])", r"\\lt ", math.replace("](", "] (")).replace("`", "'")
