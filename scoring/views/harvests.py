"""The archive for its operator: what was brought in of each day and category, what is missing, what was set aside."""

import datetime as dt
import unicodedata
import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Min
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from papers import calendar, harvest_words, overview, quarantine, taxonomy
from papers.models import ArxivCount, Gap, Harvest, Quarantine
from profiles import audit
from profiles.access import ReaderRequest
from scoring import archive, harvesting, parking

CHOICES = (7, 14, 31)
ROWS_A_PAGE = 50
SHOWN_BYTES = 16 * 1024
RUNS_SHOWN = 50


@require_GET
def operator_harvest(request: ReaderRequest) -> HttpResponse:
    """The grid of the newest days; `?category=`, `?days=` and `?last=` choose what it shows."""
    _require_staff(request)
    now, followed = timezone.now(), harvesting.asked_categories()
    chosen = request.GET.get("category", "")
    newest = archive.newest_shown(now)
    last, length = _last(request, newest), _length(request)
    first = last - dt.timedelta(days=length - 1)
    grid = archive.grid(first, last, [chosen] if chosen in followed else followed, now)
    context = {
        "grid": grid,
        "followed": followed,
        "chosen": chosen if chosen in followed else "",
        "length": length,
        "choices": CHOICES,
        "first": first,
        "last": last,
        "older": _query(chosen, length, first - dt.timedelta(days=1)),
        "newer": _query(chosen, length, min(newest, last + dt.timedelta(days=length)))
        if last < newest
        else "",
        "alarms": archive.told_alarms(now),
        "troubles": grid.troubles[: archive.NAMED_TROUBLES],
        "more_troubles": len(grid.troubles[archive.NAMED_TROUBLES :]),
        "backfills": [_told_backfill(one) for one in overview.backfills(followed)],
        "meanings": [(word, harvest_words.MEANINGS[code]) for code, word in harvest_words.STATES.items()],
        "aside": overview.aside(),
        "next_due": overview.next_due(now),
        "clock_age": archive.clock_age(now),
        "now": now,
    }
    return render(request, "scoring/harvest/grid.html", context)


@require_GET
def operator_harvest_day(request: ReaderRequest, day: dt.date, category: str) -> HttpResponse:
    """One day of one category: counts, runs, and what is missing by its id."""
    _require_staff(request)
    _require_known(category)
    now = timezone.now()
    cell = archive.cell_of(day, category, now)
    runs = list(Harvest.objects.filter(day=day, category=category).order_by("-started_at")[:RUNS_SHOWN])
    aside = Quarantine.objects.open().filter(harvest__day=day, harvest__category=category)
    context = {
        "cell": cell,
        "status": cell.status,
        "fact": harvest_words.FACTS.get(overview.fact_of(day), ""),
        "kinds": _kinds(cell),
        "runs": [_told_run(run) for run in runs],
        "missing": [
            (paper, harvest_words.ANSWERS.get(paper.answer, paper.answer), _gap_reason(paper.reason))
            for paper in cell.status.missing_papers
        ],
        "aside": aside.count(),
        "is_askable": _is_askable(day, category, now),
        "now": now,
    }
    return render(request, "scoring/harvest/day.html", context)


@require_POST
def operator_harvest_ask(request: ReaderRequest, day: dt.date, category: str) -> HttpResponse:
    """Have arXiv asked again, by whoever works; a second click finds the first and does nothing."""
    _require_staff(request)
    _require_known(category)
    now = timezone.now()
    if not _is_askable(day, category, now):
        messages.error(request, _("arXiv has no list of that day, or it is not out yet."))
    elif harvesting.ask_again(day, category, request.user, now):
        messages.success(
            request, _("arXiv will be asked again by the next free worker, within a minute or so.")
        )
    else:
        messages.info(request, _("It is already waiting for a worker."))
    return redirect("operator_harvest_day", day=day, category=category)


@require_POST
def operator_harvest_surge(request: ReaderRequest, day: dt.date, category: str) -> HttpResponse:
    """Release the surplus of a surge (`deed=release`), or leave it parked (`deed=keep`)."""
    _require_staff(request)
    _require_known(category)
    verbs = {"release": parking.release, "keep": parking.leave_parked}
    verb = verbs.get(request.POST.get("deed", ""))
    if verb is None:
        return HttpResponseBadRequest()
    try:
        count = verb(day, category, request.user)
    except parking.NoSurge:
        messages.error(
            request, _("Nothing is parked in %(category)s on %(day)s.") % {"category": category, "day": day}
        )
    else:
        if request.POST["deed"] == "release":
            told = ngettext("%(count)d paper is released.", "%(count)d papers are released.", count)
        else:
            told = ngettext("%(count)d paper stays parked.", "%(count)d papers stay parked.", count)
        messages.success(request, told % {"count": count})
    return redirect("operator_harvest_day", day=day, category=category)


# --- the quarantine --------------------------------------------------------------------------------


@require_GET
def operator_quarantine(request: ReaderRequest) -> HttpResponse:
    """What could not be read; `?reason=` and `?state=read` choose."""
    _require_staff(request)
    waiting = Quarantine.objects.open()
    reasons = waiting.order_by().values("reason").annotate(count=Count("pk"), oldest=Min("stored_at"))
    reason, is_read = request.GET.get("reason", ""), request.GET.get("state") == "read"
    rows = Quarantine.objects.exclude(resolved_at=None) if is_read else waiting
    rows = rows.filter(reason=reason) if reason else rows
    page = Paginator(rows.defer("raw").select_related("harvest").order_by("-stored_at", "-pk"), ROWS_A_PAGE)
    shown = page.get_page(request.GET.get("page"))
    context = {
        "reasons": [{**each, "word": harvest_words.problem(each["reason"])} for each in reasons],
        "rows": shown,
        "records": [(row, harvest_words.problem(row.reason)) for row in shown],
        "reason": reason,
        "is_read": is_read,
        "query": urlencode({"reason": reason, "state": "read" if is_read else ""}),
        "at_once": quarantine.AT_ONCE,
        "kept_days": quarantine.KEPT.days,
    }
    return render(request, "scoring/harvest/quarantine.html", context)


@require_GET
def operator_quarantined(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """One record: where it was, why it was set aside, and its first bytes as text."""
    _require_staff(request)
    row = get_object_or_404(Quarantine.objects.select_related("harvest"), public_id=public_id)
    raw = bytes(row.raw)
    context = {
        "row": row,
        "word": harvest_words.problem(row.reason),
        "text": _visible(raw[:SHOWN_BYTES]),
        "size": len(raw),
        "shown": min(len(raw), SHOWN_BYTES),
        "goes_at": row.stored_at + quarantine.KEPT,
    }
    return render(request, "scoring/harvest/quarantined.html", context)


@require_GET
def operator_quarantined_raw(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """Its bytes, as a file that no browser opens."""
    _require_staff(request)
    row = get_object_or_404(Quarantine, public_id=public_id)
    response = HttpResponse(bytes(row.raw), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="record-{row.public_id}.bin"'
    return response


@require_POST
def operator_quarantine_retry(request: ReaderRequest) -> HttpResponse:
    """Read again one record (`row`, its id) or all that were set aside for one `reason`."""
    _require_staff(request)
    rows = Quarantine.objects.open().select_related("harvest").order_by("retried_at", "pk")
    if named := request.POST.get("row", ""):
        rows = rows.filter(pk=get_object_or_404(Quarantine, public_id=_uuid(named)).pk)
    elif reason := request.POST.get("reason", ""):
        rows = rows.filter(reason=reason)
    else:
        return HttpResponseBadRequest()
    done = quarantine.retry(rows, timezone.now())
    told = _("%(resolved)d read and stored, %(failed)d still unreadable, %(left)d left for another time.")
    if done.resolved:
        audit.record(request.user, "quarantine.retried", after={"count": done.resolved})
    (messages.success if done.resolved else messages.warning)(request, told % vars(done))
    if named:
        return redirect("operator_quarantined", public_id=named)
    return redirect("operator_quarantine")


# --- small things ----------------------------------------------------------------------------------


def _require_staff(request: ReaderRequest) -> None:
    """To everybody else the operator's pages do not exist."""
    if not request.user.is_staff:
        raise Http404


def _require_known(category: str) -> None:
    is_kept = Harvest.objects.filter(category=category).exists()
    if not (taxonomy.is_category(category) or is_kept):
        raise Http404


def _is_askable(day: dt.date, category: str, now: dt.datetime) -> bool:
    is_out = calendar.is_announcement_day(day) and day <= calendar.newest_day(now)
    return is_out and taxonomy.is_category(category)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error


def _last(request: ReaderRequest, newest: dt.date) -> dt.date:
    try:
        asked = dt.date.fromisoformat(request.GET.get("last", ""))
    except ValueError:
        return newest
    return max(calendar.FIRST_DAY + dt.timedelta(days=CHOICES[-1]), min(newest, asked))


def _length(request: ReaderRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked in {str(choice) for choice in CHOICES} else CHOICES[0]


def _query(category: str, days: int, last: dt.date) -> str:
    return urlencode({"category": category, "days": days, "last": last.isoformat()})


def _kinds(cell: archive.Cell) -> list[dict[str, Any]]:
    """A row a kind: what is stored, and what each of arXiv's own counts says."""
    status = cell.status
    rows = []
    for kind, label in ArxivCount.Kind.choices:
        counts = {source: status.counts.get(source, {}).get(kind) for source in ("rss", "listing", "oai")}
        is_record = kind == ArxivCount.Kind.RECORD
        if is_record and counts["oai"] is None:
            continue
        stored = None if is_record else status.stored.get(kind, 0)
        counted = (status.counted or {}).get(kind)
        missing = max(0, counted - (stored or 0)) if counted is not None and not is_record else None
        rows.append({"label": label, "stored": stored, "missing": missing, **counts})
    return rows


def _told_run(run: Harvest) -> dict[str, Any]:
    took = int((run.finished_at - run.started_at).total_seconds()) if run.finished_at else None
    return {
        "run": run,
        "source": harvest_words.SOURCES.get(run.source, run.source),
        "took": took,
        "problem": harvest_words.problem(run.problem) if run.problem else "",
        "message": str(run.problem_params.get("message", "")),
    }


def _told_backfill(one: overview.Backfill) -> dict[str, Any]:
    problem = harvest_words.problem(one.problem) if one.problem else ""
    return {"is": one, "word": harvest_words.backfill(one.state), "problem": problem}


def _gap_reason(reason: str) -> str:
    return str(dict(Gap.Reason.choices).get(reason, reason))


def _visible(raw: bytes) -> str:
    """Text in which nothing hides: bytes that are no UTF-8, controls and marks of direction as escapes."""
    text = raw.decode("utf-8", "backslashreplace")
    return "".join(
        each if each in "\n\t" or unicodedata.category(each)[0] != "C" else f"\\u{ord(each):04x}"
        for each in text
    )
