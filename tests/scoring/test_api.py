"""The API: the same rows as the pages, for a session or a token, with errors that name the field."""

import io

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from profiles import drafts, revisions, tokens
from profiles.models import Period, Profile, Quota, Role, Scope
from scoring import packed, profile_changes
from scoring.models import Call, Candidate, Edition, Score
from tests import factories
from tests.factories import DAY

pytestmark = pytest.mark.django_db

BODY = {
    "name": "Daily",
    "categories": ["cs.LG"],
    "interests": [{"name": "Graph learning", "weight": 0.5, "terms": ["graph"]}],
    "exclusions": ["surveys"],
}


def asking(user=None, *, can_write=True) -> APIClient:
    client = APIClient()
    if user is not None:
        _token, secret = tokens.issue(user, "test", can_write=can_write)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def judged_edition(profile: Profile, values=(90, 40)) -> Edition:
    """An edition with papers of these values, the last one a sample text."""
    papers = [factories.paper(is_sample=value == values[-1]) for value in values]
    entries = [packed.Entry(paper.pk, 1, packed.Code.JUDGED, 5000) for paper in papers]
    edition = Edition.objects.create(
        profile=profile, day=DAY, state=Edition.State.SCREENED, packed=packed.pack(entries)
    )
    revision = revisions.current(profile, "1")
    call = Call.objects.create(
        day=DAY, profile=profile, edition=edition, provider_model="judge/m", input_tokens=600, output_tokens=40,
        block=[["a4", paper.pk, 1] for paper in papers],
    )  # fmt: skip
    for paper, value in zip(papers, values, strict=True):
        score = Score.objects.create(
            day=DAY, profile=profile, revision=revision, paper=paper, version=1, provider_model="judge/m",
            call=call, interest_scores=[value, 0], reason="Because.", reason_language="en",
            quote="we study how models learn", is_quote_verified=True,
        )  # fmt: skip
        Candidate.objects.create(
            day=DAY, edition=edition, profile=profile, paper=paper, version=1, rank=1, estimate=5000,
            state=Candidate.State.JUDGED, score_id=score.pk, value=value, second_value=0, interest=0,
        )  # fmt: skip
    return edition


def test_nobody_comes_in_without_a_name():
    answer = asking().get("/api/v1/profiles/")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer ", "Bearer bs_wrong", "Bearer \u00fc"])
def test_a_wrong_token_is_refused_even_with_a_session(header):
    alice = factories.user()
    client = APIClient()
    client.force_login(alice)

    assert client.get("/api/v1/me/").status_code == 200
    assert client.get("/api/v1/me/", HTTP_AUTHORIZATION=header).status_code == 401


def test_a_session_needs_its_csrf_token_to_write():
    alice = factories.user()
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)

    assert client.post("/api/v1/profiles/", BODY, format="json").status_code == 403
    assert not Profile.objects.exists()


def test_a_token_that_reads_does_not_write():
    alice = factories.user()

    answer = asking(alice, can_write=False).post("/api/v1/profiles/", BODY, format="json")

    assert answer.status_code == 403
    assert "only reads" in answer.json()["detail"]
    assert not Profile.objects.exists()


def test_a_profile_is_made_read_changed_and_put_away():
    alice = factories.user()
    client = asking(alice)

    made = client.post("/api/v1/profiles/", BODY, format="json")
    assert made.status_code == 201
    address = f"/api/v1/profiles/{made.json()['id']}/"
    assert client.get(address).json()["interests"] == [
        {"name": "Graph learning", "description": "", "weight": 0.5, "terms": ["graph"]}
    ]

    changed = client.patch(address, {"bar": 70}, format="json").json()
    assert (changed["bar"], changed["exclusions"], changed["name"]) == (70, ["surveys"], "Daily")

    replaced = client.put(address, {**BODY, "name": "Other", "exclusions": []}, format="json").json()
    assert (replaced["name"], replaced["bar"], replaced["exclusions"]) == ("Other", 60, [])

    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert client.get("/api/v1/profiles/").json()["count"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"categories": ["cs.ZZ"]}, "categories"),
        ({"categories": []}, "categories"),
        ({"interests": []}, "interests"),
        ({"interests": [{"name": "A", "description": "x" * 20_000}]}, "interests.0.description"),
        ({"interests": [{"name": "A", "weight": 3}]}, "interests.0.weight"),
        ({"interests": [{"name": "A", "colour": 3}]}, "interests"),
        ({"bar": 101}, "bar"),
        ({"bar": "high"}, "bar"),
        ({"target_recall": "nan"}, "target_recall"),
        ({"reason_language": "tlh"}, "reason_language"),
        ({"colour": "red"}, "colour"),
        ({"name": "A\u0000"}, "name"),
    ],
)
def test_a_body_that_makes_no_sense_names_its_field_and_stores_nothing(change, field):
    answer = asking(factories.user()).post("/api/v1/profiles/", {**BODY, **change}, format="json")

    assert answer.status_code == 400
    assert field in answer.json()
    assert not Profile.objects.exists()


def test_a_partial_change_of_fields_needs_their_names():
    alice = factories.user()
    profile = factories.profile(alice)
    address = f"/api/v1/profiles/{profile.public_id}/"

    answer = asking(alice).patch(address, {"interests": [{"weight": 0.5}]}, format="json")

    assert answer.status_code == 400
    assert "interests.0.name" in answer.json()
    assert profile.interests.count() == 2


def test_a_body_that_is_no_json_is_refused():
    answer = asking(factories.user()).post("/api/v1/profiles/", "{", content_type="application/json")

    assert answer.status_code == 400


def test_entries_come_best_first_with_all_that_explains_them():
    alice = factories.user()
    edition = judged_edition(factories.profile(alice))
    client = asking(alice)

    entries = client.get(f"/api/v1/editions/{edition.public_id}/entries/").json()

    assert entries["count"] == 2
    first, second = entries["results"]
    assert (first["value"], first["shown_value"], first["is_recommended"]) == (90, "9.0", True)
    assert first["scores"][0] == {
        "interest": "Graph Neural Networks",
        "score": 90,
        "weight": 1.0,
        "value": 90,
    }
    assert (first["quote"], first["is_quote_verified"]) == ("we study how models learn", True)
    assert (first["tokens"], first["model"], first["notice"]) == (320, "judge/m", "")
    assert (second["value"], second["is_recommended"]) == (40, False)
    assert second["is_sample"]
    assert second["notice"] == "Sample text, not the authors' abstract."

    picks = client.get(f"/api/v1/editions/{edition.public_id}/entries/?recommended=true").json()
    assert [each["value"] for each in picks["results"]] == [90]


def test_scores_keep_their_fields_when_the_profile_moves_or_loses_one():
    alice = factories.user()
    profile = factories.profile(alice, interests=("graphs", "planning"))
    edition = judged_edition(profile, values=(90,))
    address = f"/api/v1/editions/{edition.public_id}/entries/"
    draft = drafts.draft_of(profile)

    profile_changes.store(drafts.replace(draft, interests=(draft.interests[1], draft.interests[0])), profile)
    moved = asking(alice).get(address).json()["results"][0]
    profile_changes.store(drafts.replace(draft, interests=(draft.interests[1],)), profile)
    lost = asking(alice).get(address).json()["results"][0]

    assert (moved["value"], moved["section"], moved["is_of_earlier_words"]) == (90, "Graphs", True)
    assert {part["interest"]: part["value"] for part in moved["scores"]} == {"Graphs": 90, "Planning": 0}
    assert lost["value"] == 0
    assert [(part["interest"], part["score"], part["value"]) for part in lost["scores"]] == [
        ("Graphs", 90, 0),
        ("Planning", 0, 0),
    ]


def test_lists_come_in_pages():
    alice = factories.user()
    edition = judged_edition(factories.profile(alice), values=(90, 80, 70))
    client = asking(alice)

    page = client.get(f"/api/v1/editions/{edition.public_id}/entries/?limit=2").json()
    rest = client.get(page["next"]).json()

    assert [each["value"] for each in page["results"]] == [90, 80]
    assert [each["value"] for each in rest["results"]] == [70]
    assert rest["next"] is None


def test_an_edition_s_account_adds_up():
    alice = factories.user()
    profile = factories.profile(alice)
    edition = judged_edition(profile)
    client = asking(alice)

    listed = client.get(f"/api/v1/editions/?profile={profile.public_id}&day=2026-01-30").json()["results"]

    assert listed == [client.get(f"/api/v1/editions/{edition.public_id}/").json()]
    data = listed[0]
    assert data["announced"] == sum(data["account"].values()) == 2
    assert (data["lost"], data["recommended"], data["tokens"]) == (0, 1, 640)


@pytest.mark.parametrize("query", ["profile=nonsense", "day=yesterday", "day=2026-02-31"])
def test_a_filter_that_makes_no_sense_is_a_400(query):
    assert asking(factories.user()).get(f"/api/v1/editions/?{query}").status_code == 400


def test_a_reader_sees_their_budget_level_by_level():
    alice = factories.user()
    lab = factories.team(alice)
    factories.quota(Scope.TEAM, 5000, team=lab)

    data = asking(alice).get("/api/v1/budgets/").json()

    assert [each["team"] for each in data] == [lab.slug]
    by_scope = {figure["scope"]: figure for figure in data[0]["figures"]}
    assert set(by_scope) == {"member", "team", "instance"}
    assert (by_scope["team"]["limit"], by_scope["team"]["used"], by_scope["team"]["free"]) == (5000, 0, 5000)


def test_an_admin_sets_a_member_s_quota_and_a_member_does_not():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice)
    membership = factories.membership(lab, bob)
    address = f"/api/v1/teams/{lab.slug}/quotas/"
    body = {
        "subject": "member",
        "member": str(membership.public_id),
        "period": Period.DAY,
        "limit_tokens": 1234,
    }

    assert asking(bob).get(address).status_code == 403
    assert asking(bob).put(address, body, format="json").status_code == 403
    data = asking(alice).put(address, body, format="json").json()

    assert Quota.objects.get().limit_tokens == 1234
    limits = {each["member"]: each["figures"][0]["limit"] for each in data["members"]}
    assert limits[str(membership.public_id)] == 1234


def test_a_member_of_another_team_is_no_subject():
    alice = factories.user()
    lab = factories.team(alice)
    stranger = factories.membership(factories.team(factories.user()), factories.user())
    body = {"subject": "member", "member": str(stranger.public_id), "period": "day", "limit_tokens": 1}

    answer = asking(alice).put(f"/api/v1/teams/{lab.slug}/quotas/", body, format="json")

    assert answer.status_code == 404
    assert not Quota.objects.exists()


@pytest.mark.parametrize(
    "change", [{"limit_tokens": -1}, {"limit_tokens": 10**13}, {"limit_tokens": 1.5}, {"period": "year"}]
)
def test_a_limit_that_makes_no_sense_is_refused(change):
    alice = factories.user()
    lab = factories.team(alice)
    body = {"subject": "member_default", "period": "day", "limit_tokens": 1, **change}

    answer = asking(alice).put(f"/api/v1/teams/{lab.slug}/quotas/", body, format="json")

    assert answer.status_code == 400
    assert not Quota.objects.exists()


def test_another_reader_s_rows_are_missing_rows():
    alice, charlie = factories.user(), factories.user()
    profile = factories.profile(alice)
    edition = judged_edition(profile)
    client = asking(charlie)
    missing = client.get("/api/v1/profiles/00000000-0000-4000-8000-000000000000/")

    for address in (
        f"/api/v1/profiles/{profile.public_id}/",
        f"/api/v1/editions/{edition.public_id}/",
        f"/api/v1/editions/{edition.public_id}/entries/",
        f"/api/v1/editions/?profile={profile.public_id}",
        f"/api/v1/teams/{profile.team.slug}/quotas/",
    ):
        answer = client.get(address)
        assert (answer.status_code, answer.content) == (missing.status_code, missing.content), address


def test_a_viewer_reads_a_team_profile_and_does_not_write_it():
    alice, bob = factories.user(), factories.user()
    lab = factories.team(alice)
    factories.membership(lab, bob, Role.VIEWER)
    shared = factories.profile(None, team=lab)
    address = f"/api/v1/profiles/{shared.public_id}/"

    assert asking(bob).get(address).status_code == 200
    assert asking(bob).patch(address, {"bar": 10}, format="json").status_code == 403
    assert asking(alice).patch(address, {"bar": 10}, format="json").status_code == 200


def test_the_schema_is_valid_without_a_warning():
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=io.StringIO())


def test_the_schema_stands_at_its_address(client):
    answer = client.get("/api/schema/")

    assert answer.status_code == 200
    assert "/api/v1/editions/{public_id}/entries/" in answer.content.decode()


def test_a_page_of_entries_costs_few_queries(django_assert_max_num_queries):
    alice = factories.user()
    edition = judged_edition(factories.profile(alice), values=tuple(range(60, 100)))
    client = asking(alice)

    with django_assert_max_num_queries(10):
        client.get(f"/api/v1/editions/{edition.public_id}/entries/")
