"""The page of who gets what is made of the tables that the suite holds against every address."""

import runpy
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def test_the_published_page_is_what_the_tables_say():
    page = runpy.run_path(str(REPO / "bin" / "access_page.py"))

    assert page["PAGE"].read_text(encoding="utf-8") == page["written"](), "run: python bin/access_page.py"
