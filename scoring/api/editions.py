"""Read editions and their entries, in the order of the page."""

import datetime as dt
import uuid
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from papers import names
from profiles.access import profile_for
from profiles.models import User
from scoring import feed, feed_queries
from scoring.access import edition_by_id
from scoring.entries import Entry
from scoring.models import Edition
from scoring.report_text import ENGLISH
from scoring.tally import Tally

from .doors import Door, Pages
from .profiles import PAGE_PARAMETERS
from .serializers import EditionSerializer, EntrySerializer, page_of

PAPER_FACTS = (
    "comment", "journal_ref", "doi", "license", "msc_class", "acm_class", "latest_version", "is_withdrawn",
)  # fmt: skip
SAMPLE_NOTICE = ENGLISH["sample"].removeprefix("> ")


class Editions(Door):
    @extend_schema(
        operation_id="editions",
        parameters=[
            OpenApiParameter("profile", OpenApiTypes.UUID),
            OpenApiParameter("day", OpenApiTypes.DATE),
            *PAGE_PARAMETERS,
        ],
        responses=page_of(EditionSerializer),
    )
    def get(self, request: Request) -> Response:
        """The editions of your profiles, the newest first."""
        visible = Edition.objects.visible_to(self.reader)
        if profile := request.query_params.get("profile"):
            visible = visible.filter(profile=profile_for(self.reader, _uuid(profile)))
        if day := request.query_params.get("day"):
            visible = visible.filter(day=_day(day))
        pages = Pages()
        summed = feed_queries.with_sums(visible.order_by("-day", "pk"), self.reader).select_related("profile")
        page = pages.paginate_queryset(summed, request, self)
        return pages.get_paginated_response([_edition_data(edition) for edition in page or []])


class OneEdition(Door):
    @extend_schema(operation_id="edition", responses=EditionSerializer)
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        return Response(_edition_data(_summed(self.reader, public_id)))


class Entries(Door):
    @extend_schema(
        operation_id="entries",
        parameters=[OpenApiParameter("recommended", bool), *PAGE_PARAMETERS],
        responses=page_of(EntrySerializer),
    )
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """The papers of an edition that were read or estimated, best first: value, second best, estimate, id."""
        edition = edition_by_id(self.reader, public_id)
        chosen = feed.of(self.reader).in_profile(str(edition.profile.public_id)).on(edition.day)
        cards = chosen.read_cards()
        if request.query_params.get("recommended", "").lower() in {"1", "true"}:
            cards = cards.filter(value__gte=edition.profile.bar)
        pages = Pages()
        page = pages.paginate_queryset(cards, request, self)
        entries = chosen.entries_of(page or [])
        data = [_entry_data(entry, edition) for entry in entries]
        return pages.get_paginated_response(EntrySerializer(data, many=True).data)


def _summed(reader: User, public_id: uuid.UUID) -> Edition:
    edition = edition_by_id(reader, public_id)
    return (
        feed_queries.with_sums(Edition.objects.filter(pk=edition.pk), reader).select_related("profile").get()
    )


def _edition_data(edition: Edition) -> dict[str, Any]:
    tally = Tally(edition)
    for name, value in {
        "announced": tally.announced,
        "account": tally.counts,
        "lost": tally.lost,
        "recommended": tally.recommended,
    }.items():
        # `account` on the row is the one of closing; here stand the counts of this instant.
        setattr(edition, name, value)
    return EditionSerializer(edition).data


def _entry_data(entry: Entry, edition: Edition) -> dict[str, Any]:
    return {
        "arxiv_id": entry.paper.arxiv_id,
        "version": entry.candidate.version,
        "title": entry.title,
        "authors": [
            {
                "name": author["name"],
                "sort_name": names.last_first(author["name"]),
                "affiliations": author.get("affiliations") or [],
            }
            for author in entry.paper.authors
        ],
        "categories": entry.paper.categories,
        "announced_on": edition.day,
        "link": entry.paper.abs_url,
        "abstract": entry.abstract,
        **{name: getattr(entry.paper, name) for name in PAPER_FACTS},
        "links": [{"url": link.url, "kind": link.kind} for link in entry.links],
        "value": entry.value,
        "shown_value": entry.shown_value,
        "is_recommended": entry.value >= edition.profile.bar,
        "section": entry.field.name if entry.field else "",
        "scores": [
            {"interest": part.name, "score": part.score, "weight": part.weight, "value": part.value}
            for part in entry.contributions
        ],
        "reason": entry.reason,
        "reason_language": entry.reason_language,
        "quote": entry.quote,
        "is_quote_verified": not entry.is_quote_unverified if entry.quote else None,
        "is_estimate": entry.is_estimate,
        "is_simulated": entry.is_simulated,
        "is_of_earlier_words": entry.is_of_earlier_words,
        "model": entry.model,
        "tokens": 0 if entry.is_estimate else entry.tokens,
        "is_sample": entry.is_sample,
        "notice": SAMPLE_NOTICE if entry.is_sample else "",
    }


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise ValidationError({"profile": ["This is no profile's id."]}) from error


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ValidationError({"day": ["Write the day as 2026-01-30."]}) from error
