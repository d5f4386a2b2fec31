"""VERB. Look at each closed day's scores: has the model stopped telling papers apart, or changed what it means?

What is found stands on the edition (`screening["judge"]`) and is said once a month to the profile's owner. Where another model
read before, its scale is learned here (`scoring.scales`).
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from profiles import notices
from profiles.models import Profile
from profiles.tidings import Params, Words
from scoring import canaries, drift, scales
from scoring.drift import Finding, Reading
from scoring.models import Call, Candidate, Edition, Score

CODE = "judge.drift"
# Scores that tell nothing apart, or are of several measures, teach no scale.
TEACHES_NO_SCALE = {Finding.ALIKE, Finding.ONE_ALIKE, Finding.TORN}
# Closed days that are looked at, and the earlier ones that they are compared with.
RECENT = dt.timedelta(days=3)
OLDEST = dt.timedelta(days=14)
EARLIER_DAYS = 10
AT_ONCE = 50
# What a canary was worth lately is compared with what it was worth between these.
LATELY, NOT_BEFORE, WEEKS_AGO = dt.timedelta(days=7), dt.timedelta(days=21), dt.timedelta(days=63)

TOLD: dict[str, Any] = {
    Finding.ALIKE: gettext_lazy("The model gave all papers of this day nearly the same score."),
    Finding.ONE_ALIKE: gettext_lazy(
        "The model gave all papers of this day nearly the same score for one field."
    ),
    Finding.HIGHER: gettext_lazy("The model's scores stand higher than on the days before."),
    Finding.LOWER: gettext_lazy("The model's scores stand lower than on the days before."),
    Finding.OTHER_SCALE: gettext_lazy(
        "The model means something else by its numbers than the one that read before it."
    ),
    Finding.TORN: gettext_lazy("The model read the blocks of this day by different measures."),
    Finding.CREPT_HIGHER: gettext_lazy(
        "The model's scores have risen slowly: the same text gets more than weeks ago."
    ),
    Finding.CREPT_LOWER: gettext_lazy(
        "The model's scores have sunk slowly: the same text gets less than weeks ago."
    ),
}


def watch_due(now: dt.datetime) -> int:
    """Look at what was closed lately and not looked at yet; in how many days something was found. Safe to repeat."""
    closed = Edition.objects.filter(
        state=Edition.State.CLOSED, day__gte=(now - OLDEST).date(), closed_at__gt=now - RECENT
    )
    unseen = closed.exclude(screening__has_key="judge").select_related("profile__owner").defer("packed")
    return sum(look_at(edition, now) for edition in unseen.order_by("pk")[:AT_ONCE])


def look_at(edition: Edition, now: dt.datetime) -> bool:
    """Write down what is wrong with a day's scores, learn their scale where it is another's, and tell it; whether something
    is."""
    found = findings_of(edition)
    with transaction.atomic():
        locked = Edition.objects.select_for_update().filter(pk=edition.pk).first()
        if locked is None or "judge" in locked.screening:
            return False
        if found.get("finding") not in TEACHES_NO_SCALE:
            found = found | _scaled(locked, now)
        locked.screening = {**locked.screening, "judge": found}
        locked.save(update_fields=["screening"])
        if found.get("finding") and edition.profile.owner is not None:
            key = f"drift:{edition.profile_id}:{found['model']}:{found['finding']}:{edition.day:%Y-%m}"
            params = {"profile": edition.profile_id, "day": edition.day.isoformat(), **found}
            notices.tell([edition.profile.owner], key, CODE, params, by_mail=False, now=now)
    return bool(found.get("finding"))


def findings_of(edition: Edition) -> dict[str, Any]:
    """What is found, by which model, and by how many points; empty where all is well or no model has read."""
    read = _readings(Candidate.objects.filter(edition=edition, day=edition.day))
    if not read:
        return {}
    model = max(read, key=lambda name: len(read[name]))
    day = read[model]
    collapse = drift.collapsed(day)
    if collapse is not None:
        return {"finding": str(collapse), "model": model}
    first = edition.day - dt.timedelta(days=EARLIER_DAYS)
    earlier = Candidate.objects.filter(profile=edition.profile_id, day__gte=first, day__lt=edition.day)
    before = _readings(earlier)
    moved = drift.drifted(day, [each for found in before.values() for each in found])
    if moved is None:
        return _within(day, model) or _slowly(edition, model)
    finding, by = moved
    return {"finding": str(finding), "model": model, "points": round(by)}


def _scaled(edition: Edition, now: dt.datetime) -> dict[str, Any]:
    """The scale that was learned of the model that read most of the day; empty where none was."""
    scores = Score.objects.filter(profile=edition.profile_id, day=edition.day, is_local=False).order_by()
    read = Counter(scores.values_list("provider_model", flat=True)).most_common(1)
    scale = scales.learn(edition, read[0][0], now) if read else None
    if scale is None:
        return {}
    facts = {"papers": scale.papers, "compared": scale.compared, "eighty": scales.counted(scale, [80])[0]}
    return {"finding": str(Finding.OTHER_SCALE), "model": scale.provider_model, **facts}


def _within(day: Sequence[Reading], model: str) -> dict[str, Any]:
    by = drift.torn(day)
    return {} if by is None else {"finding": str(Finding.TORN), "model": model, "points": round(by)}


def _slowly(edition: Edition, model: str) -> dict[str, Any]:
    """By the high canary of these words: what it was worth to the model lately, and weeks ago."""
    heard = Call.objects.filter(
        revision=edition.revision_id,
        provider_model=model,
        kind=Call.Kind.JUDGE,
        outcome__in=["judged", "partial"],
        canaries__has_key=canaries.HIGH,
    )

    def worth(first: dt.timedelta, last: dt.timedelta) -> list[int]:
        days = heard.filter(day__gt=edition.day - first, day__lte=edition.day - last)
        found = (each[canaries.HIGH] for each in days.values_list("canaries", flat=True))
        return [score for score in found if score is not None]

    moved = drift.crept(worth(LATELY, dt.timedelta(0)), worth(WEEKS_AGO, NOT_BEFORE))
    if moved is None:
        return {}
    finding, by = moved
    return {"finding": str(finding), "model": model, "points": round(by)}


def _readings(candidates: QuerySet[Candidate]) -> dict[str, list[Reading]]:
    """The first readings by a model of these candidates, by model."""
    rows = candidates.filter(state=Candidate.State.JUDGED).values_list("score_id", "estimate")
    estimates = {pk: estimate for pk, estimate in rows if pk is not None}
    scores = Score.objects.filter(pk__in=candidates.values("score_id"), is_local=False)
    found: dict[str, list[Reading]] = {}
    for score in scores.only("interest_scores", "call_id", "provider_model"):
        if score.pk in estimates:
            reading = Reading(tuple(score.interest_scores), estimates[score.pk] / 100, score.call_id)
            found.setdefault(score.provider_model, []).append(reading)
    return found


def words_of_drifts(rows: Sequence[Params]) -> list[Words | None]:
    """What is told of a model that has changed (`settings.TIDINGS`); None for a profile that is gone."""
    found = Profile.objects.in_bulk([row["profile"] for row in rows])
    return [_words(found.get(row["profile"]), row) for row in rows]


def _words_of_nothing_changed(day: dt.date) -> str:
    return _("Day: %(day)s. Nothing was changed; look whether they still mean what you expect.") % {
        "day": date_format(day)
    }


def _words_of_scale(row: Params) -> list[str]:
    if "eighty" not in row:
        return []
    return [
        _(
            "By %(papers)s papers of it and %(compared)s read before, from now on an 80 of it counts as %(eighty)s, and every other "
            "score likewise."
        )
        % {"papers": row["papers"], "compared": row["compared"], "eighty": row["eighty"]}
    ]


def _words(profile: Profile | None, row: Params) -> Words | None:
    finding = str(row.get("finding", ""))
    if profile is None or finding not in TOLD:
        return None
    day = dt.date.fromisoformat(str(row["day"]))
    return Words(
        _("The scores of %(profile)s look unlike before") % {"profile": profile.name},
        [
            str(TOLD[finding]),
            *(_words_of_scale(row) or [_words_of_nothing_changed(day)]),
        ],
        path=f"{reverse('day', args=[day])}?profile={profile.public_id}",
        action=_("Show the day"),
        why=_("You get this because %(profile)s is yours.") % {"profile": profile.name},
    )
