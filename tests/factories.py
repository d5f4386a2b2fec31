"""Rows for tests: plain functions that fill in what the test is not about."""

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from papers.models import Announcement, Paper, PaperVersion
from profiles.models import Interest, Membership, Profile, Quota, Role, Scope, Team, User
from scoring.models import Call, Provider

DAY = dt.date(2026, 1, 30)
PASSWORD = "correct horse battery"

_numbers = itertools.count(1)


def user(email: str | None = None, **fields: Any) -> User:
    """A reader who can log in with PASSWORD."""
    return User.objects.create_user(email or f"reader{next(_numbers)}@example.org", PASSWORD, **fields)


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


def paper(
    arxiv_id: str | None = None,
    *,
    title: str | None = None,
    abstract: str = "We study how models learn, and show that they do.",
    categories: Sequence[str] = ("cs.LG",),
    authors: Sequence[str] = ("Ada Lovelace", "Alan Turing"),
    version: int = 1,
    is_sample: bool = False,
    **fields: Any,
) -> Paper:
    """A paper with the text of its version."""
    number = next(_numbers)
    made = Paper.objects.create(
        arxiv_id=arxiv_id or f"2601.{10000 + number}",
        title=title or f"On Learning, Part {number}",
        authors=[{"name": name, "affiliations": []} for name in authors],
        author_names=", ".join(authors),
        categories=list(categories),
        primary_category=categories[0],
        latest_version=version,
        **fields,
    )
    PaperVersion.objects.create(
        paper=made, number=version, title=made.title, abstract=abstract, is_sample=is_sample
    )
    return made


def announce(
    paper: Paper,
    day: dt.date = DAY,
    *,
    category: str | None = None,
    kind: str = Announcement.Kind.NEW,
    version: int | None = None,
) -> Announcement:
    return Announcement.objects.create(
        paper=paper,
        category=category or paper.primary_category,
        day=day,
        kind=kind,
        source=Announcement.Source.RSS,
        version=version or paper.latest_version,
    )


def announced_papers(count: int, day: dt.date = DAY, category: str = "cs.LG") -> list[Paper]:
    made = [paper(categories=[category]) for _ in range(count)]
    for each in made:
        announce(each, day)
    return made


def quota(scope: Scope, limit_tokens: int, period: str = "day", **subject: Any) -> Quota:
    return Quota.objects.create(
        scope=scope, limit_tokens=limit_tokens, period=period, updated_at=timezone.now(), **subject
    )


def provider(base_url: str = "", **fields: Any) -> Provider:
    """A simulated server at `base_url`, or the local judge without one."""
    kind = Provider.Kind.OPENAI if base_url else Provider.Kind.LOCAL
    defaults = {"name": f"judge{next(_numbers)}", "model": "simulated" if base_url else "local", "kind": kind}
    return Provider.objects.create(base_url=base_url, is_simulated=bool(base_url), **{**defaults, **fields})


def call(profile: Profile, provider: Provider, **fields: Any) -> Call:
    """One attempt for a profile, that has neither a hold nor an outcome yet."""
    defaults = {"day": DAY, "profile": profile, "provider": provider}
    return Call.objects.create(provider_model=provider.provider_model, **{**defaults, **fields})
