"""Ids of somebody else are posted into every field that names a row: refused as if the row did not exist.

Which fields those are stands in two tables written by hand; a field of a form or of the API that stands in
neither fails the suite.
"""

import ast
import datetime as dt
import importlib
import pkgutil
import uuid
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers

import scoring.api
from profiles.models import (
    AuditEvent,
    Membership,
    Profile,
    Quota,
    QuotaRequest,
    Role,
    Scope,
    TopUp,
    Vote,
)
from scoring.api.serializers import StrictSerializer
from scoring.models import Edition, ModelChoice, Provider
from tests import factories
from tests.factories import DAY

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]

# Of every form: what names a row, and what is only a word or a figure.
RELATIONS = {"public_id", "team", "member", "provider", "edition", "profile", "whom", "revoke", "chosen"}
PLAIN = {
    *("role", "time_zone", "back", "seen", "door", "name", "next", "do", "of", "period", "tokens", "deed"),
    *("once", "paused", "row", "content", "until", "place", "undo", "language", "keys", "remove", "confirm"),
    *("together", "email", "cut", "file", "note", "instant", "level", "reason"),
}


class Two:
    """Alice owns Ours. Theirs has a member, a private and a team profile, a provider, a gift and an edition."""

    def __init__(self):
        self.alice, zoe, self.yan = factories.user(), factories.user(), factories.user()
        self.ours = factories.team(self.alice, name="Ours")
        self.bob = factories.membership(self.ours, factories.user(), Role.MEMBER)
        self.theirs = factories.team(zoe, name="Theirs")
        self.member = factories.membership(self.theirs, self.yan, Role.MEMBER)
        self.shared = factories.profile(None, team=self.theirs)
        self.mine = factories.profile(self.alice, team=self.ours)
        self.provider = factories.provider("http://127.0.0.1:9/v1", team=self.theirs)
        self.paper = factories.announced_papers(1)[0]
        self.edition = Edition.objects.create(profile=self.shared, day=DAY, state=Edition.State.SCREENED)
        self.gift = TopUp.objects.create(
            scope=Scope.MEMBER,
            team=self.theirs,
            membership=self.member,
            tokens=5,
            ends_at=timezone.now() + dt.timedelta(days=1),
        )

    def state(self):
        """Everything that one of these deeds could change."""
        return [
            list(model.objects.order_by("pk").values())
            for model in (
                AuditEvent,
                Membership,
                Profile,
                Quota,
                QuotaRequest,
                TopUp,
                Vote,
                ModelChoice,
                Provider,
            )
        ]


@pytest.fixture
def two(client):
    world = Two()
    client.force_login(world.alice)
    return world


PROFILE = {"name": "A", "interest_name": "B", "categories": "cs.LG", "bar": "6", "target_recall": "90"}
LIMIT = {"period": "day", "tokens": "9"}

FORMS = {
    "public_id of a member's limit": lambda two, key: (
        reverse("team_quotas", args=[two.ours.slug]),
        {"of": "member", "public_id": key or two.member.public_id, **LIMIT},
    ),
    "public_id of a share's limit": lambda two, key: (
        reverse("team_quotas", args=[two.ours.slug]),
        {"of": "share", "public_id": key or two.shared.public_id, **LIMIT},
    ),
    "whom a gift is for": lambda two, key: (
        reverse("team_top_ups", args=[two.ours.slug]),
        {"whom": f"member:{key or two.member.public_id}", "tokens": "9", "until": "2027-01-01"},
    ),
    "whose share a gift is for": lambda two, key: (
        reverse("team_top_ups", args=[two.ours.slug]),
        {"whom": f"share:{key or two.shared.public_id}", "tokens": "9", "until": "2027-01-01"},
    ),
    "revoke a gift": lambda two, key: (
        reverse("team_top_ups", args=[two.ours.slug]),
        {"revoke": key or two.gift.public_id},
    ),
    "chosen for a bulk change": lambda two, key: (
        reverse("team_quotas_bulk", args=[two.ours.slug]),
        {"chosen": f"member:{key or two.member.public_id}", "confirm": "1", **LIMIT},
    ),
    "member to hand over to": lambda two, key: (
        reverse("team_hand_over", args=[two.ours.slug]),
        {"member": key or two.member.public_id},
    ),
    "provider of a team": lambda two, key: (
        reverse("team_providers", args=[two.ours.slug]),
        {"provider": key or two.provider.public_id},
    ),
    "provider of a profile": lambda two, key: (
        reverse("profile", args=[two.mine.public_id]),
        {**PROFILE, "provider": key or two.provider.public_id},
    ),
    "team that pays for a profile": lambda two, key: (
        reverse("profile_new"),
        {**PROFILE, "team": key or two.theirs.slug},
    ),
    "team that gets a copy": lambda two, key: (
        reverse("profile_share", args=[two.mine.public_id]),
        {"team": key or two.theirs.slug},
    ),
    "edition of a vote": lambda two, key: (
        reverse("mark", args=[two.paper.arxiv_id]),
        {"do": "up", "edition": key or two.edition.public_id},
    ),
    "profile whose day is read": lambda two, key: (
        reverse("read_all", args=[DAY]),
        {"profile": key or two.shared.public_id},
    ),
}

API = {
    ("QuotaChangeSerializer", "member"): lambda two, key: (
        "put",
        reverse("api_team_quotas", args=[two.ours.slug]),
        {"subject": "member", "member": key or two.member.public_id, "period": "day", "limit_tokens": 9},
    ),
    ("NewProfileSerializer", "team"): lambda two, key: (
        "post",
        reverse("api_profiles"),
        {"name": "A", "interests": [{"name": "B"}], "categories": ["cs.LG"], "team": key or two.theirs.slug},
    ),
    ("ForkSerializer", "team"): lambda two, key: (
        "post",
        reverse("api_profile_fork", args=[two.mine.public_id]),
        {"team": key or two.theirs.slug},
    ),
    ("ChoiceSerializer", "provider"): lambda two, key: (
        "put",
        reverse("api_team_providers", args=[two.ours.slug]),
        {"provider": key or two.provider.public_id},
    ),
}
REFUSED = {400, 404, 409, 422}


@pytest.mark.parametrize("what", FORMS)
def test_a_form_takes_another_s_row_for_a_missing_one(client, two, what):
    before = two.state()

    theirs = client.post(*FORMS[what](two, None))
    changed = two.state() != before
    nobodys = client.post(*FORMS[what](two, str(uuid.uuid4())))

    assert not changed
    assert theirs.status_code == nobodys.status_code
    assert theirs.status_code in REFUSED | {302}
    assert theirs.get("Location") == nobodys.get("Location")


@pytest.mark.parametrize("what", API, ids=lambda key: ".".join(key))
def test_the_api_takes_another_s_row_for_a_missing_one(client, two, what):
    before = two.state()

    answers = []
    for key in (None, str(uuid.uuid4())):
        method, address, body = API[what](two, key)
        answers.append(getattr(client, method)(address, body, content_type="application/json"))

    assert two.state() == before
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].status_code in REFUSED
    assert answers[0].content == answers[1].content


# --- nothing is missing -----------------------------------------------------------------------------


def posted():
    """Every name that a view reads of a form."""
    found = set()
    for folder in ("profiles/views", "scoring/views", "portal"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                target, words = None, []
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    target, words = node.func.value, node.args[:1]
                elif isinstance(node, ast.Subscript):
                    target, words = node.value, [node.slice]
                if isinstance(target, ast.Attribute) and target.attr == "POST":
                    found |= {word.value for word in words if isinstance(word, ast.Constant)}
    return found


def test_every_name_that_a_form_may_hold_is_a_relation_or_a_plain_word():
    assert posted() - RELATIONS - PLAIN == set()


def requests():
    """Every field of a body of the API that could name a row."""
    for module in pkgutil.iter_modules(scoring.api.__path__, "scoring.api."):
        importlib.import_module(module.name)
    kinds = (serializers.UUIDField, serializers.SlugField, serializers.RelatedField)
    pending, found = [StrictSerializer], set()
    while pending:
        each = pending.pop()
        pending += each.__subclasses__()
        found |= {
            (each.__name__, name)
            for name, field in each().fields.items()
            if isinstance(field, kinds) and not field.read_only
        }
    return found


def test_every_relation_that_a_body_of_the_api_may_hold_is_tried():
    assert requests() == set(API)
