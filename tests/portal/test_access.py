"""The access matrix: every address, every method, every role, against a table written by hand.

`access_table.txt` is the expected column; nothing in it is derived from the code. An address that is missing
from it fails the suite.
"""

import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from papers.models import Harvest, Quarantine
from profiles import invitations, letters, tokens
from profiles.models import ApiToken, Invitation, Membership, Notice, Profile, QuotaRequest, Role, Team, User
from scoring import asking, digest
from scoring.models import Edition, Provider
from tests import factories
from tests.factories import DAY

pytestmark = pytest.mark.django_db

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
ROLES = ["anon", "other", "member", "viewer", "rival", "admin", "owner", "staff"]
# Addresses that send whoever asks elsewhere, signed in or not.
SENDS_ON = {"appearance", "account_logout", "favicon"}
OUTSIDE = "8.8.8.8"
QUERY_ADDRESSES = {"today", "day", "progress", "reading", "read_all", "report", "api_editions"}


@dataclass(frozen=True)
class Row:
    name: str
    subject: str
    methods: tuple[str, ...]
    expected: dict[str, int]

    def __str__(self) -> str:
        return f"{self.name}-{self.subject}"

    @property
    def is_read_all(self) -> bool:
        return self.name == "read_all" and self.subject != "-"


def rows() -> list[Row]:
    text = (Path(__file__).parent / "access_table.txt").read_text()
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, subject, methods, *statuses = line.split()
        assert len(statuses) == len(ROLES), line
        found.append(
            Row(name, subject, tuple(methods.split(",")), dict(zip(ROLES, map(int, statuses), strict=True)))
        )
    return found


TABLE = rows()


@dataclass
class World:
    users: dict[str, User]
    lab: Team
    bob: Membership
    profiles: dict[str, Profile]
    editions: dict[str, Edition]
    token: ApiToken
    invitation: Invitation
    paper: str
    passkey: Authenticator

    cookies: dict[str, str]
    providers: dict[str, Provider]

    def __post_init__(self) -> None:
        self._client = Client(raise_request_exception=False, REMOTE_ADDR=OUTSIDE)

    def client(self, role: str) -> Client:
        """The one client, with that role's session and nothing left of an earlier request."""
        self._client.cookies.clear()
        if role != "anon":
            self._client.cookies[settings.SESSION_COOKIE_NAME] = self.cookies[role]
        return self._client

    def ask(self, method: str, row: "Row", role: str) -> HttpResponse:
        """One request; whatever it writes is taken back."""
        client, address = self.client(role), self.address(row.name, row.subject)
        body = {"profile": str(self.profiles[row.subject].public_id)} if row.is_read_all else None
        with transaction.atomic():
            if method in {"PUT", "PATCH"} or "/api/" in address:
                response = client.generic(method, address, b"{}", content_type="application/json")
            else:
                response = getattr(client, method.lower())(address, body)
            transaction.set_rollback(True)
        return response

    @property
    def wish(self) -> QuotaRequest:
        """The member's request for more."""
        return QuotaRequest.objects.get()

    @property
    def of_the_lab(self) -> dict[str, dict[str, object]]:
        """What stands in the address of each object of the team, of a token and of a paper."""
        return {
            "lab": {"slug": self.lab.slug},
            "bob": {"slug": self.lab.slug, "public_id": self.bob.public_id},
            "asked": {"slug": self.lab.slug, "public_id": self.invitation.public_id},
            "link": {"token": invitations.token_of(self.invitation)},
            "token": {"public_id": self.token.public_id},
            "told": {"public_id": self.users["owner"].notices.get().public_id},
            "wish": {"public_id": self.wish.public_id},
            "wishlink": {
                "token": asking.token_of(str(self.wish.public_id), str(self.users["admin"].public_id))
            },
            "paper": {"arxiv_id": self.paper},
            "place": {"day": DAY, "category": "cs.LG"},
            "aside": {"public_id": Quarantine.objects.get().public_id},
            "key_lab": {"slug": self.lab.slug, "public_id": self.providers["key_lab"].public_id},
            "key_all": {"public_id": self.providers["key_all"].public_id},
        }

    def address(self, name: str, subject: str) -> str:
        kwargs: dict[str, object] = {}
        query = ""
        if name in {"day", "progress", "reading", "read_all", "report"}:
            kwargs["day"] = DAY
        if name in {"report", "cite", "saved_papers"}:
            kwargs["form"] = "md" if name == "report" else "bib"
        if subject in {"private", "shared"}:
            profile = self.profiles[subject]
            if name in QUERY_ADDRESSES:
                query = f"?profile={profile.public_id}"
            elif name in {"api_edition", "api_entries", "ask_for_more"}:
                kwargs["public_id"] = self.editions[subject].public_id
            else:
                kwargs["public_id"] = profile.public_id
        elif subject in self.of_the_lab:
            kwargs |= self.of_the_lab[subject]
        elif subject in {"letter", "forged"}:
            signers = {"digest_off": digest.token_of, "letters_off": letters.token_of}
            is_forged = subject == "forged"
            kwargs["token"] = "forged:x" if is_forged else signers[name](self.users["owner"])
        elif subject == "passkey":
            kwargs["pk"] = self.passkey.pk
        elif subject == "key":
            kwargs |= {"key": "abc-def"} | ({"uidb36": "1"} if "reset" in name else {})
        return reverse(name, kwargs=kwargs) + query


@pytest.fixture
def world(settings, client) -> World:
    settings.ACCOUNT_RATE_LIMITS = False  # asked of every role in a row; limits have tests of their own
    settings.SIGNUP = "open"
    users = {role: factories.user(f"{role}@example.org") for role in ROLES if role not in {"anon", "staff"}}
    users["staff"] = factories.user("staff@example.org", is_staff=True)
    lab = factories.team(users["owner"], name="Lab")
    bob = factories.membership(lab, users["member"], Role.MEMBER)
    factories.membership(lab, users["viewer"], Role.VIEWER)
    factories.membership(lab, users["admin"], Role.ADMIN)
    rivals = factories.team(factories.user(), name="Rivals")
    factories.membership(rivals, users["rival"], Role.ADMIN)
    # A second owner of Lab, so that the first may leave.
    factories.membership(lab, factories.user(), Role.OWNER)
    profiles = {
        "private": factories.profile(users["owner"], team=lab, name="Private words"),
        "shared": factories.profile(None, team=lab, name="Shared words"),
    }
    paper = factories.announced_papers(1)[0]
    editions = {
        name: Edition.objects.create(profile=profile, day=DAY, state=Edition.State.SCREENED)
        for name, profile in profiles.items()
    }
    token, _secret = tokens.issue(users["owner"], "script", can_write=True)
    invitation = invitations.invite(users["owner"], lab, "other@example.org", Role.MEMBER)
    judges = {
        "key_lab": factories.team_provider(lab, api_key="sk-1234567890ab"),
        "key_all": factories.provider("https://llm.example/v1"),
    }
    Notice.objects.create(user=users["owner"], key="told", code="budget.alert", params={"window": 0})
    factories.quota_request(bob, 5_000)
    run = Harvest.objects.create(category="cs.LG", day=DAY, source="arxiv")
    Quarantine.objects.create(harvest=run, place="feed", reason="cut_off", raw=b"<item>")
    passkey = factories.passkey(factories.user())
    cookies = {}
    for role, user in users.items():
        client.force_login(user)
        cookies[role] = client.cookies[settings.SESSION_COOKIE_NAME].value
        client.cookies.clear()
    return World(
        users, lab, bob, profiles, editions, token, invitation, paper.arxiv_id, passkey, cookies, judges
    )


# Who may do what does not depend on the database; that every address works on each of them, the owner and nobody show.
@pytest.mark.parametrize(
    "role",
    [role if role in {"anon", "owner"} else pytest.param(role, marks=pytest.mark.once) for role in ROLES],
)
def test_everybody_gets_what_the_table_says(world, role):
    seen, expected = {}, {}
    for row in TABLE:
        for method in row.methods:
            key = f"{method} {row.name} ({row.subject})"
            expected[key] = row.expected[role]
            answer = world.ask(method, row, role)
            seen[key] = answer.status_code
            if role == "anon" and seen[key] == 302 and row.name not in SENDS_ON:
                assert answer.url.startswith("/account/"), key

    assert {key: found for key, found in seen.items() if found != expected[key]} == {
        key: expected[key] for key, found in seen.items() if found != expected[key]
    }


def names(resolver: URLResolver, inside: str = "") -> set[str]:
    """Every named address of the portal but the admin's, which has a test of its own."""
    found = set()
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                found |= names(pattern, inside)
        elif isinstance(pattern, URLPattern):
            found.add(pattern.name or f"(nameless) {pattern.pattern}")
    return found


def test_no_address_is_missing_from_the_table():
    assert names(get_resolver()) == {row.name for row in TABLE}


def test_every_method_of_every_address_is_in_the_table():
    methods: dict[str, set[str]] = {}
    for row in TABLE:
        methods.setdefault(row.name, set()).update(row.methods)

    assert {name for name, found in methods.items() if found != METHODS} == set()


def test_no_row_stands_twice():
    keys = [(row.name, row.subject, method) for row in TABLE for method in row.methods]

    assert [key for key in set(keys) if keys.count(key) > 1] == []


MISSING = str(uuid.UUID(int=4, version=4))


def test_another_s_object_has_the_body_of_a_missing_one(world):
    client = world.client("other")
    for row in TABLE:
        if row.expected["other"] != 404 or "GET" not in row.methods:
            continue
        address = missing = world.address(row.name, row.subject)
        for known in (
            *world.profiles.values(),
            *world.editions.values(),
            world.bob,
            world.token,
            world.invitation,
        ):
            missing = missing.replace(str(known.public_id), MISSING)
        missing = missing.replace(world.lab.slug, "no-such-team")

        theirs, nobodys = client.get(address), client.get(missing)

        assert theirs.status_code == nobodys.status_code == 404
        assert comparable(theirs.content, address) == comparable(nobodys.content, missing)


def comparable(body: bytes, address: str) -> str:
    """The body without what differs between any two requests: the address asked for, and the CSRF token."""
    text = body.decode().replace(address.replace("&", "&amp;"), "ADDRESS")
    return "".join(line for line in text.splitlines() if "csrfmiddlewaretoken" not in line)


# --- foreign ids in every writable relation ------------------------------------------------------------


def test_a_foreign_team_pays_for_no_profile(world):
    client = world.client("other")
    form = {
        "name": "A",
        "interest_name": "B",
        "categories": "cs.LG",
        "bar": "6",
        "target_recall": "90",
        "team": world.lab.slug,
    }
    body = {"name": "A", "interests": [{"name": "B"}], "categories": ["cs.LG"], "team": world.lab.slug}

    assert client.post(reverse("profile_new"), form).status_code == 404
    assert client.post(reverse("api_profiles"), body, content_type="application/json").status_code == 404
    assert Profile.objects.count() == 2


def test_a_viewer_spends_nothing(world):
    client = world.client("viewer")
    body = {"name": "A", "interests": [{"name": "B"}], "categories": ["cs.LG"], "team": world.lab.slug}

    for together in (False, True):
        answer = client.post(
            reverse("api_profiles"), {**body, "together": together}, content_type="application/json"
        )
        assert answer.status_code == 403
    assert Profile.objects.count() == 2


@pytest.mark.parametrize("name", ["team_change_role", "team_remove_member"])
def test_a_membership_of_another_team_is_not_reached_through_one_s_own(world, name):
    rivals = Team.objects.get(name="Rivals")
    address = reverse(name, args=[rivals.slug, world.bob.public_id])

    assert world.client("rival").post(address, {"role": Role.VIEWER}).status_code == 404
    world.bob.refresh_from_db()
    assert world.bob.role == Role.MEMBER


def test_an_admin_makes_no_owner_by_any_door(world):
    client = world.client("admin")
    address = reverse("team_change_role", args=[world.lab.slug, world.bob.public_id])

    assert client.post(address, {"role": Role.OWNER}).status_code == 403
    asked = client.post(
        reverse("team_invite", args=[world.lab.slug]), {"email": "new@example.org", "role": "owner"}
    )
    assert asked.status_code == 422
    world.bob.refresh_from_db()
    assert world.bob.role == Role.MEMBER
    assert not Invitation.objects.filter(email="new@example.org").exists()


def test_a_foreign_edition_takes_no_mark_or_vote(world):
    client = world.client("other")
    address = reverse("mark", args=[world.paper])

    for edition in world.editions.values():
        for word in ("save", "up", "down"):
            answer = client.post(address, {"mark": word, "deed": word, "edition": str(edition.public_id)})
            assert answer.status_code in {400, 404}


def test_ids_and_owners_in_a_body_change_nobody(world):
    client = world.client("owner")
    profile = world.profiles["private"]
    address = reverse("api_profile", args=[profile.public_id])

    for foreign in ({"owner": "x"}, {"team": "no-such-team"}, {"id": MISSING}, {"is_team_profile": True}):
        client.patch(address, foreign, content_type="application/json")

    profile.refresh_from_db()
    assert (profile.owner, profile.team) == (world.users["owner"], world.lab)
    assert str(profile.public_id) != MISSING


@pytest.mark.parametrize("role", ["rival", "other", "staff"])
def test_a_provider_of_another_team_is_not_reached_through_one_s_own(world, role):
    rivals, theirs = Team.objects.get(name="Rivals"), world.providers["key_lab"]
    client = world.client(role)

    for name, method in (
        ("team_provider", "get"),
        ("team_provider", "post"),
        ("team_provider_deed", "post"),
        ("api_team_provider", "patch"),
        ("api_team_provider", "delete"),
    ):
        address = reverse(name, args=[rivals.slug, theirs.public_id])
        assert getattr(client, method)(address).status_code == 404, name
    chosen = client.post(reverse("team_providers", args=[rivals.slug]), {"provider": str(theirs.public_id)})
    put = client.put(
        reverse("api_team_providers", args=[rivals.slug]),
        {"provider": str(theirs.public_id)},
        content_type="application/json",
    )
    assert (chosen.status_code, put.status_code) == (404, 404)
    theirs.refresh_from_db()
    assert theirs.is_active
    assert theirs.paused_at is None


def test_a_member_sees_the_model_and_nothing_of_the_key(world):
    for role, sees in (("member", False), ("viewer", False), ("admin", True)):
        client = world.client(role)
        for name in ("team_providers", "api_team_providers"):
            page = client.get(reverse(name, args=[world.lab.slug])).content.decode()
            assert world.providers["key_lab"].name in page
            assert ("90ab" in page) is sees
            assert "sk-1234567890ab" not in page


# --- headers on every address ----------------------------------------------------------------------------

STRICT = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def test_every_answer_carries_the_strict_headers(world):
    for row in TABLE:
        for role in ("anon", "owner"):
            response = world.ask(row.methods[0], row, role)
            policy = response.headers["Content-Security-Policy"]

            assert {name: response.headers.get(name) for name in STRICT} == STRICT, row
            assert "unsafe" not in policy
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
