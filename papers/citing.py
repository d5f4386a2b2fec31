"""A paper as BibTeX and RIS, as Zotero imports them: a preprint, never a journal's article."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from papers import names
from papers.markdown import one_line


@dataclass(frozen=True)
class Work:
    """What a citation needs. `authors` are full names in their order; `published` is the first version's date."""

    arxiv_id: str
    title: str
    authors: tuple[str, ...]
    primary_category: str
    published: date
    abstract: str = ""
    doi: str = ""
    journal_ref: str = ""

    @property
    def link(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv_id}"


def bibtex(works: Iterable[Work]) -> str:
    """`@misc` entries with `eprint` and `archiveprefix`, one blank line between; braces are balanced."""
    return "\n".join(map(_bibtex, works))


def ris(works: Iterable[Work]) -> str:
    """Records of type PREP, which Zotero takes for a preprint; CRLF as the format has it."""
    return "".join(map(_ris, works))


def key_of(work: Work) -> str:
    """A key that is letters and digits only: first author's last word, the year, the id."""
    last = work.authors[0].split()[-1] if work.authors and work.authors[0].split() else "arxiv"
    plain = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode()
    letters = re.sub(r"[^A-Za-z]", "", plain).lower() or "arxiv"
    return f"{letters}{work.published.year}_{re.sub(r'[^0-9A-Za-z]', '_', work.arxiv_id)}"


def _bibtex(work: Work) -> str:
    fields = {
        "title": "{" + _braced(work.title) + "}",
        "author": " and ".join(map(_braced, work.authors)),
        "year": str(work.published.year),
        "month": str(work.published.month),
        "eprint": work.arxiv_id,
        "archiveprefix": "arXiv",
        "primaryclass": _braced(work.primary_category),
        "url": work.link,
        "doi": _braced(work.doi),
        "note": _braced(work.journal_ref),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key_of(work)},", *lines, "}", ""])


def _braced(text: str) -> str:
    """One line that closes every brace it opens and comments nothing out; math stays as it is."""
    line = re.sub(r"(?<!\\)([%#&])", r"\\\1", one_line(text))
    return line if _is_balanced(line) else line.replace("{", "").replace("}", "")


def _is_balanced(line: str) -> bool:
    depth = 0
    for char in line:
        depth += (char == "{") - (char == "}")
        if depth < 0:
            return False
    return depth == 0


def _ris(work: Work) -> str:
    pairs = [
        ("TY", "PREP"),
        ("TI", work.title),
        *(("AU", names.last_first(one_line(name))) for name in work.authors),
        ("PY", str(work.published.year)),
        ("DA", f"{work.published:%Y/%m/%d}"),
        ("PB", "arXiv"),
        ("AN", f"arXiv:{work.arxiv_id}"),
        ("UR", work.link),
        ("DO", work.doi),
        ("N1", work.journal_ref),
        ("AB", work.abstract),
    ]
    lines = [f"{tag}  - {one_line(value)}" for tag, value in pairs if value]
    return "\r\n".join([*lines, "ER  - ", "", ""])
