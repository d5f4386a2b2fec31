"""A profile as a file: there and back, and every way in which a file is no profile."""

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from profiles import drafts, teams, toml
from profiles.drafts import BadDraft, Draft, InterestDraft
from profiles.models import Interest, Profile
from tests import factories

pytestmark = pytest.mark.django_db

EXAMPLE = """
name = "深度学习"
categories = ["cs.CV", "cs.LG", "cs.AI", "cs.RO"]
cross_lists = false
reason_language = "zh-Hans"
bar = 60                      # 0-100
target_recall = 0.90          # 1.0 reads everything
weighting_prompt = "Prefer new methods over applications; …"
[[interests]]
name = "深度学习理论"
description = "optimizers, piece-wise linear networks, network architecture"
weight = 1.0                  # 0-1
terms = []                    # expansion, filled in once, yours to edit
[[exclusions]]
description = "medical imaging, remote sensing, unless central to an interest"
"""


def load(text: str) -> Profile:
    alice = factories.user()
    return toml.load(text, alice, teams.personal_team_of(alice))


def test_the_file_of_the_contract_is_a_profile():
    profile = load(EXAMPLE)

    assert profile.name == "深度学习"
    assert profile.categories == ["cs.CV", "cs.LG", "cs.AI", "cs.RO"]
    assert profile.reason_language == "zh-Hans"
    assert profile.exclusions == ["medical imaging, remote sensing, unless central to an interest"]
    assert [interest.weight for interest in profile.interests.all()] == [1.0]


def test_a_profile_survives_the_way_out_and_in():
    first = load(EXAMPLE)

    second = toml.load(toml.dump(first), first.owner, first.team)

    assert drafts.draft_of(second) == drafts.draft_of(first)


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).filter(str.strip),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
    st.floats(0, 1),
)
def test_any_words_survive_the_way_out_and_in(name, description, weight):
    draft = drafts.tidied(
        Draft(name=name, interests=(InterestDraft(name, description, weight),), categories=("cs.LG",))
    )

    assert toml.parse(toml.write(draft)) == draft


def interest_of(characters: int) -> str:
    return (
        f'name = "A"\ncategories = ["cs.LG"]\n[[interests]]\nname = "B"\ndescription = "{"x" * characters}"'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = [", "not valid TOML"),
        ("", "empty"),
        ("colour = 3", "Unknown key colour"),
        ('name = "A"\ncategories = ["cs.LG"]', "at least one research field"),
        ('name = "A"\n[[interests]]\nname = "B"', "at least one arXiv category"),
        ('name = "A"\ncategories = ["cs.LQ"]\n[[interests]]\nname = "B"', "no category cs.LQ. Did you mean"),
        ('name = "A"\ncategories = ["zzz"]\n[[interests]]\nname = "B"', "no category zzz"),
        (interest_of(20_000), "20000 characters; shorten it to 4000"),
        ('name = "A"\nbar = "high"', "bar must be a whole number"),
        ('name = "A"\nbar = true', "bar must be a whole number"),
        ('name = "A"\ncategories = [1]', "categories must be a list of texts"),
        ('name = "A"\ninterests = ["x"]', "[[interests]]"),
        (
            'name = "A"\ncategories = ["cs.LG"]\ntarget_recall = nan\n[[interests]]\nname = "B"',
            "target recall",
        ),
        ('name = "A"\ncategories = ["cs.LG"]\nbar = 101\n[[interests]]\nname = "B"', "0 to 100"),
        (
            'name = "A"\ncategories = ["cs.LG"]\n[[interests]]\nname = "B"\nweight = 7',
            "weight must lie between 0 and 1",
        ),
        ('name = "A\\u0000"\ncategories = ["cs.LG"]\n[[interests]]\nname = "B"', "control characters"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("bar = " + "9" * 5000, "number that is too large"),
        (
            f'name = "A"\ncategories = ["cs.LG"]\ntarget_recall = {"9" * 400}\n[[interests]]\nname = "B"',
            "recall",
        ),
        ('name = "A"\ncategories = ["cs.LG"]\n[[interests]]\nname = "B"\nweight = 0', "weight above 0"),
        ('name = "A"\ncategories = ["cs.LG"]\n[[interests]]\nname = "\u200b"', "a name"),
    ],
)
def test_a_file_that_is_no_profile_says_why_and_stores_nothing(text, said):
    with pytest.raises(BadDraft) as refused:
        load(text)

    assert said in str(refused.value)
    assert not Profile.objects.exists()
    assert not Interest.objects.exists()


def test_the_command_brings_a_file_in_and_writes_it_out(tmp_path, capsys):
    alice = factories.user()
    (tmp_path / "in.toml").write_text(EXAMPLE, encoding="utf-8")

    call_command("profile", "import", str(tmp_path / "in.toml"), user=alice.email)
    call_command("profile", "export", str(tmp_path / "out.toml"), user=alice.email)

    assert toml.parse((tmp_path / "out.toml").read_text(encoding="utf-8")) == toml.parse(EXAMPLE)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"name = [", "not valid TOML"), (b"\xff\xfe", "not UTF-8"), (None, "cannot be read")],
)
def test_the_command_says_what_is_wrong_with_the_file(tmp_path, content, said):
    alice = factories.user()
    if content is not None:
        (tmp_path / "in.toml").write_bytes(content)

    with pytest.raises(CommandError, match=said):
        call_command("profile", "import", str(tmp_path / "in.toml"), user=alice.email)

    assert not Profile.objects.exists()


def test_the_command_names_an_unknown_user(tmp_path):
    with pytest.raises(CommandError, match=r"nobody@example\.org"):
        call_command("profile", "import", str(tmp_path / "in.toml"), user="nobody@example.org")
