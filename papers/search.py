"""Finding papers by id, or by words in titles, authors and abstracts."""

import re

from django.db.models import Exists, OuterRef, Q

from papers.models import Paper, PaperQuerySet, PaperVersion

LONGEST_QUERY = 200  # characters
_MOST_WORDS = 8
_ID = re.compile(
    r"(?:arxiv:|https?://(?:www\.)?arxiv\.org/(?:abs|pdf|html)/)?"
    r"(\d{4}\.\d{4,5}|[a-z]+(?:-[a-z]+)*(?:\.[a-z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?",
    re.IGNORECASE,
)
_WORDS = re.compile(r'"([^"]+)"|(\S+)')


def find(query: str) -> PaperQuerySet:
    """Papers that hold every word (or "phrase in quotes") of the query, newest first; none for an empty one.

    An arXiv id, an address of arxiv.org or `arXiv:…v2` finds that paper alone. The caller pages the result.
    """
    query = query[:LONGEST_QUERY].replace("\x00", " ").strip()
    if not query:
        return Paper.objects.none()
    if named := _ID.fullmatch(query):
        return Paper.objects.filter(arxiv_id=named.group(1))
    words = [phrase or word for phrase, word in _WORDS.findall(query)][:_MOST_WORDS]
    found = Paper.objects.all()
    for word in words:
        in_abstract = PaperVersion.objects.filter(paper=OuterRef("pk"), abstract__icontains=word)
        found = found.filter(Q(title__icontains=word) | Q(author_names__icontains=word) | Exists(in_abstract))
    return found.order_by("-arxiv_id")
