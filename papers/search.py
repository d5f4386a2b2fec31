"""Finding papers by id, by author, or by words in titles, authors and abstracts. The same answers on every database."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q

from papers import names
from papers.models import Paper, PaperQuerySet

LONGEST_QUERY = 200  # characters
MOST_FOUND = 100
_MOST_WORDS = 8
_ID = re.compile(
    r"(?:arxiv:|https?://(?:www\.)?arxiv\.org/(?:abs|pdf|html)/)?"
    r"(\d{4}\.\d{4,5}|[a-z]+(?:-[a-z]+)*(?:\.[a-z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?",
    re.IGNORECASE,
)
_WORDS = re.compile(r'(?P<author>author:\s*)?(?:"(?P<phrase>[^"]+)"|(?P<word>\S+))', re.IGNORECASE)
# As keyboards and phones type them.
_TYPED = str.maketrans({"\x00": " ", "：": ":", **dict.fromkeys("“”„«»＂", '"')})
# What is typed between the words of a name or of a title, and means nothing alone.
_ONLY_MARKS = re.compile(r"[,;.|\"'-]+")


@dataclass(frozen=True)
class Term:
    """One word or phrase of a query; `is_author` where only authors are meant."""

    text: str
    is_phrase: bool = False
    is_author: bool = False


def find(query: str, limit: int = MOST_FOUND) -> list[Paper]:
    """Papers that hold every word (or "phrase in quotes") of the query, newest first; none for an empty one.

    An arXiv id, an address of arxiv.org or `arXiv:…v2` finds that paper alone. `author:lovelace` looks among
    the authors only, `author:"Ada Lovelace"` for exactly that name. Accents and case play no part. At most
    two queries, each over one table.
    """
    query = query[:LONGEST_QUERY].translate(_TYPED).strip()
    if named := _ID.fullmatch(query):
        return list(_with_id(named.group(1)))
    terms = terms_of(query)
    if not terms:
        return []
    matching = Paper.objects.without_words()
    for term in terms:
        matching = matching.filter(_holds(term))
    # The ids of before April 2007 begin with a letter, and are older than any that begins with a digit.
    found = list(matching.filter(arxiv_id__lt="a").order_by("-arxiv_id")[:limit])
    if len(found) < limit:
        old = matching.filter(arxiv_id__gte="a")
        by_age = old.order_by(F("submitted_at").desc(nulls_last=True), "-arxiv_id")
        found += by_age[: limit - len(found)]
    return found


def by_author(name: str) -> str:
    """The query that finds the papers of exactly that name."""
    return f'author:"{name.translate(_TYPED).replace('"', "")}"'


def terms_of(query: str) -> list[Term]:
    found = []
    for match in _WORDS.finditer(query):
        text = match["phrase"] or match["word"]
        if not _ONLY_MARKS.fullmatch(text):
            found.append(Term(text, bool(match["phrase"]), bool(match["author"])))
    return found[:_MOST_WORDS]


def _with_id(arxiv_id: str) -> PaperQuerySet:
    """Old ids are stored as arXiv writes them, in small letters but for a subject: `math.AG/0501001`."""
    archive, slash, number = arxiv_id.partition("/")
    if not slash:
        return Paper.objects.filter(arxiv_id=arxiv_id)
    archive, dot, subject = archive.partition(".")
    # The subject was never part of the id proper: math/0501001 and math.AG/0501001 are one paper.
    spelt = {f"{archive.lower()}/{number}", f"{archive.lower()}{dot}{subject.upper()}/{number}"}
    return Paper.objects.filter(arxiv_id__in=spelt)


def _holds(term: Term) -> Q:
    in_names = _among_the_names(term)
    if term.is_author:
        return in_names
    return in_names | _any(Q(folded_text__contains=spelt) for spelt in names.spellings(term.text))


def _among_the_names(term: Term) -> Q:
    spelt = [each for each in names.spellings_of_name(term.text.strip(",;")) if each]
    if term.is_author and term.is_phrase:
        spelt = [f"| {each} |" if " " in each else f" {each} " for each in spelt]
    return _any(Q(folded_names__contains=each) for each in spelt)


def _any(conditions: Iterable[Q]) -> Q:
    found = Q(pk__in=[])
    for condition in conditions:
        found |= condition
    return found
