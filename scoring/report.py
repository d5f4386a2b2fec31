"""The report of an edition: loads what `report_text` then writes. Reads only; the same edition, the same bytes."""

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterable

from django.db.models import Max

from papers import citing
from papers.models import Paper
from profiles.models import Profile
from scoring import feed, report_text
from scoring.entries import Entry
from scoring.models import Call, Edition, Score
from scoring.report_text import Contribution, ReportAuthor, ReportDay, ReportEntry
from scoring.tally import Tally

FORMATS: dict[str, Callable[[ReportDay], str]] = {
    "md": report_text.markdown,
    "json": report_text.as_json,
    "csv": report_text.as_csv,
}
CITATIONS: dict[str, Callable[[Iterable[citing.Work]], str]] = {"bib": citing.bibtex, "ris": citing.ris}
MEDIA_TYPES = {
    "md": "text/markdown; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "bib": "application/x-bibtex; charset=utf-8",
    "ris": "application/x-research-info-systems; charset=utf-8",
}


def markdown(profile: Profile, day: dt.date, zone: str, language: str) -> str:
    """The Markdown of the profile's day, as `docs/report-format.md` has it."""
    return written(profile, day, zone, language, "md")


def as_json(profile: Profile, day: dt.date, zone: str, language: str) -> str:
    return written(profile, day, zone, language, "json")


def written(profile: Profile, day: dt.date, zone: str, language: str, form: str) -> str:
    """The day in one of FORMATS or CITATIONS. Raises KeyError for another form.

    A day without an edition is a report of nothing announced. What readers marked plays no part.
    """
    chosen = feed.of_profile(profile).on(day)
    if form in CITATIONS:
        return CITATIONS[form](work_of(entry.paper, entry.abstract) for entry in chosen.best_first())
    return FORMATS[form](day_of(chosen, profile, day, zone, language))


def day_of(chosen: feed.Feed, profile: Profile, day: dt.date, zone: str, language: str) -> ReportDay:
    """The report's data of the chosen edition."""
    edition = chosen.edition
    if edition is None:
        midnight = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
        return ReportDay(day, profile.name, str(profile.public_id), zone, language, midnight, 0, {}, 0)
    tally = Tally(edition)
    entries = tuple(_entry(entry) for entry in chosen.best_first())
    return ReportDay(
        day=day,
        profile=profile.name,
        profile_id=str(profile.public_id),
        zone=zone,
        language=language,
        updated_at=_updated_at(edition),
        announced=tally.announced,
        terms=tally.counts,
        tokens=edition.tokens,  # type: ignore[attr-defined]
        models=_models(edition),
        sections=tuple(interest.name for interest in chosen.interests),
        entries=entries,
        is_closed=edition.state == Edition.State.CLOSED,
        replacements=tally.replacements,
        bar=profile.bar,
        late_until=edition.late_until,
    )


def work_of(paper: Paper, abstract: str = "") -> citing.Work:
    """The paper as a citation needs it; the year is the first version's, else the day of storing."""
    return citing.Work(
        arxiv_id=paper.arxiv_id,
        title=paper.title,
        authors=tuple(author["name"] for author in paper.authors),
        primary_category=paper.primary_category,
        published=(paper.submitted_at or paper.stored_at).date(),
        abstract=abstract,
        doi=paper.doi,
        journal_ref=paper.journal_ref,
    )


def zones() -> set[str]:
    """The names that a report's zone may have."""
    return zoneinfo.available_timezones()


def _updated_at(edition: Edition) -> dt.datetime:
    """When the edition was closed; while it is open, its last score, else its opening."""
    if edition.closed_at:
        return edition.closed_at
    scores = Score.objects.filter(call__edition=edition)
    return scores.aggregate(last=Max("scored_at"))["last"] or edition.opened_at


def _models(edition: Edition) -> tuple[tuple[str, bool], ...]:
    """The judges of the day with whether each is simulated, by name, as they were called when they were asked."""
    asked = Call.objects.filter(edition=edition, provider__isnull=False).order_by()
    judges = dict(asked.values_list("provider_model", "provider__is_simulated").distinct())
    scores = Score.objects.filter(call__edition=edition).order_by()
    judges |= dict(scores.values_list("provider_model", "is_simulated").distinct())
    return tuple(sorted({(name.partition("/")[2], is_simulated) for name, is_simulated in judges.items()}))


def _entry(entry: Entry) -> ReportEntry:
    return ReportEntry(
        arxiv_id=entry.paper.arxiv_id,
        version=entry.candidate.version,
        title=entry.title,
        authors=tuple(
            ReportAuthor(author["name"], tuple(author.get("affiliations") or ()))
            for author in entry.paper.authors
        ),
        section=entry.field.name if entry.field else "",
        value=entry.value,
        reason=entry.reason,
        reason_language=entry.reason_language,
        quote=entry.quote,
        quote_verified=not entry.is_quote_unverified if entry.quote else None,
        is_estimate=entry.is_estimate,
        is_simulated=entry.is_simulated,
        is_sample=entry.is_sample,
        model=entry.model,
        tokens=0 if entry.is_estimate else entry.tokens,
        scores=tuple(Contribution(c.name, c.score, c.weight, c.value) for c in entry.contributions),
        categories=tuple(entry.paper.categories),
        comment=entry.paper.comment,
        journal_ref=entry.paper.journal_ref,
        doi=entry.paper.doi,
        links=tuple((link.url, link.kind) for link in entry.links),
    )
