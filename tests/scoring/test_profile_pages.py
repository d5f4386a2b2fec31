"""The pages on which a reader says what to read, with the price before the deed."""

import datetime as dt
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from profiles import drafts, revisions, toml
from profiles.editor import Editor
from profiles.models import Interest, Profile, Role, Team
from scoring import edits, price, profile_changes
from scoring.models import Call, Candidate, Edition, Score
from tests import factories
from tests.factories import DAY

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Daily",
    "interest_name": ["Graph learning", "Planning"],
    "interest_description": ["graph neural networks", ""],
    "interest_weight": ["1", "0.5"],
    "interest_terms": ["graph, network", ""],
    "categories": ["cs.LG", "cs.AI"],
    "reason_language": "en",
    "bar": "6.5",
    "target_recall": "90",
    "weighting_prompt": "",
    "exclusions": "surveys\nmedical imaging",
}


@pytest.fixture
def alice(client):
    reader = factories.user()
    client.force_login(reader)
    return reader


def seen_in(page: str) -> str:
    return page.split('name="seen" value="')[1].split('"')[0]


def form_of(profile: Profile, **changes) -> dict:
    editor = Editor.of(profile)
    return {
        "name": editor.name,
        "interest_name": [row.name for row in editor.rows],
        "interest_description": [row.description for row in editor.rows],
        "interest_weight": [row.weight for row in editor.rows],
        "interest_terms": [row.terms for row in editor.rows],
        "categories": editor.categories,
        "reason_language": editor.reason_language,
        "bar": editor.bar,
        "target_recall": editor.target_recall,
        "weighting_prompt": editor.weighting_prompt,
        "exclusions": editor.exclusions,
        **changes,
    }


def candidate_of(profile: Profile, state: str, **fields) -> Candidate:
    edition, _new = Edition.objects.get_or_create(
        profile=profile, day=DAY, defaults={"state": Edition.State.SCREENED}
    )
    return Candidate.objects.create(
        day=DAY, edition=edition, profile=profile, paper=factories.paper(), version=1, rank=1, estimate=5000,
        state=state, **fields,
    )  # fmt: skip


def judged(profile: Profile, scores: list[int], value: int) -> Candidate:
    call = Call.objects.create(day=DAY, profile=profile, provider_model="m")
    candidate = candidate_of(profile, Candidate.State.JUDGED, value=value, second_value=0, interest=0)
    score = Score.objects.create(
        day=DAY, profile=profile, revision=revisions.current(profile, "1"), paper=candidate.paper, version=1,
        provider_model="m", call=call, interest_scores=scores,
    )  # fmt: skip
    candidate.score_id = score.pk
    candidate.save(update_fields=["score_id"])
    return candidate


def test_a_new_profile_shows_its_price_before_it_is_saved(client, alice):
    factories.announced_papers(7)

    page = client.post(reverse("profile_new"), FORM).text

    assert "7 papers were announced in these categories on 2026-01-30" in page
    assert "0 tokens" in page
    assert not Profile.objects.exists()


def test_what_was_priced_is_saved_and_its_first_edition_awaited(client, alice):
    seen = seen_in(client.post(reverse("profile_new"), FORM).text)

    response = client.post(reverse("profile_new"), {**FORM, "seen": seen})

    profile = Profile.objects.get()
    assert response.url == reverse("profile_first", args=[profile.public_id])
    assert profile.owner == alice
    assert profile.team.is_personal
    assert (profile.bar, profile.target_recall, profile.exclusions) == (
        65,
        0.9,
        ["surveys", "medical imaging"],
    )
    assert [(each.name, each.weight, each.terms) for each in profile.interests.all()] == [
        ("Graph learning", 1.0, ["graph", "network"]),
        ("Planning", 0.5, []),
    ]


def test_a_form_changed_after_its_price_is_priced_again(client, alice):
    seen = seen_in(client.post(reverse("profile_new"), FORM).text)

    response = client.post(reverse("profile_new"), {**FORM, "name": "Other", "seen": seen})

    assert response.status_code == 200
    assert not Profile.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": " "}, "Give the profile a name"),
        ({"categories": []}, "at least one arXiv category"),
        ({"categories": ["cs.ZZ"]}, "no category cs.ZZ"),
        ({"interest_name": [], "interest_description": []}, "Give research field 1 a name"),
        ({"interest_description": ["x" * 20_000, ""]}, "20000 characters; shorten it to 4000"),
        ({"interest_weight": ["heavy", "1"]}, "Type a number here"),
        ({"interest_weight": ["nan", "1"]}, "Type a number here"),
        ({"interest_weight": ["1.5", "1"]}, "A weight must lie between 0 and 1"),
        ({"interest_weight": ["0", "0"]}, "a weight above 0"),
        ({"name": "\u200b\u202e"}, "Give the profile a name"),
        ({"interest_name": ["Same", "same"]}, "Two research fields are called"),
        ({"bar": "11"}, "The bar must be"),
        ({"bar": ""}, "Type a number here"),
        ({"target_recall": "20"}, "The target recall must lie"),
        ({"reason_language": "tlh"}, "The language of the reasons"),
        ({"weighting_prompt": "x" * 5000}, "5000 characters"),
        ({"exclusions": "x" * 500}, "500 characters"),
        ({"name": "A\x1bB"}, "control characters"),
    ],
)
def test_a_form_that_makes_no_sense_says_why_and_stores_nothing(client, alice, change, said):
    response = client.post(reverse("profile_new"), {**FORM, **change})

    assert response.status_code == 422
    assert said in response.text
    assert not Profile.objects.exists()
    assert not Interest.objects.exists()


def test_what_was_typed_is_kept_when_it_is_refused(client, alice):
    page = client.post(
        reverse("profile_new"), {**FORM, "bar": "high", "name": "<script>alert(1)</script>"}
    ).text

    assert 'value="high"' in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_rows_come_and_go_without_any_script(client, alice):
    added = client.post(reverse("profile_new"), {**FORM, "row": "add"}).text
    removed = client.post(reverse("profile_new"), {**FORM, "row": "remove-0"}).text
    moved = client.post(reverse("profile_new"), {**FORM, "row": "up-1"}).text

    assert added.count('name="interest_name"') == 3
    assert removed.count('name="interest_name"') == 1
    assert "Graph learning" not in removed
    assert moved.index("Planning") < moved.index("Graph learning")


@pytest.mark.parametrize("command", ["", "up-0", "remove-99", "remove--1", "drop-table", "up-x"])
def test_a_strange_row_command_changes_nothing(client, alice, command):
    page = client.post(reverse("profile_new"), {**FORM, "row": command}).text

    assert page.count('name="interest_name"') == 2


def test_htmx_gets_the_rows_alone(client, alice):
    page = client.post(reverse("profile_new"), {**FORM, "row": "add"}, headers={"hx-request": "true"}).text

    assert page.lstrip().startswith('<div id="rows"')


def test_weights_and_bar_are_saved_at_once_and_rank_again(client, alice):
    profile = factories.profile(alice, interests=("graphs", "planning"))
    first = judged(profile, [80, 60], 80)

    response = client.post(
        reverse("profile", args=[profile.public_id]), form_of(profile, interest_weight=["0.5", "1"], bar="7")
    )

    assert response.status_code == 302
    first.refresh_from_db()
    assert (first.value, first.second_value, first.interest) == (60, 40, 1)
    profile.refresh_from_db()
    assert profile.bar == 70


def test_new_words_show_their_price_first(client, alice):
    profile = factories.profile(alice)
    judged(profile, [80, 0], 80)
    candidate_of(profile, Candidate.State.WAITING)
    changed = form_of(profile, weighting_prompt="Theory first.")

    page = client.post(reverse("profile", args=[profile.public_id]), changed)
    assert "1 waiting paper will be read with the new words" in page.text
    assert "1 judged paper stays as it is" in page.text
    profile.refresh_from_db()
    assert profile.weighting_prompt == ""

    response = client.post(
        reverse("profile", args=[profile.public_id]), {**changed, "seen": seen_in(page.text)}
    )
    assert response.status_code == 302
    profile.refresh_from_db()
    assert profile.weighting_prompt == "Theory first."


def test_a_moved_field_keeps_its_scores_and_a_removed_one_counts_nothing(alice):
    profile = factories.profile(alice, interests=("graphs", "planning"))
    first = judged(profile, [40, 90], 90)
    draft = drafts.draft_of(profile)

    drafts.store(drafts.replace(draft, interests=(draft.interests[1], draft.interests[0])), profile)
    edits.reweigh(profile)
    first.refresh_from_db()
    assert (first.value, first.interest) == (90, 0)

    drafts.store(drafts.replace(draft, interests=draft.interests[:1]), profile)
    assert edits.reweigh(profile) == 1
    first.refresh_from_db()
    assert (first.value, first.interest) == (40, 0)
    assert edits.reweigh(profile) == 0


def test_a_second_click_makes_no_second_profile(client, alice):
    seen = seen_in(client.post(reverse("profile_new"), FORM).text)

    first = client.post(reverse("profile_new"), {**FORM, "seen": seen})
    again = client.post(reverse("profile_new"), {**FORM, "seen": seen})

    assert first.url == again.url
    assert Profile.objects.count() == 1


def test_other_words_make_another_profile(alice):
    profile = factories.profile(alice)
    draft = drafts.draft_of(profile)

    assert profile_changes.create(draft, owner=alice, team=profile.team) == profile
    other = profile_changes.create(drafts.replace(draft, bar=10), owner=alice, team=profile.team)

    assert other != profile


def test_a_field_without_a_known_word_says_so_before_it_is_saved(client, alice):
    form = {**FORM, "interest_name": ["Graph learning", "Zyxwvut"], "interest_description": ["", "qqqq"]}

    page = client.post(reverse("profile_new"), form).text

    assert page.count("No word of this field is known") == 1
    assert page.index("No word of this field is known") > page.index('value="Zyxwvut"')


def test_the_owner_sees_what_is_looked_for_and_may_write_terms_of_their_own(client, alice):
    form = {**FORM, "interest_name": ["图神经网络", "Planning"], "interest_terms": ["", "motion planning"]}

    page = client.post(reverse("profile_new"), form).text

    assert "graph neural network" in page
    assert "motion planning" in page.split("Looked for now")[2]


def test_the_price_with_a_model_is_papers_times_tokens(alice):
    profile = factories.profile(alice)
    factories.announced_papers(10)
    paid = price.of_new(drafts.draft_of(profile), factories.provider("http://127.0.0.1:9/v1"))

    assert paid.papers == 10
    assert 300 <= paid.tokens_a_paper <= 420
    assert paid.tokens == 10 * paid.tokens_a_paper


def test_the_price_follows_what_was_measured(alice):
    profile = factories.profile(alice)
    provider = factories.provider("http://127.0.0.1:9/v1")
    Call.objects.create(
        day=DAY, profile=profile, provider_model=provider.provider_model, outcome="judged",
        block=[["a4", 1, 1], ["b4", 2, 1]], input_tokens=500, output_tokens=101,
    )  # fmt: skip

    assert price.tokens_a_paper(drafts.draft_of(profile), profile, provider) == 301


def test_while_nothing_is_ranked_the_reader_is_told_and_asked_to_wait(client, alice):
    profile = factories.profile(alice)
    address = reverse("profile_first", args=[profile.public_id])
    assert "Nothing has been announced yet" in client.get(address).text

    factories.announced_papers(1)

    assert "2026-01-30 are being ranked" in client.get(address).text


def test_a_file_fills_in_the_form_and_stores_nothing(client, alice):
    profile = factories.profile(alice, name="Mine")
    upload = SimpleUploadedFile("p.toml", toml.dump(profile).encode())

    page = client.post(reverse("profile_import"), {"file": upload}).text

    assert 'value="Mine"' in page
    assert "What the first edition costs" in page
    assert Profile.objects.count() == 1


@pytest.mark.parametrize("content", [b"name = [", b"\xff\xfe", b""])
def test_a_file_that_is_no_profile_says_why(client, alice, content):
    response = client.post(
        reverse("profile_import"), {"file": SimpleUploadedFile("p.toml", content)}, follow=True
    )

    assert 'class="notice error"' in response.text
    assert not Profile.objects.exists()


def test_a_profile_leaves_as_a_file(client, alice):
    profile = factories.profile(alice, name="深度学习")

    response = client.get(reverse("profile_file", args=[profile.public_id]))

    assert toml.parse(response.text).name == "深度学习"
    assert Path(response["Content-Disposition"].split('"')[1]).suffix == ".toml"


def test_a_deleted_profile_is_gone_from_every_page(client, alice):
    profile = factories.profile(alice)
    address = reverse("profile_delete", args=[profile.public_id])
    assert "Delete this profile?" in client.get(address).text

    client.post(address)

    assert client.get(reverse("profile", args=[profile.public_id])).status_code == 404
    assert (
        profile.name not in client.get(reverse("profiles")).text.split('id="main"')[1].split("role=")[1][200:]
    )


def test_a_paused_profile_goes_on_when_asked(client, alice):
    profile = factories.profile(alice)
    address = reverse("profile_pause", args=[profile.public_id])

    client.post(address, {"paused": "yes"})
    assert not Profile.objects.active().exists()

    client.post(address, {"paused": "no"})
    assert Profile.objects.active().exists()


def test_a_team_profile_belongs_to_the_team_and_a_viewer_only_reads(client, alice):
    bob = factories.user()
    lab = factories.team(bob)
    membership = factories.membership(lab, alice, Role.MEMBER)
    form = {**FORM, "team": lab.slug, "together": "on"}
    seen = seen_in(client.post(reverse("profile_new"), form).text)

    client.post(reverse("profile_new"), {**form, "seen": seen})

    profile = Profile.objects.get()
    assert (profile.team, profile.owner) == (lab, None)
    membership.role = Role.VIEWER
    membership.save()
    assert client.get(reverse("profile", args=[profile.public_id])).status_code == 403
    assert client.post(reverse("profile_new"), form).status_code == 403


def test_a_stranger_s_team_pays_for_nobody(client, alice):
    lab = factories.team(factories.user())

    assert client.post(reverse("profile_new"), {**FORM, "team": lab.slug}).status_code == 404
    assert not Team.objects.filter(is_personal=True).exists()


def test_the_list_costs_few_queries_however_many_profiles(client, alice, django_assert_max_num_queries):
    for _number in range(8):
        profile = factories.profile(alice, team=Team.objects.first())
        for days in range(3):
            Edition.objects.create(profile=profile, day=DAY - dt.timedelta(days))

    with django_assert_max_num_queries(9):
        client.get(reverse("profiles"))
