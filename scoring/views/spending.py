"""What was spent, seen: by a team's owners and admins, and by the operator over all teams."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from profiles import access
from profiles.access import Deed
from profiles.models import Membership, Role, User
from scoring import asking
from scoring.report_text import defused
from scoring.spent import house, spans, team

from .quotas import requests_shown

ROWS_A_PAGE = 50


@require_GET
def team_spending(request: HttpRequest, slug: str) -> HttpResponse:
    """Who in the team spent what. A member gets 403, a stranger 404."""
    mine, seen, rows = _of_team(request, slug)
    context = {
        "section": "teams",
        "mine": mine,
        "seen": seen,
        "rows": Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page")),
        "heads": _heads(request.GET, seen.is_priced),
        "roles": Role.choices,
        "is_filtered": len(rows) != len(seen.rows),
        **_chooser(request, seen.span),
    }
    return render(request, "scoring/team_spending.html", context)


@require_GET
def team_spending_file(request: HttpRequest, slug: str) -> HttpResponse:
    """The same rows, filtered and sorted the same, as CSV."""
    _mine, seen, rows = _of_team(request, slug)
    heads = ["kind", "name", "email", "role", "limit_tokens_a_day", "used_tokens", "used_tokens_before"]
    heads += ["share_percent", "profiles", "papers_read", "tokens_a_paper", "cost_microusd", "last_active"]
    lines = [
        [
            row.kind,
            row.name,
            row.email,
            row.role,
            row.limit,
            row.used,
            row.before,
            f"{row.share:.1f}",
            row.profiles,
            row.papers,
            row.tokens_a_paper,
            row.cost_microusd,
            row.last_active,
        ]
        for row in rows
    ]
    return _file(f"spending-{slug}-{seen.span.first}-{seen.span.last}.csv", heads, lines)


@require_GET
def operator_spending(request: HttpRequest) -> HttpResponse:
    """What all teams spent, for the operator; nobody else may know of the page."""
    seen = _of_house(request)
    rows = house.sorted_by(seen.rows, request.GET.get("sort", ""))
    assert isinstance(request.user, User)
    context = {
        "seen": seen,
        "rows": Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page")),
        "requests": requests_shown(request.user, asking.open_of(None, timezone.now())),
        "here": request.path,
        **_chooser(request, seen.span),
    }
    return render(request, "scoring/operator_spending.html", context)


@require_GET
def operator_spending_file(request: HttpRequest) -> HttpResponse:
    seen = _of_house(request)
    heads = ["team", "name", "is_personal", "members", "limit_tokens_a_day", "used_tokens"]
    heads += ["used_tokens_before", "cost_microusd", "requests_open", "providers_stopped"]
    lines = [
        [
            row.slug,
            row.name,
            int(row.is_personal),
            row.members,
            row.limit,
            row.used,
            row.before,
            row.cost_microusd,
            row.requests,
            row.stopped,
        ]
        for row in seen.rows
    ]
    return _file(f"spending-{seen.span.first}-{seen.span.last}.csv", heads, lines)


def _of_team(request: HttpRequest, slug: str) -> tuple[Membership, team.TeamSpending, list[team.Row]]:
    assert isinstance(request.user, User)
    mine = access.membership_for(request.user, slug)
    access.require(mine, Deed.SEE_QUOTAS)
    span = spans.span_of(request.GET, timezone.now(), mine.team.zone)
    seen = team.of_team(mine.team, span, mine)
    rows = team.filtered(seen.rows, request.GET.get("q", ""), request.GET.get("role", ""))
    return mine, seen, team.sorted_by(rows, request.GET.get("sort", ""))


def _of_house(request: HttpRequest) -> house.HouseSpending:
    if not (isinstance(request.user, User) and request.user.is_staff):
        raise Http404
    now = timezone.now()
    return house.of_all(spans.span_of(request.GET, now, house.zone()), now)


def _heads(query: Mapping[str, str], is_priced: bool) -> list[dict[str, Any]]:
    """The heads of the table, each a link that sorts by its column, and turns the order of the sorted one."""
    named = {
        "name": _("Who"),
        "role": _("Role"),
        "limit": _("Limit a day"),
        "used": _("Used"),
        "share": _("Share of all"),
        "difference": _("Against before"),
        "papers": _("Papers read"),
        "a_paper": _("Tokens a paper"),
        "cost": _("Cost"),
        "profiles": _("Profiles"),
        "last": _("Last active"),
    }
    if not is_priced:
        del named["cost"]
    current = query.get("sort", "") or "-used"
    heads = []
    for key, label in named.items():
        is_current = current.removeprefix("-") == key
        downwards_first = key not in {"name", "role"}
        turned = key if is_current and current.startswith("-") else f"-{key}"
        sort = turned if is_current or downwards_first else key
        order = ("descending" if current.startswith("-") else "ascending") if is_current else ""
        heads.append({"key": key, "label": label, "query": _query(query, sort=sort), "order": order})
    return heads


def _query(query: Mapping[str, str], **changed: str) -> str:
    """The address's query with some words changed, without those that are empty, and from the first page on."""
    kept = {name: query[name] for name in ("days", "month", "q", "role", "sort") if query.get(name)}
    return urlencode({name: value for name, value in (kept | changed).items() if value})


def _chooser(request: HttpRequest, span: spans.Span) -> dict[str, Any]:
    """What choosing a period, a page and the file need of the address."""
    return {
        "span": span,
        "choices": spans.CHOICES,
        "months": spans.months(timezone.now(), span.zone),
        "query": _query(request.GET),
        "asked": request.GET,
    }


def _file(name: str, heads: list[str], lines: Iterable[list[Any]]) -> HttpResponse:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    writer.writerows([["" if cell is None else defused(str(cell)) for cell in line] for line in lines])
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
