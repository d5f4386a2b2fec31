"""The people of the demo: a researcher, a student whose budget is small, and the admin who can raise it."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from profiles import teams, toml
from profiles.models import Period, Profile, Role, Scope, Team, User
from profiles.quotas import instance, member
from scoring import budget, providers, suggesting
from scoring.models import BudgetWindow, Provider

FILES = Path(__file__).resolve().parent
TEAM = "Demo lab"
MAIL = "{name}@demo.example"
# Enough for about half of the sample day, so that the student's reading stops in the middle of it.
STUDENT_DAILY_TOKENS = 12_000
# What a first look at a real model may cost, unless the operator says otherwise.
REAL_DAILY_TOKENS = 60_000
SIMULATED = "demo-student"


@dataclass(frozen=True)
class Person:
    """A row of the table that the demo prints."""

    role: str
    mail: str
    password: str
    address: str


@dataclass(frozen=True)
class Cast:
    team: Team
    researcher: Profile
    student: Profile
    people: tuple[Person, ...]


def assemble(tokens: int | None) -> Cast:
    """Team, people, profiles and quotas, made once; what somebody has changed since stays as it is.

    `tokens` is the instance's limit a day for a real model; None: 60,000 on the first run, then unchanged.
    """
    with transaction.atomic():
        made = {name: _user(name) for name in ("admin", "researcher", "student")}
        admin, researcher, student = (user for user, _ in made.values())
        team = Team.objects.of(admin).filter(name=TEAM).first() or teams.create_team(admin, TEAM, "UTC")
        for person in (researcher, student):
            if not team.memberships.filter(user=person).exists():
                teams.admit(admin, team, person, Role.MEMBER)
        profiles = _profile("researcher", researcher, team), _profile("student", student, team)
    _limit_the_student(admin, team, student)
    _limit_a_real_model(tokens)
    fresh = {user.email for user, is_new in made.values() if is_new}
    return Cast(team, *profiles, people=_people(team, fresh))


def judge_the_student_by(cast: Cast, base_url: str) -> Provider:
    """Let the simulated model at that address judge the student's profile, and no other."""
    provider, _ = Provider.objects.update_or_create(
        team=None,
        name=SIMULATED,
        defaults={
            "profile": cast.student,
            "kind": Provider.Kind.OPENAI,
            "model": providers.SIMULATED_MODEL,
            "base_url": base_url,
            "is_simulated": True,
            "failures": 0,
            "open_until": None,
        },
    )
    suggesting.ask(cast.student)
    return provider


def password_of(mail: str) -> str:
    """The same on every run of this instance, and of no use on another: made from the instance's secret."""
    digest = hmac.new(settings.SECRET_KEY.encode(), f"demo {mail}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest)[:16].decode().lower()


def _user(name: str) -> tuple[User, bool]:
    """The person, and whether this run made them."""
    mail = MAIL.format(name=name)
    known = User.objects.filter(email=mail).first()
    if known:
        return known, False
    return User.objects.create_user(mail, password_of(mail), name=name.title()), True


def _profile(name: str, owner: User, team: Team) -> Profile:
    known = Profile.objects.filter(owner=owner, team=team).first()
    return known or toml.load((FILES / f"{name}.toml").read_text(encoding="utf-8"), owner, team)


def _limit_the_student(admin: User, team: Team, student: User) -> None:
    membership = team.memberships.get(user=student)
    if not membership.quotas.exists():
        budget.change_quota(admin, member(membership), Period.DAY, STUDENT_DAILY_TOKENS)


def _limit_a_real_model(tokens: int | None) -> None:
    if tokens is None:
        is_first_run = not BudgetWindow.objects.filter(scope=Scope.INSTANCE).exists()
        tokens = REAL_DAILY_TOKENS if settings.LLM_BASE_URL and is_first_run else None
    if tokens is not None:
        budget.change_quota(None, instance(), Period.DAY, tokens)


def _people(team: Team, fresh: set[str]) -> tuple[Person, ...]:
    home, quotas = "/", reverse("team_quotas", args=[team.slug])
    pages = {"researcher": home, "student": home, "admin": quotas}
    return tuple(
        Person(name, mail, _password_shown(mail, is_fresh=mail in fresh), f"{settings.PORTAL_URL}{page}")
        for name, page in pages.items()
        for mail in [MAIL.format(name=name)]
    )


def _password_shown(mail: str, *, is_fresh: bool) -> str:
    """Whoever was just made has it still: comparing would cost a third of a second each."""
    if is_fresh:
        return password_of(mail)
    user = User.objects.get(email=mail)
    return password_of(mail) if user.check_password(password_of(mail)) else "(you changed it)"
