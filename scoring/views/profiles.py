"""Pages on which a reader says what to read: with the price of a change before it is saved."""

import datetime as dt
import uuid
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from profiles import drafts, teams, toml
from profiles.access import (
    Deed,
    ReaderRequest,
    editable_profile_for,
    may,
    membership_for,
    profile_for,
)
from profiles.drafts import BadDraft, InterestDraft
from profiles.editor import Editor, digest_of
from profiles.models import REASON_LANGUAGES, Membership, Profile, Team, User
from profiles.once import key_of, once
from scoring import price, profile_changes, providers, suggesting
from scoring.models import Edition, ModelChoice, Provider
from scoring.screening import expand

MAX_FILE_BYTES = toml.MAX_BYTES * 4


@require_GET
def profile_list(request: ReaderRequest) -> HttpResponse:
    profiles = list(
        Profile.objects.visible_to(request.user).select_related("team").prefetch_related("interests")
    )
    days = Edition.objects.filter(profile__in=profiles).order_by().values_list("profile_id")
    newest = dict(days.annotate(Max("day")))
    editable = _editable_teams(request.user)
    rows = [
        {
            "profile": profile,
            "day": newest.get(profile.pk),
            "may_edit": not profile.is_team_profile or profile.team_id in editable,
        }
        for profile in profiles
    ]
    return render(request, "scoring/profiles/list.html", {"rows": rows, "section": "profiles"})


@require_http_methods(["GET", "POST"])
def profile_new(request: ReaderRequest) -> HttpResponse:
    """An empty form, then its price, then the profile; its newest day opens at once."""
    if request.method == "GET":
        return _show(request, Editor.blank(request.user), None)
    editor = Editor.typed(request.POST)
    if "row" in request.POST:
        return _rearranged(request, editor, None)
    draft = editor.draft()
    if draft is None:
        return _show(request, editor, None, status=422)
    team, owner = _payer(request)
    cost = price.of_new(draft, providers.provider_of_team(team))
    if request.POST.get("seen") != digest_of(draft):
        return _show(request, Editor.showing(draft), None, cost=cost, seen=digest_of(draft))
    done = once(
        request.user,
        key_of(request.POST.get("once", "")),
        lambda: str(profile_changes.create(draft, owner=owner, team=team, actor=request.user).public_id),
    )
    return redirect("profile_first", done.outcome)


@require_http_methods(["GET", "POST"])
def profile_edit(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """The form of a profile; a change of words shows its price first, a change of weights is saved at once."""
    profile = editable_profile_for(request.user, public_id)
    if request.method == "GET":
        return _show(request, Editor.of(profile), profile)
    editor = Editor.typed(request.POST)
    if "row" in request.POST:
        return _rearranged(request, editor, profile)
    draft = editor.draft()
    if draft is None:
        return _show(request, editor, profile, status=422)
    model = _typed_model(request, profile)
    cost = price.of_change(profile, draft, model.reader)
    if not cost.is_free and request.POST.get("seen") != digest_of(draft):
        return _show(request, Editor.showing(draft), profile, cost=cost, seen=digest_of(draft))
    profile_changes.store(draft, profile, request.user)
    if model.is_named:
        providers.choose_for_profile(request.user, profile, model.chosen)
    if cost.is_free:
        messages.success(request, _("Saved. It cost nothing, and your days are ranked again."))
    else:
        messages.success(request, _("Saved. What was judged stays; the rest is read with your new words."))
    return redirect("profile", profile.public_id)


@require_GET
def profile_first(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """Waits with the reader for the first edition, and leads to it as soon as it is ranked."""
    profile = profile_for(request.user, public_id)
    edition = Edition.objects.filter(profile=profile).order_by("-day").first()
    is_ready = edition is not None and edition.state != Edition.State.OPEN
    day = price.newest_day(tuple(profile.categories), cross_lists=profile.cross_lists)
    if edition is not None and is_ready:
        address = _day_address(profile, edition.day)
        if not request.htmx:
            return redirect(address)
        return HttpResponse(headers={"HX-Redirect": address})
    context = {"profile": profile, "day": day, "section": "profiles"}
    name = "scoring/profiles/first.html"
    return render(request, f"{name}#waiting" if request.htmx else name, context)


@require_POST
def profile_pause(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """Stop or go on: a paused profile gets no further editions and costs nothing."""
    profile = editable_profile_for(request.user, public_id)
    if request.POST.get("paused") == "yes":
        profile_changes.pause(profile, request.user)
        messages.success(request, _("%(name)s is paused.") % {"name": profile.name})
    else:
        profile_changes.go_on(profile, request.user)
        messages.success(request, _("%(name)s is read again.") % {"name": profile.name})
    return redirect("profiles")


@require_POST
def profile_terms(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask the model for the terms of the fields that have none. A repeat asks nothing while a question is open."""
    profile = editable_profile_for(request.user, public_id)
    if suggesting.ask_again(profile):
        messages.success(
            request, _("The model is asked for search terms. They are used from the next edition on.")
        )
    else:
        messages.info(request, _("Nothing is to be asked: every field has terms, or its question is open."))
    return redirect("profile", profile.public_id)


@require_http_methods(["GET", "POST"])
def profile_delete(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    """Put a profile away. Its editions vanish from every page; what was paid for stays in the books."""
    profile = editable_profile_for(request.user, public_id)
    if request.method == "GET":
        return render(request, "scoring/profiles/delete.html", {"profile": profile, "section": "profiles"})
    profile_changes.archive(request.user, profile)
    messages.success(request, _("%(name)s is deleted.") % {"name": profile.name})
    return redirect("profiles")


@require_GET
def profile_file(request: ReaderRequest, public_id: uuid.UUID) -> HttpResponse:
    profile = profile_for(request.user, public_id)
    name = f"{slugify(profile.name) or 'profile'}.toml"
    response = HttpResponse(toml.dump(profile), content_type="application/toml; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


@require_POST
def profile_import(request: ReaderRequest) -> HttpResponse:
    """A TOML file fills in the form of a new profile; nothing is stored before its price was seen."""
    upload = request.FILES.get("file")
    if upload is None or (upload.size or 0) > MAX_FILE_BYTES:
        messages.error(request, _("Choose a TOML file that a profile was exported to."))
        return redirect("profiles")
    try:
        draft = toml.parse(upload.read().decode("utf-8"))
        drafts.check(draft)
    except UnicodeDecodeError:
        messages.error(request, _("The file is not UTF-8 text."))
        return redirect("profiles")
    except BadDraft as error:
        for problem in error.problems:
            messages.error(
                request, f"{problem.where}: {problem.message}" if problem.where else problem.message
            )
        return redirect("profiles")
    team = teams.personal_team_of(request.user)
    cost = price.of_new(draft, providers.provider_of_team(team))
    return _show(request, Editor.showing(draft), None, cost=cost, seen=digest_of(draft))


class _Model(NamedTuple):
    """What the form says of the model: whether it says anything, which one, and who would read then."""

    is_named: bool
    chosen: Provider | None
    reader: Provider


def _typed_model(request: ReaderRequest, profile: Profile) -> _Model:
    """One of those that the profile's team may choose; another's is a 404, an empty one the team's."""
    typed = request.POST.get("provider")
    if typed is None:
        return _Model(False, None, providers.provider_of(profile))
    if not typed:
        return _Model(True, None, providers.provider_of_team(profile.team))
    for each in providers.allowed(profile.team):
        if str(each.public_id) == typed:
            return _Model(True, each, each)
    raise Http404


def _models(request: ReaderRequest, profile: Profile | None) -> dict[str, Any]:
    """The choice of a model for the form, only where there is one."""
    found = providers.allowed(profile.team) if profile is not None else []
    if profile is None or len(found) < 2 or providers.reading_for(profile).why == providers.Why.BOUND:
        return {}
    choice = ModelChoice.objects.filter(profile=profile).select_related("provider").first()
    kept = str(choice.provider.public_id) if choice else ""
    return {"models": found, "chosen_model": request.POST.get("provider", kept)}


def _payer(request: ReaderRequest) -> tuple[Team, User | None]:
    """Who pays for a new profile, and whose it is: a team's own where `together` is ticked."""
    slug = request.POST.get("team", "")
    if not slug:
        return teams.personal_team_of(request.user), request.user
    membership = membership_for(request.user, slug)
    together = "together" in request.POST and not membership.team.is_personal
    if not may(membership, Deed.EDIT_TEAM_PROFILES if together else Deed.SPEND):
        raise PermissionDenied
    return membership.team, None if together else request.user


def _editable_teams(user: User) -> set[int]:
    memberships = Membership.objects.filter(user=user)
    return {each.team_id for each in memberships if may(each, Deed.EDIT_TEAM_PROFILES)}


def _day_address(profile: Profile, day: dt.date) -> str:
    return f"{reverse('day', args=[day])}?profile={profile.public_id}"


def _rearranged(request: ReaderRequest, editor: Editor, profile: Profile | None) -> HttpResponse:
    """Rows added, moved or taken away; nothing is checked or stored."""
    editor.rearrange(request.POST["row"])
    return _show(request, editor, profile, part="#rows" if request.htmx else "")


def _show(
    request: ReaderRequest,
    editor: Editor,
    profile: Profile | None,
    *,
    cost: price.Price | None = None,
    seen: str = "",
    part: str = "",
    status: int = 200,
) -> HttpResponse:
    _explain(editor, profile)
    paying = Membership.objects.filter(user=request.user, team__is_personal=False).select_related("team")
    context = {
        "editor": editor,
        "profile": profile,
        "price": cost,
        "seen": seen,
        "once": uuid.uuid4(),
        "languages": REASON_LANGUAGES,
        "teams": [each.team for each in paying if may(each, Deed.SPEND)],
        "chosen_team": request.POST.get("team", ""),
        "is_together": "together" in request.POST,
        "limits": {"name": drafts.NAME_CHARACTERS, "text": drafts.TEXT_CHARACTERS},
        "section": "profiles",
        "terms_price": _price_of_terms(profile),
        **_models(request, profile),
    }
    return render(request, f"scoring/profiles/edit.html{part}", context, status=status)


def _price_of_terms(profile: Profile | None) -> suggesting.Price:
    if profile is None:
        return suggesting.Price()
    return suggesting.price_of_asking(profile, providers.provider_of(profile))


def _explain(editor: Editor, profile: Profile | None) -> None:
    """Beside each field what the local ranking looks for, whether it knows a word of it, and where its terms come from."""
    told = suggesting.told_of(profile) if profile is not None else {}
    unwanted = [text.strip() for text in editor.exclusions.splitlines() if text.strip()]
    for row in editor.rows:
        row.told = told.get(suggesting.words_of(InterestDraft(row.name, row.description)))
        if not row.is_empty:
            expansion = expand.expand(row.name, row.description, row.own_terms())
            row.found, row.is_unknown = expansion.texts, not expansion.is_known
            row.is_contradicted = any(expand.is_contradicted(expansion, text) for text in unwanted)
