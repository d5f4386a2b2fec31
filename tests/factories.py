"""Rows for tests: plain functions that fill in what the test is not about."""

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from django.utils import timezone

from papers import names
from papers.models import Announcement, Paper, PaperVersion
from profiles.models import (
    Interest,
    Membership,
    Period,
    Profile,
    Quota,
    QuotaRequest,
    Role,
    Scope,
    Team,
    TopUp,
    User,
)
from profiles.revisions import current
from scoring import providers, rubric
from scoring.models import Call, Candidate, Edition, Provider, Score
from scoring.packed import Code, pack, unpack
from scoring.packed import Entry as PackedEntry
from scoring.value import value_of

DAY = dt.date(2026, 1, 30)
PASSWORD = "correct horse battery"

_numbers = itertools.count(1)


def user(email: str | None = None, **fields: Any) -> User:
    """A reader who can log in with PASSWORD."""
    return User.objects.create_user(email or f"reader{next(_numbers)}@example.org", PASSWORD, **fields)


def passkey(owner: User, name: str = "Phone") -> Authenticator:
    """A passkey that nobody holds the private half of."""
    credential = {"clientExtensionResults": {"credProps": {"rk": True}}}
    return Authenticator.objects.create(
        user=owner, type=Authenticator.Type.WEBAUTHN, data={"name": name, "credential": credential}
    )


def team(*members: User, name: str = "Lab", owner: User | None = None, **fields: Any) -> Team:
    """A team; `owner` (or the first member) owns it, the others are members."""
    made = Team.objects.create(name=name, **fields)
    owner = owner or (members[0] if members else None)
    if owner is not None:
        membership(made, owner, Role.OWNER)
    for member in members:
        if member != owner:
            membership(made, member)
    return made


def membership(of: Team, member: User, role: Role = Role.MEMBER) -> Membership:
    return Membership.objects.create(team=of, user=member, role=role)


def profile(
    owner: User | None,
    *,
    team: Team | None = None,
    interests: Sequence[str] = ("graph neural networks", "reinforcement learning"),
    weights: Sequence[float] | None = None,
    categories: Sequence[str] = ("cs.LG",),
    **fields: Any,
) -> Profile:
    """A profile with one interest a text; without a team, in a personal one of its owner."""
    if team is None:
        assert owner is not None
        team = Team.objects.create(name=f"{owner.email}'s own", is_personal=True)
        membership(team, owner, Role.OWNER)
    made = Profile.objects.create(
        owner=owner,
        team=team,
        categories=list(categories),
        **{"name": "Daily", **fields},
    )
    for position, text in enumerate(interests):
        Interest.objects.create(
            profile=made,
            position=position,
            name=text.title(),
            description=text,
            weight=1.0 if weights is None else weights[position],
        )
    return made


def paper(arxiv_id: str | None = None, **fields: Any) -> Paper:
    """A paper with the text of its version."""
    return papers([{"arxiv_id": arxiv_id, **fields}])[0]


def papers(each: Sequence[dict[str, Any]]) -> list[Paper]:
    """Papers with the texts of their versions, in two statements however many; the fields as of `paper`."""
    made = [_unsaved(**fields) for fields in each]
    Paper.objects.bulk_create(one for one, _text in made)
    PaperVersion.objects.bulk_create(text for _one, text in made)
    return [one for one, _text in made]


def _unsaved(
    arxiv_id: str | None = None,
    *,
    title: str | None = None,
    abstract: str = "We study how models learn, and show that they do.",
    categories: Sequence[str] = ("cs.LG",),
    authors: Sequence[str] = ("Ada Lovelace", "Alan Turing"),
    version: int = 1,
    is_sample: bool = False,
    **fields: Any,
) -> tuple[Paper, PaperVersion]:
    number = next(_numbers)
    made = Paper(
        arxiv_id=arxiv_id or f"2601.{10000 + number}",
        title=title or f"On Learning, Part {number}",
        authors=[{"name": name, "affiliations": []} for name in authors],
        author_names=", ".join(authors),
        folded_text=names.text_for_search(title or f"On Learning, Part {number}", abstract),
        folded_names=names.for_search(authors),
        categories=list(categories),
        primary_category=categories[0],
        latest_version=version,
        **fields,
    )
    text = PaperVersion(paper=made, number=version, title=made.title, abstract=abstract, is_sample=is_sample)
    return made, text


def announce(
    paper: Paper,
    day: dt.date = DAY,
    *,
    category: str | None = None,
    kind: str = Announcement.Kind.NEW,
    version: int | None = None,
) -> Announcement:
    return announce_all([paper], day, category=category, kind=kind, version=version)[0]


def announce_all(
    papers: Sequence[Paper],
    day: dt.date = DAY,
    *,
    category: str | None = None,
    kind: str = Announcement.Kind.NEW,
    version: int | None = None,
) -> list[Announcement]:
    """Each of them on that day, in one statement."""
    return Announcement.objects.bulk_create(
        Announcement(
            paper=paper,
            category=category or paper.primary_category,
            day=day,
            kind=kind,
            source=Announcement.Source.RSS,
            version=version or paper.latest_version,
        )
        for paper in papers
    )


def announced_papers(count: int, day: dt.date = DAY, category: str = "cs.LG") -> list[Paper]:
    made = papers([{"categories": [category]} for _ in range(count)])
    announce_all(made, day)
    return made


def quota(scope: Scope, limit_tokens: int, period: str = "day", **subject: Any) -> Quota:
    return Quota.objects.create(
        scope=scope, limit_tokens=limit_tokens, period=period, updated_at=timezone.now(), **subject
    )


def top_up(
    scope: Scope, tokens: int, ends_at: dt.datetime, starts_at: dt.datetime | None = None, **subject: Any
) -> TopUp:
    """A top-up as policy only: no window knows of it yet."""
    return TopUp.objects.create(
        scope=scope, tokens=tokens, starts_at=starts_at or timezone.now(), ends_at=ends_at, **subject
    )


def quota_request(by: Membership, tokens: int, now: dt.datetime | None = None, **fields: Any) -> QuotaRequest:
    """A member's open request for more of their own day."""
    now = now or timezone.now()
    subject = {"scope": Scope.MEMBER, "team": by.team, "membership": by, "period": Period.DAY}
    window = {"window_starts_at": now, "window_ends_at": now + dt.timedelta(hours=12)}
    return QuotaRequest.objects.create(asked_by=by, tokens=tokens, **{**subject, **window, **fields})


def provider(base_url: str = "", **fields: Any) -> Provider:
    """A simulated server at `base_url`, or the local judge without one."""
    kind = Provider.Kind.OPENAI if base_url else Provider.Kind.LOCAL
    defaults: dict[str, Any] = {
        "name": f"judge{next(_numbers)}",
        "model": "simulated" if base_url else "local",
        "kind": kind,
        "is_simulated": bool(base_url),
    }
    return Provider.objects.create(base_url=base_url, **{**defaults, **fields})


def team_provider(
    team: Team, base_url: str = "https://llm.example/v1", api_key: str = "", **fields: Any
) -> Provider:
    """A provider of the team's own, with its key."""
    made = provider(base_url, team=team, **{"model": "m", "is_simulated": False, **fields})
    providers.set_key(made, api_key)
    return made


def call(profile: Profile, provider: Provider, **fields: Any) -> Call:
    """One attempt for a profile, that has neither a hold nor an outcome yet."""
    defaults = {"day": DAY, "profile": profile, "provider": provider}
    return Call.objects.create(provider_model=provider.provider_model, **{**defaults, **fields})


def edition(of: Profile, day: dt.date = DAY, *, state: str = Edition.State.CLOSED, **fields: Any) -> Edition:
    """An empty edition; `judged`, `estimated`, `waiting` and `listed` put papers in."""
    closed_at = timezone.now() if state == Edition.State.CLOSED else None
    return Edition.objects.create(
        profile=of,
        day=day,
        state=state,
        revision=current(of, rubric.VERSION),
        categories=of.categories,
        **{"closed_at": closed_at, **fields},
    )


def listed(of: Edition, paper: Paper, code: Code, estimate: int = 5000) -> Paper:
    """The paper in the edition's packed list, announced, without a candidate."""
    if not paper.announcements.filter(day=of.day).exists():
        announce(paper, of.day)
    entry = PackedEntry(paper.pk, paper.latest_version, code, estimate, 0)
    of.packed = pack([*unpack(of.packed), entry])
    of.save(update_fields=["packed"])
    return paper


def candidate(of: Edition, paper: Paper, state: str, code: Code, **fields: Any) -> Candidate:
    estimate = fields.pop("estimate", 5000)
    listed(of, paper, code, estimate)
    rank = len(unpack(of.packed))
    return Candidate.objects.create(
        day=of.day,
        edition=of,
        profile=of.profile,
        paper=paper,
        version=paper.latest_version,
        state=state,
        rank=rank,
        estimate=estimate,
        **fields,
    )


def judged(
    of: Edition,
    paper: Paper,
    scores: Sequence[int],
    *,
    by: Provider | None = None,
    reason: str = "It does what the field asks for.",
    quote: str = "show that they do",
    **fields: Any,
) -> Candidate:
    """A paper that a model has read (or estimated, by a local provider), with its score and call."""
    judge = by or provider("http://127.0.0.1:1/v1")
    tokens = {} if judge.is_local else {"input_tokens": 240, "output_tokens": 48}
    booked = call(of.profile, judge, edition=of, block=[["k1", paper.pk, 1]], **tokens)
    score = Score.objects.create(
        day=of.day,
        profile=of.profile,
        revision=of.revision,
        paper=paper,
        version=paper.latest_version,
        provider_model=judge.provider_model,
        call=booked,
        is_local=judge.is_local,
        is_simulated=judge.is_simulated,
        **{
            "interest_scores": list(scores),
            "reason": reason,
            "reason_language": "en",
            "quote": quote,
            "is_quote_verified": True,
            **fields,
        },
    )
    value = value_of(scores, [interest.weight for interest in of.profile.interests.all()])
    is_local = judge.is_local
    return candidate(
        of,
        paper,
        Candidate.State.ESTIMATED if is_local else Candidate.State.JUDGED,
        Code.ESTIMATED if is_local else Code.JUDGED,
        score_id=score.pk,
        value=value.value,
        second_value=value.second,
        interest=value.interest,
    )


def waiting(of: Edition, paper: Paper, waits_for: str = Candidate.Waits.TURN, **fields: Any) -> Candidate:
    return candidate(of, paper, Candidate.State.WAITING, Code.WAITING, waits_for=waits_for, **fields)


def edition_to_read(profile: Profile, papers: Sequence[Paper], day: dt.date = DAY, **fields: Any) -> Edition:
    """A screened edition in which the model is meant to read all of these, in this order of estimate."""
    entries = [
        PackedEntry(each.pk, each.latest_version, Code.WAITING, 9000 - place)
        for place, each in enumerate(papers)
    ]
    edition = Edition.objects.create(
        profile=profile,
        day=day,
        state=Edition.State.SCREENED,
        packed=pack(entries),
        categories=list(profile.categories),
        **fields,
    )
    Candidate.objects.bulk_create(
        Candidate(
            day=day,
            edition=edition,
            profile=profile,
            paper=each,
            version=each.latest_version,
            rank=place + 1,
            estimate=9000 - place,
        )
        for place, each in enumerate(papers)
    )
    return edition
