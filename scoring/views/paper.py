"""A paper's own page: its metadata, what each of the reader's profiles made of it, why or why not."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from papers.models import Paper, PaperVersion
from profiles.access import ReaderRequest
from profiles.models import Mark, User
from scoring import feed, why_not
from scoring.entries import Entry
from scoring.models import Candidate, Edition
from scoring.paper_facts import MOST_CITED, Facts, People, found_links

PROFILES_SHOWN = 5


@dataclass(frozen=True)
class Verdict:
    """What one profile's edition made of the paper."""

    edition: Edition
    entry: Entry | None
    answer: why_not.Answer


@require_GET
def paper(request: ReaderRequest, arxiv_id: str) -> HttpResponse:
    """Open to every reader; scores and marks are the reader's own. `?show=authors` names everybody."""
    found = get_object_or_404(Paper.objects.without_words(), arxiv_id=arxiv_id)
    people = People(found.authors)
    if request.GET.get("part") == "names":
        return render(request, "components/authors.html#middle", {"people": people})
    text = PaperVersion.objects.filter(paper=found).order_by("-number").first()
    context = {
        "paper": found,
        "text": text,
        "people": people,
        "shows_all": request.GET.get("show") == "authors",
        "names": [author["name"] for author in found.authors[:MOST_CITED]],
        "facts": Facts(found, found.announcements.all()),
        "links": found_links(found, text.abstract if text and not text.is_sample else ""),
        "marks": set(Mark.objects.of(request.user).filter(paper=found).values_list("kind", flat=True)),
        "verdicts": [_verdict(request.user, edition, found) for edition in _editions(request, found)],
    }
    return render(request, "scoring/paper.html", context)


def _editions(request: ReaderRequest, paper: Paper) -> list[Edition]:
    """The reader's editions that the paper belongs to, newest first; else those of its days."""
    visible = Edition.objects.visible_to(request.user).select_related("profile")
    read = Candidate.objects.filter(paper=paper, edition__in=visible).values("edition")
    mine = list(visible.filter(pk__in=read).order_by("-day", "profile__created_at")[:PROFILES_SHOWN])
    seen = {edition.profile_id for edition in mine}
    of_days = visible.filter(day__in=paper.announcements.values("day")).exclude(profile__in=seen)
    return [*mine, *of_days.order_by("-day", "profile__created_at")[:PROFILES_SHOWN]]


def _verdict(reader: User, edition: Edition, paper: Paper) -> Verdict:
    chosen = feed.of(reader).in_profile(str(edition.profile.public_id)).on(edition.day)
    entry = chosen.entry(paper)
    return Verdict(edition, entry, why_not.explain(edition, paper, entry))
