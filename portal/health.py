"""Whether the portal lives, is ready to serve, and a few numbers for whoever watches it."""

import ipaddress
from collections.abc import Iterator

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from papers.owed import alarms
from scoring import doorbell
from scoring.harvesting import followed_categories
from scoring.models import Candidate, Edition, Hold


@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing else, so that a database that is down does not get it restarted."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when a page could be served now, else 503; each check says ok or what is wrong with it."""
    checks = {"database": _database(), "migrations": _migrations(), "cache": _cache(), "arxiv": _arxiv()}
    # Without new papers a page can be served all the same: said, and no reason to take the portal away.
    is_ready = all(state == "ok" for name, state in checks.items() if name != "arxiv")
    return JsonResponse({"ready": is_ready, "checks": checks}, status=200 if is_ready else 503)


@login_not_required
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Counts in Prometheus' text format, for staff and for a scraper in the same network; else not there."""
    if not (_is_near(request) or request.user.is_staff):
        raise Http404
    return HttpResponse("".join(_lines()), content_type="text/plain; version=0.0.4; charset=utf-8")


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "cannot be read"
    return "ok" if not missing else f"{len(missing)} not applied: run manage.py migrate"


def _cache() -> str:
    """Login limits live in the cache: without it the doors stay shut."""
    try:
        cache.set("readyz", "ok", 10)
        answered = cache.get("readyz")
    except (DatabaseError, OSError):
        return "does not answer"
    return "ok" if answered == "ok" else "does not keep what it is given"


def _arxiv() -> str:
    try:
        found = alarms(followed_categories(), timezone.now())
    except DatabaseError:
        return "cannot be read"
    return ", ".join(dict.fromkeys(alarm.code for alarm in found)) or "ok"


def _is_near(request: HttpRequest) -> bool:
    """Asked directly from a private address, not on behalf of somebody behind a proxy."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_private
    except ValueError:
        return False


def _lines() -> Iterator[str]:
    waiting = Candidate.objects.waiting().count()
    claimed = Candidate.objects.filter(state=Candidate.State.CLAIMED).count()
    yield from _gauge("broadsheet_papers_waiting", "Papers that wait to be read.", waiting)
    yield from _gauge("broadsheet_papers_claimed", "Papers that are being read.", claimed)
    unclosed = Edition.objects.unclosed().count()
    yield from _gauge("broadsheet_editions_open", "Editions that are not closed.", unclosed)
    yield from _gauge("broadsheet_holds_open", "Holds that have not ended.", Hold.objects.open().count())
    for outcome in ("sent", "failed"):
        name = f"broadsheet_doorbell_{outcome}"
        yield from _gauge(name, f"Rings {outcome} by this process.", doorbell.counts[outcome])


def _gauge(name: str, words: str, value: int) -> Iterator[str]:
    yield f"# HELP {name} {words}\n# TYPE {name} gauge\n{name} {value}\n"
