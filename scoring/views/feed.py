"""The page of a day, its lists, and its progress while it is being read."""

import datetime as dt

from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from profiles.access import ReaderRequest, editable_profile_for
from scoring import blocked, empty, feed, stopping, tally
from scoring.access import edition_for


@require_GET
def today(request: ReaderRequest) -> HttpResponse:
    """The newest edition, whatever today is."""
    return _page(request, feed.of(request.user).in_profile(request.GET.get("profile", "")))


@require_GET
def day(request: ReaderRequest, day: dt.date) -> HttpResponse:
    return _page(request, feed.of(request.user).in_profile(request.GET.get("profile", "")).on(day))


@require_GET
def progress(request: ReaderRequest, day: dt.date) -> HttpResponse:
    """The bar of a run, asked for every few seconds: counts, tokens, how many are new since the page came, its end."""
    return _progress(request, feed.of(request.user).in_profile(request.GET.get("profile", "")).on(day))


@require_POST
def reading(request: ReaderRequest, day: dt.date) -> HttpResponse:
    """Stop the reading of a day, or let it go on. A repeat changes nothing."""
    profile = editable_profile_for(request.user, request.GET.get("profile", ""))
    edition = edition_for(request.user, profile.public_id, day)
    match request.POST.get("do"):
        case "stop":
            stopping.stop(edition, timezone.now())
        case "go_on":
            stopping.go_on(edition)
        case _:
            return HttpResponseBadRequest()
    if request.htmx:
        return _progress(request, feed.of(request.user).in_profile(str(profile.public_id)).on(day))
    return redirect(f"{reverse('day', args=[day])}?profile={profile.public_id}")


def _progress(request: ReaderRequest, chosen: feed.Feed) -> HttpResponse:
    if chosen.edition is None:
        raise Http404
    page = chosen.for_sums()
    told = request.GET.get("known", "")
    known = int(told[:6]) if told.isdecimal() else page.recommended
    run = tally.run_of(page.edition, timezone.now())
    context = {
        "page": page,
        "edition": page.edition,
        "known": known,
        "fresh": max(0, page.recommended - known),
        "run": run,
        "is_over": run is None,
    }
    return render(request, "scoring/feed.html#progress", context)


def _page(request: ReaderRequest, chosen: feed.Feed) -> HttpResponse:
    if chosen.edition is None:
        return _empty_page(request, chosen)
    if request.GET.get("show"):
        return _list(request, chosen)
    page = chosen.for_page(feed.Filters.from_query(request.GET))
    context = {
        "section": "today",
        "page": page,
        "edition": page.edition,
        "tally": tally.Tally(page.edition),
        "known": page.recommended,
        "run": tally.run_of(page.edition, timezone.now()),
        "nothing": empty.within(page) if not page.entries else None,
        "undo_at": request.GET.get("undo", ""),
        "blocked": blocked.of(page.edition, request.user.zone, timezone.now(), request.user),
    }
    part = request.GET.get("part") == "cards"
    return render(request, "scoring/feed.html#cards" if part else "scoring/feed.html", context)


def _empty_page(request: ReaderRequest, chosen: feed.Feed) -> HttpResponse:
    context = {
        "section": "today",
        "nothing": empty.without_edition(chosen, timezone.now()),
        "day": chosen.day,
    }
    return render(request, "scoring/empty.html", context)


def _list(request: ReaderRequest, chosen: feed.Feed) -> HttpResponse:
    """The list behind a number of the account; Http404 for a word that is none of its terms."""
    assert chosen.edition is not None
    found = tally.listing(chosen, request.GET["show"], request.GET.get("page", ""))
    context = {
        "section": "today",
        "edition": chosen.edition,
        "tally": tally.Tally(chosen.edition),
        "list": found,
    }
    part = request.GET.get("part") == "rows"
    return render(request, "scoring/list.html#rows" if part else "scoring/list.html", context)
