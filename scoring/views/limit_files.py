"""A team's limits many at once: a file out, a file in, one amount for many; each is shown before it is done."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from profiles import access
from profiles.access import Deed, ReaderRequest
from profiles.models import Membership, Period
from scoring import limit_files
from scoring.limit_files import Change, Problem, Reading


@require_GET
def team_quotas_file(request: ReaderRequest, slug: str) -> HttpResponse:
    """The team's limits as CSV, in the form in which `team_quotas_import` takes them back."""
    mine = access.membership_for(request.user, slug)
    access.require(mine, Deed.SEE_QUOTAS)
    response = HttpResponse(limit_files.as_csv(mine.team), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="quotas-{slug}.csv"'
    return response


@require_POST
def team_quotas_import(request: ReaderRequest, slug: str) -> HttpResponse:
    """A file is read and shown with all that is wrong in it; sent again with `confirm`, it is done, or nothing is."""
    mine = access.membership_for(request.user, slug)
    access.require(mine, Deed.SET_QUOTAS)
    upload = request.FILES.get("file")
    if upload is not None:
        content = upload.read(limit_files.MOST_BYTES + 1)
    else:
        content = request.POST.get("content", "").encode()
    if not content:
        messages.error(request, _("Choose a CSV file of limits."))
        return redirect("team_quotas", slug)
    found = limit_files.read(mine.team, content)
    kept = {"content": content.decode("utf-8-sig", "replace")}
    return _shown_or_done(request, mine, found, "team_quotas_import", kept)


@require_POST
def team_quotas_bulk(request: ReaderRequest, slug: str) -> HttpResponse:
    """One amount for all that are ticked: shown first; with `confirm`, done."""
    mine = access.membership_for(request.user, slug)
    access.require(mine, Deed.SET_QUOTAS)
    sent = request.POST
    try:
        changes = limit_files.for_many(
            mine.team,
            sent.getlist("chosen"),
            sent.get("period", Period.DAY),
            sent.get("tokens", ""),
            is_removal="remove" in sent,
        )
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("team_quotas", slug)
    kept = {"period": sent.get("period", Period.DAY), "tokens": sent.get("tokens", "")}
    if "remove" in sent:
        kept["remove"] = "1"
    return _shown_or_done(request, mine, Reading(changes, []), "team_quotas_bulk", kept)


def _shown_or_done(
    request: ReaderRequest, mine: Membership, found: Reading, again: str, kept: dict[str, str]
) -> HttpResponse:
    problems = found.problems
    if not problems and "confirm" in request.POST:
        try:
            done = limit_files.set_all(request.user, mine.team, found.changes)
        except ValidationError as error:
            problems = [Problem(0, error.messages[0])]
        else:
            messages.success(request, _said(done))
            return redirect("team_quotas", mine.team.slug)
    context = {
        "section": "teams",
        "mine": mine,
        "changes": _first_changed(found.changes),
        "real": found.real,
        "problems": problems,
        "again": again,
        "kept": kept,
        "chosen": request.POST.getlist("chosen"),
    }
    return render(request, "scoring/quotas_preview.html", context, status=422 if problems else 200)


def _first_changed(changes: list[Change]) -> list[Change]:
    return sorted(changes, key=lambda change: not change.is_change)


def _said(done: int) -> str:
    if not done:
        return _("Nothing had to change.")
    return ngettext("%(n)s limit is set.", "%(n)s limits are set.", done) % {"n": done}
