"""The audit trail, seen: by a team's owners and admins, by oneself, and by the operator over all."""

import csv
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_GET

from profiles import access
from profiles.access import Deed
from profiles.models import Membership, User
from scoring import deeds, trail
from scoring.report_text import defused

HEADS = ["at", "who", "who_key", "code", "what", "whom", "whom_key", "team", "before", "after", "door"]


@require_GET
def team_audit(request: HttpRequest, slug: str) -> HttpResponse:
    """A team's trail, for its owners and admins. A member gets 403, a stranger 404."""
    mine = _steering(request, slug)
    return _page(request, "scoring/audit/team.html", trail.of_team(mine.team), {"mine": mine})


@require_GET
def team_audit_file(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    return _file(request, f"audit-{slug}.csv", trail.of_team(_steering(request, slug).team))


@require_GET
def own_audit(request: HttpRequest) -> HttpResponse:
    """What was done in one's own name."""
    return _page(request, "scoring/audit/own.html", trail.of_person(_reader(request)), {})


@require_GET
def own_audit_file(request: HttpRequest) -> StreamingHttpResponse:
    return _file(request, "audit.csv", trail.of_person(_reader(request)))


@require_GET
def operator_audit(request: HttpRequest) -> HttpResponse:
    """The whole trail, for the operator; nobody else may know of the page."""
    _require_operator(request)
    return _page(request, "scoring/audit/operator.html", trail.of_house(), {})


@require_GET
def operator_audit_file(request: HttpRequest) -> StreamingHttpResponse:
    _require_operator(request)
    return _file(request, "audit.csv", trail.of_house())


def _steering(request: HttpRequest, slug: str) -> Membership:
    mine = access.membership_for(_reader(request), slug)
    access.require(mine, Deed.SEE_AUDIT)
    return mine


def _reader(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _require_operator(request: HttpRequest) -> None:
    if not _reader(request).is_staff:
        raise Http404


def _page(request: HttpRequest, template: str, scope: trail.Scope, context: dict[str, Any]) -> HttpResponse:
    asked = trail.Asked.read(request.GET, _reader(request).zone)
    place = trail.Place.read(request.GET.get("before", ""))
    shown = trail.page(scope, asked, place)
    query = asked.query()
    context |= {
        "section": "teams" if scope.team else "",
        "scope": scope,
        "lines": shown.lines,
        "asked": asked,
        "is_filtered": bool(query),
        "query": urlencode(query),
        "older": urlencode(query | {"before": str(shown.older)}) if shown.older else "",
        "is_continued": place is not None,
        "codes": sorted(((code, str(text)) for code, text in deeds.WHAT.items()), key=lambda pair: pair[1]),
    }
    return render(request, template, context)


def _file(request: HttpRequest, name: str, scope: trail.Scope) -> StreamingHttpResponse:
    """Every line that fits, as CSV, sent while it is read."""
    asked = trail.Asked.read(request.GET, _reader(request).zone)
    rows = _rows(scope, asked, _reader(request).language)
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class _Echo:
    """A file that hands back what is written: csv has no other way to make one line."""

    def write(self, text: str) -> str:
        return text


def _rows(scope: trail.Scope, asked: trail.Asked, language: str) -> Iterator[str]:
    writer = csv.writer(_Echo())
    extra = ["ip", "user_agent"] if scope.shows_addresses else []
    yield writer.writerow(HEADS + extra)
    with translation.override(language):
        for line in trail.every_line(scope, asked):
            cells = [line.at.isoformat(), line.who, line.who_key, line.code, line.what, line.whom]
            cells += [line.whom_key or "", line.team, _json(line.before), _json(line.after), line.door]
            cells += [line.ip, line.user_agent] if scope.shows_addresses else []
            yield writer.writerow([defused(str(cell)) for cell in cells])


def _json(figures: dict[str, Any]) -> str:
    return json.dumps(figures, ensure_ascii=False, sort_keys=True) if figures else ""
