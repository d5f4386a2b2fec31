"""Why a paper does not stand in a reader's day: an answer from stored numbers, for any paper."""

from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from papers.models import Announcement, Paper
from scoring import packed
from scoring.entries import Entry
from scoring.models import Edition, FirstSeen
from scoring.outcomes import failure_told
from scoring.packed import Code
from scoring.value import shown


@dataclass(frozen=True)
class Answer:
    """`is_in`: the paper is recommended after all. `text` is one or two sentences for the reader."""

    is_in: bool
    text: Any


SIMPLE = {
    Code.WITHDRAWN: _("It is withdrawn; a withdrawn paper is not rated."),
    Code.IN_WORK: _("The model is reading it right now."),
    Code.PARKED: _(
        "arXiv announced far more papers than usual; the surplus waits until an admin releases it."
    ),
    Code.EXPIRED: _("It waited so long for budget or model that its day has passed."),
    Code.ESTIMATED: _("It has a local estimate only."),
    Code.JUDGED: _("The model has read it."),
}


def explain(edition: Edition, paper: Paper, entry: Entry | None) -> Answer:
    """The answer for one paper of one edition; `entry` is its card where it is a candidate."""
    if entry is not None and entry.candidate.value is not None:
        return _rated(edition, entry)
    if entry is not None and entry.is_waiting:
        return Answer(False, entry.waits_for)
    if entry is not None and entry.candidate.failure:
        text = _(
            "The model failed on it after several attempts: %(kind)s. It counts as failed in the account."
        )
        return Answer(False, text % {"kind": failure_told(entry.candidate.failure)})
    listed = packed.unpack(bytes(edition.packed))
    found = next((row for row in listed if row.paper_id == paper.pk), None)
    if found is None:
        return Answer(False, not_announced(edition, paper))
    if found.code == Code.SCREENED:
        return Answer(False, _screened(edition, listed, found))
    if found.code == Code.SEEN:
        return Answer(False, _seen(edition, paper))
    return Answer(False, SIMPLE.get(found.code, _("It waits for its turn.")))


def not_announced(edition: Edition, paper: Paper) -> str:
    """Why the paper is not in the list of that day at all."""
    day, categories = edition.day, edition.categories
    of_paper = Announcement.objects.filter(paper=paper)
    if not of_paper.filter(day=day).exists():
        return _("arXiv did not announce it on %(day)s.") % {"day": date_format(day)}
    if not of_paper.filter(day=day, category__in=categories).exists():
        return _("It was announced in %(its)s; this profile reads %(yours)s.") % {
            "its": ", ".join(paper.categories),
            "yours": ", ".join(categories) or "–",
        }
    kinds = set(of_paper.filter(day=day, category__in=categories).values_list("kind", flat=True))
    if kinds == {Announcement.Kind.REPLACEMENT}:
        return str(_("It is a new version of an earlier paper; those are not read again unless you ask."))
    if Announcement.Kind.NEW not in kinds:
        return str(_("It is a cross-list, and this profile takes new papers only."))
    return str(_("It arrived after this day was opened, and will be added as late."))


def _rated(edition: Edition, entry: Entry) -> Answer:
    words = {"value": entry.shown_value, "bar": shown(edition.profile.bar)}
    if entry.is_dismissed:
        return Answer(False, _("You dismissed it. Its value is %(value)s.") % words)
    if entry.value >= edition.profile.bar:
        return Answer(
            True, _("It is recommended: its value of %(value)s reaches your bar of %(bar)s.") % words
        )
    if entry.is_estimate:
        return Answer(
            False,
            _("Its local estimate is %(value)s, below your bar of %(bar)s. No model has read it.") % words,
        )
    return Answer(False, _("The model gave it %(value)s, below your bar of %(bar)s.") % words)


def rank_of(found: packed.Entry, listed: list[packed.Entry]) -> int:
    """Its place by estimate among all of the day, from 1."""
    return 1 + sum(row.estimate > found.estimate for row in listed)


def _screened(edition: Edition, listed: list[packed.Entry], found: packed.Entry) -> str:
    return _(
        "Its local estimate has rank %(rank)d of %(all)d, and the model was given the first %(cut)d, "
        "with a random sample of the rest."
    ) % {"rank": rank_of(found, listed), "all": len(listed), "cut": edition.cut_rank}


def _seen(edition: Edition, paper: Paper) -> str:
    first = FirstSeen.objects.filter(profile=edition.profile, paper=paper).first()
    if first is None:
        return str(_("It stood in an earlier day of yours."))
    return _("It stood in your paper of %(day)s already.") % {"day": date_format(first.day)}
