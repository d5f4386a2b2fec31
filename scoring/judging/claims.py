"""Win the right to read a block, and set its tokens aside: one transaction, no network."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import transaction
from django.db.models import Case, Count, Exists, F, IntegerField, Max, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThan

from profiles import revisions
from profiles.models import Profile, Revision
from scoring import budget, editions, providers, rubric
from scoring.budget import Leg, NoPayer, Refusal
from scoring.edits import weighing
from scoring.models import Call, Candidate, Edition, Hold, Provider, Score
from scoring.packed import Code
from scoring.transactions import retried

from . import room, values
from .blocks import Block, Draft, Row, block_json, draft, rows_of, without_company_for_suspects
from .watching import watch_of

# Longer than a hold's lease, so that a hold always ends before its claim is taken away.
CLAIM_SECONDS = budget.LEASE_SECONDS + 60
# For how long an edition without a payer is left alone.
NO_PAYER_SECONDS = 3600
# A reader who waits for an edition has so many of its calls go first: its best two hundred papers. Then it takes turns.
HEAD_START_CALLS = 10
# For how long after "go on" somebody is thought to wait.
ASKED_HOURS = 24
Waits = Candidate.Waits


class _Terms(NamedTuple):
    """Under which words, by whom and on whose money an edition is read."""

    profile: Profile
    revision: Revision
    provider: Provider
    legs: list[Leg]


def claim(now: dt.datetime, *, edition_ids: Iterable[int] | None = None) -> Block | None:
    """A block of the next edition whose turn it is, claimed and held; None when nothing can be read now.

    A reader who waits goes first, for a few calls (`_hurry`). Then editions take turns over profiles: the one with the
    fewest papers in work, then the one that has waited longest. Nothing is claimed of an edition that a budget blocks, nor for a provider that is stopped, behind an
    open breaker or busy with as many calls as it may have.
    """
    for edition in editions_in_turn(now, edition_ids):
        block = _claim_of(edition, now)
        if block is not None:
            return block
    return None


def editions_in_turn(now: dt.datetime, edition_ids: Iterable[int] | None = None) -> list[Edition]:
    """The editions with a paper that may be claimed at that instant, in the order of their turn."""
    waiting = Candidate.objects.filter(edition=OuterRef("pk")).waiting().filter(_is_due(now))
    in_work = (
        Candidate.objects.filter(edition=OuterRef("pk"), state=Candidate.State.CLAIMED)
        .order_by()
        .values("edition")
        .annotate(count=Count("pk"))
        .values("count")
    )
    last = Call.objects.filter(edition=OuterRef("pk")).order_by().values("edition")
    found = Edition.objects.claimable(now).filter(Exists(waiting), profile__archived_at=None)
    if edition_ids is not None:
        found = found.filter(pk__in=list(edition_ids))
    return list(
        found.select_related("profile__team", "revision")
        .annotate(
            in_work=Coalesce(Subquery(in_work), 0),
            hurry=_hurry(now),
            last_call=Subquery(last.annotate(at=Max("created_at")).values("at")),
        )
        .defer("packed")
        .order_by("hurry", "in_work", F("last_call").asc(nulls_first=True), "-day", "pk")
    )


def _hurry(now: dt.datetime) -> Case:
    """0 for an edition that somebody waits for, else 1: a new profile's first, or one whose reader said "go on" today.

    Bounded by its own calls, so that nobody starves: after the first ten it takes turns like any other.
    """
    since = Q(edition__asked_at=None) | Q(created_at__gte=F("edition__asked_at"))
    made = (
        Call.objects.filter(since, edition=OuterRef("pk"), kind=Call.Kind.JUDGE).order_by().values("edition")
    )
    calls = Coalesce(Subquery(made.annotate(count=Count("pk")).values("count")), 0)
    read_before = Edition.objects.filter(profile=OuterRef("profile"), state=Edition.State.CLOSED)
    is_awaited = ~Exists(read_before) | Q(asked_at__gte=now - dt.timedelta(hours=ASKED_HOURS))
    return Case(
        When(is_awaited & Q(LessThan(calls, HEAD_START_CALLS)), then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )


def _is_due(now: dt.datetime) -> Q:
    return Q(not_before=None) | Q(not_before__lte=now)


def _claim_of(edition: Edition, now: dt.datetime) -> Block | None:
    profile = edition.profile
    provider = providers.provider_of(profile)
    if not Provider.objects.usable(now).filter(pk=provider.pk).exists():
        _say_what_they_wait_for(edition, Waits.PROVIDER)
        return None
    if room.is_busy(provider):
        return None
    try:
        legs = budget.legs_of(profile, provider)
    except NoPayer:
        _leave_alone(edition, now)
        return None
    revision = edition.revision or revisions.current(profile, rubric.VERSION)
    terms = _Terms(profile, revision, provider, legs)
    return _claim_and_hold(edition, terms, now)


def _say_what_they_wait_for(edition: Edition, reason: Waits) -> None:
    waiting = Candidate.objects.filter(edition=edition).waiting()
    waiting.exclude(waits_for__in=[reason, Waits.LATE]).update(waits_for=reason)


def _leave_alone(edition: Edition, now: dt.datetime) -> None:
    """Nobody pays: the owner left the team, or may only look."""
    until = now + dt.timedelta(seconds=NO_PAYER_SECONDS)
    Edition.objects.filter(pk=edition.pk).update(blocked_by={"reason": "no_payer"}, blocked_until=until)
    _say_what_they_wait_for(edition, Waits.BUDGET)


@retried
@transaction.atomic
def _claim_and_hold(edition: Edition, terms: _Terms, now: dt.datetime) -> Block | None:
    """Claim, call and hold; or, where a budget is full, nothing of it and the edition blocked."""
    locked = Edition.objects.select_for_update().claimable(now).filter(pk=edition.pk).first()
    if locked is None or not room.may_probe(terms.provider, now):
        return None
    rows = _choose(locked, terms, now)
    if _is_repeat(rows) and not room.may_repeat(terms.provider, now):
        _put_repeats_off(locked, now)
        rows = _choose(locked, terms, now)
    if not rows:
        return None
    token = uuid.uuid4()
    given = draft(
        rows, terms.revision, terms.provider, watch_of(locked, rows, terms.revision, terms.provider)
    )
    _take(locked, rows, token, now)
    call = _new_call(locked, terms, given, token, now)
    given, held = _hold_what_fits(call, given, terms, now)
    if isinstance(held, Refusal):
        return _undo(locked, rows, call, held, terms, now)
    _give_back(locked, [row for row in rows if row not in given.rows], token, Waits.TURN)
    if len(given.rows) < len(rows):
        _describe(call, given)
        call.save(update_fields=["block", "canaries", "prompt_sha256", "prompt_bytes"])
    return Block(
        edition=locked,
        profile=terms.profile,
        revision=terms.revision,
        provider=terms.provider,
        call=call,
        hold=held,
        token=token,
        rows=given.rows,
        prompt=given.prompt,
        labels=given.labels,
        canaries=given.canaries,
    )


def _is_repeat(rows: Sequence[Row]) -> bool:
    """Whether the call is made for papers whose last one brought nothing; a few that ride along make it none."""
    return 2 * sum(row.candidate.is_repeat for row in rows) > len(rows)


def _put_repeats_off(edition: Edition, now: dt.datetime) -> None:
    """Nothing is claimed or held of them; the edition's other papers go on."""
    again = now + dt.timedelta(seconds=providers.LOOK_AGAIN_SECONDS)
    due = Candidate.objects.filter(edition=edition, is_repeat=True).waiting().filter(_is_due(now))
    due.update(not_before=again, waits_for=Waits.PROVIDER)


def _undo(
    edition: Edition, rows: Sequence[Row], call: Call, refusal: Refusal, terms: _Terms, now: dt.datetime
) -> Block | None:
    """As if nothing had been claimed; blocked, if not one paper would fit, until the window or its limit changes."""
    assert call.claim_token is not None
    waits_for_others = _fits_when_others_settle(draft(rows[:1], terms.revision, terms.provider), refusal)
    _give_back(edition, rows, call.claim_token, Waits.TURN if waits_for_others else Waits.BUDGET)
    call.delete()
    if waits_for_others:
        return None
    if not budget.block(edition, refusal):
        # The limit was changed between the refusal and here.
        return _claim_and_hold(edition, terms, now)
    _say_what_they_wait_for(edition, Waits.BUDGET)
    return None


def _choose(edition: Edition, terms: _Terms, now: dt.datetime) -> list[Row]:
    """The next papers by estimate that may be read together; what is known already is adopted, not read."""
    waiting = Candidate.objects.filter(edition=edition).waiting().filter(_is_due(now)).order_by("rank", "pk")
    waiting = waiting.select_for_update()
    first = waiting.first()
    if first is None:
        return []
    if terms.provider.is_local:
        most, fitting = terms.provider.block_size, waiting
    else:
        most = min(terms.provider.block_size, first.largest_block, rubric.PAPERS_A_CALL)
        fitting = waiting.filter(largest_block__gte=first.largest_block)
    candidates = _without_known(edition, list(fitting[:most]), terms, now)
    if not candidates:
        return _choose(edition, terms, now)
    rows = rows_of(candidates)
    return rows if terms.provider.is_local else without_company_for_suspects(rows)


def _without_known(
    edition: Edition, candidates: list[Candidate], terms: _Terms, now: dt.datetime
) -> list[Candidate]:
    """Nothing is paid twice: a paper with a booked score under the same words and judge takes that one."""
    booked = Score.objects.filter(
        revision=terms.revision,
        provider_model=terms.provider.provider_model,
        purpose__in=[Score.Purpose.FIRST, Score.Purpose.SECOND_LOOK],
        paper_id__in=[each.paper_id for each in candidates],
    )
    known: dict[tuple[int, int], dict[str, Score]] = {}
    for score in booked:
        known.setdefault((score.paper_id, score.version), {})[score.purpose] = score
    adopted = [each for each in candidates if (each.paper_id, each.version) in known]
    if adopted:
        by_weight = weighing(terms.revision, list(terms.profile.interests.all()))
        for each in adopted:
            values.adopt(each, values.standing(known[each.paper_id, each.version], by_weight), by_weight, now)
        editions.move(edition, {each.paper_id: Code[each.state.upper()] for each in adopted})
    return [each for each in candidates if each not in adopted]


def _take(edition: Edition, rows: Sequence[Row], token: uuid.UUID, now: dt.datetime) -> None:
    """Decide and take in one UPDATE: only what still waits is won."""
    lease = now + dt.timedelta(seconds=CLAIM_SECONDS)
    won = (
        Candidate.objects.filter(pk__in=[row.candidate.pk for row in rows])
        .waiting()
        .update(
            state=Candidate.State.CLAIMED,
            claim_token=token,
            lease_until=lease,
            waits_for=Waits.TURN,
            changed_at=now,
        )
    )
    if won != len(rows):
        raise AssertionError("a waiting candidate changed under its edition's lock")
    # The others wait for their turn again, but for those that a provider has told to wait longer.
    told = Candidate.objects.filter(edition=edition, waits_for__in=[Waits.BUDGET, Waits.PROVIDER])
    told.waiting().filter(_is_due(now)).update(waits_for=Waits.TURN)
    editions.move(edition, {row.paper_id: Code.IN_WORK for row in rows})


def _give_back(edition: Edition, rows: Sequence[Row], token: uuid.UUID, reason: Waits) -> None:
    if not rows:
        return
    mine = Candidate.objects.claimed_by(token).filter(pk__in=[row.candidate.pk for row in rows])
    mine.update(state=Candidate.State.WAITING, claim_token=None, lease_until=None, waits_for=reason)
    editions.move(edition, {row.paper_id: Code.WAITING for row in rows})


def _new_call(edition: Edition, terms: _Terms, given: Draft, token: uuid.UUID, now: dt.datetime) -> Call:
    call = Call(
        kind=Call.Kind.JUDGE,
        day=edition.day,
        profile=terms.profile,
        edition=edition,
        revision=terms.revision,
        provider=terms.provider,
        provider_model=terms.provider.provider_model,
        claim_token=token,
        created_at=now,
    )
    _describe(call, given)
    call.is_repeat = _is_repeat(given.rows)
    call.save(force_insert=True)
    return call


def _describe(call: Call, given: Draft) -> None:
    """What is sent, in which order; of the prompt only hash and size, never its words."""
    call.block = block_json(given)
    call.canaries = {canary.name: None for _label, canary in given.canaries}
    if given.prompt is not None:
        words = f"{given.prompt.system}\n{given.prompt.user}".encode()
        call.prompt_sha256, call.prompt_bytes = hashlib.sha256(words).hexdigest(), len(words)


def _hold_what_fits(
    call: Call, given: Draft, terms: _Terms, now: dt.datetime
) -> tuple[Draft, Hold | Refusal]:
    """Hold for the block, or for as many of its best papers as fit; the refusal where none does."""
    while True:
        held = budget.hold(call, given.tokens, terms.legs, now=now)
        if isinstance(held, Hold):
            return given, held
        if _fits_when_others_settle(given.smaller(1, terms.revision, terms.provider), held):
            return given, held
        fewer = _how_many_fit(given, held.free, terms)
        if not fewer:
            return given, held
        given = given.smaller(fewer, terms.revision, terms.provider)


def _fits_when_others_settle(one: Draft, refusal: Refusal) -> bool:
    """Whether only calls in flight are in the way. A hold is larger than its bill: what it gives back lets a whole
    block in, where shrinking now would pay the prompt's beginning for a paper or two."""
    return refusal.held > 0 and refusal.limit - refusal.used >= one.tokens


def _how_many_fit(given: Draft, free: int, terms: _Terms) -> int:
    """How many papers to try next: fewer than now, by the mean size of one; 0 when not even one can fit."""
    count = len(given.rows)
    if count == 1:
        return 0
    one = given.smaller(1, terms.revision, terms.provider).tokens
    if one > free:
        return 0
    a_paper = max(1, (given.tokens - one) // (count - 1))
    return max(1, min(count - 1, 1 + (free - one) // a_paper))
