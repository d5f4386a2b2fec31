"""The files from which the demo makes its readers' profiles."""

from pathlib import Path

import pytest

from profiles import drafts, toml

DEMO = Path(__file__).resolve().parent.parent.parent / "portal" / "demo"


@pytest.mark.parametrize(
    ("name", "language", "interests"), [("researcher", "zh-Hans", 7), ("student", "en", 1)]
)
def test_a_demo_profile_is_accepted_as_it_stands(name, language, interests):
    draft = toml.parse((DEMO / f"{name}.toml").read_text(encoding="utf-8"))

    drafts.check(draft)

    assert len(draft.interests) == interests
    assert draft.reason_language == language
