"""VERB. What was read for somebody, or for a team: given to them as reports, or forgotten for good.

Of a forgotten profile every call, hold, window and ledger line stays, for tokens were spent; the call names
nobody any more and says nothing of what was read. The audit takes a call without a profile for one whose
scores were erased with their reader (`budget.invariants`).
"""

import json
from collections.abc import Iterator

from django.db import transaction
from django.db.models import QuerySet

from profiles import audit, leaving, teams
from profiles.models import Membership, Profile, Scope, Team, User
from scoring import report
from scoring.models import BudgetWindow, Call, Candidate, Edition, FirstSeen, OutboxMail, Score, Spending
from scoring.transactions import retried


def forget(user: User) -> None:
    """Delete what was read for the profiles that go with the person; their calls lose whatever names them.

    Call it in the caller's transaction, before `profiles.leaving.forget`. Safe to repeat.
    """
    _forget_profiles(leaving.profiles_that_go(user))
    OutboxMail.objects.filter(user=user).delete()


@retried
@transaction.atomic
def delete_team(actor: User, team: Team) -> None:
    """An owner ends a team. Its own profiles go with what was read for them; the ledger keeps its sums.

    Members' own profiles move to their personal teams. A call in flight settles, and books its bill and nothing
    else. Invitations, limits and keys of the team go with it. Raises TeamError or PermissionDenied.
    """
    teams.require_deletable(actor, team)
    teams.move_profiles_home(Profile.objects.filter(team=team).exclude(owner=None))
    _forget_profiles(Profile.objects.filter(team=team))
    audit.record(actor, "team.deleted", team=team, subject=team.public_id)
    Team.objects.get(pk=team.pk).delete()


def _forget_profiles(profiles: QuerySet[Profile]) -> None:
    """Editions are locked first, as whoever claims or books does: a call in flight ends either before this, or
    finds no edition and writes nothing but its bill.
    """
    going = list(profiles.order_by("pk").values_list("pk", flat=True))
    list(Edition.objects.select_for_update().filter(profile__in=going).order_by("pk").values_list("pk"))
    # From here on nobody opens a further edition for them.
    list(Profile.objects.select_for_update().filter(pk__in=going).order_by("pk").values_list("pk"))
    calls = Call.objects.filter(profile__in=going)
    Score.objects.filter(profile__in=going).delete()
    calls.update(
        block=[],
        prompt_sha256="",
        failed_answer="",
        claim_token=None,
        edition=None,
        revision=None,
        profile=None,
    )
    # After the calls: whoever adds to a sum has locked its call, and is seen here or finds it nobody's.
    Spending.objects.filter(profile_id__in=going).update(profile_id=None)
    Candidate.objects.filter(profile__in=going).delete()
    FirstSeen.objects.filter(profile__in=going).delete()
    Edition.objects.filter(profile__in=going).delete()


def export(user: User) -> Iterator[tuple[str, str]]:
    """Files as (name, text): each day of each own profile as Markdown and JSON, and what was spent on them."""
    yield "spending.json", json.dumps(_spending(user), indent=2, ensure_ascii=False, default=str) + "\n"
    for profile in leaving.own_profiles(user):
        ready = Edition.objects.filter(profile=profile).exclude(state=Edition.State.OPEN).order_by("day")
        for day in ready.values_list("day", flat=True):
            place = f"editions/{leaving.folder_of(profile)}/{day}"
            words = (profile, day, user.time_zone, profile.reason_language)
            yield f"{place}.md", report.markdown(*words)
            yield f"{place}.json", report.as_json(*words)


def _spending(user: User) -> list[dict[str, object]]:
    """The windows of the person's memberships, by team."""
    teams = dict(Membership.objects.filter(user=user).values_list("pk", "team__name"))
    windows = BudgetWindow.objects.filter(scope=Scope.MEMBER, subject_id__in=teams).order_by("starts_at")
    figures = ("period", "starts_at", "ends_at", "limit_tokens", "used_tokens", "cost_microusd")
    rows = windows.values("subject_id", *figures)
    return [{"team": teams[row.pop("subject_id")], **row} for row in rows]
