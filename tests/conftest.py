"""What every test may ask for."""

import os
from pathlib import Path

import pytest

from tests.fakes import fake_model

__all__ = ["fake_model"]

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data beside the project; a test that needs it skips when it is absent."""
    folder = Path(os.environ.get("BROADSHEET_SHARED_DATA", REPO.parent / "shared" / "data"))
    if not (folder / "papers.jsonl.gz").exists():
        pytest.skip("the development data is not beside the project")
    return folder
